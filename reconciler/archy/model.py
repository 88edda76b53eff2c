"""The vocabulary that the readers of Archy YAML share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Path = tuple[str | int, ...]
"""Keys and list indices from a document's root key down to a value, root key included."""


class Certainty(StrEnum):
    """How much is known about the name behind a reference before a call runs through it."""

    STATIC = "static"
    """Written as a name; a missing object fails the publish."""
    RUNTIME = "runtime"
    """A name as a literal inside a look-up expression or action, resolved when the call runs."""
    DYNAMIC = "dynamic"
    """Computed when the call runs; cannot be checked."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One place where a document names another object of the org."""

    kind: str
    """Object class: ``flow``, ``queue``, ``skill``, … (keys of ``OBJECT_KINDS`` in ``references``)."""
    name: str
    """As written, without decoration; the expression itself when ``certainty`` is DYNAMIC."""
    path: Path
    """Where the name stands."""
    certainty: Certainty = Certainty.STATIC
    flow_types: tuple[str, ...] = ()
    """For ``flow``: API types (``COMMONMODULE``, …) that the target may have, most likely first."""
    category: str | None = None
    """For ``dataAction``: the name of the integration that holds the action."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong inside one document, before it is known which file the document came from."""

    id: str
    message: str
    path: Path
    remedy: str | None = None
    severity: str = "error"
