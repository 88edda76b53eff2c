"""Which resource needs which: from references between managed resources, and from who uses what in the org."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.engine.circles import reference_edges
from reconciler.engine.claims import held, wanted
from reconciler.engine.document import Action
from reconciler.engine.graph import Graph, find_cycles, reference_graph
from reconciler.engine.observe import flow_addresses
from reconciler.engine.verdict import Verdict
from reconciler.problems import Finding
from reconciler.specs import Catalog


def catalog_graph(catalog: Catalog) -> Graph:
    """Edges from each resource to the managed resources that its document names."""
    return reference_graph(reference_edges(catalog))


def cycle_findings(graph: Graph, catalog: Catalog) -> list[Finding]:
    """One error for each circle of references, with its path."""
    findings = []
    for path in find_cycles(graph):
        first = catalog.resources[path[0]]
        following = path[1]
        reference = next((r for r in first.references if following in flow_addresses(r, catalog.resources)), None)
        where = first.locate(reference.path) if reference else None
        findings.append(
            Finding(
                id="cycle",
                message=f"These need each other, so none can be published first: {' → '.join(path)}.",
                address=path[0],
                file=where.file if where else first.file,
                line=where.line if where else first.line,
                column=where.column if where else None,
                remedy="Break the circle, for example with a common module that both use.",
            )
        )
    return findings


def change_graph(catalog_edges: Graph, changes: Mapping[str, Verdict], users: Mapping[str, frozenset[str]]) -> Graph:
    """Edges between the changes of a plan only.

    A delete waits for whatever uses the object now; something that takes over a phone number waits for the
    change that gives it up.
    """
    edges: dict[str, set[str]] = {address: set() for address in changes}
    for address, verdict in changes.items():
        if verdict.action is Action.DELETE:
            edges[address] |= users.get(address, frozenset()) & changes.keys()
        elif address in catalog_edges:
            edges[address] |= set(catalog_edges.successors(address)) & changes.keys()
    for address, givers in _handed_over(changes).items():
        edges[address] |= givers
    return reference_graph(edges)


def _handed_over(changes: Mapping[str, Verdict]) -> dict[str, set[str]]:
    giving = {claim: address for address, v in changes.items() for claim in held(v) - wanted(v)}
    return {
        address: {giving[claim] for claim in wanted(verdict) - held(verdict) if claim in giving}
        for address, verdict in changes.items()
    }
