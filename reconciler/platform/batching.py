"""Gathers single look-ups that come at about the same time into one request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Thing = TypeVar("Thing")

WINDOW = 0.05
"""Seconds that the first look-up waits for company."""
LONG_WINDOW = 3.0
"""Seconds more where no request is left, which is when what comes next has to wait anyway."""
SCARCE = 0.9
"""From this part of the rate limit on, it waits longer."""


class Batcher(Generic[Thing]):
    """Looks things up by id, several at a time.

    Everybody who asks within one window shares one call; who asks later gets a later call, so an answer is
    never older than the question.
    """

    def __init__(
        self,
        look_up: Callable[[list[str]], Awaitable[dict[str, Thing]]],
        *,
        window: float = WINDOW,
        crowded: Callable[[], float] = lambda: 0.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Prepares it.

        Args:
            look_up: Takes ids and returns what it found by id.
            window: Seconds that the first one waits for company.
            crowded: How much of the rate limit is used, 0 to 1.
            sleep: How longer pauses pass.
        """
        self._look_up = look_up
        self._window = window
        self._crowded = crowded
        self._sleep = sleep
        self._ids: list[str] = []
        self._answer: asyncio.Task[dict[str, Thing]] | None = None

    async def get(self, id: str) -> Thing | None:
        """The thing with that id, or None; raises what the look-up raises."""
        self._ids.append(id)
        if self._answer is None:
            self._answer = asyncio.create_task(self._soon())
            # Should everybody who asked be gone by then, a failure concerns nobody.
            self._answer.add_done_callback(lambda answer: answer.cancelled() or answer.exception())
        return (await asyncio.shield(self._answer)).get(id)

    async def _soon(self) -> dict[str, Thing]:
        await asyncio.sleep(self._window)
        scarce = (self._crowded() - SCARCE) / (1 - SCARCE)
        if scarce > 0:
            await self._sleep(scarce * LONG_WINDOW)
        ids, self._ids, self._answer = self._ids, [], None
        return await self._look_up(ids)
