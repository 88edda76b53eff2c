"""The control flow of one flow as a graph: its nodes, its edges and how paths end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from reconciler.archy.control.behaviour import Ending
from reconciler.archy.model import Path
from reconciler.archy.targets import Targets

if TYPE_CHECKING:
    import networkx as nx

START: Path = ("start",)
"""The node at which every conversation comes in; events such as an error start here too."""

Graph: TypeAlias = "nx.MultiDiGraph[Path]"
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
    targets: Targets = field(repr=False)
    """What references inside the flow can point at."""
    nodes: dict[Path, Node] = field(default_factory=dict)
    """Every node, the start first, then in document order; ends come as they are first reached."""
    dangling: list[Dangling] = field(default_factory=list)
    _out: dict[Path, list[Edge]] = field(default_factory=dict, repr=False)
    _into: dict[Path, list[Edge]] = field(default_factory=dict, repr=False)

    def add(self, node: Node) -> None:
        """Adds a node."""
        self.nodes[node.path] = node
        self._out.setdefault(node.path, [])
        self._into.setdefault(node.path, [])

    def connect(self, source: Path, target: Path, step: Step, label: str = "") -> None:
        """Adds an edge between two nodes, which may be added later; the same one twice is one."""
        edge = Edge(source, target, step, label)
        if edge not in self.out(source):
            self.add_way(edge)

    def add_way(self, edge: Edge) -> None:
        """Adds an edge that is not there yet."""
        self._out.setdefault(edge.source, []).append(edge)
        self._into.setdefault(edge.target, []).append(edge)

    def drop_loose_ways(self) -> None:
        """Takes out ways to what turned out to be no node: a task below a key that holds none, named by a reference."""
        for target in [target for target in self._into if target not in self.nodes]:
            for edge in self._into.pop(target):
                self._out[edge.source].remove(edge)

    @cached_property
    def graph(self) -> Graph:
        """The flow as a graph, each edge with its ``Edge`` as ``edge``; made once, when somebody first asks."""
        # Loading networkx takes a fifth of a second, and most commands do without.
        import networkx as nx

        graph: Graph = nx.MultiDiGraph()
        graph.add_nodes_from(self.nodes)
        for edge in self.edges():
            graph.add_edge(edge.source, edge.target, edge=edge)
        return graph

    def out(self, path: Path) -> Sequence[Edge]:
        """The ways on from a node, in the order of the flow."""
        return self._out.get(path, ())

    def into(self, path: Path) -> Sequence[Edge]:
        """The ways that lead to a node."""
        return self._into.get(path, ())

    def leading_to(self, paths: Iterable[Path]) -> set[Path]:
        """These nodes and every node that some way leads from to one of them."""
        found: set[Path] = set()
        pending = list(paths)
        while pending:
            path = pending.pop()
            if path not in found:
                found.add(path)
                pending.extend(edge.source for edge in self.into(path))
        return found

    def edges(self) -> Iterator[Edge]:
        """All ways."""
        for ways in self._out.values():
            yield from ways

    def containers(self) -> list[Node]:
        """Menus, tasks, states, bots and the start-up task, in document order."""
        return [node for node in self.nodes.values() if node.kind is NodeKind.CONTAINER]

    def inside(self, container: Path) -> list[Node]:
        """Actions and choices of a container, in document order."""
        return [node for node in self.nodes.values() if node.container == container]


def end_of(container: Path | None, ending: Ending) -> Path:
    """The node for one way of ending in one container."""
    return ("end", ending.value, *(container or ()))
