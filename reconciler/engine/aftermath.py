"""What follows when the changes of a run are done: is it proven, is it tested, has it to be taken back.

All of it happens while the run still holds the lock, so that nobody else changes what is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.engine.document import Plan
from reconciler.engine.execute import Listener
from reconciler.engine.journal import Journal
from reconciler.engine.lease import Lease
from reconciler.engine.outcome import Outcome, RunReport
from reconciler.engine.planner import Planning
from reconciler.engine.proof import Proof
from reconciler.engine.rollback.retreat import Execute, Retreating
from reconciler.engine.verify.after import verified_after
from reconciler.engine.workspace import Workspace
from reconciler.ledger import Ledger
from reconciler.platform import Platform


@dataclass(frozen=True)
class Aftermath:
    """Of one run. One that was cut short is neither verified nor tested nor taken back."""

    workspace: Workspace
    platform: Platform
    ledger: Ledger
    lease: Lease
    run: str
    journal: Journal
    listener: Listener
    notice: Callable[[str], None]
    stopping: Callable[[], bool]
    proof: Proof
    goes_back: bool
    """The run is a rollback: the smoke tests, which are those of the present specs, do not fit."""
    rollback_on_failure: bool
    retreat: Execute
    """Carries out the plan of a retreat."""
    secret_env: Mapping[str, str] | None = field(default=None, repr=False)

    async def of(self, planning: Planning, plan: Plan, report: RunReport) -> RunReport:
        """The report with all that followed."""
        failed = self._failed_changes(report)
        if failed is None:
            report = await self._verified(planning, plan, report)
            report = await self._tested(report)
        why = failed or self._failed_tests(report)
        return report if why is None else await self._taken_back(report, why)

    def _cut_short(self) -> bool:
        return self.stopping() or self.lease.lost is not None

    async def _verified(self, planning: Planning, plan: Plan, report: RunReport) -> RunReport:
        """The report with what the org shows of the changes."""
        if self._cut_short():
            return report
        verification = await verified_after(
            planning.workspace, self.platform, planning, plan, report.results, self.listener, self._cut_short
        )
        if verification is None:
            return report
        self.journal.verified(verification)
        return report.model_copy(update={"verification": verification})

    async def _tested(self, report: RunReport) -> RunReport:
        """The report with what came of the smoke tests."""
        if self._cut_short() or self.goes_back:
            return report
        smoke = await self.proof.run(report.results)
        for result in smoke.results if smoke else ():
            self.journal.smoke_ended(result)
        return report.model_copy(update={"smoke": smoke})

    def _failed_changes(self, report: RunReport) -> str | None:
        """Why the run has to be taken back before anything else, None where it has not."""
        failed = [result.address for result in report.results if result.outcome is Outcome.FAILED]
        if not self.rollback_on_failure or self.goes_back or not failed:
            return None
        return f"{failed[0]} failed" if len(failed) == 1 else f"{len(failed)} changes failed"

    def _failed_tests(self, report: RunReport) -> str | None:
        """Why the run has to be taken back by the environment's wish, None where it has not."""
        on_failure = self.workspace.environment.smoke.on_failure
        if report.smoke is None or report.smoke.passed or on_failure != "rollback":
            return None
        names = ", ".join(f"'{result.name}'" for result in report.smoke.not_passed)
        return f"not every smoke test was passed: {names}"

    async def _taken_back(self, report: RunReport, why: str) -> RunReport:
        if self._cut_short():
            return report
        retreating = Retreating(
            workspace=self.workspace,
            platform=self.platform,
            ledger=self.ledger,
            run=self.run,
            journal=self.journal,
            notice=self.notice,
            execute=self.retreat,
            secret_env=self.secret_env,
            doubtful=frozenset(self.lease.unsettled),
        )
        return report.model_copy(update={"retreat": await retreating.take_back(report.results, why)})
