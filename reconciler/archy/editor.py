"""JSON Schema of flows for editors: completion and descriptions of what is known, and no word against the rest.

There is no public specification of Archy's YAML (facts/archy-yaml). So a key that is not known here is never refused;
what is refused breaks the structure that every flow has: containers and actions are lists of one-key mappings.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from reconciler.archy.control.behaviour import (
    ANSWERED,
    ENDS,
    JUMPS,
    KNOWN_ACTIONS,
    LOOPS,
    MENU_ONLY,
    OUTCOMES,
    TRANSFERS,
)
from reconciler.archy.fields import (
    ACTION_FIELDS,
    CHOICE_FIELDS,
    CONTAINER_FIELDS,
    CONTAINER_KEYS,
    ERROR_HANDLING,
    FIELDS,
    FLOW_KEYS,
    KEYPAD,
    KEYS_OF_MEDIA,
    KEYS_OF_ROOT,
    LISTS,
    VALUE_FORMS,
    VALUES,
    VARIABLE_KEYS,
    VARIABLE_TYPES,
)
from reconciler.archy.flowtypes import FlowType, by_root
from reconciler.archy.wording import in_words
from reconciler.schemas import TEMPLATE_NAME

Schema = dict[str, Any]

_START_UP = "startUpTaskActions"
_CONTAINERS = {"menus": "menu", "tasks": "task", "states": "state", "bots": "bot"}
_TEMPLATE = {"$ref": f"#/$defs/{TEMPLATE_NAME}"}
_TYPES = ("object", "array", "string", "number", "boolean", "null")
_CHOICES = MENU_ONLY | TRANSFERS | {"jumpToTask", "jumpToMenu", "returnToAgent"}


def flow_schema(root: str) -> Schema:
    """The schema of what stands below a flow's root key; ``$defs`` are the same for all roots."""
    flow_type = by_root(root)
    assert flow_type is not None, root
    words = in_words(flow_type.root)
    return {
        "description": _sentence(
            words if words.endswith(("flow", "module")) else f"{words} flow", ", as Archy writes it"
        ),
        "type": "object",
        "required": ["name"],
        "properties": {**_keys(flow_type), **{key: _container_list(key) for key in flow_type.containers}},
        "$defs": _definitions(),
    }


def _keys(flow_type: FlowType) -> Schema:
    texts = {**FLOW_KEYS, **KEYS_OF_MEDIA.get(flow_type.media, {}), **KEYS_OF_ROOT.get(flow_type.root, {})}
    if _START_UP in flow_type.containers:
        del texts["startUpRef"]
    return {key: {"$ref": f"#/$defs/flow {key}"} for key in texts}


def _flow_keys() -> Schema:
    keys = {key: {**text, **_any("string")} for key, text in _described(FLOW_KEYS).items()}
    for more in (*KEYS_OF_MEDIA.values(), *KEYS_OF_ROOT.values()):
        keys |= {key: {**text, **_any("object")} for key, text in _described(more).items()}
    for key in keys:
        if key.startswith(("settings", "supported")):
            keys[key] |= _any("object")
    keys["name"] = {**_described(FLOW_KEYS)["name"], "anyOf": [{"type": "string"}, _TEMPLATE]}
    keys["initialGreeting"]["$ref"] = "#/$defs/Value"
    keys["variables"]["$ref"] = keys["startUpTaskVariables"]["$ref"] = "#/$defs/Variables"
    keys["settingsErrorHandling"]["properties"] = {
        "errorHandling": {"description": "What then happens; one of these.", "properties": _described(ERROR_HANDLING)},
        "preHandlingAudio": {"description": "What callers hear before it.", "$ref": "#/$defs/Value"},
    }
    return {f"flow {key}": schema for key, schema in keys.items()}


def _container_list(key: str) -> Schema:
    if key == _START_UP:
        return {"description": "What is done, one after the other.", "$ref": "#/$defs/Actions"}
    kind = _CONTAINERS[key]
    return {"description": f"The {key}: a list of `{kind}:`.", "$ref": f"#/$defs/{key}"}


