"""Finds the names that an Architect expression looks up, and the variables that it reads.

Expressions are split into tokens, because text search finds phantom names inside strings and loses names
that hold quotes. Grammar as seen in facts/archy-yaml §3: double-quoted strings with backslash escapes, dotted
names, function names in any case. Comments (``/* */`` and ``//``) are skipped: as operators they would not be
valid.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LOOK_UPS: dict[str, str | None] = {
    "findqueue": "queue",
    "findqueuebyid": "queue",
    "findskill": "skill",
    "findlanguageskill": "languageSkill",
    "finduser": "user",
    "finduserbyid": "user",
    "finduserprompt": "prompt",
    "findsystemprompt": None,
    "findgroup": "group",
    "findschedule": "schedule",
    "findschedulegroup": "scheduleGroup",
    "findemergencygroup": "emergencyGroup",
}
"""Function (lower case) → kind of the object it finds; None for what every org has."""

MAX_SHOWN = 500
"""Characters of a call whose name is computed that are kept, for people to recognise it."""

_TOKEN = re.compile(
    r"""(?P<space>\s+|/\*.*?(?:\*/|$)|//[^\n]*)
      | (?P<string>"(?:[^"\\]|\\.)*+(?:"|\\?\Z))
      | (?P<name>[^\W\d]\w*(?:\s*\.\s*[^\W\d]\w*)*)
      | (?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = {"n": "\n", "r": "\r", "t": "\t"}
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_INTERESTING = re.compile(r"find|prompt", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LookUp:
    """One object that an expression finds by name."""

    kind: str
    name: str
    """The object's name, or the text of the call where the name is computed (``literal`` is False)."""
    literal: bool
    function: bool = True
    """False for ``Prompt.X``, which is a name of the language and is resolved at publish."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def look_ups(expression: str) -> tuple[LookUp, ...]:
    """Every object that the expression names or looks up, in order; built-in prompts are left out."""
    if not _INTERESTING.search(expression):
        return ()
    return tuple(_look_ups(expression, list(_tokens(expression))))


def variables(expression: str) -> tuple[str, ...]:
    """Names of the variables that the expression reads, ``Task.queue`` of ``Task.queue.id``, in order, each once.

    Functions are left out, and so are properties, such as ``key`` in ``Chat.Guest.fields[0].key``. Every dotted
    name counts, those of variables that the platform provides and of prompts as well.
    """
    if "." not in expression:
        return ()
    found: dict[str, None] = {}
    tokens = list(_tokens(expression))
    for index, token in enumerate(tokens):
        if token.kind != "name" or (index and tokens[index - 1].text == ".") or _opens_call(tokens, index):
            continue
        scope, dot, rest = token.text.partition(".")
        if dot:
            found[f"{scope.strip()}.{rest.partition('.')[0].strip()}"] = None
    return tuple(found)


def string_literal(expression: str) -> str | None:
    """The text of an expression that is one string and nothing else; None for every other expression."""
    tokens = list(_tokens(expression))
    return _unquoted(tokens[0].text) if len(tokens) == 1 and tokens[0].kind == "string" else None


def is_unset(expression: str) -> bool:
    """Whether the expression is no value: empty, ``NOT_SET``, or ``ToQueue(NOT_SET)`` and the like."""
    words = [token.text.upper() for token in _tokens(expression)]
    if len(words) == 4 and words[0].startswith("TO") and words[1] == "(" and words[3] == ")":
        words = words[2:3]
    return words in ([], ["NOT_SET"])


def is_guid(text: str) -> bool:
    """Whether the text is an id of the platform, not a name."""
    return bool(_GUID.fullmatch(text.strip()))


def without_prompt_prefix(name: str) -> str | None:
    """Name of a user prompt without ``Prompt.``; None for a prompt that Genesys provides."""
    scope, dot, rest = name.partition(".")
    if dot and scope.lower() == "promptsystem":
        return None
    return rest if dot and scope.lower() == "prompt" else name


def _tokens(expression: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(expression):
        kind = match.lastgroup or "other"
        if kind != "space":
            yield _Token(kind, match.group(), match.start(), match.end())


def _look_ups(expression: str, tokens: list[_Token]) -> Iterator[LookUp]:
    closings = _closings(tokens)
    for index, token in enumerate(tokens):
        if token.kind != "name" or (index and tokens[index - 1].text == "."):
            continue
        name = re.sub(r"\s+", "", token.text)
        if name.lower().startswith("prompt."):
            yield LookUp("prompt", name.split(".")[1], literal=True, function=False)
        elif (kind := LOOK_UPS.get(name.lower())) and _opens_call(tokens, index):
            yield from _call(expression, tokens, index, closings.get(index + 1, len(tokens)), kind)


def _opens_call(tokens: list[_Token], index: int) -> bool:
    return index + 1 < len(tokens) and tokens[index + 1].text == "("


def _call(expression: str, tokens: list[_Token], index: int, end: int, kind: str) -> Iterator[LookUp]:
    arguments = tokens[index + 2 : end]
    by_id = tokens[index].text.lower().endswith("byid")
    if len(arguments) == 1 and arguments[0].kind == "string" and not by_id:
        name = _unquoted(arguments[0].text)
        if kind == "prompt":
            prompt = without_prompt_prefix(name)
            if prompt is None:
                return
            name = prompt
        if name and not is_guid(name):
            yield LookUp(kind, name, literal=True)
            return
    last = tokens[min(end, len(tokens) - 1)]
    start = tokens[index].start
    yield LookUp(kind, expression[start : min(last.end, start + MAX_SHOWN)], literal=False)


def _closings(tokens: list[_Token]) -> dict[int, int]:
    """For each opening parenthesis, by index, the one that closes it; those that none closes are left out."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind == "other" and token.text == "(":
            opened.append(index)
        elif token.kind == "other" and token.text == ")" and opened:
            found[opened.pop()] = index
    return found


def _unquoted(text: str) -> str:
    inner = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
    return _ESCAPE.sub(lambda match: _CONTROL.get(match[1], match[1]), inner)
