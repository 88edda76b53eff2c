"""Applies a plan under the ledger's lock: a fresh one, or a saved one exactly as it was reviewed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from reconciler.engine.document import Action, Plan
from reconciler.engine.execute import Execution, Listener
from reconciler.engine.fields import state_digest
from reconciler.engine.history import History
from reconciler.engine.journal import Journal
from reconciler.engine.lease import Lease, held
from reconciler.engine.outcome import Outcome, RunReport
from reconciler.engine.planner import Planning, Scope, Workspace, make_plan
from reconciler.engine.prune import delete_policy_findings
from reconciler.engine.steps import Signature, Steps
from reconciler.engine.verdict import Verdict
from reconciler.ledger import Ending, Ledger, LockLostError, Row, now_utc, short_hash
from reconciler.platform import Platform
from reconciler.problems import ReconcilerError, Severity
from reconciler.specs import Masker

Confirm = Callable[[Plan], bool]


class StalePlanError(ReconcilerError):
    """A saved plan does not fit any more, or was applied already (exit code 3)."""

    exit_code: ClassVar[int] = 3


class DeclinedError(ReconcilerError):
    """The person at the terminal said no; nothing was done."""


class UnusablePlanError(ReconcilerError):
    """The plan holds errors; nothing was done."""


@dataclass
class Apply:
    """One apply, from taking the lock to giving it back."""

    workspace: Workspace
    platform: Platform
    ledger: Ledger
    holder: str
    run: str
    journal: Journal
    listener: Listener
    confirm: Confirm
    execution: Execution | None = None
    stopping: bool = False

    async def run_fresh(self, scope: Scope) -> tuple[Planning, RunReport]:
        """Plans and applies.

        Raises:
            LockedError: another run holds the lock.
            UnusablePlanError: the plan holds errors.
            DeclinedError: the plan was not confirmed.
        """
        async with held(Lease(self.ledger, await self.ledger.acquire(self.holder, self.run))) as lease:
            try:
                planning = await make_plan(self.workspace, self.platform, self.ledger, scope)
                self._refuse_stopped()
                _refuse_errors(planning.plan)
                if planning.plan.changes and not self.confirm(planning.plan):
                    raise DeclinedError("Nothing was applied.")
                report = await self._carry_out(planning, planning.plan, lease)
            except BaseException:
                await self._release(lease, Ending())
                raise
            await self._release(lease, self._ending(planning, report, lease))
        return planning, report

    async def run_saved(self, plan: Plan) -> tuple[Planning, RunReport]:
        """Applies a saved plan, after checking that it still fits.

        Raises:
            StalePlanError: environment, specs or org are not the plan's, or it was applied already.
            LockedError: another run holds the lock.
            UnusablePlanError: the plan holds errors.
        """
        self._check_source(plan)
        _refuse_errors(plan)
        self._check_policy(plan)
        identity = await self.platform.organization()
        if identity.id != plan.org.id:
            raise StalePlanError(
                f"The plan was made for the org {plan.org.name!r} ({plan.org.id}), "
                f"but the credentials belong to {identity.name!r} ({identity.id}).",
                remedy="Use that org's credentials, or plan again.",
            )
        async with held(Lease(self.ledger, await self.ledger.acquire(self.holder, self.run))) as lease:
            try:
                planning = await make_plan(self.workspace, self.platform, self.ledger, Scope())
                self._refuse_stopped()
                if plan.id in planning.observation.ledger.applied_plans:
                    raise StalePlanError(
                        f"The plan {plan.id} was applied already.", remedy="Plan again to see what is left."
                    )
                report = await self._carry_out(planning, plan, lease)
            except BaseException:
                await self._release(lease, Ending())
                raise
            await self._release(lease, self._ending(planning, report, lease))
        return planning, report

    def stop(self) -> None:
        """Starts nothing more; what runs is finished and recorded."""
        self.stopping = True
        if self.execution is not None:
            self.execution.stopping = True

    def _refuse_stopped(self) -> None:
        if self.stopping:
            raise DeclinedError("Stopped before anything was applied.")

    def _check_source(self, plan: Plan) -> None:
        if plan.environment != self.workspace.environment.name:
            raise StalePlanError(
                f"The plan was made for the environment {plan.environment!r}, "
                f"not for {self.workspace.environment.name!r}.",
                remedy=f"Apply it with --env {plan.environment}, or plan again.",
            )
        if plan.source.digest != self.workspace.catalog.digest:
            raise StalePlanError(
                "The specs or the environment changed since the plan was made.",
                remedy="Plan again and have the new plan reviewed.",
            )

    def _check_policy(self, plan: Plan) -> None:
        """The environment's policy of today counts, not the one that the plan was made under."""
        deletes = [change.address for change in plan.changes if change.action is Action.DELETE]
        findings = delete_policy_findings(deletes, self.workspace.environment.policy)
        if findings:
            raise UnusablePlanError("The policy of the environment forbids this plan.", findings=findings)

    async def _carry_out(self, planning: Planning, plan: Plan, lease: Lease) -> RunReport:
        started = time.monotonic()
        self.journal.run_started(self.run, plan, self.holder)
        self.listener.run_started(plan)
        self.execution = Execution(
            plan=plan,
            steps=self._steps(planning, lease),
            lease=lease,
            journal=self.journal,
            listener=self.listener,
            concurrency=self.workspace.environment.concurrency,
            mask=Masker(self.workspace.secrets).mask,
        )
        results = await self.execution.run()
        healed = () if lease.lost else await self._keep_house(planning, plan, lease)
        report = RunReport(
            run=self.run,
            plan=plan.id,
            environment=plan.environment,
            results=results,
            healed=healed,
            lock_lost=str(lease.lost) if lease.lost else None,
            stopped=self.execution.stopping,
            seconds=time.monotonic() - started,
            requests=self.platform.requests,
        )
        self.journal.run_ended(report)
        return report

    def _steps(self, planning: Planning, lease: Lease) -> Steps:
        org = planning.observation.org
        return Steps(
            platform=self.platform,
            ledger=self.ledger,
            lease=lease,
            org=org,
            rows=planning.observation.ledger.rows,
            wanted=self.workspace.catalog.resources,
            history=planning.history
            or History(self.workspace.root, self.workspace.environment.name, self.workspace.cache),
            signature=Signature(self.holder, self.run, self.workspace.commit.commit),
            secret_fingerprints=self.workspace.secret_fingerprints(org.identity.id),
        )

    async def _keep_house(self, planning: Planning, plan: Plan, lease: Lease) -> tuple[str, ...]:
        """Renews rows of objects that mean the same under another version, drops rows of what is gone."""
        touched = {change.address for change in plan.changes}
        healed = []
        for verdict in planning.heals:
            if verdict.address not in touched:
                await self.ledger.write(lease.lock, self._healed_row(verdict))
                healed.append(verdict.address)
        for address in planning.observation.ledger.rows:
            gone = address not in planning.observation.org.by_address
            if gone and address not in self.workspace.catalog.resources and address not in touched:
                await self.ledger.forget(lease.lock, address)
        return tuple(healed)

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
                "modules": verdict.row.modules if verdict.row_is_current else None,
                "applied_at": now_utc(),
                "run": self.run,
            }
        )

    def _ending(self, planning: Planning, report: RunReport, lease: Lease) -> Ending:
        """What this run leaves behind: everything that it looked at is settled, but for what it did not do."""
        undone = {result.address for result in report.results if result.outcome is not Outcome.APPLIED}
        held = {verdict.address for verdict in planning.verdicts.values() if verdict.held}
        waiting = {change.address for change in planning.plan.changes} - {r.address for r in report.results}
        settled = planning.verdicts.keys() - undone - held - waiting - lease.unsettled
        return Ending(
            applied_plan=report.plan if report.results else None,
            unsettled=frozenset(short_hash(address) for address in lease.unsettled),
            settled=frozenset(short_hash(address) for address in settled),
        )

    async def _release(self, lease: Lease, ending: Ending) -> None:
        if lease.lost is not None:
            return
        try:
            await self.ledger.release(lease.lock, ending)
        except LockLostError as error:
            lease.lost = error
        except ReconcilerError as error:
            # The work is done and recorded; a lock that stays behind expires by itself.
            self.listener.change_waits("ledger", f"the lock could not be given back: {error}")


def _refuse_errors(plan: Plan) -> None:
    if plan.errors:
        count = len(plan.errors)
        raise UnusablePlanError(
            f"The plan holds {count} error{'s' if count > 1 else ''}; nothing was applied.",
            findings=[finding for finding in plan.findings if finding.severity is Severity.ERROR],
        )
