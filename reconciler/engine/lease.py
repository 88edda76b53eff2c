"""Keeps the ledger's lock alive during a run, and tells the ledger what is about to be published."""

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
CHECK_SECONDS = 1.0
"""How long an answer that the lock is still ours is believed."""


class Lease:
    """A held lock. ``lost`` is set as soon as it is known to be somebody else's."""

    def __init__(self, ledger: Ledger, lock: LockInfo) -> None:
        self.lock = lock
        self.lost: LockLostError | None = None
        self._ledger = ledger
        self._gate = asyncio.Lock()
        self._announced: set[str] = set()
        self._unsettled: set[str] = set()
        self._checked = time.monotonic()

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
            if self.lost is not None:
                raise self.lost
            if address not in self._announced:
                following = [other for other in coming if other not in self._announced and other != address]
                await self._renew({*self._announced, address, *following[: ANNOUNCED_AT_ONCE - 1]})
            elif time.monotonic() - self._checked > CHECK_SECONDS:
                await self._renew(self._announced)
            self._unsettled.add(address)

    async def confirm(self) -> None:
        """Makes sure that the lock is still ours, by asking if the last answer is too old.

        Raises:
            LockLostError: it is not.
        """
        async with self._gate:
            if self.lost is not None or time.monotonic() - self._checked > CHECK_SECONDS:
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
        if self.lost is not None:
            raise self.lost
        try:
            inflight = tuple(sorted(short_hash(address) for address in announced))
            self.lock = await self._ledger.renew(self.lock, inflight)
        except LockLostError as error:
            self.lost = error
            raise
        self._announced = set(announced)
        self._checked = time.monotonic()


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
