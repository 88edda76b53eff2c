"""Keeps the ledger's lock alive during a run, and tells the ledger what is about to be published.

A run that was suspended, or cut off from the org, cannot know by asking whether its lock is still its own: between
the answer and the next write anything may have happened. It therefore goes by its own watch as well. ``require`` is
called just before each request that changes something, and refuses once the lock may have run out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from reconciler.ledger import Ledger, LockInfo, LockLostError, short_hash
from reconciler.ledger.base import LOCK_SECONDS
from reconciler.problems import ReconcilerError

RENEW_SECONDS = LOCK_SECONDS / 3
ANNOUNCED_AT_ONCE = 25
"""Addresses that one renewal names: few requests, and a short row."""
ANNOUNCED_IN_ALL = 64
"""With those that are being published already; more than that only where more are (a cell is short, LEDGER-2)."""
CHECK_SECONDS = 1.0
"""How long an answer that the lock is still ours is believed before a change begins."""
SURE_SECONDS = LOCK_SECONDS - 60.0
"""How long after a renewal the lock is surely ours; what is sent in the last moment has a minute to arrive."""


class Watch:
    """Seconds since it was started, those included in which the machine slept: two clocks run, the faster counts."""

    def __init__(self) -> None:
        self._started = time.monotonic(), time.time()

    @property
    def seconds(self) -> float:
        """How long it has run."""
        monotonic, wall = self._started
        return max(time.monotonic() - monotonic, time.time() - wall)


class Lease:
    """A held lock. ``lost`` is set as soon as it is known to be somebody else's."""

    def __init__(self, ledger: Ledger, lock: LockInfo | None = None) -> None:
        """``lock`` is one just taken; without it, ``take`` takes one."""
        self.lost: LockLostError | None = None
        self._ledger = ledger
        self._lock = lock
        self._gate = asyncio.Lock()
        self._announced: set[str] = set()
        self._unsettled: set[str] = set()
        self._renewed = Watch()

    async def take(self, holder: str, run: str) -> None:
        """Takes the ledger's lock; raises as ``Ledger.acquire`` does."""
        self._renewed = Watch()
        self._lock = await self._ledger.acquire(holder, run)

    @property
    def lock(self) -> LockInfo:
        """The lock as it was renewed last."""
        assert self._lock is not None
        return self._lock

    def require(self) -> None:
        """Lets a write pass that is about to be sent.

        Raises:
            LockLostError: the lock is no longer surely ours; nothing may be written any more.
        """
        if self.lost is None and self._renewed.seconds > SURE_SECONDS:
            self.lost = LockLostError(
                f"This run's lock was last renewed {_spoken(self._renewed.seconds)} ago, because the run was suspended "
                "or the ledger could not be reached; it stops writing, as another run may have begun."
            )
        if self.lost is not None:
            raise self.lost

    @property
    def unsettled(self) -> frozenset[str]:
        """Addresses that may have been published without their row written."""
        return frozenset(self._unsettled)

    def settle(self, address: str) -> None:
        """The ledger knows how the address ended, or nothing was published."""
        self._unsettled.discard(address)
        self._announced.discard(address)

    async def announce(self, address: str, coming: Iterable[str]) -> None:
        """Says that ``address`` is about to be published, and at the same time what comes next.

        A run that ends here leaves this behind, so that the next plan takes a half-done publish for what it
        is and not for drift.

        Raises:
            LockLostError: the lock is no longer ours.
        """
        async with self._gate:
            self.require()
            if address not in self._announced:
                following = [other for other in coming if other not in self._announced and other != address]
                room = min(ANNOUNCED_AT_ONCE, ANNOUNCED_IN_ALL - len(self._announced)) - 1
                await self._renew({*self._announced, address, *following[: max(0, room)]})
            elif self._renewed.seconds > CHECK_SECONDS:
                await self._renew(self._announced)
            self._unsettled.add(address)

    async def confirm(self) -> None:
        """Makes sure that the lock is still ours, by asking if the last answer is too old.

        Raises:
            LockLostError: it is not.
        """
        async with self._gate:
            if self.lost is not None or self._renewed.seconds > CHECK_SECONDS:
                await self._renew(self._announced)

    async def keep(self) -> None:
        """Renews until cancelled or lost."""
        while self.lost is None:
            await asyncio.sleep(RENEW_SECONDS)
            async with self._gate:
                with suppress(ReconcilerError):
                    # The next renewal tries again; a lost lock is noted by _renew.
                    await self._renew(self._announced)

    async def _renew(self, announced: set[str]) -> None:
        self.require()
        watch = Watch()
        try:
            inflight = tuple(sorted(short_hash(address) for address in announced))
            self._lock = await self._ledger.renew(self.lock, inflight)
        except LockLostError as error:
            self.lost = error
            raise
        self._announced = set(announced)
        self._renewed = watch


def _spoken(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


@asynccontextmanager
async def held(lease: Lease) -> AsyncIterator[Lease]:
    """Renews the lock in the background for as long as the block runs."""
    keeper = asyncio.create_task(lease.keep())
    try:
        yield lease
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
