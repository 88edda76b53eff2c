"""Keeps within the org's request rate: this process, and all runs of the same OAuth client on this machine."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from reconciler.platform.request_log import Busy, RequestLog, Turn, Wait

CLIENT_LIMIT = 3000
"""Requests a minute of all tokens of one OAuth client together (facts §2, ``org.app.user.rate.per.minute``)."""
_SHORTEST_SLEEP = 0.001
_BUSY_PAUSE = 0.02
"""Seconds between two attempts at a log that another process is writing."""
_BUSY_ATTEMPTS = 70
"""Some 5 seconds; a process that holds the log for longer was stopped in the middle of writing."""
WORTH_TELLING = 5.0
"""Seconds of waiting that a person should be told the reason of."""


class RateLimiter:
    """A sliding window: never more than ``limit`` requests a token in any 60 seconds, first come, first served.

    A whole window may be spent at once: the platform allows it, and a plan of a few calls never waits. Tokens are
    used in order, the next one when those before it have no room.
    """

    def __init__(
        self,
        limit: int,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        tokens: int = 1,
        log: RequestLog | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        """Prepares the limiter.

        Args:
            limit: Requests a minute and token.
            clock: Seconds that only ever grow.
            sleep: How pauses pass.
            tokens: How many tokens there are.
            log: Where requests are noted; this process alone when None.
            notice: Told why a longer wait is made.
        """
        if limit < 1:
            raise ValueError("at least one request a minute")
        self._limit = limit
        self._tokens = tokens
        self._total = max(CLIENT_LIMIT, limit)
        self._sleep = sleep
        self._log = log or RequestLog(clock=clock)
        self._notice = notice
        self._turn = asyncio.Lock()

    async def acquire(self, token: int | None = None) -> Turn:
        """Returns when one request may be sent, and with which token: the one asked for, or any with room.

        asyncio's lock wakes its waiters in order of arrival. Say ``answered`` when the request is over.
        """
        async with self._turn:
            told = False
            while isinstance(found := await self._take(token), Wait):
                if self._notice and not told and found.seconds >= WORTH_TELLING:
                    told = True
                    self._notice(self._reason(found))
                await self._sleep(max(found.seconds, _SHORTEST_SLEEP))
            return found

    async def answered(self, turn: Turn) -> None:
        """The request is over; it counts for a minute from now."""
        await self._patiently(lambda: self._log.answered(turn))

    async def pause(self, seconds: float, token: int = 0) -> None:
        """Lets nothing through on a token for that long; the longest pause asked for counts."""
        await self._patiently(lambda: self._log.pause(token, seconds))

    def crowded(self) -> float:
        """Which part of what may be sent in a minute was sent, 0 to 1; half where another process hides it."""
        try:
            return self._log.spent(self._limit * self._tokens)
        except Busy:
            return 0.5

    def close(self) -> None:
        """Closes the log."""
        self._log.close()

    async def _take(self, token: int | None) -> Turn | Wait:
        found: list[Turn | Wait] = []
        await self._patiently(
            lambda: found.append(self._log.take(self._limit, tokens=self._tokens, total=self._total, only=token))
        )
        return found[0]

    async def _patiently(self, work: Callable[[], None]) -> None:
        for _ in range(_BUSY_ATTEMPTS):
            try:
                return work()
            except Busy:
                # Real time, also in tests: it is another process that is waited for.
                await asyncio.sleep(random.uniform(0, _BUSY_PAUSE))  # noqa: S311
        self._log.keep_alone("another process does not let go of it")
        return work()

    def _reason(self, wait: Wait) -> str:
        if wait.paused:
            return f"Waiting {wait.seconds:.0f} s: the org asked for a pause."
        each = f"{self._limit} requests a minute" + (f" for each of {self._tokens} tokens" if self._tokens > 1 else "")
        return f"Waiting {wait.seconds:.0f} s to keep within {each}."
