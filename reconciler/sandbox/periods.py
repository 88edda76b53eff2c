"""Cutting an interval into periods of one length, as the calendar of a time zone has them."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from reconciler.sandbox.errors import bad_request
from reconciler.sandbox.intervals import Interval

MAX_PERIODS = 10_000

_PERIOD = re.compile(
    r"P(?=.)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,4})D)?"
    r"(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?"
)


@dataclass(frozen=True, slots=True)
class Period:
    """An ISO-8601 period: months and days are calendar steps, the rest is a length of time."""

    months: int
    days: int
    seconds: int


def read_period(text: str) -> Period:
    """A period like ``P1D``, ``PT30M`` or ``P1DT12H``; raises 400."""
    match = _PERIOD.fullmatch(text)
    years, months, weeks, days, hours, minutes, seconds = (
        (int(part or 0) for part in match.groups()) if match else (0,) * 7
    )
    period = Period(years * 12 + months, weeks * 7 + days, hours * 3600 + minutes * 60 + seconds)
    if period == Period(0, 0, 0):
        raise bad_request(f"'{text}' is not a granularity like PT30M, P1D or P1M.")
    return period


def read_zone(name: str) -> ZoneInfo:
    """A time zone by its name; raises 400."""
    if name not in available_timezones():
        raise bad_request(f"'{name}' is not a time zone.")
    return ZoneInfo(name)


def cut(interval: Interval, period: Period, zone: ZoneInfo) -> list[Interval]:
    """The periods of an interval from its start on, the last one cut off at its end; raises 400 for too many."""
    found: list[Interval] = []
    for start, end in _steps(interval, period, zone):
        if len(found) == MAX_PERIODS:
            raise bad_request(f"The granularity cuts the interval into more than {MAX_PERIODS} parts.")
        found.append(Interval(start, min(end, interval.end)))
    return found


def _steps(interval: Interval, period: Period, zone: ZoneInfo) -> Iterator[tuple[float, float]]:
    first = datetime.fromtimestamp(interval.start, zone)
    start, count = interval.start, 0
    while start < interval.end:
        count += 1
        end = _after(first, period, count)
        yield start, end
        start = end


def _after(first: datetime, period: Period, count: int) -> float:
    """The moment ``count`` periods after the first: days by the clock on the wall, hours by the one that runs."""
    months = first.month - 1 + period.months * count
    try:
        year, month = first.year + months // 12, months % 12 + 1
        day = min(first.day, monthrange(year, month)[1])
        local = first.replace(year=year, month=month, day=day) + timedelta(days=period.days * count)
    except (ValueError, OverflowError):  # Beyond the last year that the calendar has.
        return math.inf
    return local.timestamp() + period.seconds * count
