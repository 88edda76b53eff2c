"""One flow as the checks see it: its control flow, what conversations reach, and what things are called."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reconciler.archy.control.behaviour import Ending
from reconciler.archy.control.build import control_flow
from reconciler.archy.control.model import ControlFlow, Edge, Node, NodeKind, Step
from reconciler.archy.control.reach import reachable
from reconciler.archy.expressions import variables
from reconciler.archy.findings.registry import FINDINGS
from reconciler.archy.flowtypes import by_root
from reconciler.archy.model import Path, Problem
from reconciler.archy.structure import BRANCH_KEYS
from reconciler.archy.wording import in_words


@dataclass(frozen=True)
class View:
    """What all checks of one flow share."""

    root: str
    body: Any

    @cached_property
    def flow(self) -> ControlFlow:
        """The control flow."""
        return control_flow(self.root, self.body)

    @cached_property
    def reached(self) -> set[Path]:
        """Every node that some conversation comes to."""
        return reachable(self.flow)

    @cached_property
    def _reads(self) -> dict[Path, frozenset[str]]:
        return {}

    def reads(self, node: Node) -> frozenset[str]:
        """Variables that an action itself reads, lower case; actions inside it are left out."""
        if node.path not in self._reads:
            self._reads[node.path] = read_in(node.body)
        return self._reads[node.path]

    @cached_property
    def all_reads(self) -> frozenset[str]:
        """Variables that any action reads, lower case."""
        actions = (node for node in self.flow.nodes.values() if node.kind in (NodeKind.ACTION, NodeKind.CHOICE))
        return frozenset(name for node in actions for name in self.reads(node))

    @property
    def is_call(self) -> bool:
        """Whether a person on the phone goes through this flow."""
        flow_type = by_root(self.root)
        return flow_type is not None and flow_type.media in ("call", "any")

    def entered(self, container: Path) -> bool:
        """Whether a conversation comes into a container other than by a call that gives control back."""
        return any(edge.step is not Step.CALL and edge.source in self.reached for edge in self.flow.into(container))

    def out(self, path: Path) -> list[Edge]:
        """The ways on from a node that a conversation can take."""
        return [edge for edge in self.flow.out(path) if edge.target in self.reached]

    def ending(self, path: Path) -> Ending | None:
        """How a path ends at a node; None for a node that is no end."""
        node = self.flow.nodes[path]
        return Ending(node.key) if node.kind is NodeKind.END else None

    def place(self, node: Node) -> str:
        """``task Authenticate, action Collect PIN``; a container alone by kind and name."""
        if node.container is None or node.kind is NodeKind.CONTAINER:
            return self.container(node.path)
        kind = "choice" if node.kind is NodeKind.CHOICE else "action"
        return f"{self.container(node.container)}, {kind} {self.called(node)}"

    def place_of(self, path: Path) -> str:
        """The innermost action, choice or container around a path, in words; the flow where there is none."""
        for length in range(len(path), 1, -1):
            if (node := self.flow.nodes.get(path[:length])) is not None:
                return self.place(node)
        return "the flow"

    def container(self, path: Path) -> str:
        """``menu Main Menu``, ``task Authenticate``, ``the start-up task``."""
        node = self.flow.nodes[path]
        if node.key == "startUpTask":
            return "the start-up task"
        return f"{in_words(node.key)} {node.name or _position(path)}"

    def called(self, node: Node) -> str:
        """The name of an action or choice; what it does where it has no name."""
        return node.name or f"{in_words(node.operation)} {_position(node.path)}"


def read_in(value: Any) -> frozenset[str]:
    """Variables that the expressions in a tree read, lower case; actions inside it are left out."""
    found: set[str] = set()
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if isinstance(expression := value.get("exp"), str):
                found.update(name.lower() for name in variables(expression))
            pending.extend(item for key, item in value.items() if key not in BRANCH_KEYS and key != "exp")
        elif isinstance(value, list):
            pending.extend(value)
    return frozenset(found)


def _position(path: Path) -> str:
    number = next((step for step in reversed(path) if isinstance(step, int)), 0)
    return f"number {number + 1}"


def problem(id_: str, message: str, path: Path, remedy: str, severity: str | None = None) -> Problem:
    """A finding of the registered kind; with its own severity where the kind's is too heavy."""
    return Problem(id_, message[:1].upper() + message[1:], path, remedy, severity or FINDINGS[id_].severity)