@cache
def _definitions() -> Schema:
    forms = _described(VALUE_FORMS)
    return {
        **_flow_keys(),
        "Value": {**_any("object"), "properties": {key: {**text, **_any("string")} for key, text in forms.items()}},
        "Variables": _list({kind: {"$ref": "#/$defs/Variable declaration"} for kind in VARIABLE_TYPES}),
        "Variable declaration": {
            "properties": {
                **{key: {**text, **_any("string")} for key, text in _described(VARIABLE_KEYS).items()},
                "initialValue": _field("initialValue", VARIABLE_KEYS),
            }
        },
        **{key: _list({kind: _container(kind)}) for key, kind in _CONTAINERS.items()},
        "Actions": _list({key: {"$ref": f"#/$defs/{key}"} for key in sorted(KNOWN_ACTIONS)}),
        "Choices": _list({key: _choice(key) for key in sorted(_CHOICES)}, prefix="menu"),
        "Output": {
            "properties": {
                "actions": {"description": CONTAINER_KEYS["actions"], "$ref": "#/$defs/Actions"},
                "enabled": {"description": "`false` switches the output off."},
            }
        },
        **{key: _action(key) for key in sorted(KNOWN_ACTIONS)},
    }


def _list(items: Schema, prefix: str = "") -> Schema:
    """A list of one-key mappings; other keys than these are welcome."""
    keys = {f"{prefix}{key[0].upper()}{key[1:]}" if prefix else key: item for key, item in items.items()}
    one = {"type": "object", "maxProperties": 1, "properties": keys}
    return {"anyOf": [{"type": "array", "items": one}, {"type": "null"}, _TEMPLATE]}


def _container(kind: str) -> Schema:
    keys: Schema = {key: {"description": CONTAINER_KEYS[key], **_any("string")} for key in CONTAINER_FIELDS[kind]}
    references = {"actions": "Actions", "choices": "Choices", "variables": "Variables", "audio": "Value"}
    for key, target in references.items():
        if key in keys:
            keys[key] = {"description": CONTAINER_KEYS[key], "$ref": f"#/$defs/{target}"}
    return {"description": f"A {kind}.", "properties": keys}


def _action(key: str) -> Schema:
    return {"description": _does(key), "properties": _action_keys(key)}


def _action_keys(key: str) -> Schema:
    fields = {field: _field(field, FIELDS) for field in ACTION_FIELDS.get(key, "").split()}
    if key == "switch":
        fields["evaluate"] = {"description": "`firstTrue` or `firstMatch`, with `cases` and `default`."}
    outputs: Schema = {outcome: {"$ref": "#/$defs/Output"} for outcome in _outcomes(key)}
    listed = {"outputs": {"description": FIELDS["outputs"], "properties": outputs}} if outputs else {}
    name = {"description": "What Architect shows; say what is done.", **_any("string")}
    return {"name": name, **fields, **listed}


def _choice(operation: str) -> Schema:
    own = {key: {**text, **_any("string")} for key, text in _described(CHOICE_FIELDS).items()}
    own["dtmf"]["anyOf"] = [{"enum": list(KEYPAD)}, {}]
    keys = {**_action_keys(operation), **own}
    if operation == "subMenu":
        keys["choices"] = {"description": CONTAINER_KEYS["choices"], "$ref": "#/$defs/Choices"}
    return {"description": f"Choice of a menu: {in_words(operation)}.", "properties": keys}


def _field(field: str, texts: dict[str, str]) -> Schema:
    text = {"description": texts[field]} if field in texts else {}
    if field in VALUES:
        return {**text, "$ref": "#/$defs/Value"}
    return {**text, **_any("string" if field.endswith("Ref") else "array" if field in LISTS else "object")}


def _does(key: str) -> str:
    """An action in a sentence or two: what it is called, and where control goes."""
    words = _sentence(in_words(key))
    if key in ENDS:
        return f"{words} Nothing runs after it."
    if key in JUMPS:
        return f"{words} Does not come back."
    if key in TRANSFERS:
        return f"{words} Leaves the flow when it succeeds; goes on below when it fails."
    outcomes = ", ".join(f"`{outcome}`" for outcome in _outcomes(key))
    return f"{words} Outputs: {outcomes}." if outcomes else words


def _any(first: str) -> Schema:
    """Any type at all; editors that write a key write it as the first one wants it, with a colon at least."""
    return {"type": [first, *(kind for kind in _TYPES if kind != first)]}


def _outcomes(key: str) -> tuple[str, ...]:
    if key in LOOPS:
        return ("loop",)
    return tuple(outcome for outcome in OUTCOMES.get(key, ()) if outcome != ANSWERED)


def _sentence(words: str, more: str = "") -> str:
    return f"{words[0].upper()}{words[1:]}{more}."


def _described(texts: dict[str, str]) -> Schema:
    return {key: {"description": text} for key, text in texts.items()}
