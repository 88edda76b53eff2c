"""What came of smoke tests: one result a test, with what was expected and what came; no secrets inside."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

STATUS = "status"
"""Subject of the check that every test has."""


class SmokeOutcome(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    """The execution did not end as expected, or not in time."""
    NOT_RUN = "not-run"
    """It could not be started, or the org did not tell how it ended."""


class Check(BaseModel):
    """One expectation and what came."""

    model_config = ConfigDict(frozen=True)

    subject: str
    """``status``, or the name of an output."""
    expected: str
    """For people: ``COMPLETED``, ``"abc"``, ``to match /^a/``, ``to be set``, ``not to be set``."""
    actual: str | None
    """For people; None for an output that is not set."""
    met: bool


class SmokeResult(BaseModel):
    """One test's end."""

    model_config = ConfigDict(frozen=True)

    name: str
    flow: str
    """Address of the workflow."""
    file: str
    line: int
    outcome: SmokeOutcome
    checks: tuple[Check, ...] = ()
    """Outputs are compared only where the status is the expected one."""
    execution: str | None = None
    """Id of the execution."""
    version: str | None = None
    """The version of the workflow that ran."""
    error: str | None = None
    """The execution's own error."""
    message: str | None = None
    """Why it was not run, or that it did not end in time."""
    remedy: str | None = None
    seconds: float = 0.0


class SmokeReport(BaseModel):
    """All tests of one run, in the order of their files."""

    model_config = ConfigDict(frozen=True)

    environment: str
    org: str
    """Name of the org."""
    results: tuple[SmokeResult, ...]
    of: int
    """How many tests there are beside the specs."""
    seconds: float = 0.0

    def count(self, outcome: SmokeOutcome) -> int:
        """How many tests ended so."""
        return sum(1 for result in self.results if result.outcome is outcome)

    @property
    def not_passed(self) -> tuple[SmokeResult, ...]:
        """What somebody has to look at."""
        return tuple(result for result in self.results if result.outcome is not SmokeOutcome.PASSED)

    @property
    def passed(self) -> bool:
        """Whether every test that was to be run was passed."""
        return not self.not_passed
