"""How each step of a flow looks on a call-flow chart: tables and small rules."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.archy.control.behaviour import ENDS, JUMPS, LOOPS, PASS_THROUGH, TRANSFERS, Ending
from reconciler.archy.control.model import ControlFlow, Node, NodeKind
from reconciler.archy.meaning.deeds import TARGETS, deed
from reconciler.archy.meaning.details import details
from reconciler.archy.wording import in_words
from reconciler.report.charts.model import Line, Shape, Tone

Look = tuple[Shape, Tone]

_DATA = frozenset(
    ("callData", "callDataSecure", "callBridge", "dataTableLookup", "callDecisionTable", "getExternalContact")
)
_QUESTIONS = frozenset(
    ("menu", "subMenu", "collectInput", "digitalMenu", "getResponse", "waitForInput", "detectIntent")
)
_SPEECH = frozenset(
    (
        "playAudio",
        "communicate",
        "sendResponse",
        "sendAutoReply",
        "playUserGreeting",
        "playUserName",
        "playEstimatedWaitTime",
        "playPositionInQueue",
        "holdMusic",
        "sendRichLink",
        "sendDigitalContent",
        "sendDigitalCarousel",
        "showKnowledgeArticle",
    )
)
_DECISIONS = frozenset(("decision", "switch", "evaluateSchedule", "evaluateScheduleGroup"))
_CALLS = frozenset(("callTask", "callCommonModule", "callBotFlow", "callDigitalBotFlow", "callVoiceFlow", "callGuide"))
_SETTINGS = PASS_THROUGH - _SPEECH - _CALLS - {"createCallback", "wait", "callAgenticVirtualAgent"}

ENDINGS: Mapping[str, str] = {
    Ending.DISCONNECT: "Disconnect",
    Ending.TRANSFER: "Transferred",
    Ending.END: "End of the flow",
    Ending.RETURN: "Back to the caller",
    Ending.RAN_OUT: "No further action",
    Ending.RESUME: "Wait for the next message",
}

CONTAINERS: Mapping[str, str] = {
    "menu": "Menu",
    "task": "Task",
    "state": "State",
    "bot": "Bot",
    "startUpTask": "Start-up task",
}


def look(node: Node) -> Look:
    """Shape and colour of a step."""
    operation = node.operation
    if operation in ("disconnect", *ENDS) and ENDS.get(operation) is not Ending.RESUME:
        return Shape.STOP, Tone.END
    if operation in TRANSFERS or operation == "returnToAgent":
        return Shape.ROUNDED, Tone.TRANSFER
    if operation in JUMPS or operation in ("repeatMenu", "previousMenu", "loopNext", "loopExit"):
        return Shape.ARROW, Tone.PLAIN
    if operation in _DECISIONS:
        return Shape.DIAMOND, Tone.DECISION
    if operation in _QUESTIONS or operation.startswith("ask"):
        return Shape.HEXAGON, Tone.CHOICE
    if operation in _CALLS or operation.startswith("callAgentic") or operation.endswith("Bot"):
        return Shape.SUBROUTINE, Tone.MODULE
    if operation in _DATA:
        return Shape.CYLINDER, Tone.DATA
    if operation in LOOPS:
        return Shape.TRAPEZOID, Tone.DECISION
    return (Shape.SLANTED, Tone.SPEECH) if operation in _SPEECH else (Shape.BOX, Tone.PLAIN)


def family(node: Node) -> str:
    """Steps of one family that follow each other straight may share a box; empty for steps that stand alone."""
    if node.kind is not NodeKind.ACTION:
        return ""
    return "settings" if node.operation in _SETTINGS else "speech" if node.operation in _SPEECH else ""


def lines(node: Node, flow: ControlFlow) -> tuple[Line, ...]:
    """What stands in the box of a step: its name, then what it does where the name does not say so."""
    said = details(node.operation, node.body)
    if node.operation in TARGETS and (label := _inside(node, flow)):
        said = [f"{TARGETS[node.operation][1]} {label}"]
    name = node.name or in_words(node.key).capitalize()
    if said == [deed(node.operation, {})] and _words(in_words(node.operation)) <= _words(name):
        said = []
    return (Line(name, strong=True), *(Line(text) for text in said if _folded(text) not in _folded(name)))


def _inside(node: Node, flow: ControlFlow) -> str:
    """The object inside the flow that a step goes to, in words."""
    field = TARGETS[node.operation][0]
    reference = node.body.get(field) if isinstance(node.body, dict) else None
    if not field.endswith("Ref") or not isinstance(reference, str):
        return ""
    target = flow.targets.resolve(reference, node.path)
    return f"{in_words(target.kind)} {target.name}" if target else "nothing that is there"


def _words(text: str) -> set[str]:
    """The words of a name, as far as they tell actions apart."""
    return set(re.findall(r"\w+", text.casefold())) - {"flow", "menu"}


def _folded(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
