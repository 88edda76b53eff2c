"""Which places of a flow a conversation can come to."""

from __future__ import annotations

from reconciler.archy.control.behaviour import Ending
from reconciler.archy.control.model import START, ControlFlow, Step, end_of
from reconciler.archy.model import Path


def reachable(flow: ControlFlow, start: Path = START) -> set[Path]:
    """Every node that some conversation reaches.

    What follows the call of a task counts only if the task can come to its end, or one that it jumps to can; tasks
    that call each other are followed until nothing new is found.
    """
    jumps = _jumps(flow)
    seen: set[Path] = set()
    waiting: dict[Path, list[Path]] = {}
    """End of a called task → what follows its calls."""
    pending = [start]
    while pending:
        place = pending.pop()
        if place in seen or place not in flow.nodes:
            continue
        seen.add(place)
        pending.extend(waiting.pop(place, ()))
        called = [edge.target for edge in flow.out(place) if edge.step is Step.CALL]
        for edge in flow.out(place):
            if edge.step is not Step.RETURN or not called:
                pending.append(edge.target)
                continue
            returns = [end for task in _closure(called, jumps) for end in (returns_of(task), ran_out_of(task))]
            if seen.intersection(returns):
                pending.append(edge.target)
            else:
                for end in returns:
                    waiting.setdefault(end, []).append(edge.target)
    return seen


def _jumps(flow: ControlFlow) -> dict[Path, list[Path]]:
    """Container → the containers that actions in it jump to."""
    found: dict[Path, list[Path]] = {}
    for edge in flow.edges():
        if edge.step is Step.JUMP and (container := flow.nodes[edge.source].container) is not None:
            found.setdefault(container, []).append(edge.target)
    return found


def _closure(tasks: list[Path], jumps: dict[Path, list[Path]]) -> set[Path]:
    found: set[Path] = set()
    pending = list(tasks)
    while pending:
        task = pending.pop()
        if task not in found:
            found.add(task)
            pending.extend(jumps.get(task, ()))
    return found


def returns_of(task: Path) -> Path:
    """The node at which a task gives control back by an action that says so."""
    return end_of(task, Ending.RETURN)


def ran_out_of(task: Path) -> Path:
    """The node at which a task has no further action."""
    return end_of(task, Ending.RAN_OUT)
