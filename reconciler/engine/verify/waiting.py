"""Waiting for an org that is behind: one deadline for a whole verification, and an ear for who stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from reconciler.platform import Patience, Platform

STOP_SECONDS = 0.5
"""How soon somebody who stops the run is heard."""


class Listener(Protocol):
    """Told about a verification as it goes."""

    def verify_started(self, count: int) -> None:
        """So many resources are going to be verified."""

    def verify_waits(self, what: str) -> None:
        """It waits for something, in a few words."""

    def verify_ended(self) -> None:
        """It is over."""


@dataclass
class Waiting:
    """The pauses between looks. The deadline counts from the first of them, since asking may take its time, too."""

    platform: Platform
    seconds: float
    stopping: Callable[[], bool]
    listener: Listener
    _patience: Patience | None = None

    async def more(self, what: str) -> bool:
        """Waits until the next look; False when the deadline is over or the run is stopped."""
        if self.stopping() or not self.seconds:
            return False
        self._patience = self._patience or self.platform.patience(self.seconds)
        self.listener.verify_waits(what)
        pause = asyncio.ensure_future(self._patience.wait())
        try:
            while not self.stopping():
                if (await asyncio.wait({pause}, timeout=STOP_SECONDS))[0]:
                    return pause.result()
            return False
        finally:
            pause.cancel()

    @property
    def ended(self) -> str | None:
        """How the waiting ended, as the end of a sentence; None where nothing was waited for."""
        if self._patience is None:
            return None
        return "until the run was stopped" if self.stopping() else f"after {self.seconds:g} seconds"
