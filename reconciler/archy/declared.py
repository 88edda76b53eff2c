"""What of an export can be compared with a spec written by hand.

An export is the full model: a spec of 15 lines comes back as 70 and more, filled with defaults
(facts/archy-yaml §6). Only what the spec says is compared; the result is an approximation and shown as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

_UNSET = ({"noValue": True}, {"none": True})


def declared_only(spec: Any, export: Any) -> Any:
    """The canonical ``export``, reduced to what the canonical ``spec`` declares; neither is changed.

    What the spec does not mention is left out, but for what an export never writes by itself: actions in
    branches, disabled outputs, inputs and outputs of a module. What the spec sets to no value counts as present
    where the export does not mention it. List items are compared with the item of the same key and name, else
    with the one at the same position; items that the spec does not have stay whole: they are real differences.
    """
    if isinstance(spec, dict) and isinstance(export, dict):
        return _mapping(spec, export)
    if isinstance(spec, list) and isinstance(export, list):
        partners = _partners(spec, export)
        return [
            declared_only(spec[partners[index]], item) if index in partners else item
            for index, item in enumerate(export)
        ]
    return export


def _mapping(spec: dict[str, Any], export: dict[str, Any]) -> dict[str, Any]:
    if len(spec) == len(export) == 1 and spec.keys() != export.keys():
        # One of several forms ({lit: …} or {exp: …}), or an object's name as the key: all of it is the value.
        return export
    reduced = {
        key: declared_only(spec[key], item) if key in spec else item
        for key, item in export.items()
        if key in spec or _is_never_a_default(key, item)
    }
    unset = {key: item for key, item in spec.items() if key not in export and item in _UNSET}
    return reduced | unset


def _is_never_a_default(key: str, item: Any) -> bool:
    """What an export writes only where somebody has put it: its absence in a spec says something.

    Outputs without actions are left out of exports (facts §2), and the canonical form drops flags at their default.
    """
    if key == "enabled":
        return item is False
    if key in ("isInput", "isOutput"):
        return item is True
    return key in ("actions", "outputPath") or _holds_actions(item)


def _holds_actions(item: Any) -> bool:
    if isinstance(item, dict):
        return bool(item.get("actions")) or any(map(_holds_actions, item.values()))
    return isinstance(item, list) and any(map(_holds_actions, item))


def _partners(spec: list[Any], export: list[Any]) -> dict[int, int]:
    """Index in the export → index of the item in the spec that it is to be compared with."""
    by_identity = {identity: index for index, identity in enumerate(_identities(spec))}
    partners = {
        index: by_identity[identity] for index, identity in enumerate(_identities(export)) if identity in by_identity
    }
    if len(spec) == len(export):
        taken = set(partners.values())
        for index in range(len(export)):
            if index not in partners and index not in taken and _key(spec[index]) == _key(export[index]):
                partners[index] = index
    return partners


def _identities(items: list[Any]) -> Iterator[tuple[str, str, int]]:
    """Key and name of each item, and which of that name it is; items with neither match no other."""
    counts: Counter[tuple[str, str]] = Counter()
    for item in items:
        key = _key(item)
        body = item[key] if key else item
        name = body.get("name") if isinstance(body, dict) else None
        known = (key, name if isinstance(name, str) else "")
        counts[known] += 1
        yield (*known, counts[known] if known != ("", "") else -1 - sum(counts.values()))


def _key(item: Any) -> str:
    """The key of an action, choice or variable (``- playAudio: {…}``); empty for other items."""
    if isinstance(item, dict) and len(item) == 1:
        ((key, body),) = item.items()
        if isinstance(body, dict):
            return str(key)
    return ""
