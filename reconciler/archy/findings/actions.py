"""Actions that no source shows."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.archy.control.behaviour import KNOWN_ACTIONS, MENU_ONLY
from reconciler.archy.control.model import NodeKind
from reconciler.archy.findings.view import View, problem
from reconciler.archy.model import Problem
from reconciler.suggest import near


def check_actions(view: View) -> Iterator[Problem]:
    """``unknown-action``."""
    for node in view.flow.nodes.values():
        is_choice = node.kind is NodeKind.CHOICE
        if node.kind not in (NodeKind.ACTION, NodeKind.CHOICE) or node.operation in KNOWN_ACTIONS:
            continue
        if is_choice and node.key.startswith("menu") and node.operation in MENU_ONLY:
            continue
        known = [f"menu{name[0].upper()}{name[1:]}" for name in MENU_ONLY] if is_choice else KNOWN_ACTIONS
        yield problem(
            "unknown-action",
            f"{view.place(node)}: this tool does not know the action {node.key!r} and guesses how the flow goes on.",
            node.path,
            f"{near(node.key, known)}"
            "If Architect knows it, all is well, but what is said about this flow may be incomplete.",
        )
