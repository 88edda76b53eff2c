"""The journal of a run on disk: one JSON line an event, written through at once."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO, Any

from reconciler.engine.document import Change, Plan
from reconciler.engine.outcome import Result, RunReport
from reconciler.engine.smoke_report import SmokeResult
from reconciler.engine.verify.report import Proof, VerifyReport
from reconciler.ledger import now_utc
from reconciler.problems import ReconcilerError


class Journal:
    """Appends events; what was written survives the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = path.open("a", encoding="utf-8")
        except OSError as error:
            raise ReconcilerError(
                f"{path}: the journal of the run cannot be written: {error.strerror}; nothing was applied.",
                remedy="Mend the permissions of the folder.",
            ) from None

    def run_started(self, run: str, plan: Plan, holder: str, override: str | None = None) -> None:
        """The run begins; ``override`` is why windows were set aside."""
        told: dict[str, Any] = {"override": override} if override else {}
        if plan.rollback:
            told["rollback"] = plan.rollback.model_dump(mode="json")
        self._write("run-started", run=run, plan=plan.id, environment=plan.environment, holder=holder, **told)

    def change_started(self, change: Change) -> None:
        """A change begins to act on the org; its reasons say also which policy was set aside for it."""
        self._write("change-started", address=change.address, action=change.action, reasons=change.reasons)

    def change_ended(self, result: Result) -> None:
        """A change has its outcome."""
        self._write("change-ended", **result.model_dump(mode="json", exclude_none=True))

    def verified(self, report: VerifyReport) -> None:
        """The changes were verified: a line for each check that is not proven, and one with the counts."""
        for check in report.not_proven:
            self._write("check-ended", **check.model_dump(mode="json", exclude_none=True))
        counts = {outcome.value: report.count(outcome) for outcome in Proof}
        self._write("verify-ended", **counts, seconds=round(report.seconds, 3))

    def smoke_ended(self, result: SmokeResult) -> None:
        """A smoke test after the changes has its outcome."""
        self._write("smoke-ended", **result.model_dump(mode="json", exclude_none=True))

    def retreat_started(self, plan: Plan, why: str) -> None:
        """The run takes its own changes back; ``why`` is what failed."""
        self._write("rollback-started", plan=plan.id, why=why)

    def run_ended(self, report: RunReport) -> None:
        """The run is over."""
        self._write(
            "run-ended",
            exit_code=report.exit_code,
            seconds=report.seconds,
            publish_seconds=report.publish_seconds,
        )

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _write(self, event: str, **fields: Any) -> None:
        line = {"at": now_utc().isoformat(), "event": event} | fields
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
