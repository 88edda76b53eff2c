"""Runs the changes of a plan: whatever has its dependencies done may run, bounded by a concurrency limit.

A change that fails takes its dependents along as skipped; everything else goes on. Each outcome is in the
journal before the next step, and each success in the ledger, so that a run that is cut off is resumed by
planning again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.engine.crowd import Crowd
from reconciler.engine.document import Change, Plan
from reconciler.engine.journal import Journal
from reconciler.engine.lease import ANNOUNCED_AT_ONCE, Lease
from reconciler.engine.outcome import Outcome, Result
from reconciler.engine.queue import Queue
from reconciler.engine.smoke import Listener as SmokeListener
from reconciler.engine.steps import Refused, Steps
from reconciler.engine.verify.waiting import Listener as VerifyListener
from reconciler.engine.witness import Witness
from reconciler.ledger import LockLostError
from reconciler.problems import ReconcilerError

PREPARED = 200
"""Specs that are rendered and parsed before the first change begins; more would take too much memory at once."""


class Listener(SmokeListener, VerifyListener, Protocol):
    """Told about a run as it goes; for live progress."""

    def run_started(self, plan: Plan) -> None:
        """Nothing has been done yet."""

    def change_started(self, change: Change) -> None:
        """The change's turn has come."""

    def change_waits(self, address: str, what: str) -> None:
        """The change waits for something, in a few words."""

    def change_ended(self, result: Result) -> None:
        """The change has its outcome."""

    def notice(self, text: str) -> None:
        """Something that a person should know and that belongs to no change."""


@dataclass
class Execution:
    """One run over the changes of one plan."""

    plan: Plan
    steps: Steps
    lease: Lease
    journal: Journal
    listener: Listener
    concurrency: int
    mask: Callable[[str], str]
    """Takes secrets out of what the org says."""
    witnesses: tuple[Witness, ...] = ()
    stopping: bool = False
    """Set from outside to start nothing more; what runs is finished."""
    results: dict[str, Result] = field(default_factory=dict)
    _begun: float | None = None
    _applied: float | None = None

    @property
    def publish_seconds(self) -> float:
        """From the beginning of the first change to the end of the last one that was applied; 0 where none was."""
        return self._applied - self._begun if self._begun is not None and self._applied is not None else 0.0

    async def run(self) -> tuple[Result, ...]:
        """Executes all changes; returns one result each, in the order of the plan."""
        changes = {change.address: change for change in self.plan.changes}
        queue = Queue(self.plan.changes)
        await self.steps.prepare(queue.coming(PREPARED))
        crowd = Crowd(self.concurrency, lambda: self.steps.platform.throttled)
        running: dict[asyncio.Task[Result], str] = {}
        while True:
            while len(running) < crowd.limit and not self._must_stop() and (address := queue.take()):
                coming = queue.coming(ANNOUNCED_AT_ONCE)
                running[asyncio.create_task(self._one(changes[address], coming))] = address
            if not running:
                break
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                del running[task]
                crowd.one_ended()
                self._settle(task.result(), changes, queue)
        for address in queue.left():
            self._note(self._untouched(changes[address]))
        return tuple(self.results[address] for address in changes)

    def _must_stop(self) -> bool:
        return self.stopping or self.lease.lost is not None

    def _settle(self, result: Result, changes: Mapping[str, Change], queue: Queue) -> None:
        """Notes an outcome; a success frees what waited for it, a failure skips that, and what waits for it."""
        self._note(result)
        if result.outcome is Outcome.APPLIED:
            queue.done(result.address)
        elif result.outcome is not Outcome.NOT_STARTED:
            for address in queue.give_up_on(result.address):
                self._settle(_skipped(changes[address], result), changes, queue)

    def _note(self, result: Result) -> None:
        self.results[result.address] = result
        self.journal.change_ended(result)
        for witness in self.witnesses:
            witness.change_ended(result)
        self.listener.change_ended(result)

    def _untouched(self, change: Change) -> Result:
        why = str(self.lease.lost) if self.lease.lost else "The run was stopped before its turn."
        return Result(address=change.address, action=change.action, outcome=Outcome.NOT_STARTED, message=why)

    async def _one(self, change: Change, coming: list[str]) -> Result:
        self.listener.change_started(change)
        self.journal.change_started(change)
        started = time.monotonic()
        self._begun = self._begun or started
        try:
            after = await self.steps.take(change, coming, self.listener.change_waits)
        except LockLostError:
            return self._untouched(change)
        except ReconcilerError as error:
            return self._failed(change, error, started)
        except Exception as error:  # noqa: BLE001 - whatever befell one change, the others are finished and recorded
            return self._failed(change, ReconcilerError(f"Unexpected: {type(error).__name__}: {error}"), started)
        self._applied = time.monotonic()
        return Result(
            address=change.address,
            action=change.action,
            outcome=Outcome.APPLIED,
            object_id=self.steps.id_of(change),
            version_before=change.precondition.version,
            version_after=after,
            seconds=self._applied - started,
        )

    def _failed(self, change: Change, error: ReconcilerError, started: float) -> Result:
        return Result(
            address=change.address,
            action=change.action,
            outcome=Outcome.FAILED,
            message=self.mask(error.message),
            remedy=error.remedy,
            refused=isinstance(error, Refused),
            object_id=change.precondition.id,
            version_before=change.precondition.version,
            seconds=time.monotonic() - started,
        )


def _skipped(change: Change, failed: Result) -> Result:
    word = "failed" if failed.outcome is Outcome.FAILED else "was skipped"
    return Result(
        address=change.address,
        action=change.action,
        outcome=Outcome.SKIPPED,
        message=f"It depends on {failed.address}, which {word}.",
        version_before=change.precondition.version,
    )
