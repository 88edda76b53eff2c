"""Menus whose choices a caller cannot make, or that a caller cannot leave."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.archy.control.build import digit
from reconciler.archy.control.model import Node, NodeKind
from reconciler.archy.findings.view import View, problem
from reconciler.archy.model import Path, Problem


def check_menus(view: View) -> Iterator[Problem]:
    """``same-digit``, ``menu-without-choices`` and ``menu-without-exit``."""
    menus = [node for node in view.flow.nodes.values() if node.key == "menu" or node.operation == "subMenu"]
    if not menus:
        return
    escapes = _escapes(view)
    stuck: set[Path] = set()
    for menu in menus:
        choices = [node for node in view.flow.inside(menu.container or menu.path) if _belongs(node, menu)]
        yield from _same_digits(view, menu, choices)
        if menu.path not in view.reached:
            continue
        if not choices:
            yield problem(
                "menu-without-choices",
                f"{_called(view, menu)}: has no choices, so that callers wait in it for nothing.",
                menu.path,
                "Add choices, or do without the menu.",
            )
        elif menu.path not in escapes:
            # Who is in a sub-menu is in the menu around it too: one finding is enough.
            if not any(menu.path[: len(path)] == path for path in stuck):
                yield problem(
                    "menu-without-exit",
                    f"{_called(view, menu)}: no choice leads to a transfer, a disconnect or any other end; "
                    "callers can only hang up.",
                    menu.path,
                    "Add a choice that leads on, such as a transfer or a disconnect, or make one the default.",
                )
            stuck.add(menu.path)


def _escapes(view: View) -> set[Path]:
    """Every place from which some way leads to an end."""
    ends = [node.path for node in view.flow.nodes.values() if node.kind is NodeKind.END]
    # Back to a menu that no menu of the flow leads from: wherever that is, it is out of this one.
    ends += [
        node.path
        for node in view.flow.nodes.values()
        if node.operation == "previousMenu" and not view.flow.out(node.path)
    ]
    return view.flow.leading_to(ends)


def _same_digits(view: View, menu: Node, choices: list[Node]) -> Iterator[Problem]:
    first: dict[str, Node] = {}
    for choice in choices:
        key = digit(choice.body)
        other = first.setdefault(key, choice)
        if key and other is not choice:
            yield problem(
                "same-digit",
                f"{_called(view, menu)}: choices {view.called(other)} and {view.called(choice)} both use "
                f"{'digit ' if key.isdigit() else ''}{key}.",
                (*choice.path, "dtmf"),
                "Give one of them another digit.",
            )


def _belongs(node: Node, menu: Node) -> bool:
    return node.kind is NodeKind.CHOICE and node.path[:-3] == menu.path


def _called(view: View, menu: Node) -> str:
    return view.place(menu) if menu.kind is NodeKind.CONTAINER else f"sub-menu {view.called(menu)}"
