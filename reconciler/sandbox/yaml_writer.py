"""Writes YAML the way Architect's exports look: block style, two spaces, one canonical quoting.

Strings that any reader could take for something else are double-quoted, so that the text reads back
as what was written under YAML 1.1 and 1.2 alike.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./()+?-]*(?: [A-Za-z0-9_./()+?-]+)*")
_READ_AS_OTHER = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf"))
_NOT_PRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def write_yaml(value: Any) -> str:
    """The value as one YAML document; mappings keep their order."""
    if isinstance(value, (dict, list)) and value:
        return "\n".join(_block(value, 0)) + "\n"
    return _scalar(value) + "\n"


def _block(value: Any, indent: int) -> Iterator[str]:
    blank = " " * indent
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _entry(f"{blank}{_string(str(key))}:", item, indent + 2)
        return
    for item in value:
        if isinstance(item, (dict, list)) and item:
            lines = list(_block(item, indent + 2))
            yield f"{blank}- {lines[0][indent + 2 :]}"
            yield from lines[1:]
        else:
            yield f"{blank}- {_scalar(item)}"


def _entry(head: str, item: Any, indent: int) -> Iterator[str]:
    if isinstance(item, (dict, list)) and item:
        yield head
        yield from _block(item, indent)
    else:
        yield f"{head} {_scalar(item)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, int):
        return str(value)
    return "{}" if isinstance(value, dict) else "[]"


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    return repr(value)


def _string(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _READ_AS_OTHER:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _NOT_PRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", quoted)
