"""The sentence for each edit: where, what, and what it was before."""

from __future__ import annotations

import json
from typing import Any, Literal

from reconciler.archy.meaning.deeds import SPEECH, TARGETS, cut, deed, label, value
from reconciler.archy.meaning.fields import Found
from reconciler.archy.meaning.parts import BranchKey, Thing
from reconciler.archy.model import Path
from reconciler.archy.wording import describe_parts, in_words

_KEYS = {"star": "*", "pound": "#"}
_ENDINGS = frozenset(("lit", "exp", "tts", "name", "userName", "var", "prompt"))
"""Steps at the end of a path that say nothing about which field it is."""


def added(thing: Thing, taken_in: list[Thing]) -> str:
    """A new thing; ``taken_in`` is what it was put around."""
    if thing.is_container:
        return f"new {place(thing)}"
    around = "".join(f"; {title(inner)} is now {_inside(inner)}" for inner in taken_in)
    inside = sum(1 for _ in thing.all_inside()) - len(taken_in)
    holds = f", with {_count(inside, 'action')} in it" if inside > 0 else ""
    return f"{_around(thing)}: new {_sort(thing)} {title(thing)}{_where(thing)}{_told_deed(thing, ': ')}{holds}{around}"


def removed(thing: Thing, moved_out: int) -> str:
    """A thing that is gone; ``moved_out`` of what it held stands elsewhere now."""
    if thing.is_container:
        return f"{place(thing)} removed"
    inside = sum(1 for _ in thing.all_inside()) - moved_out
    holds = f" with {_count(inside, 'action')} in it" if inside else ""
    was = f": {_deed(thing)}" if thing.is_choice else f" {_position(thing)}{_told_deed(thing, ': ')}"
    return f"{_around(thing)}: {_sort(thing)} {title(thing)} removed{holds} (was{was})"


def moved(old: Thing, new: Thing) -> str:
    """A thing that stands elsewhere now."""
    what = f"{_sort(new)} {title(new)}"
    if old.container.path[1:2] == new.container.path[1:2] and old.container.name == new.container.name:
        return f"{_around(new)}: {what} moved, now {_position(new)} (was {_position(old)})"
    return f"{_around(new)}: {what} moved here from {place(old.container)}, now {_position(new)}"


def renamed(old: Thing, new: Thing) -> str:
    """A thing with another name."""
    if new.is_container:
        return f"{place(old)} is now called {new.name or 'nothing'}"
    if new.is_choice:
        return f"{_around(new)}: {_digit(old) or 'choice'} is now called {_quoted(new.name)} (was {_quoted(old.name)})"
    return f"{_around(new)}: {_sort(new)} {title(old)} is now called {_quoted(new.name)}"


def replaced(old: Thing, new: Thing) -> str:
    """A choice that does something else now."""
    return f"{_around(new)}: {_digit(new) or title(new)} now {_deed(new)} (was: {_deed(old)})"


def reordered(key: str) -> str:
    """Containers that are listed in another order."""
    return f"the order of the {in_words(key)} changed; callers notice nothing"


def changed(found: Found, old: Thing, new: Thing) -> str:
    """A field of a thing that is there before and after."""
    field = _field_steps(found.after_path if found.op != "remove" else found.before_path)
    before, after = _full(found, field, "before"), _full(found, field, "after")
    if new.parent is None:
        return _flow_field(field, found, before, after, new)
    if field == ("dtmf",):
        return f"{_around(new)}: choice {_quoted(new.name)} is now on {_key_name(after)} (was {_key_name(before)})"
    who = place(new) if new.is_container else f"{_around(new)}: {_who(new)}"
    return f"{who}{_statement(field, found, before, after, old, new)}"


def _statement(field: Path, found: Found, before: Any, after: Any, old: Thing, new: Thing) -> str:
    operation = _operation(new)
    if operation in TARGETS and field[:1] == (TARGETS[operation][0],) and (len(field) == 1 or found.op != "change"):
        return f" now {deed(operation, new.body)} (was {value(old.body.get(field[0]))})"
    if field and field[0] in SPEECH and len(field) <= 2:
        return f" now says {value(after)} (was {value(before)})"
    if operation == "decision" and field == ("condition",):
        return f" now asks {value(after)} (was {value(before)})"
    if field[-1:] == ("enabled",):
        return (
            f": {' › '.join(_field_words(field[:-1], new).split(' › '))} switched {'off' if after is False else 'on'}"
        )
    if (switched := _switched(field, before, after)) is not None:
        return f": {_field_words(switched, new)} switched {'off' if _is_off(after) else 'on'}"
    words = _field_words(field, new)
    separator = ", " if new.is_container else ": "
    return f"{separator}{_turn(words, found.op, before, after)}"


def _switched(field: Path, before: Any, after: Any) -> Path | None:
    """The outcome that was switched on or off by this change, if that is all it did."""
    if field[-1:] == ("enabled",):
        return field[:-1]
    return field if _is_off(before) != _is_off(after) and (before is None or after is None) else None


def _is_off(output: Any) -> bool:
    return output is False or output == {"enabled": False}


