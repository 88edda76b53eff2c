"""Paths in the words of people who build call flows.

``menus, 0, menu, choices, 1, menuTransferToAcd, targetQueue`` becomes
``menu Main Menu > choice 3 "Billing" (transfer to ACD) > queue``, with a typographic separator.
"""

from __future__ import annotations

import re
from typing import Any

from reconciler.archy.model import Path

_SEPARATOR = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^A-Za-z0-9]+")
_OUTPUT_ID = re.compile("[a-z][A-Za-z]*")
_UPPER_CASE = frozenset(("acd", "asr", "dtmf", "id", "nlu", "sip", "sms", "uri", "url", "uui"))
_KEYS = {"star": "*", "pound": "#"}
_WORDS = {
    "exp": "expression",
    "initialValue": "initial value",
    "noValue": "no value",
    "refId": "reference id",
    "startUpRef": "start",
    "startUpTaskActions": "start-up task",
}
_CONTAINERS = {"menus": "menu", "tasks": "task", "states": "state", "bots": "bot"}
_VARIABLES = ("variables", "startUpTaskVariables")
# Lists of this kind of item are not told apart from what their items say: paths and intents.
_SILENT_OUTPUTS = ("paths", "intents")
_AUTHORS_KEYS = {
    "inputs": "input",
    "outputs": "output",
    "successOutputs": "success output",
    "failureOutputs": "failure output",
    "foundOutputs": "found output",
    "supportedLanguages": "language",
}
_NAMED_BY_KEY = {
    "commonModule": "common module",
    "botFlow": "bot flow",
    "digitalBotFlow": "digital bot flow",
    "dataTable": "data table",
    "screenPopScript": "script",
    "category": "integration",
    "dataAction": "data action",
}


def describe_path(path: Path, document: Any) -> str:
    """A path as people would say it; ``document`` is what it leads into, ``{root key: body}``.

    Names come from the document; where the path leaves it, positions and keys stand for them. A path to the
    root itself is the type of flow in words.
    """
    words = describe_parts(path, document)
    return _SEPARATOR.join(words) if words else in_words(str(path[0])) if path else "document"


def describe_parts(path: Path, document: Any) -> list[str]:
    """As ``describe_path``, part by part, outermost first, without the root key."""
    return _Description(document).parts(path)


def in_words(key: str) -> str:
    """A key of Archy YAML in words: ``transferToAcd`` → ``transfer to ACD``."""
    if key in _WORDS:
        return _WORDS[key]
    words = [word.strip("_-. ") for word in _WORD.findall(key)]
    lowered = [word if word.isupper() and len(word) > 1 else word.lower() for word in words if word]
    return " ".join(word.upper() if word in _UPPER_CASE else word for word in lowered)


class _Description:
    """The walk along one path."""

    def __init__(self, document: Any) -> None:
        self._document = document

    def parts(self, path: Path) -> list[str]:
        """The parts of the sentence, outermost first, the root key left out."""
        parts: list[str] = []
        value = _child(self._document, path[0]) if path else None
        position = 1
        while position < len(path):
            part, steps = _part(value, path, position)
            if part:
                parts.append(part)
            for step in path[position : position + steps]:
                value = _child(value, step)
            position += steps
        return parts


def _part(value: Any, path: Path, position: int) -> tuple[str, int]:
    """Words for the step at ``position``, which leads out of ``value``, and how many steps they cover."""
    step = path[position]
    if isinstance(step, int):
        return _item(value, path, position)
    rest = len(path) - position
    if step in _NAMED_BY_KEY and rest > 1 and isinstance(path[position + 1], str):
        return _object(path, position)
    if step == "outputs" and rest > 1 and path[position + 1] in _SILENT_OUTPUTS:
        return "", 2
    if step in _AUTHORS_KEYS and rest > 1 and isinstance(path[position + 1], str):
        return f"{_AUTHORS_KEYS[step]} {_shown(step, str(path[position + 1]))}", 2
    if step == "name" and position and path[position - 1] == "lit":
        return "", 1
    list_item_follows = rest > 1 and isinstance(path[position + 1], int)
    if step == "lit" or (list_item_follows and step != "startUpTaskActions") or step.startswith("ver_"):
        return "", 1
    return _field(step), 1


def _item(value: Any, path: Path, position: int) -> tuple[str, int]:
    """A list item: an action, a choice, a case…, named by what is known of it."""
    index = path[position]
    assert isinstance(index, int)
    owner = path[position - 1]
    item = _child(value, index)
    if position + 1 < len(path):
        key = str(path[position + 1])
    elif isinstance(item, dict) and len(item) == 1:
        (key,) = item
    else:
        return _wrapped(owner, None, item, index), 1
    wrapped = isinstance(item, dict) and set(item) == {key} and isinstance(item[key], dict)
    if not wrapped:
        return _wrapped(owner, None, item, index), 1
    return _wrapped(owner, key, item[key], index), min(2, len(path) - position)


def _wrapped(owner: str | int, key: str | None, body: Any, index: int) -> str:
    name = body.get("name") if isinstance(body, dict) else None
    name = name if isinstance(name, str) and name else None
    if owner in ("actions", "startUpTaskActions"):
        return f'action {index + 1} "{name}"' if name else f"action {index + 1}" + _brackets(key)
    if owner == "choices":
        return _choice(key, body, name, index)
    if owner in _CONTAINERS:
        return f"{_CONTAINERS[str(owner)]} {name or index + 1}"
    if owner in _VARIABLES:
        return f"variable {name or index + 1}"
    if owner == "statements":
        return f"statement {index + 1}"
    kind = in_words(key or _singular(owner))
    return f'{kind} "{name}"' if name else f"{kind} {index + 1}"


def _singular(owner: str | int) -> str:
    """The key of a list as the word for one of its items."""
    if not isinstance(owner, str) or not owner.endswith("s"):
        return "item"
    return f"{owner[:-3]}y" if owner.endswith("ies") else owner[:-1]


def _choice(key: str | None, body: Any, name: str | None, index: int) -> str:
    """The digit that the caller presses says more than the position."""
    dtmf = body.get("dtmf") if isinstance(body, dict) else None
    digit = dtmf.removeprefix("digit_") if isinstance(dtmf, str) else None
    label = f"choice {_KEYS.get(digit, digit)}" if digit else "choice" if name else f"choice {index + 1}"
    operation = key.removeprefix("menu") if key else None
    return label + (f' "{name}"' if name else "") + _brackets(operation)


def _object(path: Path, position: int) -> tuple[str, int]:
    """An object of the org whose name is a key: ``data action "Get Account" (CRM)``."""
    step, name = str(path[position]), str(path[position + 1])
    if step == "category" and position + 3 < len(path) and path[position + 2] == "dataAction":
        return f'data action "{path[position + 3]}" ({name})', 4
    return f'{_NAMED_BY_KEY[step]} "{name}"', 2


def _field(key: str) -> str:
    if key.startswith("settings") and len(key) > 8:
        return in_words(key[8:]) + " settings"
    if key not in _WORDS and key.endswith("Ref") and len(key) > 3:
        key = key[:-3]
    if key.startswith("target") and len(key) > 6 and key[6].isupper():
        key = key[6:]
    return in_words(key)


def _shown(owner: str, name: str) -> str:
    """Output ids and languages are words of the platform; other keys here are the author's, and quoted."""
    if owner == "outputs" and _OUTPUT_ID.fullmatch(name):
        return in_words(name)
    return name if owner == "supportedLanguages" else f'"{name}"'


def _brackets(key: str | None) -> str:
    return f" ({in_words(key)})" if key else ""


def _child(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return value[step]
    return None
