"""Paths that just stop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from reconciler.archy.control.behaviour import TRANSFERS
from reconciler.archy.control.model import Edge, Node, NodeKind
from reconciler.archy.control.outcomes import OTHERWISE
from reconciler.archy.control.reach import ran_out_of
from reconciler.archy.findings.view import View, problem
from reconciler.archy.model import Path, Problem

_HOW_TO_END = {
    "workflow": "an end workflow action",
    "workitem": "an exit workitem flow action",
    "botFlow": "an exit bot flow action",
    "digitalBot": "an exit bot flow action",
}


def check_endings(view: View) -> Iterator[Problem]:
    """``no-end``; a task that is only called gives control back and may just stop."""
    for container in view.flow.containers():
        end = ran_out_of(container.path)
        if end not in view.reached or not view.entered(container.path):
            continue
        ways: dict[Path, list[Edge]] = defaultdict(list)
        for edge in view.flow.into(end):
            source = view.flow.nodes[edge.source]
            # What a failed transfer leaves is a finding of its own.
            if edge.source in view.reached and edge.label != OTHERWISE and source.operation not in TRANSFERS:
                ways[edge.source].append(edge)
        for path, edges in ways.items():
            yield _no_end(view, view.flow.nodes[path], [edge.label for edge in edges if edge.label])


def _no_end(view: View, last: Node, labels: list[str]) -> Problem:
    ending = _HOW_TO_END.get(view.root, "a disconnect or a transfer")
    remedy = f"Let it end with {ending}, or go on to another place of the flow."
    if last.kind is NodeKind.CONTAINER:
        message = f"{view.container(last.path)}: has no actions, so that the flow stops here."
    else:
        outcome = f" ({' or '.join(labels)})" if labels else ""
        message = f"{view.place(last)}: nothing comes after it{outcome}: no disconnect, no transfer, no end."
    return problem("no-end", message, last.path, remedy)
