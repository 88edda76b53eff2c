"""Applies a plan under the ledger's lock: a fresh one, or a saved one exactly as it was reviewed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import ClassVar

from reconciler.engine.document import Action, Plan
from reconciler.engine.drift import DriftPolicy
from reconciler.engine.execute import Execution, Listener
from reconciler.engine.fields import state_digest
from reconciler.engine.history import History
from reconciler.engine.journal import Journal
from reconciler.engine.lease import Lease, held
from reconciler.engine.outcome import Outcome, RunReport
from reconciler.engine.planner import Planning, make_plan
from reconciler.engine.policy import ON_DRIFT, judge_saved, named_reason, uncommitted_finding, unsaved_finding
from reconciler.engine.proof import Proof
from reconciler.engine.prune import drifted_deletes, orphans
from reconciler.engine.records import record_of
from reconciler.engine.republish import Republishing, unmanaged_of
from reconciler.engine.steps import Signature, Steps, moves_only
from reconciler.engine.timing import Gate, Timing
from reconciler.engine.verdict import Verdict
from reconciler.engine.windows import Calendar
from reconciler.engine.workspace import Scope, Workspace
from reconciler.ledger import Ending, Ledger, LockedError, LockLostError, Row, now_utc, short_hash, stamp
from reconciler.platform import Platform
from reconciler.problems import Finding, ReconcilerError, Severity
from reconciler.specs import Masker, missing_secret_finding

Confirm = Callable[[Plan], bool]


class StalePlanError(ReconcilerError):
    """A saved plan does not fit any more, or was applied already (exit code 3)."""

    exit_code: ClassVar[int] = 3


class DeclinedError(ReconcilerError):
    """The person at the terminal said no; nothing was done, and that is no error (exit code 0)."""

    exit_code: ClassVar[int] = 0


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
    republish_unmanaged: bool = False
    """Publish consumers outside the specs again as they are."""
    timing: Timing = field(default_factory=Timing)
    """When the run may begin."""
    on_locked: Callable[[], None] = lambda: None
    """Called once the lock is held: from here on a signal must let the run end in order."""
    execution: Execution | None = None
    stopping: bool = False
    _released: bool = False

    async def run_fresh(self, scope: Scope) -> tuple[Planning, RunReport]:
        """Plans, asks, and applies; the lock is taken after the answer.

        Raises:
            LockedError: another run holds the lock.
            UnusablePlanError: the plan holds errors, or the environment takes saved plans only.
            DeclinedError: the plan was not confirmed.
            StalePlanError: another run applied something while the question waited.
            OutsideWindowError: nothing may be applied now.
        """
        refuse_unsaved(self.workspace)
        planning = await make_plan(self.workspace, self.platform, self.ledger, scope)
        if planning.observation.ledger.locked and planning.observation.ledger.lock is not None:
            raise LockedError(planning.observation.ledger.lock)
        _refuse_errors(planning.plan)
        self._check_policy(planning.plan)
        self._refuse_missing_secrets(planning.plan)
        self._proof.check(planning.plan)
        gate = self._gate(planning.plan)
        gate.begin()
        if not self.confirm(planning.plan):
            raise DeclinedError("Nothing was applied.")
        if await gate.wait():
            # The org may have changed meanwhile: as with a plan that was saved.
            return await self._check_again_and_carry_out(planning.plan)
        async with self._locked() as lease:
            if self.ledger.revision_at_lock != planning.observation.ledger.revision:
                raise StalePlanError(
                    "Another run applied something since this plan was made; nothing was applied.",
                    remedy="Run apply again.",
                )
            return planning, await self._carry_out(planning, planning.plan, lease)

    async def run_saved(self, plan: Plan) -> tuple[Planning, RunReport]:
        """Applies a saved plan, after checking that it still fits.

        Raises:
            StalePlanError: environment, specs or org are not the plan's, or it was applied already.
            LockedError: another run holds the lock.
            UnusablePlanError: the plan holds errors, or the policy of today forbids it.
            OutsideWindowError: nothing may be applied now.
        """
        self._check_source(plan)
        _refuse_errors(plan)
        self._check_policy(plan)
        self._refuse_missing_secrets(plan)
        self._proof.check(plan)
        identity = await self.platform.organization()
        if identity.id != plan.org.id:
            raise StalePlanError(
                f"The plan was made for the org {plan.org.name!r} ({plan.org.id}), "
                f"but the credentials belong to {identity.name!r} ({identity.id}).",
                remedy="Use that org's credentials, or plan again.",
            )
        gate = self._gate(plan)
        if gate.begin() is not None:
            # What can be found out before the wait is: errors should not wait for the night, and caches fill.
            self._refuse_drift(await make_plan(self.workspace, self.platform, self.ledger, Scope()), plan)
            await gate.wait()
        return await self._check_again_and_carry_out(plan)

    async def _check_again_and_carry_out(self, plan: Plan) -> tuple[Planning, RunReport]:
        """Applies a plan that was made some time ago, after another look at the org under the lock."""
        async with self._locked() as lease:
            planning = await make_plan(self.workspace, self.platform, self.ledger, Scope(), own_run=self.run)
            if plan.id in planning.observation.ledger.applied_plans:
                raise StalePlanError(
                    f"The plan {plan.id} was applied already.", remedy="Plan again to see what is left."
                )
            self._refuse_drift(planning, plan)
            return planning, await self._carry_out(planning, plan, lease)

    def _gate(self, plan: Plan) -> Gate:
        # A plan that changes nothing may run at any time.
        windows = self.workspace.environment.windows if plan.changes else None
        environment = self.workspace.environment.model_copy(update={"windows": windows})
        return Gate(environment, self.timing, self.platform.now, self.listener.notice)

    def stop(self) -> None:
        """Starts nothing more; what runs is finished and recorded."""
        self.stopping = True
        if self.execution is not None:
            self.execution.stopping = True

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[Lease]:
        """Holds the lock for the block; whatever happens in it, the ledger learns how it ended."""
        lease = Lease(self.ledger)
        self.platform.guard_writes(lease.require)
        await lease.take(self.holder, self.run)
        try:
            self.on_locked()
            async with held(lease):
                yield lease
        finally:
            # Reached with the lock in hand also when the run failed, was cancelled, or had nothing to do.
            if not self._released:
                await self._release(lease, Ending(unsettled=frozenset(map(short_hash, lease.unsettled))))

    def _refuse_missing_secrets(self, plan: Plan) -> None:
        """A flow must not be published with a placeholder in it; better to know before anything is done."""
        publishing = [
            self.workspace.catalog.resources.get(change.address)
            for change in plan.changes
            if change.action is not Action.ADOPT and not moves_only(change)
        ]
        used = {name for desired in publishing if desired is not None for name in desired.secrets}
        findings = [
            missing_secret_finding(secret, plan.environment)
            for secret in self.workspace.secrets.missing()
            if secret.name in used
        ]
        if findings:
            raise UnusablePlanError("Secrets that this plan publishes are not set here.", findings=findings)

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
        """The environment's policy of today counts, not only the one that the plan was made under."""
        environment, made, now = self.workspace.environment, plan.source, self.workspace.commit
        outside = [consumer.address for consumer in unmanaged_of(plan)] if self.republish_unmanaged else []
        findings = judge_saved(plan.changes, outside, environment)
        if plan.changes:
            uncommitted = uncommitted_finding(environment, now.commit, now.dirty, now.changed)
            uncommitted = uncommitted or uncommitted_finding(environment, made.commit, made.dirty, then=True)
            findings += [uncommitted] if uncommitted else []
        _refuse(findings)

    def _refuse_drift(self, planning: Planning, plan: Plan) -> None:
        """Drift that today's policy leaves as it is stays so, unless the plan was made by naming the object."""
        unnamed = [change for change in plan.changes if named_reason(ON_DRIFT) not in change.reasons]
        verdicts = [planning.verdicts.get(change.address) for change in unnamed]
        left = orphans(self.workspace.catalog, planning.observation)
        deletes = [change.address for change in unnamed if change.action is Action.DELETE]
        policy = DriftPolicy(self.workspace.environment.policy.on_drift)
        _refuse(
            [
                *(finding for verdict in verdicts if verdict and verdict.held for finding in verdict.findings),
                *drifted_deletes(deletes, left, policy),
            ]
        )

    async def _carry_out(self, planning: Planning, plan: Plan, lease: Lease) -> RunReport:
        started = time.monotonic()
        self.journal.run_started(self.run, plan, self.holder, self._overrides())
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
        self.execution.stopping = self.stopping
        results = await self.execution.run()
        if self.republish_unmanaged:
            results += await self._republishing(planning, lease).run(plan, results)
        healed = () if lease.lost else await self._keep_house(planning, plan, lease)
        report = RunReport(
            run=self.run,
            plan=plan.id,
            environment=plan.environment,
            results=results,
            healed=healed,
            stopped=self.execution.stopping,
            seconds=time.monotonic() - started,
            requests=self.platform.requests,
            publish_seconds=self.execution.publish_seconds,
            override=self._overrides(),
        )
        report = await self._proven(plan, report, lease)
        await self._record(planning, report, lease)
        await self._release(lease, self._ending(planning, report, lease))
        if lease.lost:
            report = report.model_copy(update={"lock_lost": f"{lease.lost}{await self._successor()}"})
        self.journal.run_ended(report)
        return report

    @property
    def _proof(self) -> Proof:
        return Proof(self.workspace, self.platform, self.listener, lambda: self.stopping)

    async def _proven(self, plan: Plan, report: RunReport, lease: Lease) -> RunReport:
        """The report with what came of the smoke tests; a run that was cut short is not worth testing."""
        if lease.lost or self.stopping:
            return report
        smoke, reaction = await self._proof.run(plan, report.results)
        for result in smoke.results if smoke else ():
            self.journal.smoke_ended(result)
        return report.model_copy(update={"smoke": smoke, "reaction": reaction})

    def _overrides(self) -> str | None:
        """Why the windows were set aside, where that made a difference."""
        windows = self.workspace.environment.windows
        return self.timing.override if windows and not Calendar(windows).is_open(self.platform.now()) else None

    def _republishing(self, planning: Planning, lease: Lease) -> Republishing:
        return Republishing(
            platform=self.platform,
            org=planning.observation.org,
            lease=lease,
            journal=self.journal,
            listener=self.listener,
            mask=Masker(self.workspace.secrets).mask,
            stopping=lambda: self.stopping,
        )

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
            missing_is_made=self.workspace.missing_is_made,
        )

    async def _keep_house(self, planning: Planning, plan: Plan, lease: Lease) -> tuple[str, ...]:
        """Renews rows of objects that mean the same under another version, drops rows of what is gone.

        The work itself is done by now: a row that cannot be renewed is only worth a notice.
        """
        healed: list[str] = []
        try:
            await lease.confirm()
            touched = {change.address for change in plan.changes}
            for verdict in planning.heals:
                if verdict.address not in touched:
                    await self.ledger.write(lease.lock, self._healed_row(verdict))
                    healed.append(verdict.address)
            for address in planning.observation.ledger.rows:
                gone = address not in planning.observation.org.by_address
                if gone and address not in self.workspace.catalog.resources and address not in touched:
                    await self.ledger.forget(lease.lock, address)
        except LockLostError as error:
            lease.lost = error
        except ReconcilerError as error:
            self.listener.notice(f"The ledger could not be renewed in full: {error}")
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
                "division": verdict.live.division,
                "modules": verdict.row.modules if verdict.row_is_current else verdict.modules,
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
            applied_plan=report.plan if report.count(Outcome.APPLIED) else None,
            origin=self.workspace.commit.origin,
            unsettled=frozenset(short_hash(address) for address in lease.unsettled),
            settled=frozenset(short_hash(address) for address in settled),
        )

    async def _record(self, planning: Planning, report: RunReport, lease: Lease) -> None:
        """Notes the run in the ledger where it did or tested something, or brought another commit; never fails."""
        record = record_of(report, self.workspace.commit, self.holder, self.ledger.now())
        last = planning.observation.ledger.runs[-1:]
        tested = report.smoke is not None and bool(report.smoke.results)
        worth_noting = report.results or report.healed or tested or [run.commit for run in last] != [record.commit]
        if lease.lost or not worth_noting:
            return
        try:
            await lease.confirm()
            await self.ledger.record(lease.lock, record)
        except LockLostError as error:
            lease.lost = error
        except ReconcilerError as error:
            self.listener.notice(f"The run could not be noted in the ledger's history: {error}")

    async def _successor(self) -> str:
        """Who holds the lock now, as a sentence to follow; nothing where nobody does or the ledger cannot be read."""
        try:
            lock = await self.ledger.lock()
        except ReconcilerError:
            return ""
        if lock is None or lock.run == self.run:
            return ""
        return f" {lock.holder} (run {lock.run}) has the lock since {stamp(lock.acquired_at)}."

    async def _release(self, lease: Lease, ending: Ending) -> None:
        self._released = True
        if lease.lost is not None:
            return
        try:
            await self.ledger.release(lease.lock, ending)
        except LockLostError as error:
            lease.lost = error
        except ReconcilerError as error:
            # The work is done and recorded; a lock that stays behind expires by itself.
            self.listener.notice(f"The lock could not be given back and expires by itself: {error}")


def refuse_unsaved(workspace: Workspace) -> None:
    """To be called before an apply that has no plan file; asks nobody.

    Raises:
        UnusablePlanError: the environment takes saved plans only.
    """
    finding = unsaved_finding(workspace.environment)
    _refuse([finding] if finding else [])


def _refuse(findings: list[Finding]) -> None:
    if findings:
        raise UnusablePlanError("The policy of the environment forbids this; nothing was applied.", findings=findings)


def _refuse_errors(plan: Plan) -> None:
    if plan.errors:
        count = len(plan.errors)
        raise UnusablePlanError(
            f"The plan holds {count} error{'s' if count > 1 else ''}; nothing was applied.",
            findings=[finding for finding in plan.findings if finding.severity is Severity.ERROR],
        )
