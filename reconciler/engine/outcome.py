"""What became of each change of a run, as it is journalled and reported."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from reconciler.engine.document import Action, RollbackRef
from reconciler.engine.smoke_report import SmokeReport
from reconciler.engine.verify.report import VerifyReport


class Outcome(StrEnum):
    """How a change ended."""

    APPLIED = "applied"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Something that it depends on failed."""
    NOT_STARTED = "not-started"
    """The run was stopped, or lost its lock, before its turn."""


class Result(BaseModel):
    """One change's end."""

    model_config = ConfigDict(frozen=True)

    address: str
    action: Action
    outcome: Outcome
    message: str | None = None
    """Why it failed or was skipped."""
    remedy: str | None = None
    refused: bool = False
    """It failed because the object changed since the plan was made."""
    object_id: str | None = None
    """Id of the object in the org, as far as it is known."""
    version_before: str | None = None
    version_after: str | None = None
    seconds: float = 0.0


class Retreat(BaseModel):
    """What became of taking a run's changes back, because something in it failed."""

    model_config = ConfigDict(frozen=True)

    why: str
    """What failed, as a clause."""
    plan: str | None = None
    """The id of the plan that took them back; None where none could be made."""
    results: tuple[Result, ...] = ()
    left: tuple[str, ...] = ()
    """What stays, a sentence each."""

    @property
    def complete(self) -> bool:
        """Whether everything is as it was."""
        return self.plan is not None and not self.left and all(r.outcome is Outcome.APPLIED for r in self.results)

    @property
    def taken_back(self) -> int:
        """How many objects are as they were."""
        return sum(1 for result in self.results if result.outcome is Outcome.APPLIED)


class RunReport(BaseModel):
    """A whole run."""

    model_config = ConfigDict(frozen=True)

    run: str
    plan: str
    environment: str
    results: tuple[Result, ...]
    healed: tuple[str, ...] = ()
    """Addresses whose ledger row was renewed although nothing changed."""
    verification: VerifyReport | None = None
    """Whether the org shows what was applied; None where nothing was verified."""
    smoke: SmokeReport | None = None
    """What came of the smoke tests after it; None where the environment asks for none."""
    rollback: RollbackRef | None = None
    """What the run went back to, where it was a rollback."""
    retreat: Retreat | None = None
    """How the run's own changes were taken back; None where they were not."""
    lock_lost: str | None = None
    stopped: bool = False
    seconds: float = 0.0
    requests: int = 0
    """HTTP requests sent to the org, uploads and downloads not counted."""

    publish_seconds: float = 0.0
    """From the beginning of the first change to the end of the last one that was applied."""
    override: str | None = None
    """Why the environment's windows were set aside; None where they were not."""

    def count(self, outcome: Outcome) -> int:
        """How many changes ended so."""
        return sum(1 for result in self.results if result.outcome is outcome)

    @property
    def unproven(self) -> int:
        """How many smoke tests were not passed, or could not be run."""
        return len(self.smoke.not_passed) if self.smoke else 0

    @property
    def not_proven(self) -> int:
        """How many checks of the verification failed, or could not be made."""
        return len(self.verification.not_proven) if self.verification else 0

    @property
    def complete(self) -> bool:
        """Whether every change was applied, whatever verification and smoke tests say of them."""
        return not self.lock_lost and self.count(Outcome.APPLIED) == len(self.results)

    @property
    def exit_code(self) -> int:
        """0 all done; 3 lock lost, or nothing but refusals; 4 applied in part, or not proven; 1 nothing is applied."""
        if self.lock_lost:
            return 3
        if self.retreat is not None:
            return 1 if self.retreat.complete else 4
        done = self.count(Outcome.APPLIED)
        if done == len(self.results):
            return 4 if self.unproven or self.not_proven else 0
        if done:
            return 4
        failed = [result for result in self.results if result.outcome is Outcome.FAILED]
        return 3 if failed and all(result.refused for result in failed) else 1
