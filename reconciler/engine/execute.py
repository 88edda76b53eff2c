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

from reconciler.engine.document import Change, Plan
from reconciler.engine.journal import Journal
from reconciler.engine.lease import Lease
from reconciler.engine.outcome import Outcome, Result
from reconciler.engine.steps import Refused, Steps
from reconciler.ledger import LockLostError
from reconciler.problems import ReconcilerError


class Listener(Protocol):
    """Told about a run as it goes; for live progress."""

    def run_started(self, plan: Plan) -> None:
        """Nothing has been done yet."""

    def change_started(self, change: Change) -> None:
        """The change's turn has come."""

    def change_waits(self, address: str, what: str) -> None:
        """The change waits for something, in a few words."""

    def change_ended(self, result: Result) -> None:
        """The change has its outcome."""


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
    stopping: bool = False
    """Set from outside to start nothing more; what runs is finished."""
    results: dict[str, Result] = field(default_factory=dict)

    async def run(self) -> tuple[Result, ...]:
        """Executes all changes; returns one result each, in the order of the plan."""
        changes = {change.address: change for change in self.plan.changes}
        waiting = {
            address: {other for other in change.depends_on if other in changes} for address, change in changes.items()
        }
        running: dict[asyncio.Task[Result], str] = {}
        while waiting or running:
            self._start_ready(changes, waiting, running)
            if not running:
                break
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                del running[task]
                self._settle(task.result(), changes, waiting)
        for address in waiting:
            self._note(self._untouched(changes[address]))
        return tuple(self.results[address] for address in changes)

    def _start_ready(
        self,
        changes: Mapping[str, Change],
        waiting: dict[str, set[str]],
        running: dict[asyncio.Task[Result], str],
    ) -> None:
        if self.stopping or self.lease.lost is not None:
            return
        ready = [address for address, needs in waiting.items() if not needs]
        for address in ready[: max(0, self.concurrency - len(running))]:
            del waiting[address]
            coming = [other for other in waiting if not self.results.get(other)]
            running[asyncio.create_task(self._one(changes[address], coming))] = address

    def _settle(self, result: Result, changes: Mapping[str, Change], waiting: dict[str, set[str]]) -> None:
        self._note(result)
        if result.outcome is Outcome.APPLIED:
            for needs in waiting.values():
                needs.discard(result.address)
            return
        if result.outcome is Outcome.NOT_STARTED:
            return
        for address in [other for other, needs in waiting.items() if result.address in needs]:
            if waiting.pop(address, None) is not None:
                self._settle(_skipped(changes[address], result), changes, waiting)

    def _note(self, result: Result) -> None:
        self.results[result.address] = result
        self.journal.change_ended(result)
        self.listener.change_ended(result)

    def _untouched(self, change: Change) -> Result:
        why = str(self.lease.lost) if self.lease.lost else "The run was stopped before its turn."
        return Result(address=change.address, action=change.action, outcome=Outcome.NOT_STARTED, message=why)

    async def _one(self, change: Change, coming: list[str]) -> Result:
        self.listener.change_started(change)
        self.journal.change_started(change.address, change.action)
        started = time.monotonic()
        try:
            after = await self.steps.take(change, coming, self.listener.change_waits)
        except LockLostError:
            return self._untouched(change)
        except ReconcilerError as error:
            return self._failed(change, error, started)
        except Exception as error:  # noqa: BLE001 - whatever befell one change, the others are finished and recorded
            return self._failed(change, ReconcilerError(f"Unexpected: {type(error).__name__}: {error}"), started)
        return Result(
            address=change.address,
            action=change.action,
            outcome=Outcome.APPLIED,
            version_before=change.precondition.version,
            version_after=after,
            seconds=time.monotonic() - started,
        )

    def _failed(self, change: Change, error: ReconcilerError, started: float) -> Result:
        return Result(
            address=change.address,
            action=change.action,
            outcome=Outcome.FAILED,
            message=self.mask(error.message),
            remedy=error.remedy,
            refused=isinstance(error, Refused),
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
