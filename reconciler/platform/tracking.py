"""Dependency tracking: who consumes what, as the org itself sees it (facts §3.10)."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.platform.errors import TrackingIncomplete
from reconciler.platform.models import Dependency, TrackingStatus
from reconciler.platform.paging import Page, fetch_pages, numbered
from reconciler.platform.session import Query, Session, path_of
from reconciler.platform.waiting import Patience

_PAGE = 100
"""Documented maximum (facts §2)."""
_DEADLINE = 20.0
"""Seconds that we wait for complete answers; a rebuild takes far longer, so more would not help."""
_PARTIAL = 206


class TrackingApi:
    """Dependency tracking, ``/api/v2/architect/dependencytracking``. It lags behind publishes (guess)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def consumed(
        self, id: str, version: str, object_type: str, resource_types: Sequence[str] = (), *, patient: bool = True
    ) -> list[Dependency]:
        """What one version of an object uses.

        Args:
            id: The consuming object.
            version: Its version; versioned types (flows) only.
            object_type: Tracking's own type name, e.g. ``INBOUNDCALLFLOW``.
            resource_types: Only consumed objects of these types; all when empty.
            patient: Wait for a complete answer; otherwise one that is not is told at once.

        Raises:
            TrackingIncomplete: the org answers in part only.
        """
        return await self._all(
            "consumedresources",
            {"id": id, "version": version, "objectType": object_type, "resourceType": resource_types},
            patient=patient,
        )

    async def consuming(
        self, id: str, object_type: str, version: str | None = None, flow_filter: str | None = "published"
    ) -> list[Dependency]:
        """What uses an object.

        Args:
            id: The consumed object.
            object_type: Tracking's own type name, e.g. ``COMMONMODULEFLOW``.
            version: Only consumers of that version.
            flow_filter: ``published`` or ``checkedIn`` consumers; None for both.

        Raises:
            TrackingIncomplete: the org answers in part only.
        """
        return await self._all(
            "consumingresources",
            {"id": id, "objectType": object_type, "version": version, "flowFilter": flow_filter},
        )

    async def consumers_of_deleted(self) -> list[Dependency]:
        """Objects that use something that was deleted; of flows, their published versions. Asks once, without waiting.

        Raises:
            TrackingIncomplete: the org answers in part only.
        """
        return await self._all("deletedresourceconsumers", {"flowFilter": "published"}, patient=False)

    async def build_status(self) -> TrackingStatus:
        """Whether tracking is up to date as a whole."""
        reply = await self._session.request("GET", path_of("architect", "dependencytracking", "build"))
        return reply.read(TrackingStatus)

    async def _all(self, what: str, query: Query, *, patient: bool = True) -> list[Dependency]:
        path = path_of("architect", "dependencytracking", what)
        patience = Patience(self._session, min(_DEADLINE, self._session.connection.deadline) if patient else 0)
        while True:
            pages = await fetch_pages(numbered(self._session, path, size=_PAGE, query=query), size=_PAGE)
            if all(page.reply.status != _PARTIAL for page in pages):
                return _entries(pages)
            if not await patience.wait():
                of = f" of {query['id']}" if "id" in query else ""
                raise TrackingIncomplete(
                    f"Dependency tracking cannot tell all {what}{of} yet.",
                    method="GET",
                    path=path,
                    status=_PARTIAL,
                )


def _entries(pages: Sequence[Page]) -> list[Dependency]:
    return [entry for page in pages for entry in page.read(Dependency)]
