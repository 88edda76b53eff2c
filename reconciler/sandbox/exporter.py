"""Exports a flow version in Architect's full form (facts archy-yaml §3, §6).

The source comes back with everything filled in: settings, ``noValue`` fields, flags of variables,
tracking ids, numbered refIds with absolute references, flows under their current names. The same
version always exports alike; two versions differ in numbers even where they mean the same.
"""

from __future__ import annotations

import copy
from typing import Any

from reconciler.archy.flowtypes import FlowType
from reconciler.archy.model import Certainty, Path
from reconciler.archy.references import extract_references
from reconciler.sandbox.export_defaults import ACTIONS, MENU_CHOICE, MENU_SETTINGS, SETTINGS, SPOKEN
from reconciler.sandbox.internal_refs import Target, target_of
from reconciler.sandbox.yaml_writer import write_yaml

FIRST_NUMBER = 10
NUMBERS_APART = 7
"""How far the numbers of successive versions are apart."""

_ELEMENT_LISTS = frozenset(("menus", "tasks", "states", "bots", "actions", "choices", "startUpTaskActions"))
_CONTAINER_LISTS = frozenset(("menus", "tasks", "states", "bots"))
_AS_WRITTEN = frozenset(("settingsNaturalLanguageUnderstanding", "referencedObjects"))
_FIRST = ("name", "description", "division", "startUpRef", "defaultLanguage", "supportedLanguages")
_THEN = ("initialGreeting", "variables")
_LAST = ("startUpTaskVariables", "startUpTaskActions", "bots", "menus", "states", "tasks")


def export_yaml(
    flow_type: FlowType,
    body: dict[str, Any],
    *,
    name: str,
    division: str,
    version: int,
    flow_names: list[str],
) -> str:
    """The export of one version.

    ``body`` is what stands below the root key in the source; ``flow_names`` are the current names of
    the flows that its static references mean, in document order.
    """
    named = with_current_names(flow_type, copy.deepcopy(body), flow_names)
    named |= {"name": name, "division": division, "description": named.get("description") or ""}
    exporter = _Exporter(flow_type, FIRST_NUMBER + NUMBERS_APART * (version - 1))
    full = exporter.export(_with_settings(flow_type, named))
    return write_yaml({flow_type.root: _ordered(full)})


def with_current_names(flow_type: FlowType, body: dict[str, Any], flow_names: list[str]) -> dict[str, Any]:
    """The body with the flows that it refers to under other names, given in document order."""
    references = [
        reference
        for reference in extract_references(flow_type.root, body)
        if reference.kind == "flow" and reference.certainty is Certainty.STATIC
    ]
    for reference, current in zip(references, flow_names, strict=False):
        if current != reference.name:
            _rename(body, reference.path[1:], reference.name, current)
    return body


def _rename(body: dict[str, Any], path: Path, old: str, new: str) -> None:
    """Puts the new name where the old one stands, as a value or as a mapping key."""
    parent: Any = body
    for step in path[:-1]:
        parent = parent[step]
    last = path[-1]
    if parent[last] == old and isinstance(parent[last], str):
        parent[last] = new
    else:
        items = [(new if key == last else key, value) for key, value in parent.items()]
        parent.clear()
        parent.update(items)


def _with_settings(flow_type: FlowType, body: dict[str, Any]) -> dict[str, Any]:
    """Languages and settings blocks filled in; a block keeps what the author wrote."""
    full = dict(body)
    language = full.get("defaultLanguage")
    if "supportedLanguages" not in full and isinstance(language, str):
        full["supportedLanguages"] = {language: _language(flow_type)}
    for block, defaults in SETTINGS.get(flow_type.api_type, {}).items():
        written = full.get(block)
        if written is None:
            full[block] = defaults
        elif isinstance(written, dict):
            full[block] = {
                **written,
                **{key: value for key, value in defaults.items() if key not in written},
            }
    return full


def _language(flow_type: FlowType) -> dict[str, Any]:
    if flow_type.api_type in SPOKEN:
        return {"defaultLanguageSkill": {"noValue": True}, "textToSpeech": {"defaultEngine": {"voice": "Jill"}}}
    return {"none": True}


def _ordered(body: dict[str, Any]) -> dict[str, Any]:
    """Flow properties in export order; whatever is not known stands before the containers."""
    settings = [key for key in body if key.startswith("settings") and key not in _AS_WRITTEN]
    placed = {*_FIRST, *_THEN, *_LAST, *settings, *_AS_WRITTEN}
    others = [key for key in body if key not in placed]
    order = (*_FIRST, *_THEN, *settings, *others, *_LAST, *sorted(_AS_WRITTEN, reverse=True))
    return {key: body[key] for key in order if key in body}


