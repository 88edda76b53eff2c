"""What no conversation comes to."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.archy.control.behaviour import CALLS, ENDS, JUMPS
from reconciler.archy.control.model import Node, NodeKind
from reconciler.archy.findings.view import View, problem
from reconciler.archy.model import Path, Problem
from reconciler.archy.wording import in_words

_STANDING = (NodeKind.ACTION, NodeKind.CHOICE)


def check_reaching(view: View) -> Iterator[Problem]:
    """``unreached``, ``after-the-end``, ``unreached-action`` and ``switched-off``.

    Of what stands together only the first thing is told: a task and not its actions, the first of three actions.
    """
    places = {node.path[:-1]: node for node in view.flow.nodes.values() if node.kind in _STANDING}
    for node in view.flow.nodes.values():
        if node.path in view.reached or node.kind in (NodeKind.END, NodeKind.START):
            continue
        if node.kind is NodeKind.CONTAINER:
            # A reference that leads nowhere, or to one of two, may mean this one.
            if not view.flow.dangling and not _is_ambiguous(view, node):
                yield _container(view, node)
        elif _owner(view, node) in view.reached:
            before = places.get((*node.path[:-2], _index(node) - 1))
            if before is None:
                yield _first(view, node)
            elif before.path in view.reached:
                yield _after(view, node, before)


def _is_ambiguous(view: View, node: Node) -> bool:
    target = view.flow.targets.by_path.get(node.path)
    return target is not None and view.flow.targets.is_ambiguous(target)


def _container(view: View, node: Node) -> Problem:
    return problem(
        "unreached",
        f"{view.container(node.path)}: nothing in the flow leads here.",
        node.path,
        f"Let an action, a choice or the start of the flow lead to it, or remove the {in_words(node.key)}.",
    )


def _first(view: View, node: Node) -> Problem:
    """The first action of an output that is never taken."""
    owner = view.flow.nodes[_owner(view, node)]
    output = in_words(str(node.path[-4])) if isinstance(node.path[-4], str) else "this output"
    if node.disabled:
        return problem(
            "switched-off",
            f"{view.place(node)}: stands in the output {output} of {view.called(owner)}, which is switched off.",
            node.path,
            "Remove the actions, or switch the output on.",
        )
    return problem(
        "unreached-action",
        f"{view.place(node)}: {view.called(owner)} never takes the output {output}.",
        node.path,
        "Remove the actions, or move them to where the flow goes on.",
    )


def _after(view: View, node: Node, before: Node) -> Problem:
    name = view.called(before)
    remedy = "Remove it and what follows it, or move it before."
    if before.operation in ENDS:
        message = f"{view.place(node)}: comes after {name}, which ends the {_what_ends(before.operation)}."
        return problem("after-the-end", message, node.path, remedy)
    if before.operation in JUMPS:
        message = f"{view.place(node)}: comes after {name}, which goes elsewhere and does not come back."
        return problem("after-the-end", message, node.path, remedy)
    why = (
        f"the task that {name} calls never comes back"
        if before.operation in CALLS
        else f"every way through {name} before it ends or goes elsewhere"
    )
    return problem("unreached-action", f"{view.place(node)}: nothing leads here, {why}.", node.path, remedy)


def _what_ends(operation: str) -> str:
    return {"endTask": "task", "endState": "state", "disconnect": "call or conversation"}.get(operation, "flow")


def _owner(view: View, node: Node) -> Path:
    """The nearest node around an action."""
    for length in range(len(node.path) - 1, 1, -1):
        if node.path[:length] in view.flow.nodes:
            return node.path[:length]
    return node.path


def _index(node: Node) -> int:
    index = node.path[-2]
    assert isinstance(index, int)
    return index
