"""Whether a single value is of its type.

Values are judged as the SDK's deserializer reads them (``ApiClient.__deserialize``), but without its
conversions: it would make a text of any number, and any text true. Enums count letter by letter, although
the SDK compares without case: what the SDK lists is what the platform sends. A null is no value, as for the SDK.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any


def shown(value: Any) -> str:
    """A value as a deviation quotes it."""
    text = json.dumps(value, ensure_ascii=False)
    return f"{text[:60]}… ({type(value).__name__})" if len(text) > 60 else text


def anything(_value: object) -> bool:
    """Texts may be anything."""
    return True


def _readable(read: Callable[[str], object]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        try:
            read(value)
        except (ValueError, TypeError):
            return False
        return True

    return check


def _instant(text: str) -> None:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("no zone")


def _local(text: str) -> None:
    if datetime.fromisoformat(text).tzinfo is not None:
        raise ValueError("a zone")


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and check(value)


_INTEGER = re.compile(r"-?[0-9]+")
READABLE: dict[str, Callable[[Any], bool]] = {
    "int": lambda text: _INTEGER.fullmatch(text) is not None,
    "float": _readable(float),
    "bool": lambda text: text in ("true", "false"),
    "datetime": _readable(_instant),
    "date": _readable(date.fromisoformat),
}
"""Values in an address."""
VALID: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "int": _is_integer,
    "float": lambda value: _is_integer(value) or isinstance(value, float),
    "bool": lambda value: isinstance(value, bool),
    "datetime": _is_text(_readable(_instant)),
    "LocalDateTime": _is_text(_readable(_local)),
    "date": _is_text(_readable(date.fromisoformat)),
    "YearMonth": _is_text(lambda text: re.fullmatch(r"[0-9]{4}-[0-9]{2}", text) is not None),
}
"""Values in JSON. An instant has a zone, a local time has none (the SDK's documentation of such fields)."""