def _flow_field(field: Path, found: Found, before: Any, after: Any, flow: Thing) -> str:
    words = _field_words(field, flow)
    if field[:1] == ("startUpRef",):
        return f"the flow now starts with {value(after)} (was {value(before)})"
    if field[:1] == ("initialGreeting",):
        return f"the greeting now says {value(after)} (was {value(before)})"
    if field and isinstance(field[0], str) and field[0].startswith("settings"):
        group = in_words(field[0][8:]) or "general"
        rest = words.split(" › ", 1)[1] if " › " in words else ""
        return f"settings for {group}: {_turn(rest or 'all', found.op, before, after)}"
    return _turn(words, found.op, before, after)


def _turn(words: str, op: str, before: Any, after: Any) -> str:
    if op == "add":
        return f"{words} added: {value(after)}"
    if op == "remove":
        return f"{words} removed (was {value(before)})"
    return f"{words} now {value(after)} (was {value(before)})"


def _full(found: Found, field: Path, side: Literal["before", "after"]) -> Any:
    """The value, with the form around it where it is one of a value's forms: ``{tts: …}``."""
    held = found.before if side == "before" else found.after
    path = found.before_path if side == "before" else found.after_path
    if len(path) == len(field) or found.op != "change":
        return held
    for step in reversed(path[len(field) :]):
        held = {str(step): held}
    return held


def _field_steps(path: Path) -> Path:
    steps = list(path)
    while len(steps) > 1 and steps[-1] in _ENDINGS:
        steps.pop()
    return tuple(steps)


def _field_words(field: Path, thing: Thing) -> str:
    own = thing.path
    document = {own[0]: thing.body} if len(own) == 1 else _document(own, thing.body)
    parts = describe_parts((*own, *field), document)
    outer = describe_parts(own, document)
    return " › ".join(parts[len(outer) :]) or in_words(str(field[-1])) if field else "content"


def _document(path: Path, body: Any) -> Any:
    """A document that holds nothing but ``body`` at ``path``."""
    held = body
    for step in reversed(path):
        held = [*[None] * step, held] if isinstance(step, int) else {step: held}
    return held


def place(thing: Thing) -> str:
    """A container: ``menu Main Menu``."""
    if thing.key == "startUpTask":
        return "start-up task"
    return f"{thing.key} {thing.name}".strip()


def title(thing: Thing) -> str:
    """An action by its name, a choice by name and digit."""
    if thing.is_choice:
        return " on ".join(part for part in (_quoted(thing.name), _digit(thing)) if part)
    return _quoted(thing.name) if thing.name else f"({in_words(thing.key)})"


def _who(thing: Thing) -> str:
    """As ``title``, with where it stands if another one in its container has the same name."""
    if thing.is_choice:
        return _digit(thing) or title(thing)
    twins = [other for other in thing.container.all_inside() if other.name == thing.name and other.key == thing.key]
    return title(thing) + (f" {_position(thing)}" if len(twins) > 1 else "")


def _around(thing: Thing) -> str:
    names = []
    outer = thing.parent
    while outer is not None and not outer.is_container:
        if outer.is_choice:
            names.append(f"sub-menu {outer.name}" if "SubMenu" in outer.key else title(outer))
        outer = outer.parent
    return ", ".join([place(thing.container), *reversed(names)])


def _where(thing: Thing) -> str:
    return "" if thing.is_choice else f" ({in_words(thing.key)}) {_position(thing)}"


def _position(thing: Thing) -> str:
    first = thing.before_it
    here = f"after {title(first)}" if first is not None else "at the start"
    owner = thing.parent
    if owner is None or owner.is_container or thing.is_choice:
        return here
    joint = "," if first is not None else ""
    return f"{here}{joint} {'in' if joint else 'of'} {_branch(thing.branch)} of {title(owner)}"


def _inside(thing: Thing) -> str:
    return f"in its {_branch(thing.branch)}"


def _told_deed(thing: Thing, before: str) -> str:
    """What it does, unless its name or sort says just that."""
    told = _deed(thing)
    return "" if told.casefold() in (thing.name.casefold(), in_words(thing.key)) else f"{before}{told}"


def _branch(key: BranchKey) -> str:
    """An outcome in words."""
    if "cases" in key:
        condition = _decoded(key[key.index("cases") + 1])
        return f"case {value(condition)}"
    for group, word in (("intents", "intent"), ("paths", "path")):
        if group in key:
            return f"{word} {value(_decoded(key[key.index(group) + 1]))}"
    if len(key) > 1 and key[0] == "evaluate":
        return "the case that none applies" if "default" in key else "the cases"
    return f"outcome {in_words(key[-2])}" if len(key) > 1 else "the actions"


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _sort(thing: Thing) -> str:
    return "choice" if thing.is_choice else "action"


def _operation(thing: Thing) -> str:
    key = thing.key
    return key[4].lower() + key[5:] if thing.is_choice and key.startswith("menu") and len(key) > 4 else key


def _deed(thing: Thing) -> str:
    return deed(_operation(thing), thing.body)


def _digit(thing: Thing) -> str:
    dtmf = thing.body.get("dtmf") if isinstance(thing.body, dict) else None
    return _key_name(dtmf) if isinstance(dtmf, str) and thing.is_choice else ""


def _key_name(dtmf: Any) -> str:
    if not isinstance(dtmf, str):
        return "no key"
    key = dtmf.removeprefix("digit_")
    return f"key {_KEYS[key]}" if key in _KEYS else f"digit {key}"


def _quoted(name: str) -> str:
    return f'"{cut(name)}"'


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def by_path(parts: str, found: Found) -> str:
    """A difference that no rule above tells."""
    return _turn(label(parts), found.op, found.before, found.after)
