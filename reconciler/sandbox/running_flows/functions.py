"""The functions of expressions that the sandbox knows.

What a function makes of ``NOT_SET`` is documented nowhere for most of them. Those fail on it; conversions
keep it, as exports write ``ToScheduleGroup(NOT_SET)`` for an unset value of that type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.sandbox.running_flows.problems import CannotRun, FlowFailed
from reconciler.sandbox.running_flows.values import MAX_TEXT, Value, as_text, bounded, equal, kind_of, phone_number


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its name, how many arguments it takes, what it does."""

    name: str
    compute: Callable[..., Value]
    least: int
    most: int | None
    """None: any number."""
    not_set: str
    """What an argument that is not set does: ``fails``, ``stays`` (so is the result) or ``counts``."""


KNOWN: dict[str, Function] = {}
"""By name in lower case: names are found in any case (facts archy-yaml §3)."""


def find(name: str) -> Function:
    """The function of this name; raises ``CannotRun``."""
    found = KNOWN.get(name.lower())
    if found is None:
        raise CannotRun(f"the function {name} is not among those that the sandbox can run")
    return found


def call(function: Function, arguments: list[Value]) -> Value:
    """The function's result; raises ``CannotRun`` and ``FlowFailed``."""
    if len(arguments) < function.least or (function.most is not None and len(arguments) > function.most):
        raise CannotRun(f"{function.name} with {len(arguments)} arguments is not what the sandbox can run")
    if None in arguments and function.not_set == "stays":
        return None
    if None in arguments and function.not_set == "fails":
        raise CannotRun(f"what {function.name} makes of NOT_SET is not known")
    return function.compute(*arguments)


def _function(
    name: str, least: int, most: int | None, *, not_set: str = "fails"
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    def register(compute: Callable[..., Value]) -> Callable[..., Value]:
        KNOWN[name.lower()] = Function(name, compute, least, most, not_set)
        return compute

    return register


def _text(value: Value, function: str) -> str:
    if not isinstance(value, str):
        raise FlowFailed(f"{function} needs a string, not a {kind_of(value)}")
    return value


def _whole(value: Value, function: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise FlowFailed(f"{function} needs an integer, not a {kind_of(value)}")
    return value


@_function("IsSet", 1, 1, not_set="counts")
def _is_set(value: Value) -> bool:
    return value is not None


@_function("IsNotSetOrEmpty", 1, 1, not_set="counts")
def _is_not_set_or_empty(value: Value) -> bool:
    return value is None or value in ("", [])


@_function("Append", 1, None)
def _append(*values: Value) -> str:
    return str(bounded("".join(_text(value, "Append") for value in values)))


@_function("ToString", 1, 1, not_set="stays")
def _to_string(value: Value) -> str:
    return as_text(value)


@_function("ToPhoneNumber", 1, 1, not_set="stays")
def _to_phone_number(value: Value) -> Value:
    return phone_number(_text(value, "ToPhoneNumber"))


@_function("ToInt", 1, 1, not_set="stays")
def _to_int(value: Value) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise CannotRun(f"what ToInt makes of '{value}' is not known")


@_function("Lower", 1, 1)
def _lower(value: Value) -> str:
    return _text(value, "Lower").lower()


@_function("Upper", 1, 1)
def _upper(value: Value) -> str:
    return _text(value, "Upper").upper()


@_function("Trim", 1, 1)
def _trim(value: Value) -> str:
    return _text(value, "Trim").strip()


@_function("Length", 1, 1)
def _length(value: Value) -> int:
    return len(_text(value, "Length"))


@_function("Contains", 2, 2)
def _contains(value: Value, part: Value) -> bool:
    whole, wanted = _text(value, "Contains"), _text(part, "Contains")
    if (wanted in whole) != (wanted.lower() in whole.lower()):
        raise CannotRun("whether Contains heeds upper and lower case is not known")
    return wanted in whole


@_function("Replace", 3, 3)
def _replace(value: Value, old: Value, new: Value) -> str:
    wanted = _text(old, "Replace")
    if not wanted:
        raise CannotRun("what Replace makes of an empty text to look for is not known")
    text, by = _text(value, "Replace"), _text(new, "Replace")
    if len(text) + text.count(wanted) * len(by) > MAX_TEXT:
        raise CannotRun(f"a text of more than {MAX_TEXT} characters is more than the sandbox can run")
    return text.replace(wanted, by)


@_function("Left", 2, 2)
def _left(value: Value, count: Value) -> str:
    return _text(value, "Left")[: _count(count, "Left")]


@_function("Right", 2, 2)
def _right(value: Value, count: Value) -> str:
    text, wanted = _text(value, "Right"), _count(count, "Right")
    return text[max(len(text) - wanted, 0) :]


def _count(value: Value, function: str) -> int:
    count = _whole(value, function)
    if count < 0:
        raise CannotRun(f"what {function} makes of a negative number is not known")
    return count


@_function("Count", 1, 1)
def _count_items(value: Value) -> int:
    if not isinstance(value, list):
        raise FlowFailed(f"Count needs a collection, not a {kind_of(value)}")
    return len(value)


@_function("MakeList", 1, None, not_set="counts")
def _make_list(*values: Value) -> list[Value]:
    if any(isinstance(value, list | dict) for value in values):
        raise CannotRun("a list of lists or objects is not among what the sandbox can run")
    return list(values)


@_function("JsonParse", 1, 1)
def _json_parse(value: Value) -> Value:
    try:
        return json.loads(_text(value, "JsonParse"))
    except ValueError as error:
        raise FlowFailed(f"JsonParse cannot read the text: {error}") from error


@_function("GetJsonObjectProperty", 2, 2)
def _get_json_object_property(value: Value, name: Value) -> Value:
    if not isinstance(value, dict):
        raise FlowFailed(f"GetJsonObjectProperty needs a JSON object, not a {kind_of(value)}")
    return value.get(_text(name, "GetJsonObjectProperty"))


@_function("AreEqual", 2, 2)
def _are_equal(left: Value, right: Value) -> bool:
    return equal(left, right)


@_function("AddMinutes", 2, 2)
def _add_minutes(value: Value, minutes: Value) -> datetime:
    if not isinstance(value, datetime):
        raise FlowFailed(f"AddMinutes needs a date and time, not a {kind_of(value)}")
    try:
        return value + timedelta(minutes=_whole(minutes, "AddMinutes"))
    except OverflowError:
        raise CannotRun("a date and time beyond the year 9999 is more than the sandbox can run") from None
