"""The estate as a chart: IVRs with their numbers, flows, common modules and hours, and who refers to whom.

With a plan, boxes have the colour of what it does to them, and what its changes reach is marked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import networkx as nx

from reconciler.archy.model import Path
from reconciler.archy.wording import in_words
from reconciler.engine.document import Action
from reconciler.engine.estate import Estate, Resource
from reconciler.report.charts.model import Chart, Cluster, Direction, Edge, Line, Node, Shape, Stroke, Tone

_NUMBERS = 5
"""Phone numbers that an IVR shows; how many more there are is said."""
_LISTED = 20
"""Names in one box of resources that nothing connects to others."""

_SHAPES: dict[str, tuple[Shape, Tone]] = {
    "ivr": (Shape.HEXAGON, Tone.PHONE),
    "commonModule": (Shape.SUBROUTINE, Tone.MODULE),
    "schedule": (Shape.SLANTED, Tone.HOURS),
    "scheduleGroup": (Shape.SLANTED, Tone.HOURS),
    "botFlow": (Shape.ROUNDED, Tone.DATA),
    "digitalBot": (Shape.ROUNDED, Tone.DATA),
    "inboundCall": (Shape.ROUNDED, Tone.TRANSFER),
}
_OTHER_FLOW = (Shape.ROUNDED, Tone.SPEECH)

ACTION_TONES: dict[Action, tuple[Tone, str]] = {
    Action.CREATE: (Tone.CREATE, "+ create"),
    Action.UPDATE: (Tone.UPDATE, "~ update"),
    Action.REPUBLISH: (Tone.REPUBLISH, "↻ republish"),
    Action.ADOPT: (Tone.ADOPT, "= adopt"),
    Action.DELETE: (Tone.DELETE, "− delete"),
}
"""The colour of a box that a plan changes, and what stands in it."""
_REACHED = "◀ reached by a change"

_LABELS: dict[str, str] = {
    "openHoursFlow": "open hours",
    "closedHoursFlow": "closed hours",
    "holidayHoursFlow": "holidays",
    "openSchedules": "open",
    "closedSchedules": "closed",
    "holidaySchedules": "holidays",
    "targetFlow": "transfers to",
    "setPostFlow": "is followed by",
    "commonModule": "calls module",
    "botFlow": "calls bot",
    "digitalBotFlow": "calls bot",
    "voiceFlow": "calls flow",
    "overrideInQueueFlow": "waits in",
    "settingsInQueueFlow": "waits in",
    "scheduleGroup": "goes by hours",
    "inServiceSchedules": "goes by hours",
    "selectedSchedule": "goes by hours",
}
"""Field that holds a reference → what an arrow says of it."""


@dataclass(frozen=True)
class Marks:
    """What a plan does: address → action."""

    actions: Mapping[str, Action]

    def reached(self, estate: Estate) -> frozenset[str]:
        """Addresses that are not changed and refer to something that is, directly or through others."""
        graph = estate.graph
        changed = [address for address in self.actions if address in graph]
        above = set().union(*(nx.ancestors(graph, address) for address in changed)) if changed else set()
        return frozenset(above - self.actions.keys())


def estate_chart(estate: Estate, title: str, marks: Marks | None = None) -> Chart:
    """Draws an estate; arrows point at what is needed."""
    return _Drawing(estate, marks).draw(title)


class _Drawing:
    def __init__(self, estate: Estate, marks: Marks | None) -> None:
        self._estate = estate
        self._marks = marks
        self._reached = marks.reached(estate) if marks else frozenset()
        self._ids = {address: f"n{number}" for number, address in enumerate(sorted(estate.resources))}

    def draw(self, title: str) -> Chart:
        """The chart, with what stands alone in boxes by kind and, with a plan, a legend."""
        alone = self._alone()
        nodes = [self._node(r) for address, r in sorted(self._estate.resources.items()) if address not in alone]
        lists = list(self._lists(alone))
        clusters = [Cluster("alone", "Connected to nothing else", tuple(node.id for node in lists))] if lists else []
        legend = _legend() if self._marks else ()
        if legend:
            clusters.append(Cluster("legend", "Legend", tuple(node.id for node in legend)))
        return Chart(title, (*nodes, *lists, *legend), tuple(self._edges()), tuple(clusters), Direction.RIGHT)

    def _alone(self) -> frozenset[str]:
        """Resources without any arrow that no plan changes."""
        changed: Collection[str] = self._marks.actions if self._marks else ()
        free = {address for address in nx.isolates(self._estate.graph) if address not in changed}
        # A handful of boxes is easier to look at than a list.
        return frozenset(free) if len(free) > 2 else frozenset()

    def _lists(self, alone: Collection[str]) -> Iterable[Node]:
        by_kind: dict[str, list[Resource]] = defaultdict(list)
        for address in sorted(alone):
            by_kind[self._estate.resources[address].kind].append(self._estate.resources[address])
        for kind, resources in sorted(by_kind.items()):
            for start in range(0, len(resources), _LISTED):
                part = resources[start : start + _LISTED]
                head = (
                    in_words(kind) if len(resources) <= _LISTED else f"{in_words(kind)} {start + 1}–{start + len(part)}"
                )
                lines = (Line(head, strong=True), *(Line(_listed(resource)) for resource in part))
                yield Node(f"l{self._ids[part[0].address][1:]}", lines, Shape.LIST, look(kind)[1])

    def _node(self, resource: Resource) -> Node:
        shape, tone = look(resource.kind)
        address = resource.address
        lines = [Line(resource.name, strong=True), Line(_kind_words(resource))]
        lines += [Line(number) for number in resource.numbers[:_NUMBERS]]
        if more := len(resource.numbers) - _NUMBERS:
            lines += [Line(f"and {more} more numbers")] if more > 0 else []
        if self._marks is None:
            return Node(self._ids[address], tuple(lines), shape, tone, dashed=not resource.managed)
        if action := self._marks.actions.get(address):
            tone, words = ACTION_TONES[action]
            dashed = action is Action.DELETE
            return Node(self._ids[address], (*lines, Line(words, strong=True)), shape, tone, dashed=dashed, heavy=True)
        if address in self._reached:
            return Node(self._ids[address], (*lines, Line(_REACHED)), shape, Tone.REACHED, heavy=True)
        return Node(self._ids[address], tuple(lines), shape, Tone.QUIET, dashed=not resource.managed)

    def _edges(self) -> Iterable[Edge]:
        changing = self._marks.actions.keys() | self._reached if self._marks else frozenset()
        for source, target in sorted(self._estate.graph.edges):
            labels = dict.fromkeys(edge_label(path) for path in self._estate.references[source, target])
            stroke = Stroke.DASHED if self._marks and not {source, target} <= changing else Stroke.SOLID
            yield Edge(self._ids[source], self._ids[target], ", ".join(labels), stroke)


def edge_label(path: Path) -> str:
    """What a reference is, by the innermost field above it that is known."""
    for step in reversed(path):
        if isinstance(step, str) and step in _LABELS:
            return _LABELS[step]
    fields = [step for step in path[1:] if isinstance(step, str)]
    return in_words(fields[-1]) if fields else "needs"


def look(kind: str) -> tuple[Shape, Tone]:
    """Outline and colour of a kind."""
    return _SHAPES.get(kind, _OTHER_FLOW)


def _kind_words(resource: Resource) -> str:
    words = "IVR" if resource.kind == "ivr" else in_words(resource.kind)
    return words if resource.managed else f"{words}, not in the specs"


def _listed(resource: Resource) -> str:
    numbers = f" ({', '.join(resource.numbers[:2])}{', …' if len(resource.numbers) > 2 else ''})"
    return f"• {resource.name}{numbers if resource.numbers else ''}"


def _legend() -> tuple[Node, ...]:
    nodes = [
        Node(f"k{action.value}", (Line(words, strong=True),), Shape.BOX, tone, action is Action.DELETE, True)
        for action, (tone, words) in ACTION_TONES.items()
    ]
    nodes.append(Node("kreached", (Line(_REACHED),), Shape.BOX, Tone.REACHED, heavy=True))
    nodes.append(Node("kquiet", (Line("not touched"),), Shape.BOX, Tone.QUIET))
    return tuple(nodes)
