"""What depends on what, as data for the picture on the page: changes, what they reach, and the numbers at the end.

Arrows lead from what is done first, or is reached from, to what comes after it. The document says of each
change all that it reaches; here an arrow is drawn from the last change on the way only, else a picture of a
thousand changes would be all arrows.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import networkx as nx

from reconciler.archy.wording import in_words
from reconciler.engine.document import Change, Plan, Reach, ReachedIvr
from reconciler.report.visible import visible

_NUMBERS = 4
"""Phone numbers in one box; how many more there are is said."""


def network(plan: Plan) -> dict[str, Any]:
    """``{nodes: [{type, address, label, sub, …}], edges: [[from, to]]}``, nodes in execution order."""
    return _Network(plan).data()


@dataclass
class _Network:
    plan: Plan
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: set[tuple[str, str]] = field(default_factory=set)

    def data(self) -> dict[str, Any]:
        for number, change in enumerate(self.plan.changes, 1):
            self._change(number, change)
        before = [(first, c.address) for c in self.plan.changes for first in c.depends_on if first in self.nodes]
        self.edges.update(_reduced(before))
        self._reach(before)
        positions = {address: position for position, address in enumerate(self.nodes)}
        return {
            "nodes": list(self.nodes.values()),
            "edges": sorted([positions[first], positions[then]] for first, then in self.edges),
        }

    def _reach(self, before: list[tuple[str, str]]) -> None:
        """Arrows to what is reached, each from the changes after which no other one reaches it."""
        reach = {one.address: one for one in self.plan.reach if one.address in self.nodes}
        after: dict[str, set[str]] = defaultdict(set)
        for first, then in before:
            after[first].add(then)
        reached = {address: _addresses(one) for address, one in reach.items()}
        for address, one in reach.items():
            onwards = set().union(*({then} | reached.get(then, set()) for then in after[address]))
            mine = reached[address] - onwards - {address}
            for ivr in one.ivrs:
                self._ivr(ivr)
            for consumer in one.consumers:
                if consumer not in self.nodes:
                    self._node(consumer, "consumer", "unchanged")
            for outside in one.unmanaged:
                self._node(outside.address, "outside", "old copy")
                self.edges.add((outside.holds if outside.holds in self.nodes else address, outside.address))
            self.edges.update((address, other) for other in mine)

    def _change(self, number: int, change: Change) -> None:
        self._node(change.address, "ivr" if change.kind == "ivr" else "change", change.action.value)
        self.nodes[change.address] |= {"change": number, "action": change.action.value}

    def _ivr(self, ivr: ReachedIvr) -> None:
        self._node(ivr.address, "ivr", "unchanged" if ivr.managed else "outside the specs")
        if not ivr.managed:
            self.nodes[ivr.address]["outside"] = True
        numbers = f"numbers of {ivr.address}"
        if ivr.numbers and numbers not in self.nodes:
            more = len(ivr.numbers) - _NUMBERS
            shown = [*ivr.numbers[:_NUMBERS], *([f"and {more} more"] if more > 0 else [])]
            self.nodes[numbers] = {
                "type": "numbers",
                "address": visible(numbers),
                "label": "Phone numbers" if len(ivr.numbers) > 1 else "Phone number",
                "lines": [visible(line) for line in shown],
            }
            self.edges.add((ivr.address, numbers))

    def _node(self, address: str, type_: str, sub: str) -> None:
        if address in self.nodes:
            return
        kind, _, name = address.partition("/")
        words = "IVR" if kind == "ivr" else in_words(kind)
        self.nodes[address] = {
            "type": type_,
            "address": visible(address),
            "label": visible(name),
            "sub": visible(f"{sub} · {words}"),
        }


def _addresses(reach: Reach) -> set[str]:
    return {*reach.consumers, *(ivr.address for ivr in reach.ivrs)}


def _reduced(edges: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without the arrows that a longer way tells as well; all of them where changes wait for each other."""
    graph: nx.DiGraph[str] = nx.DiGraph(edges)
    if not nx.is_directed_acyclic_graph(graph):
        return edges
    return list(nx.transitive_reduction(graph).edges)
