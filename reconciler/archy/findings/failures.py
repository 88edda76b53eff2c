"""Failures of transfers and data actions that nobody takes care of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.archy.control.behaviour import ENDS, TRANSFERS, Ending
from reconciler.archy.control.model import Node, NodeKind, Step
from reconciler.archy.control.outcomes import Outcome, outcomes
from reconciler.archy.findings.view import View, problem
from reconciler.archy.model import Path, Problem
from reconciler.archy.structure import Action

_DATA_ACTIONS = frozenset(("callData", "callDataSecure", "callBridge"))
_DECIDES = ("decision", "switch")
_UNSET = ({"noValue": True}, {"none": True}, None)
_FAILURES = ("failure", "timeout")
_TELLS = frozenset(("communicate", "playAudio", "playAudioOnSilence", "sendAutoReply", "sendResponse"))
"""Actions that tell the caller or customer something."""


def check_failures(view: View) -> Iterator[Problem]:
    """``transfer-failure-unhandled`` and ``data-failure-unhandled``."""
    for node in view.flow.nodes.values():
        if node.path not in view.reached or node.kind is not NodeKind.ACTION:
            continue
        if node.operation in TRANSFERS:
            yield from _transfer(view, node)
        elif node.operation in _DATA_ACTIONS:
            yield from _data_action(view, node)


def _transfer(view: View, node: Node) -> Iterator[Problem]:
    """A failed transfer must not be silence on the phone, and must not leave a conversation without an end.

    Real flows of messages and mails often just disconnect then, which is pointed out and no more.
    """
    bare = _bare(node)
    after = _target(view, node, bare[0]) if bare else None
    if not _ends(view, after):
        return
    body = node.body if isinstance(node.body, dict) else {}
    assert after is not None
    remedy = "Add actions to the output failure: another queue, an announcement, a disconnect."
    if view.flow.nodes[after].kind is NodeKind.END:
        message = f"{view.place(node)}: when the transfer fails, nothing comes after it."
        yield problem("transfer-failure-unhandled", message, node.path, remedy)
    elif not view.is_call:
        message = f"{view.place(node)}: when the transfer fails, the conversation just ends."
        yield problem("transfer-failure-unhandled", message, node.path, remedy, "info")
    elif body.get("failureTransferAudio") in _UNSET:
        message = f"{view.place(node)}: when the transfer fails, the caller is cut off without a word."
        remedy = (
            "Add failureTransferAudio, or actions in the output failure: another queue, voicemail, an announcement."
        )
        yield problem("transfer-failure-unhandled", message, node.path, remedy)


def _data_action(view: View, node: Node) -> Iterator[Problem]:
    """A failure without actions of its own goes on below, together with what a success goes on with."""
    bare = _bare(node)
    after = _target(view, node, bare[0]) if bare else None
    if after is None:
        return
    labels = " or ".join(outcome.label for outcome in bare)
    acts = any(outcome.id == "success" and outcome.actions for outcome in outcomes(_action(node)))
    if _ends(view, after):
        # An end that a success never comes to is there for the failure; where nothing follows a success either,
        # there is nothing to go wrong.
        if acts and after in _succeeding(view, node):
            yield _unhandled(view, node, bare, f"on {labels} the flow does nothing more", "info")
        return
    results, errors = _bound(node.body, "successOutputs"), _bound(node.body, "failureOutputs")
    # Most results are looked at soon or never; following a flow to its end is slow.
    following = _following(view, after) if view.all_reads & {*results, *errors} else []
    if any({*results, *errors} & _decided_by(view, each) for each in following):
        return
    used = next((each for each in following if each is not node and results.keys() & view.reads(each)), None)
    if used is not None:
        names = ", ".join(sorted(results[name] for name in results.keys() & view.reads(used)))
        what = f"{view.called(used)} uses {names}, which then has no new value"
        yield _unhandled(view, node, bare, f"on {labels} the flow goes on as if it had succeeded; {what}")
    elif not acts:
        following_on = view.flow.nodes[after]
        told = following_on.operation in _TELLS
        what = f"on {labels} the flow goes on as if it had succeeded, with {view.called(following_on)}"
        if following_on.kind is NodeKind.ACTION and following_on.operation not in ENDS:
            yield _unhandled(view, node, bare, what, None if told else "info")


def _unhandled(view: View, node: Node, bare: list[Outcome], what: str, severity: str | None = None) -> Problem:
    outputs = " and ".join(outcome.label for outcome in bare)
    return problem(
        "data-failure-unhandled",
        f"{view.place(node)}: {what}.",
        node.path,
        f"Add actions to the output {outputs}, or look at a result before it is relied on.",
        severity,
    )


def _bare(node: Node) -> list[Outcome]:
    """Failures without actions of their own."""
    return [outcome for outcome in _failures(node) if not outcome.actions and outcome.enabled]


def _failures(node: Node) -> list[Outcome]:
    return [outcome for outcome in outcomes(_action(node)) if outcome.id in _FAILURES]


def _action(node: Node) -> Action:
    return Action(node.key, node.name, node.path, node.body)


def _target(view: View, node: Node, outcome: Outcome) -> Path | None:
    """Where an outcome without actions of its own goes on."""
    ways = (edge for edge in view.flow.out(node.path) if edge.label == outcome.label)
    return next((edge.target for edge in ways), None)


def _ends(view: View, path: Path | None) -> bool:
    """Whether nothing but an end of the flow comes there; a task that gives back lets its caller go on."""
    if path is None:
        return False
    node = view.flow.nodes[path]
    if node.kind is NodeKind.END:
        container = node.container
        return node.key == Ending.RAN_OUT and container is not None and view.entered(container)
    return ENDS.get(node.operation) in (Ending.DISCONNECT, Ending.END)


def _succeeding(view: View, node: Node) -> set[Path]:
    """Every action that may run after a success."""
    entries = [edge.target for edge in view.flow.out(node.path) if edge.label == "success"]
    return {each.path for each in _following(view, *entries)}


def _following(view: View, *entries: Path) -> list[Node]:
    """Every action that may run from there on, nearest first; what other conversations begin with is left out."""
    found: dict[Path, Node] = {}
    pending = list(entries)
    while pending:
        ahead: list[Path] = []
        for here in pending:
            if here not in found:
                found[here] = view.flow.nodes[here]
                ahead.extend(edge.target for edge in view.out(here) if edge.step is not Step.EVENT)
                ahead.extend(_callers_go_on(view, found[here]))
        pending = ahead
    return [node for node in found.values() if node.kind in (NodeKind.ACTION, NodeKind.CHOICE)]


def _callers_go_on(view: View, end: Node) -> Iterator[Path]:
    """What follows the calls of a task that gives back."""
    if end.kind is NodeKind.END and end.container is not None:
        for call in view.flow.into(end.container):
            if call.step is Step.CALL:
                yield from (edge.target for edge in view.out(call.source) if edge.step is Step.RETURN)


def _bound(body: Any, key: str) -> dict[str, str]:
    """Variables that an action's outputs go into, lower case → as written."""
    found: dict[str, str] = {}
    pending = [body]
    while pending:
        value = pending.pop()
        for name, item in value.items() if isinstance(value, dict) else ():
            if name == key and isinstance(item, dict):
                bound = [each["var"] for each in item.values() if isinstance(each, dict) and "var" in each]
                found |= {each.lower(): each for each in bound if isinstance(each, str)}
            elif name != "outputs":
                pending.append(item)
    return found


def _decided_by(view: View, node: Node) -> frozenset[str]:
    """Variables that decide where a decision or switch goes on."""
    return view.reads(node) if node.operation in _DECIDES else frozenset()
