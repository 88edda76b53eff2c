"""Stretches of time as analytics and audits write them: ISO-8601, ``start/end``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.sandbox.errors import bad_request
from reconciler.sandbox.wire import iso

LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Interval:
    """From a moment to before another; seconds since the epoch."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start

    def __str__(self) -> str:
        return f"{iso(self.start)}/{iso(self.end)}"


def read_interval(value: Any) -> Interval:
    """An interval of a query's body; raises 400. A time without an offset is UTC (SDK ``interval``)."""
    parts = value.split("/") if isinstance(value, str) else []
    if len(parts) != 2:
        raise bad_request(
            "The field 'interval' must be like 2026-01-01T00:00:00Z/2026-01-02T00:00:00Z.", "invalid.date"
        )
    interval = Interval(read_time(parts[0]), read_time(parts[1]))
    if interval.seconds <= 0:
        raise bad_request("The interval must end after it begins.", "invalid.date")
    return interval


def read_time(text: str) -> float:
    """An ISO-8601 time; raises 400."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_request(f"'{text}' is not a time.", "invalid.date") from error
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not 0 <= seconds < LATEST:
        raise bad_request(f"'{text}' is not a time between 1970 and 2200.", "invalid.date")
    return seconds
