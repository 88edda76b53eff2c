"""The control flow of one flow as a graph: its nodes, its edges and how paths end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

import networkx as nx

from reconciler.archy.control.behaviour import Ending
from reconciler.archy.model import Path

START: Path = ("start",)
"""The node at which every conversation comes in; events such as an error start here too."""

if TYPE_CHECKING:
    Graph = nx.MultiDiGraph[Path]
else:
    Graph = nx.MultiDiGraph
"""Nodes are paths: of the body of a container, action or choice; ``START``; or ``end_of(…)``."""


class Step(StrEnum):
    """What an edge means."""

    ENTER = "enter"
    """Into what runs first: from the start, into a container, from a menu to one of its choices."""
    NEXT = "next"
    """On to what stands below, also after an outcome that has no actions of its own."""
    BRANCH = "branch"
    """Into the actions of one outcome, case or intent."""
    BACK = "back"
    """Around: to the head of a loop, to the menu, to the start of an in-queue task."""
    JUMP = "jump"
    """To another container, without coming back."""
    CALL = "call"
    """To a task that gives control back."""
    RETURN = "return"
    """From a call on to what follows it; taken only if what was called comes to its end."""
    EVENT = "event"
    """To what handles an error or another event of the whole flow."""


class NodeKind(StrEnum):
    """What a node is."""

    START = "start"
    CONTAINER = "container"
    """A menu, task, state, bot or the start-up task."""
    ACTION = "action"
    CHOICE = "choice"
    """A choice of a menu; a sub-menu is one too and holds choices itself."""
    END = "end"


@dataclass(frozen=True, slots=True)
class Node:
    """One stop on the way through a flow."""

    path: Path
    kind: NodeKind
    key: str
    """Key as written: ``menu``, ``transferToAcd``, ``menuTask``; the ``Ending`` for an end."""
    operation: str
    """What is performed: ``menuTransferToAcd`` performs ``transferToAcd``."""
    name: str
    container: Path | None
    """The container it stands in."""
    body: Any = field(default=None, compare=False, repr=False)
    disabled: bool = False
    """It stands in an outcome that is switched off."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One way from a node to another."""

    source: Path
    target: Path
    step: Step
    label: str = ""
    """Outcome, case, intent or digit in the author's words; empty where there is only one way."""


@dataclass(frozen=True)
class Dangling:
    """A reference inside the flow that leads nowhere."""

    path: Path
    """Of the field."""
    reference: str


@dataclass
class ControlFlow:
    """How control goes through one flow."""

    root: str
    graph: Graph = field(default_factory=nx.MultiDiGraph)
    nodes: dict[Path, Node] = field(default_factory=dict)
    """Every node but the start, in document order; ends come as they are first reached."""
    dangling: list[Dangling] = field(default_factory=list)

    def add(self, node: Node) -> None:
        """Adds a node."""
        self.nodes[node.path] = node
        self.graph.add_node(node.path)

    def connect(self, source: Path, target: Path, step: Step, label: str = "") -> None:
        """Adds an edge; the same one twice is one."""
        if not any(data["edge"].label == label and data["edge"].step is step for data in self._between(source, target)):
            self.graph.add_edge(source, target, edge=Edge(source, target, step, label))

    def _between(self, source: Path, target: Path) -> list[dict[str, Any]]:
        return list((self.graph.get_edge_data(source, target) or {}).values())

    def out(self, path: Path) -> Iterator[Edge]:
        """The ways on from a node, in the order of the flow."""
        if path in self.graph:
            yield from (cast(Edge, data["edge"]) for _, _, data in self.graph.out_edges(path, data=True))

    def into(self, path: Path) -> Iterator[Edge]:
        """The ways that lead to a node."""
        if path in self.graph:
            yield from (cast(Edge, data["edge"]) for _, _, data in self.graph.in_edges(path, data=True))

    def leading_to(self, paths: Iterable[Path]) -> set[Path]:
        """These nodes and every node that some way leads from to one of them."""
        found: set[Path] = set()
        pending = list(paths)
        while pending:
            path = pending.pop()
            if path not in found:
                found.add(path)
                pending.extend(self.graph.pred.get(path, ()))
        return found

    def edges(self) -> Iterator[Edge]:
        """All ways."""
        yield from (cast(Edge, data["edge"]) for _, _, data in self.graph.edges(data=True))

    def containers(self) -> list[Node]:
        """Menus, tasks, states, bots and the start-up task, in document order."""
        return [node for node in self.nodes.values() if node.kind is NodeKind.CONTAINER]

    def inside(self, container: Path) -> list[Node]:
        """Actions and choices of a container, in document order."""
        return [node for node in self.nodes.values() if node.container == container]


def end_of(container: Path | None, ending: Ending) -> Path:
    """The node for one way of ending in one container."""
    return ("end", ending.value, *(container or ()))
