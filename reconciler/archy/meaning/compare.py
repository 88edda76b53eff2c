"""Compares two canonical flows and tells each edit once, in the words of a call flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from reconciler.archy.meaning import sentences
from reconciler.archy.meaning.fields import Found, compare_values
from reconciler.archy.meaning.match import Matching, match
from reconciler.archy.meaning.parts import Thing, content, parse
from reconciler.archy.meaning.words import LONG, word_changes
from reconciler.archy.model import Path
from reconciler.archy.targets import is_reference
from reconciler.archy.wording import describe_path

Op = Literal["add", "remove", "change", "move", "rename"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that somebody did to a flow."""

    op: Op
    path: Path
    """Where it stands after; for a removal, where it stood."""
    from_path: Path
    """Where it stood before; for an addition, where it stands."""
    before: Any
    after: Any
    text: str
    """One sentence for people."""
    detail: str | None = None
    """Words that were taken out and put in, for long texts: ``We are [-closed-]{+open+} today.``"""


def compare_flows(before: dict[str, Any], after: dict[str, Any]) -> tuple[Edit, ...]:
    """Every edit between two canonical documents ``{root key: body}``, in the order of the flow after.

    There is an edit exactly where the documents differ as JSON.
    """
    if content(before) == content(after):
        return ()
    if len(before) != 1 or before.keys() != after.keys():
        return tuple(_by_path(before, after))
    return tuple(_Comparison(before, after).edits()) or tuple(_by_path(before, after))


def _by_path(before: Any, after: Any) -> Iterator[Edit]:
    for found in compare_values(before, after):
        path, document = (found.before_path, before) if found.op == "remove" else (found.after_path, after)
        text = sentences.by_path(describe_path(path, document), found)
        yield Edit(found.op, path, found.before_path, found.before, found.after, text)


class _Comparison:
    """One comparison of two flows that have the same root key."""

    def __init__(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        self._new = parse(after)
        self._matching = match(parse(before), self._new)
        self._labels = _renamed_labels(self._matching)
        self._order = {id(thing): float(number) for number, thing in enumerate(self._new.all_inside())}
        self._counterparts = {id(old): new for old, new in self._matching.pairs}
        self._taken_in = self._put_around()

    def edits(self) -> list[Edit]:
        """All edits, in the order of the flow after."""
        found = [(self._place(new), edit) for old, new in self._matching.pairs for edit in self._of_pair(old, new)]
        found += [(self._place(thing), self._addition(thing)) for thing in self._matching.added]
        found += [(self._place_of_removed(thing), self._removal(thing)) for thing in self._matching.removed]
        return [edit for _, edit in sorted(found, key=lambda item: item[0])]

    def _place(self, new: Thing) -> float:
        return self._order.get(id(new), -1.0)

    def _place_of_removed(self, thing: Thing) -> float:
        """Behind what stood in front of it, as far as that is still there."""
        neighbour = thing.before_it or thing.parent
        while neighbour is not None:
            if (counterpart := self._counterparts.get(id(neighbour))) is not None:
                return self._place(counterpart) + 0.5
            neighbour = neighbour.before_it or neighbour.parent
        return -1.0

    def _addition(self, thing: Thing) -> Edit:
        text = sentences.added(thing, self._taken_in.get(id(thing), []))
        return Edit("add", thing.path, thing.path, None, _item(thing), text)

    def _put_around(self) -> dict[int, list[Thing]]:
        """New thing → what stood in its place and is in one of its outcomes now: no move worth a word of its own."""
        added = {id(thing) for thing in self._matching.added}
        taken: dict[int, list[Thing]] = {}
        for old, new in self._matching.pairs:
            owner = new.parent
            if id(new) not in self._matching.moved or owner is None or id(owner) not in added or old.parent is None:
                continue
            if self._counterparts.get(id(old.parent)) is owner.parent and old.branch == owner.branch:
                taken.setdefault(id(owner), []).append(new)
        return taken

    def _removal(self, thing: Thing) -> Edit:
        moved_out = sum(1 for inner in thing.all_inside() if id(inner) in self._counterparts)
        return Edit("remove", thing.path, thing.path, _item(thing), None, sentences.removed(thing, moved_out))

    def _of_pair(self, old: Thing, new: Thing) -> Iterator[Edit]:
        if new.parent is None:
            yield from self._reordered_containers(old, new)
        if id(new) in self._matching.moved and new not in self._taken_in.get(id(new.parent), []):
            yield Edit("move", new.path, old.path, None, None, sentences.moved(old, new))
        if old.key != new.key:
            yield Edit("change", new.path, old.path, _item(old), _item(new), sentences.replaced(old, new))
        elif old.name != new.name and new.parent is not None:
            path, from_path = (*new.path, "name"), (*old.path, "name")
            yield Edit("rename", path, from_path, old.name or None, new.name or None, sentences.renamed(old, new))
        if old.key == new.key:
            yield from self._fields(old, new)

    def _fields(self, old: Thing, new: Thing) -> Iterator[Edit]:
        before, after = self._relabelled(old.fields), new.fields
        if new.parent is not None:
            before, after = _without_name(old, before), _without_name(new, after)
        for found in compare_values(before, after):
            if found.op == "change" and isinstance(found.before, dict) and found.before_path == ():
                before, after = found.before, found.after
            path, from_path = (*new.path, *found.after_path), (*old.path, *found.before_path)
            yield Edit(
                found.op,
                from_path if found.op == "remove" else path,
                from_path,
                found.before,
                found.after,
                sentences.changed(found, old, new),
                _detail(found),
            )

    def _reordered_containers(self, old: Thing, new: Thing) -> Iterator[Edit]:
        for key in dict.fromkeys(thing.path[1] for thing in _containers(new)):
            was = [self._counterparts[id(thing)] for thing in _containers(old) if id(thing) in self._counterparts]
            order = [self._place(thing) for thing in was if thing.path[1] == key]
            if order != sorted(order):
                path = (*new.path, key)
                yield Edit("move", path, path, None, None, sentences.reordered(str(key)))

    def _relabelled(self, value: Any) -> Any:
        """References of the flow before, by the names that their targets have after."""
        if not self._labels:
            return value
        if isinstance(value, dict):
            return {
                key: self._labels.get(item, item) if is_reference(key, item) else self._relabelled(item)
                for key, item in value.items()
            }
        return [self._relabelled(item) for item in value] if isinstance(value, list) else value


def _containers(flow: Thing) -> list[Thing]:
    return [thing for things in flow.branches.values() for thing in things]


def _renamed_labels(matching: Matching) -> dict[str, str]:
    """Labels that references have in canonical form, before → after, of what has another name now."""
    return {f"{old.key}[{old.name}]": f"{new.key}[{new.name}]" for old, new in matching.pairs if old.name != new.name}


def _without_name(thing: Thing, fields: Any) -> Any:
    if not thing.name or not isinstance(fields, dict):
        return fields
    return {key: value for key, value in fields.items() if key != "name"}


def _item(thing: Thing) -> Any:
    """The thing as it is listed."""
    return thing.body if thing.key == "startUpTask" else {thing.key: thing.body}


def _detail(found: Found) -> str | None:
    if not (isinstance(found.before, str) and isinstance(found.after, str)):
        return None
    if max(len(found.before), len(found.after)) < LONG:
        return None
    return word_changes(found.before, found.after)
