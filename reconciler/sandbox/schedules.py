"""Schedules, schedule groups and emergency groups (facts §3.5)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from reconciler.sandbox.call import Call, text_field
from reconciler.sandbox.errors import invalid_value
from reconciler.sandbox.objects import Stored
from reconciler.sandbox.shapes import reference, show
from reconciler.sandbox.telephony import TelephonyKind, read_reference

_LOCAL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?")


def _read_schedule(_call: Call, body: dict[str, Any], _before: Stored | None) -> dict[str, Any]:
    start, end = _local_time(body, "start"), _local_time(body, "end")
    if end < start:
        raise invalid_value("The field 'end' must not be before 'start'.")
    rule = text_field(body, "rrule")
    if rule and not re.search(r"(^|;|:)FREQ=(YEARLY|MONTHLY|WEEKLY|DAILY|HOURLY|MINUTELY)", rule):
        raise invalid_value(f"The field 'rrule' is not a recurrence rule: '{rule}'.")
    kept = {"start": _written(start), "end": _written(end)}
    return {**kept, "rrule": rule} if rule else kept


def _local_time(body: dict[str, Any], name: str) -> datetime:
    """Local time without a zone, ``yyyy-MM-ddTHH:mm:ss.SSS`` (SDK ``Schedule.start``)."""
    text = text_field(body, name, required=True)
    if not _LOCAL_TIME.fullmatch(text):
        raise invalid_value(f"The field '{name}' must be a local time like 2026-01-05T08:00:00.000, not '{text}'.")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid_value(f"The field '{name}' is not a time: '{text}'.") from error


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _read_group(_call: Call, body: dict[str, Any], _before: Stored | None) -> dict[str, Any]:
    zone = text_field(body, "timeZone")
    if zone and zone not in available_timezones():
        raise invalid_value(f"The field 'timeZone' is not a time zone: '{zone}'.")
    if not isinstance(body.get("openSchedules"), list):
        raise invalid_value("The field 'openSchedules' is required and must be a list.")
    kept: dict[str, Any] = {"closedSchedules": [], "holidaySchedules": []}
    return {**kept, "timeZone": zone} if zone else kept


def _read_emergency_group(call: Call, body: dict[str, Any], _before: Stored | None) -> dict[str, Any]:
    enabled = body.get("enabled", False)
    if not isinstance(enabled, bool):
        raise invalid_value("The field 'enabled' must be a boolean.")
    given = body.get("emergencyCallFlows") or []
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise invalid_value("The field 'emergencyCallFlows' must be a list of objects.")
    flows = [
        {
            "emergencyFlow": read_reference(call, item.get("emergencyFlow"), "emergencyFlow", "flow"),
            "ivrs": [read_reference(call, ivr, "ivrs", "ivr") for ivr in item.get("ivrs") or []],
        }
        for item in given
    ]
    return {"enabled": enabled, "emergencyCallFlows": flows}


def _emergency_uses(body: dict[str, Any]) -> list[tuple[str, str]]:
    flows = body["emergencyCallFlows"]
    return [("flow", item["emergencyFlow"]["id"]) for item in flows] + [
        ("ivr", ivr["id"]) for item in flows for ivr in item["ivrs"]
    ]


def _show_emergency_group(call: Call, item: Stored) -> dict[str, Any]:
    flows = [
        {
            "emergencyFlow": reference(call.db, "flow", entry["emergencyFlow"]["id"]),
            "ivrs": [reference(call.db, "ivr", ivr["id"]) for ivr in entry["ivrs"]],
        }
        for entry in item.body["emergencyCallFlows"]
    ]
    return {**show(call.db, item), "emergencyCallFlows": flows}


SCHEDULE = TelephonyKind("schedule", _read_schedule, {}, filters=("divisionId",))
SCHEDULE_GROUP = TelephonyKind(
    "scheduleGroup",
    _read_group,
    {"openSchedules": "schedule", "closedSchedules": "schedule", "holidaySchedules": "schedule"},
    filters=("scheduleIds", "divisionId"),
    keep=lambda call, item: (
        not call.many("scheduleIds")
        or bool(
            set(call.many("scheduleIds"))
            & {
                entry["id"]
                for name in ("openSchedules", "closedSchedules", "holidaySchedules")
                for entry in item.body.get(name, [])
            }
        )
    ),
)
EMERGENCY_GROUP = TelephonyKind(
    "emergencyGroup",
    _read_emergency_group,
    {},
    show=_show_emergency_group,
    ids_alone=True,
    repeats_total=False,
    uses=_emergency_uses,
)

ENDPOINTS = (*SCHEDULE.endpoints(), *SCHEDULE_GROUP.endpoints(), *EMERGENCY_GROUP.endpoints())
