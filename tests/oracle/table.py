"""What the SDK says of operations and models, as ``sdk`` reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Type:
    """``name`` is list, dict, a primitive of the SDK, or a model."""

    name: str
    items: Type | None = None
    """Of lists, and of the values of dicts."""

    def __str__(self) -> str:
        return f"{self.name}[{self.items}]" if self.items else self.name


PRIMITIVES = frozenset({"str", "int", "float", "bool", "date", "datetime", "LocalDateTime", "YearMonth", "object"})


@dataclass(frozen=True)
class Parameter:
    """Of a path, query, header or body; ``name`` is the one on the wire."""

    name: str
    type: Type
    required: bool


@dataclass(frozen=True)
class Operation:
    """One method of the SDK."""

    name: str
    """E.g. ``ArchitectApi.get_flows``."""
    method: str
    template: str
    path: tuple[Parameter, ...]
    query: dict[str, Parameter]
    headers: dict[str, Parameter]
    body: Parameter | None
    response: Type | None
    """None: the SDK reads no body."""

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


@dataclass(frozen=True)
class Limit:
    """A value for which ``refuses`` is true is not allowed."""

    refuses: Callable[[Any], bool]
    text: str


@dataclass(frozen=True)
class Field:
    """Of a model; ``name`` is the one on the wire."""

    name: str
    type: Type
    values: tuple[str, ...] | None
    """Of an enum."""
    limits: tuple[Limit, ...]


@dataclass(frozen=True)
class Model:
    """One class of ``models``; fields by their names on the wire."""

    name: str
    fields: dict[str, Field]
