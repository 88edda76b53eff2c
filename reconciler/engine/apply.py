"""Applies a plan under the ledger's lock: a fresh one, or a saved one exactly as it was reviewed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.engine.acting import Acting
from reconciler.engine.aftermath import Aftermath
from reconciler.engine.bookkeeping import Bookkeeping
from reconciler.engine.document import Plan
from reconciler.engine.execute import Execution, Listener
from reconciler.engine.journal import Journal
from reconciler.engine.lease import Lease, held
from reconciler.engine.outcome import Result, RunReport
from reconciler.engine.planner import Planning
from reconciler.engine.proof import Proof
from reconciler.engine.refusals import (
    DeclinedError,
    StalePlanError,
    refuse_applied,
    refuse_by_policy,
    refuse_drift,
    refuse_errors,
    refuse_missing_secrets,
    refuse_other_environment,
    refuse_other_org,
    refuse_other_source,
    refuse_unsaved,
)
from reconciler.engine.republish import Republishing
from reconciler.engine.rollback.destination import Destination
from reconciler.engine.rollback.request import Back
from reconciler.engine.steps import Steps
from reconciler.engine.timing import Gate, Timing
from reconciler.engine.windows import Calendar
from reconciler.engine.witness import Beginning, Witness
from reconciler.engine.workspace import Scope, Workspace
from reconciler.ledger import Ending, Ledger, LockedError, LockLostError, short_hash, stamp
from reconciler.platform import Platform
from reconciler.problems import ReconcilerError

Confirm = Callable[[Plan], bool]


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
    mask: Callable[[str], str]
    """Takes secrets out of what the org says."""
    republish_unmanaged: bool = False
    """Publish consumers outside the specs again as they are."""
    timing: Timing = field(default_factory=Timing)
    """When the run may begin."""
    back: Back | None = None
    """What to go back to; None makes the org as the specs say."""
    rollback_on_failure: bool = False
    """Take back what the run applied when some of it failed."""
    secret_env: Mapping[str, str] | None = field(default=None, repr=False)
    """Where the values of secrets of earlier specs are looked up."""
    witnesses: tuple[Witness, ...] = ()
    """Told of the run from its first change to its end."""
    audit_head: Callable[[], str | None] = lambda: None
    """The last record of the audit trail, which the ledger keeps beside it; None where there is no trail."""
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
        planning = await self._acting.plan(scope)
        if planning.observation.ledger.locked and planning.observation.ledger.lock is not None:
            raise LockedError(planning.observation.ledger.lock)
        self._refuse(planning.plan, planning.workspace)
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
        refuse_other_environment(plan, self.workspace)
        if self.back is None:
            refuse_other_source(plan, self.workspace)
        self._refuse(plan, self.workspace)
        refuse_other_org(plan, await self.platform.organization())
        gate = self._gate(plan)
        if gate.begin() is not None:
            # What can be found out before the wait is: errors should not wait for the night, and caches fill.
            self._refuse_unfit(plan, await self._acting.plan(Scope()))
            await gate.wait()
        return await self._check_again_and_carry_out(plan)

    async def _check_again_and_carry_out(self, plan: Plan) -> tuple[Planning, RunReport]:
        """Applies a plan that was made some time ago, after another look at the org under the lock."""
        async with self._locked() as lease:
            planning = await self._acting.plan(Scope(), self.run)
            refuse_applied(plan, planning)
            self._refuse_unfit(plan, planning)
            return planning, await self._carry_out(planning, plan, lease)

    def _refuse_unfit(self, plan: Plan, planning: Planning) -> None:
        """What another look at the org has to say against a plan that was made before."""
        if self.back is not None:
            # Only the ledger tells what is gone back to.
            refuse_other_source(plan, planning.workspace)
            refuse_missing_secrets(plan, planning.workspace)
        refuse_drift(plan, planning, planning.workspace)

    def _refuse(self, plan: Plan, workspace: Workspace) -> None:
        """What can be said against a plan without another look at the org."""
        refuse_errors(plan)
        refuse_by_policy(plan, self.workspace, republish_unmanaged=self.republish_unmanaged)
        refuse_missing_secrets(plan, workspace)
        self._proof.check(plan)

    def _gate(self, plan: Plan) -> Gate:
        # A plan that changes nothing may run at any time.
        windows = self.workspace.environment.windows if plan.changes else None
        environment = self.workspace.environment.model_copy(update={"windows": windows})
        return Gate(environment, self.timing, self.platform.now, self._notice)

    def _notice(self, text: str) -> None:
        """Tells people something in between; what the org says may repeat a secret that it was sent."""
        self.listener.notice(self.mask(text))

    @cached_property
    def _acting(self) -> Acting:
        return Acting(
            self.workspace, self.platform, self.ledger, self.holder, self.run, self.back, secret_env=self.secret_env
        )

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

    async def _carry_out(self, planning: Planning, plan: Plan, lease: Lease) -> RunReport:
        started = time.monotonic()
        beginning = self._beginning(plan, planning)
        self.journal.run_started(self.run, plan, self.holder, beginning.override)
        for witness in self.witnesses:
            witness.run_started(beginning)
        self.listener.run_started(plan)
        self.execution = self._execution(plan, self._acting.steps(planning, lease), lease)
        results = await self.execution.run()
        if self.republish_unmanaged:
            results += await self._republishing(planning, lease).run(plan, results)
        books = Bookkeeping(planning.workspace, self.ledger, lease, self.run, self._notice)
        healed = () if lease.lost else await books.keep_house(planning, plan)
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
            override=beginning.override,
            rollback=plan.rollback,
        )
        report = await self._aftermath(lease).of(planning, plan, report)
        client = self.platform.connection.client_id
        await books.record(planning, report, self.holder, audit=self.audit_head(), client=client)
        await self._release(lease, books.ending(planning, report))
        if lease.lost:
            report = report.model_copy(update={"lock_lost": f"{lease.lost}{await self._successor()}"})
        self.journal.run_ended(report)
        for witness in self.witnesses:
            witness.run_ended(beginning, report)
        return report

    def _beginning(self, plan: Plan, planning: Planning) -> Beginning:
        return Beginning(
            run=self.run,
            at=self.ledger.now(),
            holder=self.holder,
            commit=planning.workspace.commit,
            plan=plan,
            override=self._override(),
            before=next(iter(planning.observation.ledger.runs[-1:]), None),
        )

    def _execution(self, plan: Plan, steps: Steps, lease: Lease) -> Execution:
        execution = Execution(
            plan=plan,
            steps=steps,
            lease=lease,
            journal=self.journal,
            listener=self.listener,
            concurrency=self.workspace.environment.concurrency,
            mask=self.mask,
            witnesses=self.witnesses,
        )
        execution.stopping = self.stopping
        return execution

    @property
    def _proof(self) -> Proof:
        return Proof(self.workspace, self.platform, self.listener, lambda: self.stopping)

    def _aftermath(self, lease: Lease) -> Aftermath:
        return Aftermath(
            workspace=self.workspace,
            platform=self.platform,
            ledger=self.ledger,
            lease=lease,
            run=self.run,
            journal=self.journal,
            listener=self.listener,
            notice=self._notice,
            stopping=lambda: self.stopping,
            proof=self._proof,
            goes_back=self.back is not None,
            rollback_on_failure=self.rollback_on_failure,
            retreat=lambda planning, destination: self._retreat(planning, destination, lease),
            secret_env=self.secret_env,
        )

    async def _retreat(self, planning: Planning, destination: Destination, lease: Lease) -> tuple[Result, ...]:
        """Carries out the plan of a retreat under the lock that the run holds."""
        self.execution = self._execution(planning.plan, self._acting.steps_back(planning, lease, destination), lease)
        self.listener.run_started(planning.plan)
        results = await self.execution.run()
        if self.republish_unmanaged:
            # They may have taken in what is taken back.
            results += await self._republishing(planning, lease).run(planning.plan, results)
        return results

    def _override(self) -> str | None:
        """Why the windows are set aside, where that makes a difference at this moment: when the changes begin."""
        windows = self.workspace.environment.windows
        return self.timing.override if windows and not Calendar(windows).is_open(self.platform.now()) else None

    def _republishing(self, planning: Planning, lease: Lease) -> Republishing:
        return Republishing(
            platform=self.platform,
            org=planning.observation.org,
            lease=lease,
            journal=self.journal,
            listener=self.listener,
            mask=self.mask,
            witnesses=self.witnesses,
            stopping=lambda: self.stopping,
        )

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
            self._notice(f"The lock could not be given back and expires by itself: {error}")
