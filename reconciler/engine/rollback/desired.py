"""Makes something that can be applied out of what is known of an object: a row, fields, an export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.archy.canonical import digest
from reconciler.archy.contracts import Interface
from reconciler.engine.observe import Observation
from reconciler.kinds.base import Content, Desired, Kind, Live
from reconciler.kinds.registry import kind_of
from reconciler.ledger import Row
from reconciler.problems import Location


def as_applied(row: Row, live: Live, known: Desired | None, observation: Observation) -> Desired:
    """What the ledger says was applied, good enough to be left alone or published again as it is.

    ``known`` is the spec of some commit, for its references. If it is not the one that was applied, those to the
    common modules that the ledger saw built in are the truth: nobody who holds a copy may be overlooked.
    """
    if known is not None and (known.digest == row.spec_digest or row.modules is None):
        return replace(known, digest=row.spec_digest, division=live.division)
    kind = kind_of(live.kind)
    return _bare(live, row, _references(kind, live, row, observation))


def _references(kind: Kind, live: Live, row: Row, observation: Observation) -> tuple[Any, ...]:
    if live.fields is not None:
        return kind.field_references(live.fields)
    modules = (observation.org.by_id.get(id) for id in row.modules or ())
    return tuple(kind_of(module.kind).reference(module) for module in modules if module is not None)


def _bare(live: Live, row: Row, references: tuple[Any, ...]) -> Desired:
    return Desired(
        kind=live.kind,
        root=live.kind,
        name=live.name,
        file="the ledger",
        line=1,
        digest=row.spec_digest,
        division=live.division,
        references=references,
        secrets=tuple(row.secrets),
        interface=Interface(),
        load=lambda: Content(body=None, text="", canonical=dict(live.fields or {})),
        locate=nowhere("the ledger"),
    )


def of_fields(address: str, fields: Mapping[str, Any], known: str | None) -> Desired:
    """An object of whose fields a list tells; ``known`` is the digest of the spec that they come from."""
    kind_name, _, name = address.partition("/")
    form = dict(fields)
    return Desired(
        kind=kind_name,
        root=kind_name,
        name=name,
        file="what was applied",
        line=1,
        digest=known or digest(form),
        division=None,
        references=kind_of(kind_name).field_references(form),
        secrets=(),
        interface=Interface(),
        load=lambda: Content(body=form, text="", canonical=form),
        locate=nowhere("what was applied"),
    )


def nowhere(label: str) -> Callable[[Any], Location]:
    """Places in what is no file."""
    return lambda _path: Location(file=label, line=1, column=None)
