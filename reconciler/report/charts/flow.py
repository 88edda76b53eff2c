"""One flow as a call-flow chart: from its control flow to boxes and arrows.

A box stands for one step, or for a few simple ones that follow each other straight. What goes the same way is one
arrow. Ways that end by an action that says so end at its box.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.archy.control.behaviour import TRANSFERS
from reconciler.archy.control.build import control_flow
from reconciler.archy.control.model import ControlFlow, Edge, Node, NodeKind, Step
from reconciler.archy.control.reach import reachable
from reconciler.archy.meaning.details import spoken
from reconciler.archy.model import Path
from reconciler.archy.wording import in_words
from reconciler.report.charts import model
from reconciler.report.charts.model import Chart, Cluster, Direction, Line, Shape, Stroke, Tone
from reconciler.report.charts.steps import CONTAINERS, ENDINGS, family, lines, look

_MENUS = ("menu", "subMenu")
_FOLDED = 6
"""Steps that share one box at most."""
_SHOWN_LINES = 4
_DASHED = (Step.EVENT, Step.BACK)
_WIDE = 6
"""Ways on from one step from which a chart is easier to read from left to right."""


@dataclass(frozen=True)
class FlowDrawing:
    """A chart, and where each place of the flow is on it."""

    chart: Chart
    places: Mapping[Path, str]
    """Node of the control flow → id of the box that shows it; an end that its action shows has that box."""


def flow_drawing(root: str, body: Any) -> FlowDrawing:
    """Draws one flow; ``body`` is what stands below the root key. Never raises on odd bodies."""
    return _Drawing(root, body).draw()


def flow_chart(root: str, body: Any) -> Chart:
    """The chart alone."""
    return flow_drawing(root, body).chart


class _Drawing:
    def __init__(self, root: str, body: Any) -> None:
        self._root = root
        self._body = body
        self._flow: ControlFlow = control_flow(root, body)
        self._reachable = reachable(self._flow)
        self._idle = {node.path for node in self._flow.containers() if node.path not in self._reachable}
        self._ids = {path: f"n{number}" for number, path in enumerate(self._flow.nodes)}
        self._boxes: dict[str, list[Node]] = {}
        """Id of a box → the steps in it."""
        self._places: dict[Path, str] = {}

    def draw(self) -> FlowDrawing:
        self._place()
        boxes = [self._box(id_, steps) for id_, steps in self._boxes.items()]
        edges = list(self._edges())
        name = self._body.get("name") if isinstance(self._body, dict) else None
        title = f"{in_words(self._root).capitalize()} {name}" if isinstance(name, str) else in_words(self._root)
        chart = Chart(title, tuple(boxes), tuple(edges), self._clusters(), _direction(edges))
        return FlowDrawing(chart, self._places)

    def _place(self) -> None:
        """Gives each place of the flow its box."""
        entries = []
        for node in self._flow.nodes.values():
            if node.kind is NodeKind.CONTAINER and node.key != "menu":
                entries.append(node)
            elif node.kind is NodeKind.END and self._ends_at_actions(node):
                # Also where nothing leads to it: a task without a way to its last line.
                continue
            elif (before := self._straight_before(node)) is not None:
                self._put(node, self._places[before])
            else:
                self._put(node, self._ids[node.path])
        for container in entries:
            self._places[container.path] = self._places[self._first_of(container)]
        for node in self._flow.nodes.values():
            if node.path not in self._places and self._flow.into(node.path):
                self._places[node.path] = self._places[self._flow.into(node.path)[0].source]

    def _put(self, node: Node, box: str) -> None:
        self._boxes.setdefault(box, []).append(node)
        self._places[node.path] = box

    def _first_of(self, container: Node) -> Path:
        """What runs first in a container; one that runs round on itself without any action gets a box."""
        entry = next((edge.target for edge in self._flow.out(container.path)), None)
        if entry in self._places:
            return entry
        while entry is not None and entry != container.path and self._flow.nodes[entry].kind is NodeKind.CONTAINER:
            entry = next((edge.target for edge in self._flow.out(entry)), None)
            if entry in self._places:
                return entry
        self._put(container, self._ids[container.path])
        return container.path

    def _ends_at_actions(self, end: Node) -> bool:
        """Whether an end is one that each way to it says itself, such as a transfer."""
        return all(self._says_so(self._flow.nodes[edge.source]) for edge in self._flow.into(end.path))

    @staticmethod
    def _says_so(node: Node) -> bool:
        return look(node)[0] is Shape.STOP or node.operation in (*TRANSFERS, "returnToAgent", "waitForInput")

    def _straight_before(self, node: Node) -> Path | None:
        """The step whose box this one may share: of its family, the only one before it, with no other way on."""
        into = self._flow.into(node.path)
        if not family(node) or len({edge.source for edge in into}) != 1 or into[0].step is not Step.NEXT:
            return None
        before = self._flow.nodes[into[0].source]
        ways = {edge.target for edge in self._flow.out(before.path)}
        same = family(before) == family(node) and self._state(before) == self._state(node)
        # Document order: the step before has its box by now.
        if not same or before.container != node.container or ways != {node.path} or before.path not in self._places:
            return None
        return before.path if len(self._boxes[self._places[before.path]]) < _FOLDED else None

    def _state(self, node: Node) -> str:
        return "switched off" if node.disabled else "" if node.path in self._reachable else "never reached"

    def _box(self, id_: str, steps: list[Node]) -> model.Node:
        first = steps[0]
        if first.kind is NodeKind.START:
            return model.Node(id_, self._start_lines(), Shape.PILL, Tone.START)
        if first.kind is NodeKind.END:
            ending = ENDINGS.get(first.operation, first.operation)
            return model.Node(id_, (Line(ending),), Shape.PILL, Tone.QUIET)
        if first.kind is NodeKind.CONTAINER and first.key != "menu":
            return model.Node(id_, (Line("No actions"),), Shape.PILL, Tone.QUIET)
        shape, tone = look(first)
        text = tuple(line for step in steps for line in _shortened(lines(step, self._flow)))
        if state := self._state(first):
            if first.container in self._idle:
                return model.Node(id_, text, shape, Tone.QUIET, dashed=True)
            return model.Node(id_, (*text, Line(f"({state})")), shape, Tone.QUIET, dashed=True)
        return model.Node(id_, text, shape, tone)

    def _start_lines(self) -> tuple[Line, ...]:
        greeting = spoken(self._body.get("initialGreeting")) if isinstance(self._body, dict) else ""
        return (Line("Start", strong=True), *([Line(f"Greeting: {greeting}")] if greeting else ()))

    def _edges(self) -> Iterator[model.Edge]:
        for box, steps in self._boxes.items():
            ways: dict[tuple[str, Stroke], list[Edge]] = defaultdict(list)
            for edge in (edge for step in steps for edge in self._ways(step)):
                target = self._places[edge.target]
                if target != box or self._goes_round(edge):
                    ways[target, self._stroke(edge)].append(edge)
            for (target, stroke), edges in ways.items():
                label = self._label(edges, alone=len(ways) == 1)
                back = all(edge.step in (Step.BACK, Step.JUMP) for edge in edges)
                yield model.Edge(box, target, label, stroke, loose=back and self._is_before(target, box))

    def _ways(self, step: Node) -> Iterator[Edge]:
        """The ways on from a step that are arrows: an end that its action shows is none."""
        for edge in self._flow.out(step.path):
            shown_by_itself = self._flow.nodes[edge.target].kind is NodeKind.END and edge.target not in {
                node.path for node in self._boxes.get(self._places[edge.target], ())
            }
            if not shown_by_itself:
                yield edge

    def _goes_round(self, edge: Edge) -> bool:
        return edge.step in (Step.BACK, Step.JUMP) or edge.source == edge.target

    def _stroke(self, edge: Edge) -> Stroke:
        if edge.step is Step.CALL:
            return Stroke.DOTTED
        return Stroke.DASHED if edge.step in _DASHED else Stroke.SOLID

    def _is_before(self, target: str, box: str) -> bool:
        return int(target[1:]) < int(box[1:])

    def _label(self, edges: list[Edge], *, alone: bool) -> str:
        first = edges[0]
        if first.step is Step.CALL:
            return "runs"
        if first.step in (Step.ENTER, Step.EVENT):
            return ", ".join(edge.label for edge in edges if edge.label)
        if (alone and len(edges) != 1) or (all(edge.step is Step.RETURN for edge in edges) and _usual(edges)):
            return ""
        return " / ".join(dict.fromkeys(edge.label for edge in edges if edge.label))

    def _clusters(self) -> tuple[Cluster, ...]:
        frames: dict[Path, list[str]] = defaultdict(list)
        for box, steps in self._boxes.items():
            if (frame := self._frame_of(steps[0])) is not None:
                frames[frame].append(box)
        nested: dict[Path, list[Path]] = defaultdict(list)
        outer = []
        for path, node in self._flow.nodes.items():
            if node.kind is NodeKind.CONTAINER and (path in frames or path in self._sub_menus().values()):
                outer.append(path)
            elif node.operation == "subMenu":
                nested[self._menu_around(path)].append(path)
        return tuple(self._cluster(path, frames, nested) for path in outer)

    def _cluster(self, path: Path, frames: Mapping[Path, list[str]], nested: Mapping[Path, list[Path]]) -> Cluster:
        node = self._flow.nodes[path]
        kind = "Sub-menu" if node.operation == "subMenu" else CONTAINERS.get(node.key, in_words(node.key))
        return Cluster(
            f"c{self._ids[path][1:]}",
            f"{kind} {node.name}".strip() + (" (never reached)" if path in self._idle else ""),
            tuple(frames.get(path, ())),
            tuple(self._cluster(inner, frames, nested) for inner in nested.get(path, ())),
        )

    def _frame_of(self, node: Node) -> Path | None:
        """The menu, task, state or bot around a box; the sub-menu, where it stands in one."""
        if node.kind is NodeKind.CONTAINER or node.operation == "subMenu":
            return node.path
        if node.container is None:
            return None
        return self._menu_around(node.path) if node.kind is not NodeKind.END else node.container

    def _menu_around(self, path: Path) -> Path:
        """The nearest sub-menu or container around a path."""
        inner = [menu for menu in self._sub_menus() if path[: len(menu)] == menu and path != menu]
        container = self._flow.nodes[path].container
        assert container is not None
        return max(inner, key=len) if inner else container

    def _sub_menus(self) -> dict[Path, Path]:
        return {
            path: node.container
            for path, node in self._flow.nodes.items()
            if node.operation == "subMenu" and node.container is not None
        }


def _direction(edges: Sequence[model.Edge]) -> Direction:
    fans = Counter(edge.source for edge in edges)
    return Direction.RIGHT if max(fans.values(), default=0) >= _WIDE else Direction.DOWN


def _usual(edges: list[Edge]) -> bool:
    return len(edges) == 1 and edges[0].label in ("default", "otherwise", "Default")


def _shortened(text: tuple[Line, ...]) -> tuple[Line, ...]:
    if len(text) <= _SHOWN_LINES + 1:
        return text
    return (*text[:_SHOWN_LINES], Line(f"… and {len(text) - _SHOWN_LINES} more"))
