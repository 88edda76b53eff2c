"""Circles that a conversation cannot leave.

Counted loops end by themselves, and the task of an in-queue flow goes round until somebody answers; neither is
looked at. The platform stops a flow after 10,000 actions (facts/archy-yaml §7), so that a circle without a way out
ends in the flow's error handling.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from reconciler.archy.control.behaviour import ANSWERS, LOOPS, SAY_ONLY
from reconciler.archy.control.model import Edge, Node, NodeKind, Step
from reconciler.archy.expressions import variables
from reconciler.archy.findings.view import View, problem
from reconciler.archy.model import Path, Problem
from reconciler.archy.variables import AUTHORS_SCOPES

_WAITING_FLOWS = ("inqueue", "bot", "digitalbot")
"""Beginnings of root keys, lower case: an agent ends the flow, or the events of a bot do."""
_BACKWARDS = (Step.BACK, Step.JUMP, Step.CALL, Step.EVENT)
"""Every circle has one of these: all other steps lead on in the order of the flow."""
_CHANGES_BY_ITSELF = ("current", "random", "rand(")
"""Parts of the names of functions whose value is another one each time, lower case."""


def check_loops(view: View) -> Iterator[Problem]:
    """``endless-loop`` and ``unchanging-loop``; circles through menus are left to the checks of menus."""
    if view.root.lower().startswith(_WAITING_FLOWS):
        return
    for members in _circles(view):
        nodes = sorted((view.flow.nodes[path] for path in members), key=lambda node: _order(node.path))
        leaves = any(
            edge.target not in members and edge.step is not Step.EVENT for path in members for edge in view.out(path)
        )
        if not leaves:
            yield _endless(view, nodes)
        elif all(_changes_nothing(node) for node in nodes):
            yield _unchanging(view, nodes)


def _circles(view: View) -> list[set[Path]]:
    """Nodes that go round; a menu is where callers can leave, so that ways into one are left out."""
    around = {node.path for node in view.flow.nodes.values() if node.key == "menu" or node.operation == "subMenu"}
    edges = [
        edge
        for edge in view.flow.edges()
        if {edge.source, edge.target} <= view.reached and edge.target not in around and not _counted(view, edge)
    ]
    if not any(edge.step in _BACKWARDS for edge in edges) or not _go_round(edges):
        return []
    # Only few flows go round at all, and loading networkx takes a fifth of a second.
    import networkx as nx

    ways: nx.DiGraph[Path] = nx.DiGraph()
    ways.add_edges_from((edge.source, edge.target) for edge in edges)
    found = [members for members in nx.strongly_connected_components(ways) if len(members) > 1]
    found += [{path} for path in ways if ways.has_edge(path, path)]
    return found


def _go_round(edges: list[Edge]) -> bool:
    """Whether there is a circle: whatever is left when nodes that nothing leads to are taken away again and again."""
    leading: Counter[Path] = Counter(edge.target for edge in edges)
    out: dict[Path, list[Path]] = {}
    for edge in edges:
        out.setdefault(edge.source, []).append(edge.target)
    free = [path for path in out if not leading[path]]
    taken = 0
    while free:
        for target in out.pop(free.pop(), ()):
            taken += 1
            leading[target] -= 1
            if not leading[target]:
                free.append(target)
    return taken < len(edges)


def _counted(view: View, edge: Edge) -> bool:
    target = view.flow.nodes[edge.target]
    around = edge.step is Step.BACK or edge.source == edge.target
    return around and (target.operation in LOOPS or target.key == "startUpTask")


def _endless(view: View, nodes: list[Node]) -> Problem:
    asks = any(node.operation in ANSWERS for node in nodes)
    way = "no answer of the caller" if asks else "no input, no counter and no condition"
    return problem(
        "endless-loop",
        f"{_described(view, nodes)} go round in a circle that {way} leads out of.",
        _first_action(nodes).path,
        "Let a condition, a counted loop or a choice of the caller lead out of it.",
        "warning" if asks else None,
    )


def _unchanging(view: View, nodes: list[Node]) -> Problem:
    return problem(
        "unchanging-loop",
        f"{_described(view, nodes)} go round in a circle in which nothing changes: "
        "once in it, each round decides as the one before.",
        _first_action(nodes).path,
        "Ask the caller, set a variable or count the rounds before the condition is looked at again.",
    )


def _changes_nothing(node: Node) -> bool:
    if node.kind is NodeKind.CONTAINER:
        return True
    return node.operation in SAY_ONLY and all(_is_steady(text) for text in _conditions(node))


def _conditions(node: Node) -> Iterator[str]:
    """The expressions that decide where a decision or switch goes on."""
    body = node.body if isinstance(node.body, dict) else {}
    if node.operation == "decision":
        yield from _expressions(body.get("condition"))
    elif node.operation == "switch":
        yield from _expressions(body.get("evaluate"))


def _expressions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "exp" and isinstance(item, str):
                yield item
            elif key != "actions":
                yield from _expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _expressions(item)


def _is_steady(expression: str) -> bool:
    """Whether only variables of the author's decide what an expression gives."""
    text = expression.lower()
    own = all(name.partition(".")[0].lower() in AUTHORS_SCOPES for name in variables(expression))
    return own and not any(part in text for part in _CHANGES_BY_ITSELF)


def _described(view: View, nodes: list[Node]) -> str:
    """Tasks and states by name; actions where they all stand in one."""
    around = list(dict.fromkeys(node.container or node.path for node in nodes))
    if len(around) > 1:
        names = [view.container(path) for path in around]
        return f"{', '.join(names[:-1])} and {names[-1]}"
    actions = [view.called(node) for node in nodes if node.kind is NodeKind.ACTION]
    listed = f"{', '.join(actions[:-1])} and {actions[-1]}" if len(actions) > 1 else f"{actions[0]} and nothing else"
    return f"{view.container(around[0])}: {listed}"


def _first_action(nodes: list[Node]) -> Node:
    return next((node for node in nodes if node.kind is NodeKind.ACTION), nodes[0])


def _order(path: Path) -> tuple[tuple[int, str], ...]:
    return tuple((step, "") if isinstance(step, int) else (0, step) for step in path)
