"""The order of work: one directed graph of managed resources, an edge from each to what it needs first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import networkx as nx

from reconciler.globs import matches

Graph: TypeAlias = "nx.DiGraph[str]"
"""Nodes are addresses; an edge ``a → b`` says that ``b`` must be done before ``a``."""


def reference_graph(edges: Mapping[str, Iterable[str]]) -> Graph:
    """The graph of references: address → addresses that it refers to. A self-reference is no edge."""
    graph: Graph = nx.DiGraph()
    graph.add_nodes_from(edges)
    graph.add_edges_from(
        (source, target) for source, targets in edges.items() for target in targets if source != target
    )
    return graph


def find_cycles(graph: Graph) -> list[list[str]]:
    """One closed path for each knot of resources that need each other, e.g. ``[a, b, a]``."""
    cycles = []
    for component in nx.strongly_connected_components(graph):
        if len(component) > 1:
            start = min(component)
            inner = graph.subgraph(component)
            back = nx.shortest_path(inner, next(iter(sorted(inner.successors(start)))), start)
            cycles.append([start, *back])
    return sorted(cycles)


def execution_order(graph: Graph) -> list[str]:
    """All nodes, each after what it needs; equals in order of address, so that a plan is stable."""
    return list(nx.lexicographical_topological_sort(graph.reverse(copy=False)))


def select(graph: Graph, targets: Iterable[str], excludes: Iterable[str]) -> set[str]:
    """The nodes that ``--target`` and ``--exclude`` leave.

    A target takes along what it depends on; an exclusion takes out what depends on it.
    """
    targets, excludes = tuple(targets), tuple(excludes)
    chosen = set(graph)
    if targets:
        named = {node for node in graph if matches(node, targets)}
        chosen = named.union(*(nx.descendants(graph, node) for node in named))
    left_out = {node for node in graph if matches(node, excludes)}
    return chosen - left_out.union(*(nx.ancestors(graph, node) for node in left_out))
