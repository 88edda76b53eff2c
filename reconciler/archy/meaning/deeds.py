"""What an action does, in a few words: ``transfers to queue Billing``, ``says "Welcome."``."""

from __future__ import annotations

from typing import Any

from reconciler.archy.wording import in_words

_SHOWN = 120
_VALUE_FORMS = ("lit", "exp", "tts", "prompt", "var")

TARGETS: dict[str, tuple[str, str]] = {
    "transferToAcd": ("targetQueue", "transfers to queue"),
    "transferToFlow": ("targetFlow", "transfers to flow"),
    "transferToFlowSecure": ("targetFlow", "transfers to secure flow"),
    "transferToGroup": ("targetGroup", "transfers to group"),
    "transferToNumber": ("targetNumber", "transfers to number"),
    "transferToUser": ("targetUser", "transfers to"),
    "jumpToTask": ("targetTaskRef", "goes to"),
    "jumpToMenu": ("targetMenuRef", "goes to"),
    "changeState": ("targetStateRef", "changes to"),
    "callTask": ("targetTaskRef", "calls"),
    "callCommonModule": ("commonModule", "calls common module"),
    "callBotFlow": ("botFlow", "calls bot flow"),
    "callDigitalBotFlow": ("digitalBotFlow", "calls digital bot flow"),
    "dataTableLookup": ("dataTable", "looks up data table"),
    "evaluateScheduleGroup": ("scheduleGroup", "asks schedule group"),
    "setPostFlow": ("targetFlow", "is followed by flow"),
}
"""Action → the field that says where it leads, and how that is said."""

SPEECH = ("audio", "inputAudio", "communication", "messageBody", "message", "initialAudio", "body")
"""Fields that hold what callers hear or read."""

_PLAIN: dict[str, str] = {
    "disconnect": "hangs up",
    "endWorkflow": "ends the workflow",
    "endTask": "ends the task",
    "exitBotFlow": "leaves the bot",
    "repeatMenu": "repeats the menu",
    "previousMenu": "goes back to the menu before",
    "dialByExtension": "lets the caller dial an extension",
    "transferToVoicemail": "transfers to voicemail",
    "loopExit": "leaves the loop",
    "loopNext": "begins the next round of the loop",
}


def deed(operation: str, body: Any) -> str:
    """What an action or a choice does; its sort in words where no more is known."""
    content = body if isinstance(body, dict) else {}
    if operation in TARGETS:
        field, verb = TARGETS[operation]
        if field in content:
            return f"{verb} {value(content[field])}"
    if operation == "callData" and isinstance(category := content.get("category"), dict):
        return f"calls data action {_data_action(category)}"
    if operation == "decision" and "condition" in content:
        return f"asks {value(content['condition'])}"
    for field in SPEECH:
        if field in content:
            return f"says {value(content[field])}"
    if operation == "subMenu":
        return "opens a sub-menu"
    if operation == "task":
        return "runs a task of its own"
    return _PLAIN.get(operation, in_words(operation))


def value(form: Any) -> str:
    """A value as people say it: literals bare, speech in quotes, expressions as written."""
    if isinstance(form, dict):
        return _mapping(form)
    if isinstance(form, list):
        return cut(", ".join(value(item) for item in form)) or "nothing"
    if isinstance(form, bool):
        return "yes" if form else "no"
    if form is None or form == "":
        return "nothing"
    return cut(label(str(form)))


def _mapping(form: dict[str, Any]) -> str:
    for key in ("name", "userName"):
        if set(form) == {key}:
            return value(form[key])
    if len(form) == 1:
        ((key, held),) = form.items()
        if key in ("noValue", "none", "noValueWithNoFallback") and held is True:
            return "nothing"
        if key == "tts":
            return f'"{cut(str(held))}"'
        if key == "prompt":
            return f"prompt {held}"
        if key in _VALUE_FORMS:
            return value(held)
        if key in ("ms", "seconds", "minutes", "hours", "days"):
            return f"{value(held)} {key[:-1] if held == 1 and key != 'ms' else key}"
        if isinstance(held, dict):
            # An object's name as the key: {commonModule: {Greeter: {…}}}.
            return cut(str(key))
    inner = "; ".join(f"{in_words(str(key))}: {value(item)}" for key, item in form.items() if key != "refId")
    return cut(inner) or "nothing"


def _data_action(category: dict[str, Any]) -> str:
    for integration, held in category.items():
        actions = held.get("dataAction") if isinstance(held, dict) else None
        if isinstance(actions, dict) and actions:
            return f"{next(iter(actions))} of {integration}"
    return "nothing"


def label(text: str) -> str:
    """``task[Main]``, what a reference is in canonical form, as ``task Main``."""
    for kind in ("task", "menu", "state", "bot"):
        if text.startswith(f"{kind}[") and text.endswith("]"):
            return f"{kind} {text[len(kind) + 1 : -1]}"
    return text


def cut(text: str) -> str:
    """The text on one line, shortened where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1].rstrip()}…"
