"""Waits for the org: growing pauses, and a deadline that ends them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from reconciler.platform.errors import Conflict, FlowLocked, JobTimedOut, NotFound
from reconciler.platform.session import Session

_GROWTH = 1.5


class Patience:
    """The pauses between looks at something that the org is busy with.

    They grow from ``Connection.poll_initial`` to ``poll_max``; the last one ends at the deadline, so that one
    look comes after it.
    """

    def __init__(self, session: Session, deadline: float) -> None:
        self._session = session
        self._end = session.clock() + deadline
        self._pause = session.connection.poll_initial

    async def wait(self) -> bool:
        """Sleeps until the next look; False, at once, when the deadline is over."""
        left = self._end - self._session.clock()
        if left <= 0:
            return False
        await self._session.sleep(min(self._pause, left))
        self._pause = min(self._pause * _GROWTH, self._session.connection.poll_max)
        return True


async def delete_settled(
    session: Session, path: str, *, still_there: Callable[[], Awaitable[bool]] | None = None
) -> None:
    """Deletes, and waits until the org has noticed; what is gone already counts as deleted.

    An object whose last consumer was deleted a moment ago still answers 409 for a while (facts §3.5: the
    Terraform provider retries for about 30 seconds); a lock does not go away by waiting.

    Raises:
        Conflict: something uses the object.
        JobTimedOut: deleted, yet still shown after ``Connection.settle`` seconds.
    """
    if not await _delete(session, path) or still_there is None:
        return
    patience = Patience(session, session.connection.settle)
    while await still_there():
        if not await patience.wait():
            raise JobTimedOut(
                f"{path} was deleted, yet the org shows it after {session.connection.settle:.0f} seconds.",
                path=path,
            )


async def _delete(session: Session, path: str) -> bool:
    """False when it was gone already."""
    patience = Patience(session, session.connection.settle)
    while True:
        try:
            await session.request("DELETE", path)
        except FlowLocked:
            raise
        except NotFound:
            return False
        except Conflict:
            if not await patience.wait():
                raise
        else:
            return True
