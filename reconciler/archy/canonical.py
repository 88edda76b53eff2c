"""The canonical form of a flow: two documents that mean the same have equal ones.

What is folded, and on what evidence, is the table in facts/archy-yaml §6. Order is kept wherever it means
something: actions, cases, choices, states, skills, list literals.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from reconciler.archy.flowtypes import by_root
from reconciler.archy.targets import Targets, is_reference

_NLU = "settingsNaturalLanguageUnderstanding"
_UNORDERED_NLU_LISTS = (
    "intents",
    "entities",
    "entityTypes",
    "utterances",
    "entityNameReferences",
    "mutedUtterances",
)
_OLD_OUTPUT_KEYS = {"true": "yes", "false": "no", "True": "yes", "False": "no"}
_DROP = object()


def canonical(root: str, body: Any) -> dict[str, Any]:
    """The canonical form, as a new JSON-able mapping of one key: the root key, aliases folded.

    Takes any JSON-able tree, never raises and changes nothing in place; the canonical form of a canonical
    form is itself.
    """
    flow_type = by_root(root)
    own_root = flow_type.root if flow_type else root
    plain = _normal(body)
    if isinstance(plain, dict):
        plain.pop("referencedObjects", None)
        if isinstance(nlu := plain.get(_NLU), dict | list):
            plain[_NLU] = _nlu(nlu)
    _rewrite_references(own_root, plain)
    return {own_root: plain}


def digest(value: Any) -> str:
    """SHA-256 (hex) over the value as compact JSON with sorted keys, in UTF-8."""
    return sha256(_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def canonical_digest(root: str, body: Any) -> str:
    """The digest of a flow's canonical form: equal for equal meaning."""
    return digest(canonical(root, body))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _normal(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _mapping(value)
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, float):
        return _number(value)
    return value


def _number(value: float) -> Any:
    """JavaScript, in which Architect's engine is written, knows no difference between 1.0 and 1."""
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else (".inf" if value > 0 else "-.inf")
    return int(value) if value.is_integer() else value


def _mapping(mapping: dict[Any, Any]) -> dict[str, Any]:
    normal: dict[str, Any] = {}
    for key, item in mapping.items():
        value = _normal(item)
        rule = _RULES.get(key)
        if rule is not None:
            value = rule(value)
            if value is _DROP:
                continue
        normal[key] = value
    literal = normal.get("lit")
    # Exports of emergency groups and schedules repeat the literal's name beside it (facts §6).
    if isinstance(literal, dict) and "name" in normal and normal["name"] == literal.get("name"):
        del normal["name"]
    return normal


def _tracking_id(value: Any) -> Any:
    return value if isinstance(value, dict | list) else _DROP


def _description(value: Any) -> Any:
    return _DROP if value is None or value == "" else value


def _flag(value: Any) -> Any:
    return _DROP if value is False else value


def _actions(value: Any) -> Any:
    return _DROP if value is None or value == [] else value


def _outputs(value: Any) -> Any:
    if not isinstance(value, dict):
        return _DROP if value is None else value
    usual = {key: _usually_enabled(item) for key, item in value.items()}
    kept = {key: item for key, item in usual.items() if item not in ({}, None, [])}
    for old, new in _OLD_OUTPUT_KEYS.items():
        if old in kept and new not in kept and isinstance(kept[old], dict) and "actions" in kept[old]:
            kept[new] = kept.pop(old)
    return kept or _DROP


def _usually_enabled(output: Any) -> Any:
    """An output, or a list of intents, is enabled unless it says otherwise (facts §2)."""
    if isinstance(output, list):
        return [_usually_enabled(item) for item in output]
    if not isinstance(output, dict):
        return output
    if isinstance(intent := output.get("intent"), dict):
        return {**output, "intent": _usually_enabled(intent)}
    return {key: item for key, item in output.items() if key != "enabled" or item is not True}


def _variables(value: Any) -> Any:
    return sorted(value, key=_by_name) if isinstance(value, list) else value


def _end_task(value: Any) -> Any:
    """An exit by the default path is the same as no path; names of paths are looked up in any case."""
    path = value.get("outputPath") if isinstance(value, dict) else None
    if isinstance(path, dict) and set(path) == {"name"} and str(path["name"]).casefold() == "default":
        return {key: item for key, item in value.items() if key != "outputPath"}
    return value


def _time_zone(value: Any) -> Any:
    return {"lit": value} if isinstance(value, str) else value


_RULES: dict[str, Callable[[Any], Any]] = {
    "trackingId": _tracking_id,
    "description": _description,
    "isInput": _flag,
    "isOutput": _flag,
    "actions": _actions,
    "outputs": _outputs,
    "variables": _variables,
    "startUpTaskVariables": _variables,
    "endTask": _end_task,
    "evaluationTimeZone": _time_zone,
}


def _by_name(item: Any) -> tuple[str, str]:
    """Sorts ``{name: …}`` and ``{stringVariable: {name: …}}`` by name, everything else by its text."""
    body = item
    if isinstance(item, dict) and "name" not in item and len(item) == 1:
        (body,) = item.values()
    name = body.get("name") if isinstance(body, dict) else None
    return (name if isinstance(name, str) else "", _json(item))


def _nlu(value: Any) -> Any:
    if isinstance(value, dict):
        inner = {key: _nlu(item) for key, item in value.items()}
        for key in _UNORDERED_NLU_LISTS:
            if isinstance(items := inner.get(key), list):
                inner[key] = sorted(items, key=_by_name)
        return inner
    return [_nlu(item) for item in value] if isinstance(value, list) else value


def _rewrite_references(root: str, body: Any) -> None:
    """Puts labels for refIds, in place, and drops the refIds themselves: a label says all they say."""
    targets = Targets(root, body)
    if not targets.by_path:
        return
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(body, (root,))]
    while stack:
        value, path = stack.pop()
        if isinstance(value, dict):
            if path in targets.by_path:
                del value["refId"]
            for key, item in value.items():
                if isinstance(item, dict | list):
                    stack.append((item, (*path, key)))
                elif is_reference(key, item) and (target := targets.resolve(item, path)):
                    value[key] = target.label
        else:
            stack.extend((item, (*path, index)) for index, item in enumerate(value) if isinstance(item, dict | list))
