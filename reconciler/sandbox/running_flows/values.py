"""The values that a flow works with.

``NOT_SET`` is ``None``; strings, booleans, integers and decimals are Python's own; JSON and objects of the
org (external contacts) are dictionaries and lists; a phone number is a ``PhoneNumber``; a date and time is a
``datetime`` in UTC.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.sandbox.running_flows.problems import CannotRun, FlowFailed

Value = Any
MAX_TEXT = 1_000_000
MAX_INTEGER = 2**63 - 1
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_TEL = re.compile(r"tel:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A phone number, as far as it is sure: in E.164 form."""

    e164: str


def phone_number(text: str) -> PhoneNumber:
    """A number written as ``+4570100000`` or ``tel:+4570100000``.

    Raises ``CannotRun`` for any other form: which number it means depends on the org's country and on rules
    that are not public.
    """
    number = _TEL.sub("", text.strip(), count=1)
    if not _E164.fullmatch(number):
        raise CannotRun(f"ToPhoneNumber can only read numbers in E.164 form here, not '{text}'")
    return PhoneNumber(number)


def date_time(text: str) -> datetime:
    """A moment written in ISO 8601 with its offset; raises ``FlowFailed`` for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise FlowFailed(f"'{text}' is no date and time in ISO 8601 with an offset, such as 2026-11-26T09:30:00Z")
    return moment.astimezone(UTC)


def kind_of(value: Value) -> str:
    """What people call the type of a value."""
    if isinstance(value, bool):
        return "boolean"
    names: dict[type, str] = {
        type(None): "NOT_SET",
        str: "string",
        int: "integer",
        float: "decimal",
        dict: "object",
        list: "collection",
        PhoneNumber: "phone number",
        datetime: "date and time",
    }
    return names.get(type(value), type(value).__name__)


def as_text(value: Value) -> str:
    """``ToString`` of a value that is set."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, PhoneNumber):
        return value.e164
    raise CannotRun(f"how the platform writes a {kind_of(value)} as a string is not known")


def equal(left: Value, right: Value) -> bool:
    """``==``: of values of one type, and with NOT_SET."""
    if left is None or right is None:
        return left is right
    if not (is_number(left) and is_number(right)) and kind_of(left) != kind_of(right):
        raise FlowFailed(f"a {kind_of(left)} cannot be compared with a {kind_of(right)}")
    if isinstance(left, str) and left != right and left.casefold() == right.casefold():
        raise CannotRun(f"whether '{left}' equals '{right}' is not known: they differ in case only")
    return bool(left == right)


def bounded(value: Value) -> Value:
    """The value, unless a flow that repeats itself made it larger than anything sensible (``CannotRun``)."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise CannotRun(f"a text of more than {MAX_TEXT} characters is more than the sandbox can run")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise CannotRun("an integer of more than 64 bits is more than the sandbox can run")
    if isinstance(value, float) and not math.isfinite(value):
        raise CannotRun("a number that is not finite is more than the sandbox can run")
    return value


def is_number(value: Value) -> bool:
    """An integer or a decimal."""
    return isinstance(value, int | float) and not isinstance(value, bool)


_FITTING: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "decimal": (int, float),
    "json": (dict, list, str, bool, int, float),
    "externalContact": (dict,),
    "phoneNumber": (PhoneNumber,),
    "dateTime": (datetime,),
    "stringCollection": (list,),
    "integerCollection": (list,),
    "booleanCollection": (list,),
    "decimalCollection": (list,),
    "jsonCollection": (list,),
}
"""Type of a variable (its key in YAML without ``Variable``) → what may be in it."""


def check_fits(kind: str, value: Value, what: str) -> Value:
    """The value, if a variable of the kind can hold it.

    Raises ``CannotRun`` for a kind that the sandbox does not have, ``FlowFailed`` for a value of another type.
    """
    if kind not in _FITTING:
        raise CannotRun(f"{what} is of type {kind}, which the sandbox cannot run")
    if value is None:
        return None
    is_wrong_bool = isinstance(value, bool) and bool not in _FITTING[kind]
    if is_wrong_bool or not isinstance(value, _FITTING[kind]):
        raise FlowFailed(f"{what} is of type {kind} and cannot hold a {kind_of(value)}")
    return float(value) if kind == "decimal" and isinstance(value, int | float) else bounded(value)


def as_json(value: Value) -> Value:
    """A value as it goes into the answer of the API; raises ``CannotRun`` for what JSON cannot hold."""
    if isinstance(value, PhoneNumber):
        return value.e164
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except ValueError as error:
        raise CannotRun("a number that is not finite is more than the sandbox can run") from error
