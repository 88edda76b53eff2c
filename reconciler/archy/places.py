"""Where each value of a YAML text stands; the text is read once, however many places are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

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

TEXTS_KEPT = 4
"""Complaints come file by file, and a file may be included by another."""


@dataclass(slots=True)
class Place:
    """A value: where its key or list item starts, and what is in it."""

    line: int
    """0-based."""
    column: int
    """0-based."""
    entries: dict[str, Place] | None = None
    items: list[Place] | None = None

    def below(self, step: str | int) -> Place | None:
        """The value one step further, None where there is none."""
        if self.entries is not None:
            return self.entries.get(str(step))
        if self.items is not None and isinstance(step, int) and 0 <= step < len(self.items):
            return self.items[step]
        return None


@dataclass(frozen=True, slots=True)
class Places:
    """All documents of a text; those that hold nothing but comments are left out."""

    documents: list[Place] = field(default_factory=list)
    error: YamlError | None = None
    """Why reading stopped; what comes before it is there."""

    def find(self, path: Path, document: int) -> tuple[int, int]:
        """Line and column, 1-based; see ``yaml.locate``."""
        if document >= len(self.documents):
            if self.error is not None:
                raise self.error
            return 1, 1
        found = self.documents[document]
        for step in path:
            below = found.below(step)
            if below is None:
                if self.error is not None and document == len(self.documents) - 1:
                    raise self.error
                break
            found = below
        return found.line + 1, found.column + 1


@lru_cache(maxsize=TEXTS_KEPT)
def places(text: str) -> Places:
    """Reads a text as far as it can be read."""
    documents: list[Place] = []
    try:
        parser = Parser(text)
        while type(event := parser.next()) is not StreamEndEvent:
            if type(event) is DocumentStartEvent:
                first = parser.next()
                if not is_blank(first):
                    _read(parser, first, documents)
    except YamlError as error:
        return Places(documents, error)
    return Places(documents)


def is_blank(event: Event) -> bool:
    """Whether a document that starts so holds nothing."""
    # A plain scalar of no length is what libyaml reports for a document without content.
    return type(event) is ScalarEvent and not event.value and not event.anchor and event.implicit[0]


def _read(parser: Parser, event: Event, documents: list[Place]) -> None:
    """Reads one document; the part read so far is in ``documents`` also when an error ends it."""
    parents: list[Place] = []
    key: Event = None
    while True:
        kind = type(event)
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            parents.pop()
        elif parents and parents[-1].entries is not None and key is None:
            if kind is ScalarEvent:
                key = event
            else:
                # No key of Archy's; whoever loads the document says so.
                parser.skip(event)
                parser.skip(parser.next())
        else:
            place = _add(parents, documents, key or event, key)
            key = None
            if kind is MappingStartEvent:
                place.entries = {}
                parents.append(place)
            elif kind is SequenceStartEvent:
                place.items = []
                parents.append(place)
        if not parents:
            return
        event = parser.next()


def _add(parents: list[Place], documents: list[Place], at: Event, key: Event) -> Place:
    place = Place(at.start_mark.line, at.start_mark.column)
    if not parents:
        documents.append(place)
    elif parents[-1].entries is not None:
        parents[-1].entries.setdefault(key.value, place)
    elif parents[-1].items is not None:
        parents[-1].items.append(place)
    return place
