"""IVRs: which flow answers which phone numbers when (facts §3.4)."""

from __future__ import annotations

import re
from typing import Any

from reconciler.sandbox import dids, objects
from reconciler.sandbox.call import Call
from reconciler.sandbox.errors import bad_request, invalid_value
from reconciler.sandbox.objects import Stored
from reconciler.sandbox.telephony import TelephonyKind

_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_FLOW_FIELDS = ("openHoursFlow", "closedHoursFlow", "holidayHoursFlow")


def _read_ivr(call: Call, body: dict[str, Any], before: Stored | None) -> dict[str, Any]:
    if body.get("scheduleGroup") is not None:
        for name in ("openHoursFlow", "closedHoursFlow"):
            if body.get(name) is None:
                raise invalid_value(f"The field '{name}' is required when 'scheduleGroup' is set.")
    for name in _FLOW_FIELDS:
        _check_flow_type(call, body.get(name), name)
    return {"dnis": _numbers(call, body.get("dnis"), before)}


def _check_flow_type(call: Call, value: Any, name: str) -> None:
    flow_id = value.get("id") if isinstance(value, dict) else None
    row = call.db.execute("SELECT type, published_version FROM flows WHERE id = ?", (flow_id,)).fetchone()
    if row is not None and row["type"] != "INBOUNDCALL":
        raise invalid_value(f"The field '{name}' must refer to an inbound call flow, not to {row['type']}.")


def _numbers(call: Call, given: Any, before: Stored | None) -> list[str]:
    numbers = [] if given is None else given
    if not isinstance(numbers, list) or not all(isinstance(number, str) for number in numbers):
        raise invalid_value("The field 'dnis' must be a list of phone numbers.")
    for number in numbers:
        if not _E164.fullmatch(number):
            raise invalid_value(f"'{number}' is not a valid E.164 phone number.")
    if len(set(numbers)) < len(numbers):
        raise invalid_value("The field 'dnis' names a phone number twice.")
    new = set(numbers) - set(before.body.get("dnis", []) if before else [])
    if len(new) > call.settings.max_new_numbers:
        raise bad_request(
            f"At most {call.settings.max_new_numbers} phone numbers can be added in one request, not {len(new)}."
        )
    for other in objects.all_active(call.db, "ivr"):
        taken = set(numbers) & set(other.body.get("dnis", []))
        if taken and (before is None or other.id != before.id):
            raise bad_request(f"The phone number '{min(taken)}' is already assigned to the IVR '{other.name}'.")
    for number in sorted(new):
        if dids.pool_of(call.db, number) is None:
            if call.settings.missing_references != "create":
                raise bad_request("Field 'didPoolId' is required and cannot be empty.")
            dids.make_pool(call.db, call.edit, number, number)
    return list(numbers)


def _listed(call: Call, item: Stored) -> bool:
    number, group = call.one("dnis"), call.one("scheduleGroup")
    if number is not None and number not in item.body.get("dnis", []):
        return False
    return group is None or (item.body.get("scheduleGroup") or {}).get("id") == group


IVR = TelephonyKind(
    "ivr",
    _read_ivr,
    {**dict.fromkeys(_FLOW_FIELDS, "flow"), "scheduleGroup": "scheduleGroup"},
    filters=("dnis", "scheduleGroup", "expand"),
    keep=_listed,
)

ENDPOINTS = IVR.endpoints()
