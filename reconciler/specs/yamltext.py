"""Writes any value as YAML on one line: the ``yaml`` filter, and what lists become in ``{{ }}``."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from jinja2.exceptions import TemplateRuntimeError
from jinja2.runtime import Undefined

MAX_DEPTH = 50
_SIMPLE_KEY = 900
"""libyaml takes a key without a leading ``?`` up to 1,024 characters."""
# What JSON leaves as it is but YAML takes for a line break, a byte order mark or no character at all.
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def to_yaml(value: Any) -> str:
    """The value in flow style, strings always in double quotes, so that it is read back as the same value.

    Raises:
        TemplateRuntimeError: it is something that YAML has no form for, such as a macro.
    """
    return _write(value, 0)


def _write(value: Any, depth: int) -> str:
    if depth > MAX_DEPTH:
        raise TemplateRuntimeError(f"A value nested deeper than {MAX_DEPTH} levels cannot be written as YAML.")
    match value:
        case Undefined():
            return _quoted(str(value))
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(str(value))
        case int():
            return str(value)
        case float():
            return _float(value)
        case Mapping():
            return "{" + ", ".join(_entry(key, item, depth) for key, item in value.items()) + "}"
        case _ if isinstance(value, Iterable) and not callable(value) and not isinstance(value, bytes):
            return "[" + ", ".join(_write(item, depth + 1) for item in value) + "]"
        case _:
            raise TemplateRuntimeError(f"A {type(value).__name__} cannot be written as YAML.")


def _entry(key: Any, item: Any, depth: int) -> str:
    written = _quoted(str(key)) if isinstance(key, str) else _write(key, depth + 1)
    explicit = "? " if len(written) > _SIMPLE_KEY else ""
    return f"{explicit}{written}: {_write(item, depth + 1)}"


def _quoted(text: str) -> str:
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    return repr(value)
