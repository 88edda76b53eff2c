"""What an action does, line by line, as a chart shows it: what is set to what, what is said, where it goes."""

from __future__ import annotations

import re
from typing import Any

from reconciler.archy.meaning.deeds import SPEECH, cut, deed, value
from reconciler.archy.wording import in_words

_LITERALS = re.compile(r'(?<![=!<>])(?<![=!<>] )"((?:[^"\\]|\\.)*)"')
_GAP = " … "
"""Stands for what is put between the words when the flow runs."""
_ONLY_TEXT = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*')
_QUESTIONS = (*SPEECH, "question")
_NO_SPEECH = frozenset(("sendAutoReply",))


def details(operation: str, body: Any) -> list[str]:
    """Lines that say more of an action or a choice than its name; empty where there is nothing more to say."""
    content = body if isinstance(body, dict) else {}
    if operation in ("updateData", "setParticipantData", "setConversationData", "getParticipantData"):
        return _assignments(content)
    if operation == "decision":
        return [_bare(content.get("condition"))]
    if operation in ("collectInput", "askForSlot", "askForBoolean", "askForIntent", "menu", "subMenu"):
        return speech(content)
    if operation.startswith("find") and "findResult" in content:
        wanted = content.get("findName", content.get("findId"))
        return [_bare(wanted)] if wanted is not None else []
    if operation == "wait" and "duration" in content:
        return [_bare(content["duration"])]
    if operation in ("loop", "loopUntil") and "loopCount" in content:
        return [f"at most {_bare(content['loopCount'])} rounds"]
    if operation == "evaluateSchedule":
        return [name] if (name := _schedule(content)) else []
    if operation not in _NO_SPEECH and (said := speech(content)):
        return said
    words = deed(operation, content)
    return [] if words == in_words(operation) else [words]


def speech(content: Any) -> list[str]:
    """What callers hear or read, in quotes; what is computed as written."""
    fields = content if isinstance(content, dict) else {}
    return [said for field in _QUESTIONS if field in fields and (said := spoken(fields[field]))]


def spoken(form: Any) -> str:
    """One piece of speech; of an expression the words in it, without those that it compares with. Empty for none."""
    if isinstance(form, dict) and set(form) == {"exp"} and isinstance(form["exp"], str):
        expression = form["exp"]
        texts = [text for text in _LITERALS.findall(expression) if any(map(str.isalpha, text))]
        if texts:
            return f'"{cut(_unescaped(_GAP.join(texts)))}"'
        return value(expression)
    said = value(form)
    if said == "nothing":
        return ""
    return f'"{said}"' if isinstance(form, dict) and set(form) == {"lit"} else said


def _assignments(content: dict[str, Any]) -> list[str]:
    """Statements and attributes: ``Flow.isOpen = yes``, ``Flow.email from attribute email``."""
    lines = []
    for item in _listed(content.get("statements")) + _listed(content.get("attributes")):
        if "variable" in item and "value" in item:
            lines.append(f"{value(item['variable'])} = {_bare(item['value'])}")
        elif "variable" in item and "name" in item:
            lines.append(f"{value(item['variable'])} from {value(item['name'])}")
        elif "name" in item:
            lines.append(f"{value(item['name'])} = {_bare(item.get('value'))}")
    return lines


def _listed(items: Any) -> list[dict[str, Any]]:
    """The bodies of list items of one key."""
    bodies = [next(iter(item.values()), None) for item in items or () if isinstance(item, dict)]
    return [body for body in bodies if isinstance(body, dict)]


def _bare(form: Any) -> str:
    """A value; an expression that is only quoted text as that text."""
    expression = form.get("exp") if isinstance(form, dict) and len(form) == 1 else None
    if isinstance(expression, str) and (text := _ONLY_TEXT.fullmatch(expression)):
        return f'"{_unescaped(text[1])}"'
    return value(form)


def _schedule(content: dict[str, Any]) -> str:
    held = content.get("evaluationType")
    schedule = held.get("schedule") if isinstance(held, dict) else None
    name = schedule.get("name") if isinstance(schedule, dict) else None
    return name if isinstance(name, str) else ""


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
