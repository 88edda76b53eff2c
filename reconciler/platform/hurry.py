"""For a part of a run that is not worth to be waited for as long as the rest: what is asked only to look at the result.

It goes with the tasks that ask, not with the session: others that share it, such as who renews a lock, keep their time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from reconciler.platform.errors import RequestAbandoned

STOP_SECONDS = 0.5
"""How soon somebody who stops the run is heard."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Hurry:
    """How long a request is tried again at most, and who may give it up."""

    seconds: float
    stopping: Callable[[], bool]

    async def heed(self, request: Coroutine[Any, Any, Result]) -> Result:
        """The result of a request, whatever retries and pauses it takes.

        Raises:
            RequestAbandoned: the run was stopped before.
        """
        asking = asyncio.ensure_future(request)
        try:
            while not (await asyncio.wait({asking}, timeout=STOP_SECONDS))[0]:
                if self.stopping():
                    raise RequestAbandoned("The org had not answered when the run was stopped.")
            return asking.result()
        finally:
            asking.cancel()


_HURRY: ContextVar[Hurry | None] = ContextVar("hurry", default=None)


@contextmanager
def hurrying(seconds: float, stopping: Callable[[], bool]) -> Iterator[None]:
    """For the block, requests are tried again for so many seconds at most, and given up when the run is stopped."""
    token = _HURRY.set(Hurry(seconds, stopping))
    try:
        yield
    finally:
        _HURRY.reset(token)


def hurry() -> Hurry | None:
    """What holds for the task that asks."""
    return _HURRY.get()
