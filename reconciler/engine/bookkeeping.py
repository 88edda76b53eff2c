"""What a run writes into the ledger besides the rows of its changes: corrections, its own record, its ending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.engine.document import Plan
from reconciler.engine.fields import state_digest
from reconciler.engine.lease import Lease
from reconciler.engine.outcome import Outcome, RunReport
from reconciler.engine.planner import Planning
from reconciler.engine.records import record_of
from reconciler.engine.verdict import Verdict
from reconciler.engine.workspace import Workspace
from reconciler.ledger import RUNS_KEPT, Ending, Ledger, LockLostError, Row, now_utc, short_hash
from reconciler.problems import ReconcilerError


@dataclass(frozen=True)
class Bookkeeping:
    """Of one run. The work itself is done by now: what cannot be written is only worth a notice."""

    workspace: Workspace
    ledger: Ledger
    lease: Lease
    run: str
    notice: Callable[[str], None]

    async def keep_house(self, planning: Planning, plan: Plan) -> tuple[str, ...]:
        """Renews rows of objects that mean the same under another version, drops rows of what is gone.

        The work itself is done by now: a row that cannot be renewed is only worth a notice.
        """
        healed: list[str] = []
        try:
            await self.lease.confirm()
            touched = {change.address for change in plan.changes}
            for verdict in planning.heals:
                if verdict.address not in touched:
                    await self.ledger.write(self.lease.lock, self._healed_row(verdict))
                    healed.append(verdict.address)
            # A rollback does not know what the specs want of what it does not go back to.
            for address in () if plan.rollback else planning.observation.ledger.rows:
                gone = address not in planning.observation.org.by_address
                if gone and address not in self.workspace.catalog.resources and address not in touched:
                    await self.ledger.forget(self.lease.lock, address)
            for address in self._beyond_recall(planning):
                if address not in touched:
                    await self.ledger.forget(self.lease.lock, address)
        except LockLostError as error:
            self.lease.lost = error
        except ReconcilerError as error:
            self.notice(f"The ledger could not be renewed in full: {error}")
        return tuple(healed)

    def _beyond_recall(self, planning: Planning) -> list[str]:
        """Rows of what runs deleted that the ledger's history has let go of."""
        ledger = planning.observation.ledger
        if len(ledger.runs) < RUNS_KEPT:
            return []
        oldest = ledger.runs[0].at
        return [
            address for address, row in ledger.gone.items() if row.applied_at is not None and row.applied_at < oldest
        ]

    def _healed_row(self, verdict: Verdict) -> Row:
        assert verdict.row is not None
        assert verdict.live is not None
        assert verdict.desired is not None
        versioned = verdict.kind.content_in_versions
        fields = () if versioned else tuple(sorted(verdict.desired.content.canonical))
        return verdict.row.model_copy(
            update={
                "version": verdict.live.version,
                "spec_digest": verdict.desired.digest,
                "fields": fields,
                "state_digest": None if versioned else state_digest(verdict.live, fields),
                "division": verdict.live.division,
                "modules": verdict.row.modules if verdict.row_is_current else verdict.modules,
                "applied_at": now_utc(),
                "run": self.run,
            }
        )

    def ending(self, planning: Planning, report: RunReport) -> Ending:
        """What this run leaves behind: everything that it looked at is settled, but for what it did not do."""
        undone = {result.address for result in report.results if result.outcome is not Outcome.APPLIED}
        held = {verdict.address for verdict in planning.verdicts.values() if verdict.held}
        waiting = {change.address for change in planning.plan.changes} - {r.address for r in report.results}
        settled = planning.verdicts.keys() - undone - held - waiting - self.lease.unsettled
        return Ending(
            applied_plan=report.plan if report.count(Outcome.APPLIED) else None,
            origin=self.workspace.commit.origin,
            unsettled=frozenset(short_hash(address) for address in self.lease.unsettled),
            settled=frozenset(short_hash(address) for address in settled),
        )

    async def record(
        self, planning: Planning, report: RunReport, holder: str, *, audit: str | None, client: str
    ) -> None:
        """Notes the run in the ledger where it did or tested something, or brought another commit; never fails."""
        record = record_of(report, self.workspace.commit, holder, self.ledger.now(), audit=audit, client=client)
        last = planning.observation.ledger.runs[-1:]
        tested = report.smoke is not None and bool(report.smoke.results)
        worth_noting = report.results or report.healed or tested or [run.commit for run in last] != [record.commit]
        if self.lease.lost or not worth_noting:
            return
        try:
            await self.lease.confirm()
            await self.ledger.record(self.lease.lock, record)
        except LockLostError as error:
            self.lease.lost = error
        except ReconcilerError as error:
            self.notice(f"The run could not be noted in the ledger's history: {error}")
