"""Schedules: when something is open, in local time, with an RFC 5545 recurrence.

Platform facts: shared fact sheet §3.5; wire model ``Schedule`` of the official SDK (start and end are local
times without a zone, ``yyyy-MM-ddTHH:mm:ss.SSS``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from reconciler.archy.model import Problem
from reconciler.kinds.base import Consumer, Live
from reconciler.kinds.fields import FieldKind, Spec
from reconciler.kinds.tracked import tracked_consumers
from reconciler.platform import CrudApi, Platform, Schedule, ScheduleBody

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class ScheduleSpec(Spec):
    """A schedule: when something is open, in local time."""

    start: Annotated[str, Field(examples=["2026-01-05T08:00:00.000"])]
    """Local date and time of the first occurrence, e.g. ``2026-01-05T08:00:00.000``; the time zone is that of the
    schedule group."""
    end: Annotated[str, Field(examples=["2026-01-05T18:00:00.000"])]
    """When the first occurrence ends, in the same form."""
    rrule: Annotated[str | None, Field(examples=["FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"])] = None
    """How it recurs (RFC 5545), e.g. ``FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR``; once only if left out."""


class ScheduleKind(FieldKind[Schedule]):
    """See the module."""

    roots = ("schedule",)
    kinds = ("schedule",)
    audited = ("Telephony", "Schedule")
    spec = ScheduleSpec
    body = ScheduleBody

    def api(self, platform: Platform) -> CrudApi[Schedule]:
        """``/architect/schedules``."""
        return platform.schedules

    def check(self, spec: Spec) -> list[Problem]:
        """Times are local and in order; the first day is one of the recurring days."""
        assert isinstance(spec, ScheduleSpec)
        times = {field: _local(getattr(spec, field)) for field in ("start", "end")}
        problems = [
            Problem(
                "bad-time",
                f"`schedule.{field}`: {getattr(spec, field)!r} is not a local date and time.",
                ("schedule", field),
                "Write it like 2026-01-05T08:00:00.000, without a time zone; the schedule group has the zone.",
            )
            for field, moment in times.items()
            if moment is None
        ]
        start, end = times["start"], times["end"]
        if start and end and end <= start:
            problems.append(
                Problem("bad-time", "The schedule ends before it starts.", ("schedule", "end"), "Correct `end`.")
            )
        days = _recurring_days(spec.rrule)
        if start and days and WEEKDAYS[start.weekday()] not in days:
            problems.append(
                Problem(
                    "start-not-recurring",
                    f"The schedule starts on {WEEKDAYS[start.weekday()]}, which its BYDAY ({','.join(days)}) lacks.",
                    ("schedule", "start"),
                    "Let it start on one of its days.",
                    severity="warning",
                )
            )
        return problems

    def normalise(self, field: str, value: Any) -> Any:
        """Times to the millisecond, recurrence parts in a fixed order."""
        if field in ("start", "end") and isinstance(value, str):
            moment = _local(value)
            return moment.isoformat(timespec="milliseconds") if moment else value
        if field == "rrule" and isinstance(value, str):
            return _rrule(value)
        return super().normalise(field, value)

    def from_wire(self, model: Schedule) -> dict[str, Any]:
        """See ``FieldKind.from_wire``."""
        return {
            "name": model.name,
            "description": model.description,
            "start": model.start,
            "end": model.end,
            "rrule": model.rrule,
        }

    def uses(self, model: Schedule) -> tuple[str, ...]:
        """A schedule refers to nothing."""
        return ()

    async def consumers(self, platform: Platform, live: Live) -> list[Consumer]:
        """Schedule groups and flows that name it."""
        return await tracked_consumers(platform, live.id, "SCHEDULE")


def _local(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is None and "T" in text else None


def _parts(rrule: str | None) -> dict[str, str]:
    text = (rrule or "").strip().upper().removeprefix("RRULE:")
    return dict(part.split("=", 1) for part in text.split(";") if "=" in part)


def _recurring_days(rrule: str | None) -> list[str]:
    return [day for day in _parts(rrule).get("BYDAY", "").split(",") if day in WEEKDAYS]


def _rrule(rrule: str) -> str | None:
    parts = _parts(rrule)
    if not parts:
        return rrule or None
    if "BYDAY" in parts:
        parts["BYDAY"] = ",".join(
            sorted(
                parts["BYDAY"].split(","),
                key=lambda day: (WEEKDAYS.index(day[-2:]) if day[-2:] in WEEKDAYS else 9, day),
            )
        )
    frequency = [f"FREQ={parts.pop('FREQ')}"] if "FREQ" in parts else []
    return ";".join([*frequency, *(f"{key}={value}" for key, value in sorted(parts.items()))])
