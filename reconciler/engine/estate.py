"""The estate as something to look at: resources, numbers, and each reference with where it stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import networkx as nx

from reconciler.archy.model import Certainty, Path, Reference
from reconciler.engine.graph import Graph, reference_graph
from reconciler.engine.observe import candidate_addresses
from reconciler.kinds.base import Desired
from reconciler.kinds.registry import kind_of
from reconciler.specs import Catalog


@dataclass(frozen=True, slots=True)
class Resource:
    """One object of the estate."""

    address: str
    numbers: tuple[str, ...] = ()
    """Phone numbers that it answers."""
    managed: bool = True
    """False for an object that something refers to and the specs do not hold."""

    @property
    def kind(self) -> str:
        """First part of the address."""
        return self.address.partition("/")[0]

    @property
    def name(self) -> str:
        """Rest of the address."""
        return self.address.partition("/")[2]


@dataclass(frozen=True)
class Estate:
    """Resources by address, and references between them."""

    resources: Mapping[str, Resource]
    references: Mapping[tuple[str, str], tuple[Path, ...]]
    """Who refers to whom → where in the document of the first."""
    graph: Graph
    """The same without the places; also resources without references."""

    def around(self, address: str) -> Estate:
        """The part that one resource needs or is needed by, directly or through others."""
        near = {address, *nx.ancestors(self.graph, address), *nx.descendants(self.graph, address)}
        kept = {pair: paths for pair, paths in self.references.items() if near.issuperset(pair)}
        return _estate({name: self.resources[name] for name in near}, kept)


def estate_of(catalog: Catalog, gone: Iterable[str] = ()) -> Estate:
    """The estate that the specs describe, with objects that they refer to and do not hold.

    Args:
        catalog: The specs.
        gone: Addresses that are not in the specs any more, such as what a plan deletes.
    """
    resources = {address: Resource(address) for address in gone}
    references: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for address, desired in catalog.resources.items():
        resources[address] = Resource(address, _numbers(desired))
        for reference in desired.references:
            if (target := _target(reference, catalog)) and target != address:
                references[address, target].append(reference.path)
    for _, target in references:
        resources.setdefault(target, Resource(target, managed=False))
    return _estate(resources, {pair: tuple(paths) for pair, paths in references.items()})


def _estate(resources: Mapping[str, Resource], references: Mapping[tuple[str, str], tuple[Path, ...]]) -> Estate:
    edges: dict[str, list[str]] = {address: [] for address in resources}
    for source, target in references:
        edges[source].append(target)
    return Estate(resources, references, reference_graph(edges))


def _target(reference: Reference, catalog: Catalog) -> str | None:
    """The managed resource that is meant; one outside the specs only where its name is written down."""
    candidates = candidate_addresses(reference)
    known = next((address for address in candidates if address in catalog.resources), None)
    if known is None and candidates and reference.certainty is Certainty.STATIC:
        return candidates[0]
    return known


def _numbers(desired: Desired) -> tuple[str, ...]:
    kind = kind_of(desired.kind)
    if kind.content_in_versions:
        return ()
    return tuple(sorted(kind.claims(desired.content.canonical)))
