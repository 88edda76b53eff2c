"""Who has a flow checked out, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.platform.errors import NotFound, PermissionDenied, PlatformError
from reconciler.platform.models import Flow, HistoryEntry, HistoryState, Operation, Ref
from reconciler.platform.paging import list_all
from reconciler.platform.session import Session, path_of
from reconciler.platform.waiting import Patience

_PAGE = 100
_HISTORY_SECONDS = 15.0
"""How long a history may take to be generated; it only makes a message better."""


@dataclass(frozen=True, slots=True)
class FlowLock:
    """The edit lock of a flow."""

    holder: str
    """Name of the person or OAuth client."""
    since: datetime | None = None
    """None where the org does not tell."""

    def __str__(self) -> str:
        if self.since is None:
            return self.holder
        return f"{self.holder} since {self.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


async def lock_of(session: Session, flow: Flow) -> FlowLock | None:
    """The lock of a flow as read, None when nobody has it.

    A flow itself says who holds it (SDK ``Flow.lockedUser``, ``lockedClient``) but not since when; its history
    does (SDK ``HistoryEntry``).
    """
    holder = flow.lock_holder
    if holder is None:
        return None
    return FlowLock(await _name(session, flow, holder), await _since(session, flow.id, holder))


async def _name(session: Session, flow: Flow, holder: Ref) -> str:
    if holder.name:
        return holder.name
    if flow.locked_user is None:
        return f"OAuth client {holder.id}"
    try:
        person = (await session.request("GET", path_of("users", holder.id))).read(Ref)
    except (NotFound, PermissionDenied):
        return f"user {holder.id}"
    return person.name or f"user {holder.id}"


async def _since(session: Session, flow_id: str, holder: Ref) -> datetime | None:
    """When the holder checked the flow out; what the history does not tell plainly is not told."""
    try:
        entries = await _checkouts(session, flow_id)
    except PlatformError:
        # The lock is what matters here; the failure on the way to a better message is not.
        return None
    dated = [(moment, entry) for entry in entries if (moment := entry.moment) is not None]
    if not dated:
        return None
    moment, latest = max(dated, key=lambda one: one[0])
    by = latest.user or latest.client
    return moment if by is not None and by.id == holder.id else None


async def _checkouts(session: Session, flow_id: str) -> list[HistoryEntry]:
    history = path_of("flows", flow_id, "history")
    operation = (await session.request("POST", history, harmless=True, deadline=_HISTORY_SECONDS)).read(Operation)
    if operation.id is None:
        return []
    path = path_of("flows", flow_id, "history", operation.id)
    patience = Patience(session, _HISTORY_SECONDS)
    while not (await session.request("GET", path, deadline=_HISTORY_SECONDS)).read(HistoryState).complete:
        if not await patience.wait():
            return []
    entries = await list_all(session, path, HistoryEntry, size=_PAGE, query={"action": "checkout"})
    return [entry for entry in entries if entry.action == "CHECKOUT"]
