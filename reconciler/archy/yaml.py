"""Reads YAML as Archy reads it, and says where things stand.

PyYAML's own loaders follow YAML 1.1, which turns ``yes`` into a boolean, ``12:30`` into a number and ``no:``
outputs into ``False`` keys. Here libyaml only parses; scalars are typed by the YAML 1.2 core schema, keys are
always strings, and whatever would make two readers disagree (duplicate keys, merge keys, tags) is an error.

Loading keeps no positions, because most documents are never complained about; ``locate`` reads again (``places``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from yaml.events import DocumentStartEvent, StreamEndEvent

from reconciler.archy.model import Path
from reconciler.archy.places import is_blank, places
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
            if not is_blank(first):
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
    return places(text).find(path, document)


def _end(event: Event) -> int:
    index: int = event.end_mark.index
    return index


def _without_blank_start(text: str) -> str:
    head, newline, rest = text.partition("\n")
    return rest if newline and not head.strip() else text
