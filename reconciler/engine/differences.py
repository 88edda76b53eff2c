"""Differences between two canonical documents, told path by path.

Lists of a flow – actions, choices, cases, variables – are aligned by what their items are and what they are
called, so that one action put in between is one difference and not a shift of everything behind it. What
remains is compared by DeepDiff.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any, Literal

from deepdiff import DeepDiff

from reconciler.archy.model import Path
from reconciler.archy.wording import describe_path
from reconciler.engine.document import Difference

Op = Literal["add", "remove", "change"]

MAX_PAIRS = 1_000_000
"""Pairs of items that are looked at to align two lists: 1,000 actions in one task against as many others."""
_OPS: Mapping[str, Op] = {
    "values_changed": "change",
    "type_changes": "change",
    "dictionary_item_added": "add",
    "iterable_item_added": "add",
    "dictionary_item_removed": "remove",
    "iterable_item_removed": "remove",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something stands: in the document before, and in the one after."""

    before: Path = ()
    after: Path = ()

    def below(self, before: str | int, after: str | int) -> _Place:
        return _Place((*self.before, before), (*self.after, after))


@dataclass(frozen=True, slots=True)
class _Found:
    place: _Place
    op: Op
    before: Any = None
    after: Any = None


def flow_differences(before: Any, after: Any) -> tuple[Difference, ...]:
    """Differences of two canonical flows, paths in the words of a call flow, in the order of the flow."""
    return tuple(
        Difference(
            path=describe_path(found.place.before, before)
            if found.op == "remove"
            else describe_path(found.place.after, after),
            op=found.op,
            before=found.before,
            after=found.after,
        )
        for found in _compare(_Place(), before, after)
    )


def field_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Differences of the fields that ``after`` declares; a field that is empty on both sides is equal."""
    found = []
    for field, new in after.items():
        old = before.get(field)
        if old == new or (_empty(old) and _empty(new)):
            continue
        op: Op = "add" if _empty(old) else "remove" if _empty(new) else "change"
        found.append(Difference(path=field, op=op, before=old, after=new))
    return tuple(found)


def _compare(place: _Place, before: Any, after: Any) -> Iterator[_Found]:
    if _equal(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _compare_mappings(place, before, after)
    elif _is_sequence_of_things(before) and _is_sequence_of_things(after):
        yield from _compare_sequences(place, before, after)
    else:
        yield from _compare_values(place, before, after)


def _compare_mappings(place: _Place, before: dict[str, Any], after: dict[str, Any]) -> Iterator[_Found]:
    for key in [*before, *(key for key in after if key not in before)]:
        here = place.below(key, key)
        if key not in after:
            yield _Found(here, "remove", before=before[key])
        elif key not in before:
            yield _Found(here, "add", after=after[key])
        else:
            yield from _compare(here, before[key], after[key])


def _compare_sequences(place: _Place, before: list[Any], after: list[Any]) -> Iterator[_Found]:
    """Aligns first what is the same to the letter, and what lies between by name: names alone may repeat."""
    for tag, b_from, b_to, a_from, a_to in _aligned([_content(i) for i in before], [_content(i) for i in after]):
        if tag != "equal":
            yield from _compare_gap(place, before, range(b_from, b_to), after, range(a_from, a_to))


def _compare_gap(place: _Place, before: list[Any], olds: range, after: list[Any], news: range) -> Iterator[_Found]:
    aligned = _aligned([_identity(before[i]) for i in olds], [_identity(after[i]) for i in news])
    for tag, b_from, b_to, a_from, a_to in aligned:
        if tag == "equal":
            same = zip(olds[b_from:b_to], news[a_from:a_to], strict=True)
            pairs, left, new = list(same), list[int](), list[int]()
        else:
            pairs, left, new = _pair_up(before, olds[b_from:b_to], after, news[a_from:a_to])
        for old_index, new_index in pairs:
            yield from _compare(place.below(old_index, new_index), before[old_index], after[new_index])
        for index in left:
            yield _Found(place.below(index, index), "remove", before=before[index])
        for index in new:
            yield _Found(place.below(index, index), "add", after=after[index])


def _aligned(before: Sequence[Any], after: Sequence[Any]) -> list[tuple[str, int, int, int, int]]:
    """Opcodes as of ``SequenceMatcher``; in lists too long for it, all between their common ends is replaced."""
    start = _shared(zip(before, after, strict=False))
    end = _shared(zip(reversed(before[start:]), reversed(after[start:]), strict=False))
    old_end, new_end = len(before) - end, len(after) - end
    if (old_end - start) * (new_end - start) <= MAX_PAIRS:
        return list(SequenceMatcher(None, before, after, autojunk=False).get_opcodes())
    middle = ("replace", start, old_end, start, new_end)
    return [("equal", 0, start, 0, start), middle, ("equal", old_end, len(before), new_end, len(after))]


def _shared(pairs: Iterable[tuple[Any, Any]]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _pair_up(
    before: list[Any], olds: range, after: list[Any], news: range
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Replaced items: those of one sort, one by one, are the same thing under another name, if they are as many."""
    old_sorts = [_sort(before[index]) for index in olds]
    new_sorts = [_sort(after[index]) for index in news]
    if old_sorts == new_sorts:
        return list(zip(olds, news, strict=True)), [], []
    return [], list(olds), list(news)


def _compare_values(place: _Place, before: Any, after: Any) -> Iterator[_Found]:
    if isinstance(before, bool) != isinstance(after, bool):
        yield _Found(place, "change", before, after)
        return
    if isinstance(before, list) and isinstance(after, list) and len(before) * len(after) > MAX_PAIRS:
        yield _Found(place, "change", before, after)
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
        yield _Found(_Place((*place.before, *path), (*place.after, *path)), op, old, new)


def _is_sequence_of_things(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and len(item) == 1 for item in value)


def _sort(item: dict[str, Any]) -> str:
    return next(iter(item))


def _content(item: dict[str, Any]) -> str:
    return json.dumps(item, sort_keys=True, default=str)


def _identity(item: dict[str, Any]) -> tuple[str, str]:
    """What an item is and what it is called; for nameless ones, their whole content."""
    ((sort, body),) = item.items()
    name = body.get("name") if isinstance(body, dict) else None
    return sort, name if isinstance(name, str) else _content(item)


def _equal(one: Any, other: Any) -> bool:
    """Equality of JSON: true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _value(value: Any) -> Any:
    """DeepDiff marks the missing side with an object of its own."""
    return value if isinstance(value, str | int | float | bool | dict | list) else None


def _empty(value: Any) -> bool:
    return value is None or value == [] or value == ""
