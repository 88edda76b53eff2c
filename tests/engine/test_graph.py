"""Order, circles and selection."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.graph import execution_order, find_cycles, reference_graph, select
from reconciler.globs import matches

NODES = st.sampled_from("abcdefgh")
EDGES = st.dictionaries(NODES, st.sets(NODES, max_size=4), max_size=8)


@given(EDGES)
def test_everything_comes_after_what_it_needs_or_a_circle_is_named(edges):
    graph = reference_graph(edges)
    cycles = find_cycles(graph)
    if cycles:
        for path in cycles:
            assert path[0] == path[-1]
            assert len(path) > 2
            assert all(graph.has_edge(a, b) for a, b in pairwise(path))
        return
    order = execution_order(graph)
    assert sorted(order) == sorted(graph)
    for node in graph:
        assert all(order.index(needed) < order.index(node) for needed in graph.successors(node))


def test_a_resource_that_names_itself_is_no_circle():
    assert find_cycles(reference_graph({"a": ["a"]})) == []


def test_the_order_is_stable():
    assert execution_order(reference_graph({"c": [], "a": ["c"], "b": []})) == ["b", "c", "a"]


@given(EDGES, st.sets(NODES, max_size=3), st.sets(NODES, max_size=3))
def test_a_selection_holds_what_it_needs_and_nothing_that_needs_the_excluded(edges, targets, excludes):
    graph = reference_graph(edges)
    chosen = select(graph, targets, excludes)
    assert not chosen & excludes
    for node in chosen:
        assert all(needed in chosen for needed in graph.successors(node))


def test_globs_reach_across_the_slash():
    assert matches("inboundCall/Sales", ["*Sales"])
    assert matches("ivr/Main", ["ivr/*"])
    assert not matches("ivr/Main", ["IVR/*"])
