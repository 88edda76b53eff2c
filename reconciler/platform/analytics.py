"""What analytics count of flows: conversations by flow, version and way out (facts §3.11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.platform.errors import PermissionDenied
from reconciler.platform.models import Wire
from reconciler.platform.responses import Reply
from reconciler.platform.session import Session, path_of

FLOWS_A_QUERY = 50
"""Ids that one query filters by; the platform's limit is not known (ANALYTICS-2)."""
PERMISSION = "analytics:flowAggregate:view"
ENTERED, ENDED, DISCONNECTED = "nFlow", "tFlow", "tFlowDisconnect"
"""Metrics (SDK ``FlowAggregationQuery.metrics``): each time's count is a number of conversations."""
_GROUPS = ("flowId", "flowVersion", "exitReason")


@dataclass(frozen=True, slots=True)
class FlowCount:
    """Conversations of one version of a flow that left it in one way, in one stretch of time."""

    flow_id: str
    version: str | None
    """As the org writes it, ``3.0`` or ``3``; None where it does not tell."""
    exit_reason: str | None
    """E.g. ``FLOW_ERROR_DISCONNECT`` (SDK ``FlowEndDetailEventTopicFlowEndEvent.exitReason``)."""
    start: datetime
    end: datetime
    entered: int = 0
    ended: int = 0
    disconnected: int = 0
    """Of those that ended: hung up by the caller, by the flow, or by an error of the flow."""


class _Statistics(Wire):
    """SDK ``StatisticalSummary``."""

    count: int = 0


class _Metric(Wire):
    """SDK ``AggregateMetricData``."""

    metric: str
    stats: _Statistics = _Statistics()


class _Stretch(Wire):
    """SDK ``StatisticalResponse``."""

    interval: str
    metrics: tuple[_Metric, ...] = ()


class _Container(Wire):
    """SDK ``FlowAggregateDataContainer``."""

    group: Mapping[str, str | None] = {}
    data: tuple[_Stretch, ...] = ()


class _Aggregates(Wire):
    """SDK ``FlowAggregateQueryResponse``."""

    results: tuple[_Container, ...] = ()


class AnalyticsApi:
    """Analytics, ``/api/v2/analytics``. They lag a little behind the calls (guess)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def flow_counts(
        self, ids: Sequence[str], start: datetime, end: datetime, *, granularity: str, time_zone: str = "UTC"
    ) -> list[FlowCount]:
        """Conversations of these flows from ``start`` to before ``end``; stretches without any are left out.

        Args:
            ids: The flows; asked for in chunks of ``FLOWS_A_QUERY``.
            start: With a time zone.
            end: After ``start``.
            granularity: ISO 8601, e.g. ``PT1H``: how long a stretch is.
            time_zone: Whose days count where a stretch is a day or longer.

        Raises:
            PermissionDenied: the client's roles lack ``PERMISSION``.
        """
        found: list[FlowCount] = []
        for first in range(0, len(ids), FLOWS_A_QUERY):
            query = {
                "interval": f"{_iso(start)}/{_iso(end)}",
                "granularity": granularity,
                "timeZone": time_zone,
                "groupBy": list(_GROUPS),
                "metrics": [ENTERED, ENDED, DISCONNECTED],
                "filter": _any_of(ids[first : first + FLOWS_A_QUERY]),
            }
            found += _counts(await self._ask(query))
        return found

    async def _ask(self, query: dict[str, Any]) -> Reply:
        path = path_of("analytics", "flows", "aggregates", "query")
        try:
            return await self._session.request("POST", path, body=query, harmless=True)
        except PermissionDenied as refusal:
            if refusal.permission is None:
                refusal.remedy = f"Give the OAuth client a role with {PERMISSION}, in the divisions of the flows."
            raise


def _any_of(ids: Sequence[str]) -> dict[str, Any]:
    predicates = [{"type": "dimension", "dimension": "flowId", "operator": "matches", "value": id} for id in ids]
    return {"type": "or", "predicates": predicates}


def _counts(reply: Reply) -> Iterator[FlowCount]:
    for container in reply.read(_Aggregates).results:
        flow_id, version, exit_reason = (container.group.get(name) for name in _GROUPS)
        if flow_id is None:
            raise reply.malformed("has a group without the flow that it was to be grouped by")
        for stretch in container.data:
            start, end = _interval(stretch.interval, reply)
            counts = {metric.metric: metric.stats.count for metric in stretch.metrics}
            yield FlowCount(
                flow_id,
                version,
                exit_reason,
                start,
                end,
                entered=counts.get(ENTERED, 0),
                ended=counts.get(ENDED, 0),
                disconnected=counts.get(DISCONNECTED, 0),
            )


def _interval(text: str, reply: Reply) -> tuple[datetime, datetime]:
    """Both ends in UTC; a time without an offset is UTC."""
    try:
        start, end = (datetime.fromisoformat(part) for part in text.split("/"))
        return _utc(start), _utc(end)
    except (ValueError, OverflowError):
        raise reply.malformed(f"has an interval that is none: {text[:60]!r}") from None


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return _utc(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")
