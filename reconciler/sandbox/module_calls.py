"""Checks that a flow calls common modules by inputs and outputs that they have.

A caller binds variables of the module's published version by name (facts archy-yaml §5).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_PLACEHOLDERS = frozenset(("none", "noValue"))


def module_calls(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """(module name, its call) of every ``callCommonModule`` in a flow."""
    if isinstance(value, list):
        for item in value:
            yield from module_calls(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "callCommonModule" and isinstance(item, dict):
                yield from _calls_of_action(item)
            yield from module_calls(item)


def _calls_of_action(action: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    named = action.get("commonModule")
    for name, versions in named.items() if isinstance(named, dict) else ():
        for call in versions.values() if isinstance(versions, dict) else ():
            if isinstance(call, dict):
                yield name, call


def unknown_bindings(name: str, call: dict[str, Any], traits: dict[str, Any]) -> Iterator[str]:
    """What a call binds that the module (as its traits show it) does not have."""
    for direction, schema in (("input", "inputSchema"), ("output", "outputSchema")):
        bound = call.get(f"{direction}s")
        known = traits.get(schema, {}).get("properties", {})
        for variable in bound if isinstance(bound, dict) else ():
            if variable not in known and variable not in _PLACEHOLDERS:
                yield f"The common module '{name}' has no {direction} named '{variable}'."
