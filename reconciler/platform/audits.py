"""The platform's own audit: who did what to which object, by which client (facts §3.11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.platform.errors import JobFailed, JobTimedOut, PermissionDenied
from reconciler.platform.models import Ref, Wire, utc
from reconciler.platform.paging import side_by_side
from reconciler.platform.responses import Reply
from reconciler.platform.session import Query, Session, path_of
from reconciler.platform.waiting import Patience

PERMISSION = "audits:audit:view"
LONGEST = timedelta(days=30)
"""Longest interval of one query (AUDIT-2)."""
_PAGE = 500
"""The largest page of results (SDK ``get_audits_query_transaction_id_results``)."""
_MOST_PAGES = 1000


class _Property(Wire):
    """SDK ``PropertyChange``; its values may hold anything, also secrets, and are not read."""

    property: str | None = None


class _Entity(Wire):
    """SDK ``DomainEntityRef``; a real answer may have an empty id (page community P21b)."""

    id: str = ""
    name: str = ""


class _Client(Wire):
    """SDK ``AddressableEntityRef``; empty where a person worked in the user interface (page community P21b)."""

    id: str = ""


class AuditEvent(Wire):
    """Something that was done in the org (SDK ``AuditLogMessage``)."""

    id: str
    event_date: str
    service_name: str = ""
    action: str = ""
    """E.g. ``Publish``, ``Update``."""
    entity_type: str = ""
    entity: _Entity | None = None
    user: Ref | None = None
    """None where a client acted on its own behalf."""
    client: _Client | None = None
    status: str | None = None
    """``SUCCESS``, ``FAILURE`` or ``WARNING``."""
    property_changes: tuple[_Property, ...] = ()

    @property
    def at(self) -> datetime:
        """When, in UTC."""
        moment = utc(self.event_date)
        assert moment is not None, "read by AuditsApi, which refuses an event without a time"
        return moment

    @property
    def entity_id(self) -> str | None:
        """Id of the object; None where the org does not tell."""
        return (self.entity.id or None) if self.entity else None

    @property
    def name(self) -> str | None:
        """Name of the object when it was done, where the org tells it."""
        return (self.entity.name or None) if self.entity else None

    @property
    def client_id(self) -> str | None:
        """The OAuth client; None where the org names none."""
        return (self.client.id or None) if self.client else None

    @property
    def properties(self) -> tuple[str, ...]:
        """Names of what was changed."""
        return tuple(change.property for change in self.property_changes if change.property)


class _Query(Wire):
    """SDK ``AuditQueryExecutionStatusResponse``."""

    id: str
    state: str = ""


class _Results(Wire):
    """SDK ``AuditQueryExecutionResultsResponse``."""

    cursor: str | None = None
    entities: tuple[AuditEvent, ...] = ()


class _ServiceEntity(Wire):
    """SDK ``AuditQueryEntity``."""

    name: str


class _Service(Wire):
    """SDK ``AuditQueryService``."""

    name: str
    entities: tuple[_ServiceEntity, ...] = ()


class _Mapping(Wire):
    """SDK ``AuditQueryServiceMapping``."""

    services: tuple[_Service, ...] = ()


class AuditsApi:
    """Audits, ``/api/v2/audits``. Events come a little after what they tell of (guess)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def entities(self) -> set[tuple[str, str]]:
        """What the org keeps an audit of: services and their entity types.

        Raises:
            PermissionDenied: the client's roles lack ``PERMISSION``.
        """
        reply = await self._ask("GET", path_of("audits", "query", "servicemapping"))
        mapping = reply.read(_Mapping)
        return {(service.name, entity.name) for service in mapping.services for entity in service.entities}

    async def events(self, service: str, entity_type: str, start: datetime, end: datetime) -> list[AuditEvent]:
        """All events of one type of object from ``start`` to before ``end``, oldest first.

        Args:
            service: E.g. ``Architect``.
            entity_type: E.g. ``Flow``.
            start: With a time zone.
            end: After ``start``; asked for in intervals of at most ``LONGEST``.

        Raises:
            PermissionDenied: the client's roles lack ``PERMISSION``.
            JobFailed: the org gave a query up.
            JobTimedOut: a query did not finish within ``Connection.job_deadline`` seconds.
        """

        async def within(interval: str) -> list[AuditEvent]:
            return await self._query(service, entity_type, interval)

        found = await side_by_side(within, list(_intervals(start, end)), at_once=2)
        once = {event.id: event for part in found for event in part}
        return sorted(once.values(), key=lambda event: event.at)

    async def _query(self, service: str, entity_type: str, interval: str) -> list[AuditEvent]:
        body = {
            "interval": interval,
            "serviceName": service,
            "filters": [{"property": "EntityType", "value": entity_type}],
            "sort": [{"name": "Timestamp", "sortOrder": "ascending"}],
        }
        # Asked again it is another query, and nothing else.
        query = (await self._ask("POST", path_of("audits", "query"), body=body)).read(_Query)
        await self._finished(query)
        return await self._results(query.id)

    async def _finished(self, query: _Query) -> None:
        patience = Patience(self._session, self._session.connection.job_deadline)
        path = path_of("audits", "query", query.id)
        while query.state != "Succeeded":
            if query.state in ("Failed", "Cancelled"):
                raise JobFailed(f"The org gave up the audit query {query.id}: {query.state}.")
            if not await patience.wait():
                raise JobTimedOut(
                    f"The audit query {query.id} did not finish within "
                    f"{self._session.connection.job_deadline:.0f} seconds (state {query.state or 'unknown'}).",
                    path=path,
                )
            query = (await self._ask("GET", path)).read(_Query)

    async def _results(self, id: str) -> list[AuditEvent]:
        found: list[AuditEvent] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            query = {"cursor": cursor, "pageSize": _PAGE, "expand": "user"}
            reply = await self._ask("GET", path_of("audits", "query", id, "results"), query=query)
            page = reply.read(_Results)
            if any(utc(event.event_date) is None for event in page.entities):
                raise reply.malformed("has an event without a time that can be read")
            found += page.entities
            if not page.cursor:
                return found
            if page.cursor == cursor:
                raise reply.malformed("leads from a page of results to the same page")
            cursor = page.cursor
        raise reply.malformed(f"goes on for more than {_MOST_PAGES} pages")

    async def _ask(self, method: str, path: str, *, query: Query | None = None, body: Any = None) -> Reply:
        try:
            return await self._session.request(method, path, query=query, body=body, harmless=True)
        except PermissionDenied as refusal:
            if refusal.permission is None:
                refusal.remedy = f"Give the OAuth client a role with {PERMISSION}."
            raise


def _intervals(start: datetime, end: datetime) -> Iterator[str]:
    while start < end:
        stop = min(start + LONGEST, end)
        yield f"{_iso(start)}/{_iso(stop)}"
        start = stop


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
