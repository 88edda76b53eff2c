"""Whether the fields that our client reads out of answers are the platform's.

The recording holds, for each answer that was read into a model of ``reconciler/platform``, the fields of that
model. One of our models may serve several operations (a job's state that of deploys and exports), so that each of
its fields must be known to one of the SDK's models that it was read from, with a type that suits.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from oracle.judge import Deviation
from oracle.recording import LIST, Exchange
from oracle.sdk import Sdk
from oracle.table import PRIMITIVES, Type

SUITS = {
    "str": frozenset({"str", "date", "datetime", "LocalDateTime", "YearMonth"}),
    "int": frozenset({"int"}),
    "float": frozenset({"int", "float"}),
    "bool": frozenset({"bool"}),
}
"""Our types, and those of the SDK that they can hold."""


@dataclass
class _Place:
    """One field of one of our models."""

    known: bool = False
    refused: list[str] = field(default_factory=list)
    """What the SDK has instead, in words."""
    tests: Counter[str] = field(default_factory=Counter)


class Reads:
    """Takes what was read, and tells which fields nobody knows."""

    def __init__(self, sdk: Sdk) -> None:
        self._sdk = sdk
        self._places: dict[tuple[str, str], _Place] = defaultdict(_Place)
        self._seen: set[tuple[str, str]] = set()

    @property
    def fields(self) -> int:
        """How many fields our client reads."""
        return len(self._places)

    def take(self, exchange: Exchange) -> None:
        """Notes an answer that was read into a model."""
        operation = self._sdk.operation(exchange.method, exchange.path)
        if operation is None:
            return  # Judged with the request.
        name = exchange.content_type
        if (str(operation), name) in self._seen:
            return
        self._seen.add((str(operation), name))
        if operation.response is None:
            self._note(name.removeprefix(LIST), f"answer to {operation}", False, "no body", exchange.test)
            return
        tree = json.loads(exchange.body or "{}")
        for kind in self._items(operation.response) if name.startswith(LIST) else [operation.response]:
            self._compare(tree, kind, name.removeprefix(LIST), "", exchange.test)

    def deviations(self) -> Iterator[tuple[Deviation, Counter[str]]]:
        """The fields that no model of the SDK has, or only with another type."""
        for (name, place), state in self._places.items():
            if not state.known:
                expected = " or ".join(dict.fromkeys(state.refused))
                yield Deviation("reader", f"model {name} of reconciler/platform", place, expected, place), state.tests

    def _items(self, listing: Type) -> list[Type]:
        """Types of the items of a page: it is a list, or has one of objects among its fields."""
        if listing.items is not None:
            return [listing.items]
        lists = [one.type.items for one in self._sdk.model(listing.name).fields.values() if one.type.name == "list"]
        return [items for items in lists if items is not None and items.name not in PRIMITIVES]

    def _compare(self, ours: Any, theirs: Type, name: str, place: str, test: str) -> None:
        """Walks through a model of ours and one of the SDK's side by side."""
        if isinstance(ours, list):
            if theirs.name == "list" and theirs.items is not None:
                self._note(name, place, True, "", test)
                self._compare(ours[0], theirs.items, name, f"{place}[]", test)
            else:
                self._note(name, place, False, str(theirs), test)
        elif isinstance(ours, dict):
            if theirs.name in PRIMITIVES or theirs.items is not None:
                self._note(name, place, theirs.name == "object", str(theirs), test)
                return
            if place:
                self._note(name, place, True, "", test)
            fields = self._sdk.model(theirs.name).fields
            for key, kind in ours.items():
                inner = f"{place}.{key}".lstrip(".")
                if key in fields:
                    self._compare(kind, fields[key].type, name, inner, test)
                else:
                    self._note(name, inner, False, f"a field of {theirs.name}", test)
        else:
            fits = theirs.name in SUITS.get(ours, {theirs.name}) or theirs.name == "object"
            self._note(name, place, fits, f"{theirs}, not {ours}", test)

    def _note(self, name: str, place: str, known: bool, instead: str, test: str) -> None:
        state = self._places[name, place]
        state.known |= known
        state.refused.append(instead)
        state.tests[test] += 1
