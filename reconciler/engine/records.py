"""What the ledger's history keeps of a run."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from reconciler.engine.outcome import Outcome, RunReport
from reconciler.ledger import RunRecord
from reconciler.specs import Commit


def record_of(
    report: RunReport, commit: Commit, holder: str, now: datetime, *, audit: str | None, client: str
) -> RunRecord:
    """The run as one short record; ``audit`` is the head of its audit trail, ``client`` the OAuth client's id."""
    applied = Counter(result.action.value for result in report.results if result.outcome is Outcome.APPLIED)
    return RunRecord(
        run=report.run,
        at=now,
        by=holder,
        commit=commit.commit,
        release=commit.release,
        dirty=commit.dirty,
        plan=report.plan,
        actions=dict(sorted(applied.items())),
        failed=report.count(Outcome.FAILED),
        skipped=report.count(Outcome.SKIPPED),
        not_started=report.count(Outcome.NOT_STARTED),
        healed=len(report.healed),
        unproven=report.unproven,
        not_proven=report.not_proven,
        seconds=round(report.seconds, 1),
        exit_code=report.exit_code,
        override=report.override,
        audit=audit,
        client=client[:8] or None,
        rollback=report.rollback.told if report.rollback else None,
        rolled_back=report.retreat.taken_back if report.retreat else 0,
    )
