"""Publishes consumers outside the specs again as they are, so that they take in a changed common module.

Only on demand (``apply --republish-unmanaged``), after the modules, in order, and never over somebody's work: a
flow with an unpublished draft, another person's lock, or another version than the plan saw is left alone and told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.engine.document import Action, Change, Plan, Precondition, UnmanagedConsumer
from reconciler.engine.execute import Listener
from reconciler.engine.journal import Journal
from reconciler.engine.lease import Lease
from reconciler.engine.observe import Org
from reconciler.engine.outcome import Outcome, Result
from reconciler.engine.witness import Witness
from reconciler.kinds.base import Operations
from reconciler.kinds.registry import kind_of
from reconciler.ledger import LockLostError
from reconciler.platform import Platform
from reconciler.problems import ReconcilerError


def unmanaged_of(plan: Plan) -> list[UnmanagedConsumer]:
    """Every consumer outside the specs that the plan leaves behind, each after what it holds."""
    return list({consumer.id: consumer for reach in plan.reach for consumer in reach.unmanaged}.values())


@dataclass
class Republishing:
    """The end of one run: consumers outside the specs, one after the other."""

    platform: Platform
    org: Org
    lease: Lease
    journal: Journal
    listener: Listener
    mask: Callable[[str], str]
    witnesses: tuple[Witness, ...]
    stopping: Callable[[], bool]

    async def run(self, plan: Plan, results: Iterable[Result]) -> tuple[Result, ...]:
        """Publishes each again whose module was published; one result each, in order."""
        published = {result.address for result in results if result.outcome is Outcome.APPLIED}
        ended = []
        for consumer in unmanaged_of(plan):
            result = await self._one(consumer, published)
            if result.outcome is Outcome.APPLIED:
                published.add(consumer.address)
            self.journal.change_ended(result)
            for witness in self.witnesses:
                witness.change_ended(result)
            self.listener.change_ended(result)
            ended.append(result)
        return tuple(ended)

    async def _one(self, consumer: UnmanagedConsumer, published: set[str]) -> Result:
        if self.lease.lost is not None or self.stopping():
            why = str(self.lease.lost or "The run was stopped before its turn.")
            return _result(consumer, Outcome.NOT_STARTED, why)
        if consumer.holds not in published:
            return _result(consumer, Outcome.SKIPPED, f"It holds {consumer.holds}, which was not published.")
        change = _change(consumer)
        self.listener.change_started(change)
        self.journal.change_started(change)
        started = time.monotonic()
        try:
            after = await self._publish(consumer)
        except LockLostError as error:
            return _result(consumer, Outcome.NOT_STARTED, str(error))
        except ReconcilerError as error:
            failed = _result(consumer, Outcome.FAILED, self.mask(error.message), error.remedy)
            return failed.model_copy(update={"seconds": time.monotonic() - started})
        done = _result(consumer, Outcome.APPLIED)
        return done.model_copy(update={"version_after": after, "seconds": time.monotonic() - started})

    async def _publish(self, consumer: UnmanagedConsumer) -> str | None:
        await self.lease.confirm()
        live = self.org.by_id.get(consumer.id)
        if live is None or live.version is None:
            raise ReconcilerError(
                f"{consumer.address} is no longer in the org, or not published.", remedy="Plan again."
            )
        operations = Operations(
            self.platform, resolve=_nothing, progress=lambda text: self.listener.change_waits(consumer.address, text)
        )
        after = await kind_of(live.kind).publish_again(live, consumer.version, operations)
        self.org.put(after)
        return after.version


def _nothing(_reference: object) -> str:
    raise ReconcilerError("Nothing is looked up when a flow is published as it is.")


def _change(consumer: UnmanagedConsumer) -> Change:
    kind, _, name = consumer.address.partition("/")
    return Change(
        address=consumer.address,
        kind=kind,
        name=name,
        action=Action.REPUBLISH,
        reasons=(f"holds {consumer.holds}; no spec manages it",),
        precondition=Precondition(id=consumer.id, version=consumer.version),
    )


def _result(
    consumer: UnmanagedConsumer, outcome: Outcome, message: str | None = None, remedy: str | None = None
) -> Result:
    return Result(
        address=consumer.address,
        action=Action.REPUBLISH,
        outcome=outcome,
        message=message,
        remedy=remedy,
        object_id=consumer.id,
        version_before=consumer.version,
    )
