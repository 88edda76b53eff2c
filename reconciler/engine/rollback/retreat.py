"""A run takes its own changes back, because something in it failed: the end of ``apply --rollback-on-failure``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from reconciler.engine.document import Action, Plan
from reconciler.engine.journal import Journal
from reconciler.engine.outcome import Outcome, Result, Retreat
from reconciler.engine.planner import Planning
from reconciler.engine.rollback.destination import Destination
from reconciler.engine.rollback.plan import plan_rollback
from reconciler.engine.rollback.request import Back
from reconciler.engine.workspace import Scope, Workspace
from reconciler.ledger import Ledger
from reconciler.platform import Platform
from reconciler.problems import Finding, ReconcilerError

Execute = Callable[[Planning, Destination], Awaitable[tuple[Result, ...]]]
LEFT_BEHIND = frozenset({"no-way-back", "rollback-leaves", "rollback-to-spec", "drift"})
"""Findings that name an object which is not as it was."""


@dataclass(frozen=True)
class Retreating:
    """Of one run that still holds the lock."""

    workspace: Workspace
    platform: Platform
    ledger: Ledger
    run: str
    journal: Journal
    notice: Callable[[str], None]
    execute: Execute
    """Carries out a plan under the run's lock."""
    secret_env: Mapping[str, str] | None
    doubtful: frozenset[str] = frozenset()
    """Addresses that failed in such a way that they may have been changed all the same."""

    async def take_back(self, results: Iterable[Result], why: str) -> Retreat | None:
        """Takes back what was applied; None where nothing was."""
        changed = [r.address for r in results if r.outcome is Outcome.APPLIED and r.action is not Action.ADOPT]
        if not self.doubtful and not changed:
            return None
        self.notice(f"What this run applied is taken back, because {why}.")
        left: list[str] = []
        without: frozenset[str] = frozenset()
        while True:
            try:
                planning, destination = await self._plan(without)
            except ReconcilerError as error:
                told = () if left else (f"Nothing could be taken back: {error.message}",)
                return Retreat(why=why, left=(*told, *left, *_stay(changed)))
            blocking = [finding for finding in planning.plan.errors if not _set_aside(finding)]
            if not blocking:
                break
            left += [finding.message for finding in blocking]
            culprits = {finding.address for finding in blocking if finding.address} - without
            if not culprits:
                return Retreat(why=why, plan=planning.plan.id, left=(*left, *_stay(changed)))
            # One object without a way back must not keep the others from theirs.
            without |= culprits
            left += _stay(sorted(culprits))
        self.journal.retreat_started(planning.plan, why)
        done = await self.execute(planning, destination)
        return Retreat(why=why, plan=planning.plan.id, results=done, left=(*left, *_left(planning.plan)))

    async def _plan(self, without: frozenset[str]) -> tuple[Planning, Destination]:
        return await plan_rollback(
            self.workspace,
            self.platform,
            self.ledger,
            Back(run=self.run, strict=False, doubtful=self.doubtful, without=without),
            Scope(),
            secret_env=self.secret_env,
            own_run=self.run,
        )


def _set_aside(finding: Finding) -> bool:
    """The policy let the changes pass, so it lets them be taken back; what drifted stays, and keeps nothing else."""
    return finding.id.startswith("policy-") or finding.id == "drift"


def _stay(changed: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{address} stays as this run made it." for address in changed)


def _left(plan: Plan) -> tuple[str, ...]:
    return tuple(finding.message for finding in plan.findings if finding.id in LEFT_BEHIND)
