"""Does each flow hold the published version of its common modules, and nothing that was deleted?

Dependency tracking tells, for the published version of a flow. It may lag behind a publish, be rebuilt, or answer
in part only; then it is asked again until the deadline, and what it has not said by then is not proven.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from reconciler.engine.concurrency import together
from reconciler.engine.verify.fields import deleted_check
from reconciler.engine.verify.judging import CopyJudge, modules_of
from reconciler.engine.verify.report import Check, Proof, What
from reconciler.engine.verify.view import AT_ONCE
from reconciler.engine.verify.waiting import Waiting
from reconciler.kinds.base import Desired, Live
from reconciler.kinds.registry import kind_of
from reconciler.platform import (
    AuthenticationFailed,
    HostUnreachable,
    NotFound,
    PermissionDenied,
    RateLimited,
    RequestTimedOut,
    ServerError,
    TrackingIncomplete,
)
from reconciler.problems import ReconcilerError

REBUILD = (
    "Look at Dependency Search in Architect, which shows the state and can rebuild it; then run "
    "`reconciler verify --env {environment}`."
)
HOPELESS = (PermissionDenied, AuthenticationFailed, ServerError, RateLimited, RequestTimedOut, HostUnreachable)
"""What would befall the next flow as well, after as long a time of trying."""
IN_PART = "dependency tracking answers in part only (HTTP 206)"
STOPPED = "it was not asked for, because the run was stopped"


@dataclass
class CopyChecks:
    """Asks dependency tracking, as often as it takes and the deadline allows."""

    judge: CopyJudge
    waiting: Waiting
    _found: dict[str, list[Check]] = field(default_factory=dict)
    _refusal: ReconcilerError | None = None
    """Why the org cannot be asked at all."""
    _partial: bool = False
    """Whether the last answer was not complete."""

    async def of(self, asked: Sequence[Desired], listed: Sequence[Desired]) -> list[Check]:
        """Checks of flows that are published.

        Args:
            asked: Flows whose uses are asked for, one request each.
            listed: Flows that are looked up in the org's list of users of deleted objects, one request in all.
        """
        everybody = {desired.address: desired for desired in (*asked, *listed)}
        pending = {desired.address: desired for desired in asked}
        if not everybody:
            return []
        trouble = await self._trouble()
        if trouble:
            unknown = (
                self.judge.unproven(each, *trouble, modules=each.address in pending) for each in everybody.values()
            )
            return [check for checks in unknown for check in checks]
        pending |= await self._flagged([each for each in listed if each.address not in pending])
        while pending:
            pending = await self._round(pending)
            if not pending or not await self.waiting.more("dependency tracking to catch up"):
                break
        late = self.waiting.ended
        for address in pending if late else ():
            self._found[address] = [_still(check, late or "") for check in self._found[address]]
        return [check for address in everybody for check in self._found[address]]

    # What keeps all of it from being proven, or some of it from being asked.

    async def _trouble(self) -> tuple[str, str | None] | None:
        """Reason and remedy where dependency tracking cannot be trusted as a whole."""
        try:
            status = await self.judge.view.platform.tracking.build_status()
            while status.being_built and await self.waiting.more("dependency tracking to be rebuilt"):
                status = await self.judge.view.platform.tracking.build_status()
        except ReconcilerError as error:
            return error.message, error.remedy
        if status.operational:
            return None
        late = f", also {self.waiting.ended}" if status.being_built and self.waiting.ended else ""
        remedy = REBUILD.format(environment=self.judge.environment)
        return f"dependency tracking is not up to date (status {status.status}{late})", remedy

    async def _flagged(self, listed: Sequence[Desired]) -> dict[str, Desired]:
        """Those of the flows that the org lists as users of something deleted; the others have their check."""
        if not listed:
            return {}
        try:
            while True:
                try:
                    found = {each.id for each in await self.judge.view.platform.tracking.consumers_of_deleted()}
                    break
                except TrackingIncomplete:
                    if not await self.waiting.more("dependency tracking to be complete"):
                        raise
        except ReconcilerError as error:
            late = f", also {self.waiting.ended}" if self.waiting.ended else ""
            partial = isinstance(error, TrackingIncomplete)
            reason, remedy = (f"{IN_PART}{late}", self.judge.later) if partial else (error.message, error.remedy)
            for each in listed:
                self._found[each.address] = self.judge.unproven(each, reason, remedy, modules=False)
            return {}
        flagged = {}
        for each in listed:
            live = self.judge.view.live(each.address)
            if live is not None and live.id in found:
                flagged[each.address] = each
            else:
                self._found[each.address] = [deleted_check(each.address, (), "")]
        return flagged

    # Flow by flow.

    async def _round(self, pending: dict[str, Desired]) -> dict[str, Desired]:
        """Asks for each; returns those that may look better later."""
        first, *rest = pending.values()
        self._partial = False
        left = {first.address: first} if await self._ask(first) else {}
        if self._partial:
            # As long as the org answers in part, it is not asked for all the others; next time another one is tried.
            for each in rest:
                self._found[each.address] = self._not_complete(each)
            return {each.address: each for each in (*rest, first)}
        gate = asyncio.Semaphore(AT_ONCE)

        async def ask(desired: Desired) -> bool:
            async with gate:
                return await self._ask(desired)

        again = await together(ask(each) for each in rest)
        return left | {each.address: each for each, may_change in zip(rest, again, strict=True) if may_change}

    async def _ask(self, desired: Desired) -> bool:
        """Fills in the checks of one flow; whether they may look better later."""
        if self.waiting.stopping():
            if desired.address in self._found:
                return True
            self._found[desired.address] = self.judge.unproven(desired, STOPPED, self.judge.later, modules=True)
            return False
        refusal = self._refusal
        if refusal is None:
            try:
                return await self._judge(desired)
            except TrackingIncomplete:
                self._partial = True
                self._found[desired.address] = self._not_complete(desired)
                return True
            except NotFound:
                reason = "dependency tracking does not know the version that is published"
                self._found[desired.address] = self.judge.unproven(desired, reason, self.judge.later, modules=True)
                return True
            except HOPELESS as error:
                refusal = self._refusal = error
            except ReconcilerError as error:
                refusal = error
        self._found[desired.address] = self.judge.unproven(desired, refusal.message, refusal.remedy, modules=True)
        return False

    async def _judge(self, desired: Desired) -> bool:
        live = self.judge.view.live(desired.address)
        assert live is not None
        consumed = await kind_of(live.kind).consumed(self.judge.view.platform, live)
        copies = self.judge.copies(desired, live, consumed)
        if any(check.outcome is not Proof.PROVEN for check, _ in copies):
            before = live
            live = await self._read_again(desired) or live
            if live.version != before.version:
                consumed = await kind_of(live.kind).consumed(self.judge.view.platform, live)
            copies = self.judge.copies(desired, live, consumed)
        remains = self.judge.remains(desired, consumed)
        self._found[desired.address] = [*(check for check, _ in copies), remains]
        may_lag = remains.outcome is Proof.FAILED and self.judge.may_lag(live)
        return may_lag or remains.outcome is Proof.UNPROVEN or any(late for _, late in copies)

    async def _read_again(self, desired: Desired) -> Live | None:
        """Before something is held against a flow, it and its modules are read by id."""
        for module in modules_of(desired, self.judge.view):
            await self.judge.view.again(module)
        return await self.judge.view.again(desired.address)

    def _not_complete(self, desired: Desired) -> list[Check]:
        return self.judge.unproven(desired, IN_PART, self.judge.later, modules=True)


def _still(check: Check, late: str) -> Check:
    """A check that was waited for in vain."""
    if check.outcome is Proof.FAILED and check.what is What.COPY:
        return check.model_copy(update={"actual": f"{check.actual} (still so {late})"})
    if check.outcome is Proof.UNPROVEN:
        return check.model_copy(update={"reason": f"{check.reason}, also {late}"})
    return check
