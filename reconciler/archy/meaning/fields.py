"""Compares values of a flow that are no actions: lists are aligned by what their items are and are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from deepdiff import DeepDiff

from reconciler.archy.meaning.alignment import MAX_PAIRS, gaps
from reconciler.archy.meaning.parts import content
from reconciler.archy.model import Path

FieldOp = Literal["add", "remove", "change"]

_OPS: Mapping[str, FieldOp] = {
    "values_changed": "change",
    "type_changes": "change",
    "dictionary_item_added": "add",
    "iterable_item_added": "add",
    "dictionary_item_removed": "remove",
    "iterable_item_removed": "remove",
}


@dataclass(frozen=True, slots=True)
class Found:
    """One place where two values differ."""

    op: FieldOp
    before_path: Path
    """Of the nearest parent that exists there, where it was added."""
    after_path: Path
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class _Place:
    before: Path = ()
    after: Path = ()

    def below(self, before: str | int, after: str | int) -> _Place:
        return _Place((*self.before, before), (*self.after, after))

    def found(self, op: FieldOp, before: Any = None, after: Any = None) -> Found:
        return Found(op, self.before, self.after, before, after)


def compare_values(before: Any, after: Any) -> Iterator[Found]:
    """Every difference of two JSON values, in their order; true is not 1."""
    yield from _compare(_Place(), before, after)


def _compare(place: _Place, before: Any, after: Any) -> Iterator[Found]:
    if content(before) == content(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _compare_mappings(place, before, after)
    elif _is_list_of_things(before) and _is_list_of_things(after):
        yield from _compare_lists(place, before, after)
    else:
        yield from _compare_plainly(place, before, after)


def _compare_mappings(place: _Place, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Found]:
    if len(before) == len(after) == 1 and before.keys() != after.keys():
        # One of several forms ({lit: …} or {exp: …}), or an object's name as the key: all of it is the value.
        yield place.found("change", before, after)
        return
    for key in [*before, *(key for key in after if key not in before)]:
        here = place.below(key, key)
        if key not in after:
            yield here.found("remove", before=before[key])
        elif key not in before:
            yield here.found("add", after=after[key])
        else:
            yield from _compare(here, before[key], after[key])


def _compare_lists(place: _Place, before: list[Any], after: list[Any]) -> Iterator[Found]:
    """Aligns first what is the same to the letter, and what lies between by name: names alone may repeat."""
    for same, olds, news in gaps(list(map(content, before)), list(map(content, after))):
        if not same:
            yield from _compare_gap(place, before, olds, after, news)


def _compare_gap(place: _Place, before: list[Any], olds: range, after: list[Any], news: range) -> Iterator[Found]:
    found = gaps([_identity(before[i]) for i in olds], [_identity(after[i]) for i in news])
    for same, old_positions, new_positions in found:
        some_old = olds[old_positions.start : old_positions.stop]
        some_new = news[new_positions.start : new_positions.stop]
        # Replaced items of one sort, as many as before, are the same things under other names.
        if same or [_sort(before[i]) for i in some_old] == [_sort(after[i]) for i in some_new]:
            for old, new in zip(some_old, some_new, strict=True):
                yield from _compare(place.below(old, new), before[old], after[new])
            continue
        for index in some_old:
            yield place.below(index, index).found("remove", before=before[index])
        for index in some_new:
            yield place.below(index, index).found("add", after=after[index])


def _compare_plainly(place: _Place, before: Any, after: Any) -> Iterator[Found]:
    if isinstance(before, bool) != isinstance(after, bool):
        yield place.found("change", before, after)
        return
    if isinstance(before, list) and isinstance(after, list) and len(before) * len(after) > MAX_PAIRS:
        yield place.found("change", before, after)
        return
    tree = DeepDiff(
        before,
        after,
        view="tree",
        ignore_order=False,
        verbose_level=2,
        threshold_to_diff_deeper=0,
        ignore_private_variables=False,
    )
    found = [
        (tuple(level.path(output_format="list")), op, _value(level.t1), _value(level.t2))
        for report, op in _OPS.items()
        for level in tree.get(report, ())
    ]
    for path, op, old, new in sorted(found, key=lambda item: [(isinstance(part, int), part) for part in item[0]]):
        yield Found(op, (*place.before, *path), (*place.after, *path), old, new)


def _is_list_of_things(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and len(item) == 1 for item in value)


def _sort(item: dict[str, Any]) -> str:
    return next(iter(item))


def _identity(item: dict[str, Any]) -> tuple[str, str]:
    """What an item is and what it is called; for nameless ones, their whole content."""
    ((sort, body),) = item.items()
    name = body.get("name") if isinstance(body, dict) else None
    return sort, name if isinstance(name, str) else content(item)


def _value(value: Any) -> Any:
    """DeepDiff marks the missing side with an object of its own."""
    return value if isinstance(value, str | int | float | bool | dict | list) else None
