"""Schedule groups: open, closed and holiday schedules in one time zone, which IVRs and flows go by.

Platform facts: shared fact sheet §3.5; wire model ``ScheduleGroup`` of the official SDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from zoneinfo import available_timezones

from pydantic import Field

from reconciler.archy.model import Problem, Reference
from reconciler.kinds.base import Consumer, Live
from reconciler.kinds.fields import FieldKind, Spec
from reconciler.kinds.tracked import tracked_consumers
from reconciler.platform import CrudApi, Platform, ScheduleGroup, ScheduleGroupBody

SCHEDULE_FIELDS = ("openSchedules", "closedSchedules", "holidaySchedules")


class ScheduleGroupSpec(Spec):
    """A schedule group: open, closed and holiday schedules in one time zone, which IVRs and flows go by."""

    openSchedules: list[str]
    """Names of the schedules in which it is open."""
    timeZone: Annotated[str | None, Field(examples=["Europe/London"])] = None
    """An IANA name, e.g. ``Europe/Copenhagen``."""
    closedSchedules: list[str] | None = None
    """Names of the schedules in which it is closed although an open one counts."""
    holidaySchedules: list[str] | None = None
    """Names of the schedules of its holidays."""


class ScheduleGroupKind(FieldKind[ScheduleGroup]):
    """See the module."""

    roots = ("scheduleGroup",)
    kinds = ("scheduleGroup",)
    audited = ("Telephony", "ScheduleGroup")
    spec = ScheduleGroupSpec
    body = ScheduleGroupBody
    references: ClassVar[Mapping[str, Reference]] = {field: Reference("schedule", "", ()) for field in SCHEDULE_FIELDS}
    sets = frozenset(SCHEDULE_FIELDS)

    def api(self, platform: Platform) -> CrudApi[ScheduleGroup]:
        """``/architect/schedulegroups``."""
        return platform.schedule_groups

    def check(self, spec: Spec) -> list[Problem]:
        """The time zone exists."""
        assert isinstance(spec, ScheduleGroupSpec)
        if spec.timeZone is None or spec.timeZone in available_timezones():
            return []
        return [
            Problem(
                "unknown-time-zone",
                f"There is no time zone {spec.timeZone!r}.",
                ("scheduleGroup", "timeZone"),
                "Use an IANA name such as Europe/Copenhagen.",
            )
        ]

    def from_wire(self, model: ScheduleGroup) -> dict[str, Any]:
        """See ``FieldKind.from_wire``."""
        listed = {
            "openSchedules": model.open_schedules,
            "closedSchedules": model.closed_schedules,
            "holidaySchedules": model.holiday_schedules,
        }
        return {"name": model.name, "description": model.description, "timeZone": model.time_zone} | {
            field: [reference.name for reference in references or ()] for field, references in listed.items()
        }

    def uses(self, model: ScheduleGroup) -> tuple[str, ...]:
        """Its schedules."""
        listed = (model.open_schedules, model.closed_schedules, model.holiday_schedules)
        return tuple(reference.id for references in listed for reference in references or ())

    async def consumers(self, platform: Platform, live: Live) -> list[Consumer]:
        """IVRs and flows that go by it."""
        return await tracked_consumers(platform, live.id, "SCHEDULEGROUP")
