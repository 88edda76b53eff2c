"""Reads YAML as Archy reads it, and says where things stand.

PyYAML's own loaders follow YAML 1.1, which turns ``yes`` into a boolean, ``12:30`` into a number and ``no:``
outputs into ``False`` keys. Here libyaml only parses; scalars are typed by the YAML 1.2 core schema, keys are
always strings, and whatever would make two readers disagree (duplicate keys, merge keys, tags) is an error.

Loading keeps no positions, because most documents are never complained about; ``locate`` parses again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from yaml.events import (
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.archy.model import Path
from reconciler.archy.yaml_parser import Event, Parser, YamlError

__all__ = ["Document", "YamlError", "load", "load_documents", "locate"]


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a stream."""

    data: Any
    """Mappings with string keys, lists, strings, numbers, booleans and None."""
    text: str
    """This document's own part of the stream, comments included, without its ``---`` line."""
    line: int
    """1-based line in the stream where its content starts."""


def load_documents(text: str) -> list[Document]:
    """Reads every document of a stream; documents that hold nothing but comments are left out.

    Raises:
        YamlError: the text is no YAML, or YAML that Archy and other readers would read differently.
    """
    documents: list[Document] = []
    # libyaml reads over a byte order mark without counting it, which would shift every slice.
    text = text.removeprefix("\ufeff")
    parser = Parser(text)
    content_from = 0
    while True:
        event = parser.next()
        if type(event) is DocumentStartEvent:
            if event.explicit:
                content_from = _end(event)
            first = parser.next()
            data = parser.construct(first)
            end = parser.next()
            if not _is_blank(first):
                own = _without_blank_start(text[content_from : end.start_mark.index])
                documents.append(Document(data, own, first.start_mark.line + 1))
            content_from = end.end_mark.index
        elif type(event) is StreamEndEvent:
            return documents


def load(text: str) -> Any:
    """Reads text that holds one document; None when it holds nothing.

    Raises:
        YamlError: as ``load_documents``, or there is a second document.
    """
    documents = load_documents(text)
    if len(documents) > 1:
        raise YamlError("There is more than one document here.", documents[1].line, 1)
    return documents[0].data if documents else None


def locate(text: str, path: Path, *, document: int = 0) -> tuple[int, int]:
    """Line and column (1-based, in ``text``) of the key or list item at ``path``.

    ``document`` counts like the result of ``load_documents``. A path that leads nowhere is located at the
    nearest parent that exists, a document that does not exist at the start of the text.

    Raises:
        YamlError: as ``load_documents``, where the trouble comes before the place looked for.
    """
    parser = Parser(text)
    while True:
        event = parser.next()
        if type(event) is StreamEndEvent:
            return 1, 1
        if type(event) is not DocumentStartEvent:
            continue
        first = parser.next()
        if _is_blank(first):
            continue
        if document == 0:
            return _follow(parser, first, path)
        document -= 1
        parser.skip(first)


def _follow(parser: Parser, event: Event, path: Path) -> tuple[int, int]:
    found = event.start_mark
    for step in path:
        if type(event) is MappingStartEvent:
            entry = _find_key(parser, str(step))
        elif type(event) is SequenceStartEvent and isinstance(step, int):
            entry = _find_item(parser, step)
        else:
            break
        if entry is None:
            break
        found, event = entry[0].start_mark, entry[1]
    return found.line + 1, found.column + 1


def _find_key(parser: Parser, wanted: str) -> tuple[Event, Event] | None:
    while type(key := parser.next()) is not MappingEndEvent:
        if type(key) is ScalarEvent and key.value == wanted:
            return key, parser.next()
        parser.skip(key)
        parser.skip(parser.next())
    return None


def _find_item(parser: Parser, wanted: int) -> tuple[Event, Event] | None:
    index = 0
    while type(item := parser.next()) is not SequenceEndEvent:
        if index == wanted:
            return item, item
        parser.skip(item)
        index += 1
    return None


def _end(event: Event) -> int:
    index: int = event.end_mark.index
    return index


def _is_blank(event: Event) -> bool:
    # A plain scalar of no length is what libyaml reports for a document without content.
    return type(event) is ScalarEvent and not event.value and not event.anchor and event.implicit[0]


def _without_blank_start(text: str) -> str:
    head, newline, rest = text.partition("\n")
    return rest if newline and not head.strip() else text