class _Exporter:
    """One export: copies, fills in and numbers, then rewrites references."""

    def __init__(self, flow_type: FlowType, first_number: int) -> None:
        self._flow_type = flow_type
        self._next = first_number
        self._addresses: dict[Target, list[tuple[str, str]]] = {}
        """(kind, refId as written) → (path of the owner, absolute path) of each such element."""

    def export(self, body: dict[str, Any]) -> dict[str, Any]:
        root = f"/{self._flow_type.root}"
        return dict(self._rewritten(self._mapping(body, root), root))

    def _value(self, value: Any, owner: str) -> Any:
        if isinstance(value, dict):
            return self._mapping(value, owner)
        if isinstance(value, list):
            return [self._value(item, owner) for item in value]
        return value

    def _mapping(self, mapping: dict[str, Any], owner: str) -> dict[str, Any]:
        full: dict[str, Any] = {}
        for key, value in mapping.items():
            if key in _AS_WRITTEN:
                full[key] = value
            elif key in _ELEMENT_LISTS and isinstance(value, list):
                full[key] = [self._element(item, key, owner) for item in value]
            elif key == "variables" and isinstance(value, list):
                full[key] = _variables(value)
            elif key == "outputs" and isinstance(value, dict):
                kept = {name: item for name, item in value.items() if item not in ({}, {"actions": []}, None)}
                if kept:
                    full[key] = self._mapping(kept, owner)
            else:
                full[key] = self._value(value, owner)
        return full

    def _element(self, item: Any, list_key: str, owner: str) -> Any:
        """A menu, task, state, bot, action or menu choice: numbered, with its defaults."""
        if not isinstance(item, dict) or len(item) != 1:
            return self._value(item, owner)
        ((kind, body),) = item.items()
        if not isinstance(body, dict):
            return item
        number, self._next = self._next, self._next + 1
        name = str(body.get("name", kind))
        head: dict[str, Any] = {"name": name, "trackingId": number}
        address = owner
        if "refId" in body or list_key in _CONTAINER_LISTS:
            head["refId"] = f"{name}_{number}"
            address = f"{owner}/{list_key}/{kind}[{head['refId']}]"
            written = str(body.get("refId", name))
            self._addresses.setdefault((kind, written), []).append((owner, address))
        rest = {key: value for key, value in body.items() if key not in ("name", "trackingId", "refId")}
        return {kind: {**head, **self._mapping(self._filled_in(kind, rest, list_key), address)}}

    def _filled_in(self, kind: str, body: dict[str, Any], list_key: str) -> dict[str, Any]:
        defaults: dict[str, Any] = {}
        if list_key == "choices":
            defaults |= MENU_CHOICE
            kind = kind[4:5].lower() + kind[5:] if kind.startswith("menu") else kind
        elif kind == "menu":
            defaults |= MENU_SETTINGS
        defaults |= ACTIONS.get(kind, {})
        return {**body, **{key: value for key, value in defaults.items() if key not in body}}

    def _rewritten(self, value: Any, owner: str) -> Any:
        """The same with every internal reference absolute and under the new refId."""
        if isinstance(value, list):
            return [self._rewritten(item, owner) for item in value]
        if not isinstance(value, dict):
            return value
        changed: dict[str, Any] = {}
        for key, item in value.items():
            if key.endswith("Ref") and isinstance(item, str):
                changed[key] = self._absolute(item, owner)
            elif key in _ELEMENT_LISTS and isinstance(item, list):
                changed[key] = [self._rewritten_element(entry, key, owner) for entry in item]
            else:
                changed[key] = self._rewritten(item, owner)
        return changed

    def _rewritten_element(self, entry: Any, list_key: str, owner: str) -> Any:
        if isinstance(entry, dict) and len(entry) == 1:
            ((kind, body),) = entry.items()
            if isinstance(body, dict) and "refId" in body:
                return {kind: self._rewritten(body, f"{owner}/{list_key}/{kind}[{body['refId']}]")}
        return self._rewritten(entry, owner)

    def _absolute(self, reference: str, owner: str) -> str:
        target = target_of(reference, self._addresses)
        if target is None:
            return reference
        candidates = self._addresses[target]
        own = [address for place, address in candidates if place == owner]
        return own[0] if own else candidates[0][1]


def _variables(variables: list[Any]) -> list[Any]:
    """Variables by name, each with its flags and an initial value."""
    return sorted(map(_full_variable, variables), key=_variable_name)


def _full_variable(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    defaults = {"initialValue": {"noValue": True}, "isInput": False, "isOutput": False}
    return {
        kind: {**definition, **{key: value for key, value in defaults.items() if key not in definition}}
        if isinstance(definition, dict)
        else definition
        for kind, definition in item.items()
    }


def _variable_name(item: Any) -> str:
    bodies = item.values() if isinstance(item, dict) else ()
    return next((str(body.get("name", "")) for body in bodies if isinstance(body, dict)), "")
