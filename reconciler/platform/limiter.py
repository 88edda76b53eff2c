"""Keeps the whole process within the org's request rate."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

WINDOW = 60.0
"""Seconds over which the platform counts (facts §2: limits are per minute)."""
_SHORTEST_SLEEP = 0.001


class RateLimiter:
    """A sliding window: never more than ``limit`` requests in any 60 seconds, first come, first served.

    A whole window may be spent at once: the platform allows it, and a plan of a few calls never waits.
    """

    def __init__(self, limit: int, *, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        if limit < 1:
            raise ValueError("at least one request a minute")
        self._limit = limit
        self._clock = clock
        self._sleep = sleep
        self._sent: deque[float] = deque()
        self._paused_until = float("-inf")
        self._turn = asyncio.Lock()

    async def acquire(self) -> None:
        """Returns when one request may be sent; asyncio's lock wakes its waiters in order of arrival."""
        async with self._turn:
            while (wait := self._wait()) > 0:
                await self._sleep(max(wait, _SHORTEST_SLEEP))
            self._sent.append(self._clock())

    def pause(self, seconds: float) -> None:
        """Lets nothing through for that long; the longest pause asked for counts."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def _wait(self) -> float:
        now = self._clock()
        # The same sum as below: with "<= now - WINDOW" rounding may keep an entry and yet leave no wait.
        while self._sent and self._sent[0] + WINDOW <= now:
            self._sent.popleft()
        full = self._sent[0] + WINDOW - now if len(self._sent) >= self._limit else 0.0
        return max(full, self._paused_until - now)
