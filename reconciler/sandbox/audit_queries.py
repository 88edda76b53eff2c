"""What an audit query asks for (SDK ``AuditQueryRequest``, ``AuditRealtimeQueryRequest``), and finding it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from reconciler.sandbox import audit_trail
from reconciler.sandbox.audit_trail import ENTITIES, Entry
from reconciler.sandbox.call import text_field
from reconciler.sandbox.errors import bad_request
from reconciler.sandbox.intervals import Interval, read_interval

MAX_DAYS = 30
"""Longest interval of one query (two third-party clients split longer ones)."""
DAY = 86400.0

_COLUMNS = {
    "UserId": "user_id",
    "ClientId": "client_id",
    "Action": "action",
    "EntityType": "entity_type",
    "EntityId": "entity_id",
    "TrusteeOrganizationId": "NULL",
}
"""SDK ``AuditQueryFilter.property`` → column; nobody from another organisation works in a sandbox."""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """A query that is sound."""

    interval: Interval
    service: str | None
    filters: tuple[tuple[str, str], ...]
    """(property, value); all must hold."""
    ascending: bool

    @property
    def body(self) -> dict[str, Any]:
        """The query as answers repeat it."""
        order = "ascending" if self.ascending else "descending"
        return {
            "interval": str(self.interval),
            **({"serviceName": self.service} if self.service else {}),
            "filters": [{"property": name, "value": value} for name, value in self.filters],
            "sort": [{"name": "Timestamp", "sortOrder": order}],
        }


def read_query(body: dict[str, Any]) -> AuditQuery:
    """Reads and checks the body of a query; raises 400."""
    interval = read_interval(body.get("interval"))
    if interval.seconds > MAX_DAYS * DAY:
        raise bad_request(f"The interval may be at most {MAX_DAYS} days long.", "invalid.date")
    service = text_field(body, "serviceName") or None
    known = {name for name, _entity in ENTITIES.values()}
    if service is not None and service not in known:
        raise bad_request(f"'{service}' is not a service that writes audits: {', '.join(sorted(known))}.")
    return AuditQuery(
        interval=interval,
        service=service,
        filters=tuple(_filter(item) for item in _objects(body, "filters")),
        ascending=_ascending(_objects(body, "sort")),
    )


def _objects(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    items = body.get(name) or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise bad_request(f"The field '{name}' must be a list of objects.")
    return items


def _filter(item: dict[str, Any]) -> tuple[str, str]:
    name, value = text_field(item, "property"), text_field(item, "value", required=True)
    if name not in _COLUMNS:
        raise bad_request(f"'{name}' is not a property to filter by: {', '.join(_COLUMNS)}.")
    return name, value


def _ascending(sort: list[dict[str, Any]]) -> bool:
    for item in sort:
        if item.get("name") != "Timestamp" or item.get("sortOrder") not in (None, "ascending", "descending"):
            raise bad_request("Audits are sorted by 'Timestamp', 'ascending' or 'descending'.")
    return any(item.get("sortOrder") == "ascending" for item in sort)


def find(
    db: sqlite3.Connection,
    query: AuditQuery,
    *,
    not_before: float = 0.0,
    until: int | None = None,
    after: int | None = None,
    limit: int = -1,
) -> list[Entry]:
    """Entries that a query asks for, in its order.

    ``until`` is the last position that counts, ``after`` the position of the last entry that was shown.
    """
    conditions = ["at >= ?", "at < ?", *(f"{_COLUMNS[name]} = ?" for name, _value in query.filters)]
    values: list[Any] = [
        max(query.interval.start, not_before),
        query.interval.end,
        *(value for _name, value in query.filters),
    ]
    for condition, value in (
        ("service = ?", query.service),
        ("position <= ?", until),
        ("position > ?" if query.ascending else "position < ?", after),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    order = "ASC" if query.ascending else "DESC"
    rows = db.execute(
        f"SELECT * FROM audits WHERE {' AND '.join(conditions)} ORDER BY position {order} LIMIT ?",  # noqa: S608
        (*values, limit),
    ).fetchall()
    return [audit_trail.read(row) for row in rows]
