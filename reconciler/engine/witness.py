"""Who is told of every run that holds the lock: the audit trail, and the people and systems that must know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from reconciler.engine.document import Plan
from reconciler.engine.outcome import Result, RunReport
from reconciler.ledger import RunRecord
from reconciler.specs import Commit


@dataclass(frozen=True)
class Beginning:
    """What is known of a run when its changes begin."""

    run: str
    at: datetime
    """By the clock that all runs on the ledger share."""
    holder: str
    """Who runs it, for people to read."""
    commit: Commit
    plan: Plan
    override: str | None = None
    """Why the environment's windows are set aside; None where they are not."""
    before: RunRecord | None = None
    """The last run that the ledger remembers."""


class Witness(Protocol):
    """Sees a run go by and must not hold it up: no waiting for others, and no exception for a fault of its own."""

    def run_started(self, beginning: Beginning) -> None:
        """The lock is held, the plan was checked, nothing was changed yet.

        Raises:
            ReconcilerError: the run must not go on; the audit trail refuses what it cannot put on record.
        """

    def change_ended(self, result: Result) -> None:
        """One change has its outcome."""

    def run_ended(self, beginning: Beginning, report: RunReport) -> None:
        """The run is over and in the ledger. A run that is killed never comes here."""
