"""From libyaml's events to values, by the YAML 1.2 core schema.

Kept apart from ``yaml`` (the interface) because this is the one place where speed decides the shape: a large
estate is megabytes of flows, so events are consumed in one loop that calls nothing for an ordinary scalar.
"""

from __future__ import annotations

import math
import re
from typing import Any

from yaml import MarkedYAMLError, YAMLError
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.reader import ReaderError

MAX_DEPTH = 200
"""Lists and mappings inside each other; a decision inside a decision takes five."""
MAX_NODES = 1_000_000
"""Values of one stream; the largest export known has some 50,000."""
MAX_ALIAS_NODES = 100_000
"""Values that the aliases of one document may add to it."""

Event = Any
"""An event of libyaml; its published types say that marks may be missing, which the C parser never does."""

_CORE = "tag:yaml.org,2002:"
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
# A plain scalar that starts with any other character is text.
_MAYBE_TYPED = frozenset("0123456789+-.~nNtTfF")
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,299})")
_RADIX_INT = re.compile(r"0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


class YamlError(Exception):
    """Text that cannot be read as Archy YAML; ``line`` and ``column`` are 1-based in the text given."""

    def __init__(self, message: str, line: int, column: int, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.remedy = remedy

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class Parser:
    """The events of one stream, and the values made from them."""

    def __init__(self, text: str) -> None:
        text = text.removeprefix("\ufeff")
        self._text = text
        self._left = MAX_NODES
        try:
            self._get_event = CParser(text).get_event
        except UnicodeEncodeError as error:
            raise self._bad_character(error.start) from error

    def next(self) -> Event:
        """The next event.

        Raises:
            YamlError: the text is no YAML from here on.
        """
        try:
            return self._get_event()
        except YAMLError as error:
            raise self._translated(error) from error

    def skip(self, event: Event) -> None:
        """Reads over the value that starts with ``event``."""
        depth = 0
        while True:
            if isinstance(event, MappingStartEvent | SequenceStartEvent):
                depth += 1
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                depth -= 1
            if depth == 0:
                return
            event = self.next()

    def construct(self, first: Event) -> Any:
        """The value that starts with the event ``first``; aliases are expanded into copies.

        Raises:
            YamlError: no YAML, a duplicate key, a key that is no text, a merge key, a foreign tag, nesting
                deeper than ``MAX_DEPTH``, or aliases that refer to themselves or stand for too much.
        """
        try:
            value, nodes, first_alias = self._construct(first)
        except YAMLError as error:
            raise self._translated(error) from error
        self._left -= nodes
        if first_alias is None:
            return value
        return _Expansion(first_alias, nodes + MAX_ALIAS_NODES).copy(value, 0)

    def _construct(self, event: Event) -> tuple[Any, int, Event]:
        get_event = self._get_event
        root: list[Any] = []
        parents: list[tuple[Any, bool]] = []
        container: Any = root
        in_mapping = False
        key: str | None = None
        keys: dict[str, str] = {}
        anchors: dict[str, Any] = {}
        first_alias: Event = None
        nodes = 0
        left = self._left
        while True:
            kind = type(event)
            nodes += 1
            if nodes > left:
                raise _error(event, f"There are more than {MAX_NODES:,} values here.", "Split the file.")
            if kind is ScalarEvent:
                text: str = event.value
                if in_mapping and key is None:
                    if text in container or text == "<<" or event.tag is not None:
                        _check_key(event, container)
                    key = keys.setdefault(text, text)
                    if event.anchor is not None:
                        anchors[event.anchor] = text
                    event = get_event()
                    continue
                value: Any
                if event.tag is not None:
                    value = _tagged(event)
                elif event.implicit[0] and (not text or text[0] in _MAYBE_TYPED):
                    value = plain_value(text)
                else:
                    value = text
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                container, in_mapping = parents.pop()
                if not parents:
                    return root[0], nodes, first_alias
                event = get_event()
                continue
            elif in_mapping and key is None:
                raise _error(event, "A key must be plain text.", "Write the key as text, in quotes if need be.")
            elif kind is AliasEvent:
                value = _aliased(event, anchors, parents, container)
                first_alias = first_alias or event
            else:
                value = {} if kind is MappingStartEvent else []
                if event.tag is not None:
                    _check_collection_tag(event)
            if in_mapping:
                container[key] = value
                key = None
            else:
                container.append(value)
            if kind is not AliasEvent and event.anchor is not None:
                anchors[event.anchor] = value
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                parents.append((container, in_mapping))
                if len(parents) > MAX_DEPTH:
                    raise _too_deep(event)
                container, in_mapping = value, kind is MappingStartEvent
            elif not parents:
                return root[0], nodes, first_alias
            event = get_event()

    def _translated(self, error: YAMLError) -> YamlError:
        if isinstance(error, MarkedYAMLError):
            mark = error.problem_mark or error.context_mark
            what = ", ".join(part for part in (error.context, error.problem) if part)
            if mark is not None:
                return YamlError(
                    f"This is no YAML: {what}.",
                    mark.line + 1,
                    mark.column + 1,
                    self._advice(error.problem, mark.index),
                )
        if isinstance(error, ReaderError):
            # libyaml counts bytes here, and characters everywhere else.
            before = self._text.encode()[: error.position].decode(errors="ignore")
            return self._bad_character(len(before))
        return YamlError(f"This is no YAML: {error}.", 1, 1)

    def _advice(self, problem: str | None, index: int) -> str | None:
        problem = problem or ""
        if "cannot start any token" in problem:
            return "Indent with spaces." if self._text[index : index + 1] == "\t" else "Put the text in quotes."
        if "mapping values are not allowed" in problem:
            return "Put text that holds a colon in quotes, and check the indentation."
        if "expected" in problem:
            return "Check the indentation and the quotes of this line and of the one before."
        return None

    def _bad_character(self, position: int) -> YamlError:
        before = self._text[:position]
        return YamlError(
            "There is a character here that YAML does not allow.",
            before.count("\n") + 1,
            position - before.rfind("\n"),
            'Delete it, or write it as an escape such as "\\x07" in double quotes.',
        )


def plain_value(text: str) -> Any:
    """The YAML 1.2 core value of an unquoted scalar.

    Text stays what has digits after a leading zero (as in Archy) and what is too large for a number.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _RADIX_INT.fullmatch(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text


class _Expansion:
    """Copies a value that holds aliases, within limits: a few lines of aliases can stand for gigabytes."""

    def __init__(self, first_alias: Event, budget: int) -> None:
        self._first_alias = first_alias
        self._budget = budget

    def copy(self, value: Any, depth: int) -> Any:
        self._budget -= 1
        if self._budget < 0:
            raise _error(
                self._first_alias,
                f"The aliases of this document stand for more than {MAX_ALIAS_NODES} values.",
                "Write the values out, or share them with a macro.",
            )
        if depth > MAX_DEPTH:
            raise _too_deep(self._first_alias)
        if isinstance(value, dict):
            return {key: self.copy(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self.copy(item, depth + 1) for item in value]
        return value


def _aliased(event: Event, anchors: dict[str, Any], parents: list[tuple[Any, bool]], container: Any) -> Any:
    if event.anchor not in anchors:
        raise _error(event, f"The alias *{event.anchor} has no anchor &{event.anchor} before it.")
    value = anchors[event.anchor]
    if value is container or any(parent is value for parent, _ in parents):
        raise _error(event, f"The alias *{event.anchor} stands inside the value that it refers to.")
    return value


def _tagged(event: Event) -> Any:
    """The value of a scalar with a tag: only core tags, and only where the text fits the tag."""
    name = event.tag.removeprefix(_CORE)
    if name == "str":
        return event.value
    value = plain_value(event.value)
    if name == "float" and type(value) is int:
        value = float(value)
    fits = {"int": int, "float": float, "bool": bool, "null": type(None)}
    if name not in fits:
        raise _unknown_tag(event)
    if type(value) is not fits[name]:
        raise _error(event, f'"{event.value}" is tagged !!{name} but is none.', "Delete the tag.")
    return value


def _check_key(event: Event, container: dict[str, Any]) -> None:
    if event.tag not in (None, _CORE + "str"):
        raise _error(event, "A key must be plain text; this one has a tag.", "Delete the tag.")
    if event.value == "<<" and event.implicit[0] and event.tag is None:
        raise _error(
            event,
            "Merge keys (<<) are no part of YAML 1.2, and Archy does not read them.",
            "Write the keys out, or share them with a macro or an include.",
        )
    if event.value in container:
        raise _error(
            event,
            f'The key "{event.value}" stands twice in the same mapping.',
            "Delete or rename one of the two.",
        )


def _check_collection_tag(event: Event) -> None:
    if event.tag != _CORE + ("map" if isinstance(event, MappingStartEvent) else "seq"):
        raise _unknown_tag(event)


def _unknown_tag(event: Event) -> YamlError:
    tag = event.tag.replace(_CORE, "!!")
    return _error(event, f"Archy YAML has no tag {tag}.", "Delete the tag; quote the value if it is text.")


def _too_deep(event: Event) -> YamlError:
    return _error(
        event,
        f"Lists and mappings are nested more than {MAX_DEPTH} deep here.",
        "Move inner actions to a task of their own.",
    )


def _error(event: Event, message: str, remedy: str | None = None) -> YamlError:
    mark = event.start_mark
    return YamlError(message, mark.line + 1, mark.column + 1, remedy)
