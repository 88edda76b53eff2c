"""Flow aggregates over generated traffic (SDK ``FlowAggregateQueryResponse``; facts §3.11).

Common modules have no rows: they run as part of their consumers.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.sandbox.aggregate_query import DIMENSIONS, FlowAggregationQuery, View, read_query
from reconciler.sandbox.call import API, Call, Endpoint
from reconciler.sandbox.intervals import Interval, read_interval
from reconciler.sandbox.periods import cut, read_period, read_zone
from reconciler.sandbox.traffic import TRANSFER

Group = tuple[tuple[str, str], ...]
"""Dimension and value, for each dimension of ``groupBy`` that the conversations have a value of."""
Row = Mapping[str, Any]


def query_flow_aggregates(call: Call) -> dict[str, Any]:
    """``POST /analytics/flows/aggregates/query``."""
    query = read_query(call.object())
    interval = read_interval(query.interval)
    zone = read_zone(query.timeZone)
    periods = cut(interval, read_period(query.granularity), zone) if query.granularity else [interval]
    cells = _cells(_conversations(call.db, interval, query), periods, query.groupBy)
    groups: dict[Group, list[dict[str, Any]]] = {}
    for (group, index), rows in sorted(cells.items()):
        groups.setdefault(group, []).append(_cell(periods[index], rows, query))
    return {"results": [{"group": dict(group), "data": data} for group, data in groups.items()]}


def _conversations(db: sqlite3.Connection, interval: Interval, query: FlowAggregationQuery) -> Iterable[Row]:
    rows = db.execute("SELECT * FROM conversations WHERE started >= ? AND started < ?", (interval.start, interval.end))
    for row in rows:
        conversation = dict(row)
        if query.filter is None or query.filter.holds(conversation):
            yield conversation


def _cells(
    rows: Iterable[Row], periods: Sequence[Interval], group_by: Sequence[str]
) -> dict[tuple[Group, int], list[Row]]:
    """Conversations by group and number of the period."""
    starts = [period.start for period in periods]
    cells: dict[tuple[Group, int], list[Row]] = {}
    for row in rows:
        values = [(name, row[DIMENSIONS[name]]) for name in group_by]
        group = tuple((name, value) for name, value in values if value is not None)
        cells.setdefault((group, bisect_right(starts, row["started"]) - 1), []).append(row)
    return cells


def _cell(period: Interval, rows: Sequence[Row], query: FlowAggregationQuery) -> dict[str, Any]:
    metrics = [
        {"metric": name, "stats": stats} for name in query.metrics if (stats := _stats(name, _values(name, rows)))
    ]
    views = [
        {"name": view.name, "stats": stats}
        for view in query.views
        if (stats := _stats(view.target, _in_range(view, rows)))
    ]
    return {"interval": str(period), "metrics": metrics, **({"views": views} if query.views else {})}


def _in_range(view: View, rows: Sequence[Row]) -> list[int]:
    return [value for value in _values(view.target, rows) if view.range.holds(value)]


def _values(metric: str, rows: Sequence[Row]) -> list[int]:
    """What a metric measures: milliseconds of each conversation that it counts."""
    return [row["milliseconds"] for row in rows if _counts(metric, row)]


def _counts(metric: str, row: Row) -> bool:
    if metric == "tFlowExit":
        return bool(row["exit_reason"] == TRANSFER)
    if metric == "tFlowDisconnect":
        return bool(row["exit_reason"] != TRANSFER)
    if metric == "nFlowOutcomeFailed":
        return bool(row["flow_outcome_value"] == "FAILURE")
    if metric in ("nFlowOutcome", "tFlowOutcome"):
        return row["flow_outcome_id"] is not None
    return True


def _stats(metric: str, values: Sequence[int]) -> dict[str, int] | None:
    """SDK ``StatisticalSummary``: numbers have a count, times their extremes and sum too; None for nothing."""
    if not values:
        return None
    if metric.startswith("n"):
        return {"count": len(values)}
    return {"max": max(values), "min": min(values), "count": len(values), "sum": sum(values)}


ENDPOINTS = (Endpoint("POST", f"{API}/analytics/flows/aggregates/query", query_flow_aggregates, writes=False),)
