"""What came of a verification: one row a check, with what should be and what is; no secrets inside."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Proof(StrEnum):
    """How a check ended."""

    PROVEN = "proven"
    FAILED = "failed"
    """The org says otherwise."""
    UNPROVEN = "unproven"
    """The org could not, or would not, tell."""


class What(StrEnum):
    """What a check is about."""

    THERE = "there"
    """The object is in the org; a flow is published."""
    TARGET = "target"
    """A field of an IVR or a schedule group points at the very object that the specs name."""
    NUMBER = "number"
    """A phone number is routed to the IVR."""
    COPY = "copy"
    """The published version of a flow holds the published version of a common module."""
    DELETED = "deleted"
    """Nothing that was deleted is still used."""


class Check(BaseModel):
    """One check and its end."""

    model_config = ConfigDict(frozen=True)

    address: str
    """Whom it is about."""
    what: What
    about: str
    """What of it, for people: a field, a number, ``copy of commonModule/Greeter``."""
    expected: str
    actual: str | None = None
    """None where it is as expected, or the org did not tell."""
    expected_id: str | None = None
    """Id of the object that is expected; of several, the ids with blanks between."""
    actual_id: str | None = None
    outcome: Proof
    reason: str | None = None
    """Why it could not be proven."""
    remedy: str | None = None


class VerifyReport(BaseModel):
    """All checks of one verification, in order of address."""

    model_config = ConfigDict(frozen=True)

    environment: str
    org: str
    """Name of the org."""
    checks: tuple[Check, ...]
    seconds: float = 0.0

    def count(self, outcome: Proof) -> int:
        """How many checks ended so."""
        return sum(1 for check in self.checks if check.outcome is outcome)

    @property
    def not_proven(self) -> tuple[Check, ...]:
        """What somebody has to look at: failures first."""
        failed = (check for check in self.checks if check.outcome is Proof.FAILED)
        return (*failed, *(check for check in self.checks if check.outcome is Proof.UNPROVEN))

    @property
    def proven(self) -> bool:
        """Whether every check is proven."""
        return not self.not_proven
