"""The outcomes of an action: those that a flow writes down, and those that it leaves out.

Exports leave out outcomes that have no actions (facts/archy-yaml §2, "the main rule"); they exist all the same,
and control goes on below the action.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.archy.control.behaviour import DYNAMIC_OUTCOMES, OUTCOMES
from reconciler.archy.model import Path
from reconciler.archy.structure import Action, Branch, branches
from reconciler.archy.wording import in_words

OTHERWISE = "otherwise"
"""Id of the way that none of the listed outcomes is: an intent or path without actions, which exports leave out."""
_LABEL_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way on from an action."""

    id: str
    """Key in the YAML: ``found``, ``failure``; name of a path or intent; empty where there is only one way."""
    label: str
    """In words, as a chart shows it."""
    actions: tuple[Action, ...] = ()
    enabled: bool = True
    """False for an outcome that is switched off: nothing goes that way."""


_OTHERWISE = Outcome(OTHERWISE, OTHERWISE)
_NO_CASE = Outcome("default", "no case applies")


def outcomes(action: Action) -> list[Outcome]:
    """All outcomes of an action, in the platform's order where it has one, then as written."""
    listed: dict[str, Outcome] = {}
    for branch in branches(action):
        outcome = _listed(branch, action.body)
        # Two paths or intents of one name are two ways on all the same.
        listed[outcome.id if outcome.id not in listed else f"{outcome.id} ({len(listed)})"] = outcome
    switched_off = _switched_off(action.body)
    known = OUTCOMES.get(action.operation, ())
    found = [
        listed.pop(name) if name in listed else Outcome(name, in_words(name), enabled=name not in switched_off)
        for name in known
    ]
    if action.operation == "askForIntent":
        found = [*listed.values(), *found]
    else:
        found += listed.values()
    if not found:
        return [Outcome("", "")]
    if "default" not in {outcome.id for outcome in found} and (action.operation in DYNAMIC_OUTCOMES or not known):
        found.append(_NO_CASE if action.operation == "switch" else _OTHERWISE)
    return found


def _listed(branch: Branch, body: Any) -> Outcome:
    steps = branch.steps
    owner = _at(body, steps[:-1])
    enabled = not (isinstance(owner, dict) and owner.get("enabled") is False)
    if len(steps) > 3 and steps[0] == "outputs" and isinstance(steps[2], int):
        name = owner.get("name") if isinstance(owner, dict) else None
        text = name if isinstance(name, str) and name else f"{in_words(str(steps[-2]))} {steps[2] + 1}"
        return Outcome(text, text, branch.actions, enabled)
    if "cases" in steps:
        number = next((step for step in reversed(steps) if isinstance(step, int)), 0)
        return Outcome(f"case {number + 1}", _case(owner, number), branch.actions, enabled)
    identity = str(steps[-2]) if len(steps) > 1 else ""
    label = _NO_CASE.label if identity == "default" and steps[0] == "evaluate" else in_words(identity)
    return Outcome(identity, label, branch.actions, enabled)


def _case(case: Any, number: int) -> str:
    """The condition or value of a case."""
    value = case.get("value") if isinstance(case, dict) else None
    if isinstance(value, dict) and value:
        value = next(iter(value.values()))
    if isinstance(value, dict):
        value = value.get("name") or value.get("userName")
    text = str(value).lower() if isinstance(value, bool) else str(value) if value is not None else ""
    text = " ".join(text.split()) or f"case {number + 1}"
    return text if len(text) <= _LABEL_LENGTH else f"{text[: _LABEL_LENGTH - 1]}…"


def _switched_off(body: Any) -> set[str]:
    """Outcomes that are switched off and have no actions."""
    listed = body.get("outputs") if isinstance(body, dict) else None
    if not isinstance(listed, dict):
        return set()
    return {name for name, output in listed.items() if isinstance(output, dict) and output.get("enabled") is False}


def _at(value: Any, steps: Path) -> Any:
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
