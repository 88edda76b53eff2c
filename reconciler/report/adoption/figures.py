"""Numbers and moments as people read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from reconciler.engine.adoption.document import Window

NAMED = 5


def percent(share: float | None) -> str:
    """``4.8 %``; only nothing is 0 %, and only everything 100 %."""
    if share is None:
        return "–"
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    text = f"{share * 100:.1f}"
    return {"0.0": "under 0.1", "100.0": "over 99.9"}.get(text, text) + " %"


def moment(at: datetime, zone: str) -> str:
    """A moment for people, in the report's time zone."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def short_moment(at: datetime, zone: str) -> str:
    """The same for the axis of a chart."""
    return f"{at.astimezone(ZoneInfo(zone)):%d %b %H:%M}"


def listed(texts: Iterable[str]) -> str:
    """Some names, and how many more there are."""
    all_of_them = list(texts)
    more = len(all_of_them) - NAMED
    return ", ".join(all_of_them[:NAMED]) + (f" and {more} more" if more > 0 else "")


def length(window: Window) -> str:
    left, parts = window.end - window.start, []
    for unit, name in (
        (timedelta(days=1), "day"),
        (timedelta(hours=1), "hour"),
        (timedelta(minutes=1), "minute"),
        (timedelta(seconds=1), "second"),
    ):
        count, left = divmod(left, unit)
        if count:
            parts.append(counted(count, f"{name}s"))
    return " ".join(parts[:2])


def counted(count: int, plural: str) -> str:
    return f"{count:,} {plural[:-1] if count == 1 else plural}"


def points(difference: float | None) -> str:
    return f"{abs(difference or 0) * 100:.1f}"
