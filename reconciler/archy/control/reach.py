"""Which places of a flow a conversation can come to."""

from __future__ import annotations

from reconciler.archy.control.behaviour import Ending
from reconciler.archy.control.model import START, ControlFlow, Step, end_of
from reconciler.archy.model import Path


def reachable(flow: ControlFlow, start: Path = START) -> set[Path]:
    """Every node that some conversation reaches.

    What follows the call of a task counts only if the task can come to its end; tasks that call each other are
    followed until nothing new is found.
    """
    seen: set[Path] = set()
    waiting: dict[Path, list[Path]] = {}
    """End of a called task → what follows its calls."""
    pending = [start]
    while pending:
        place = pending.pop()
        if place in seen or place not in flow.graph:
            continue
        seen.add(place)
        pending.extend(waiting.pop(place, ()))
        called = [edge.target for edge in flow.out(place) if edge.step is Step.CALL]
        for edge in flow.out(place):
            if edge.step is not Step.RETURN or not called:
                pending.append(edge.target)
                continue
            returns = [end for task in called for end in (returns_of(task), ran_out_of(task))]
            if seen.intersection(returns):
                pending.append(edge.target)
            else:
                for end in returns:
                    waiting.setdefault(end, []).append(edge.target)
    return seen


def returns_of(task: Path) -> Path:
    """The node at which a task gives control back by an action that says so."""
    return end_of(task, Ending.RETURN)


def ran_out_of(task: Path) -> Path:
    """The node at which a task has no further action."""
    return end_of(task, Ending.RAN_OUT)
