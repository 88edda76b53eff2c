"""Finds out which thing of the flow before is which thing of the flow after: same, renamed, moved or new.

What is the same to the letter is matched first, then what has the same sort and name, then what says much the
same under another name; what is left over in one place may be found again in another one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from reconciler.archy.meaning.alignment import gaps
from reconciler.archy.meaning.parts import Thing, content

ALIKE = 0.5
"""Share of equal values from which two things count as the same one under another name or in another place."""

MAX_LIKENESSES = 2_500
"""Pairs that are compared by content, for one list: what 50 actions were replaced by, among 50 others."""
MOST_NAMESAKES = 20
"""Things of one name that are looked at to find one that moved; Architect calls every new action the same."""


@dataclass
class Matching:
    """Pairs of things; what is in none was removed or is new."""

    pairs: list[tuple[Thing, Thing]] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)
    """``id`` of the things after that stand in another place than before."""
    removed: list[Thing] = field(default_factory=list)
    added: list[Thing] = field(default_factory=list)


def match(before: Thing, after: Thing) -> Matching:
    """Matches two flows from the top down."""
    matching = Matching()
    _pair(matching, before, after)
    _find_moved(matching)
    return matching


def _pair(matching: Matching, old: Thing, new: Thing) -> None:
    matching.pairs.append((old, new))
    for key in [*old.branches, *(key for key in new.branches if key not in old.branches)]:
        olds, news = old.branches.get(key, []), new.branches.get(key, [])
        pairs, left, came = _align_containers(olds, news) if old.parent is None else _align(olds, news)
        matching.removed += left
        matching.added += came
        for one, other in pairs:
            _pair(matching, one, other)


_Aligned = tuple[list[tuple[Thing, Thing]], list[Thing], list[Thing]]


def _align_containers(olds: list[Thing], news: list[Thing]) -> _Aligned:
    """Containers are found by name wherever they stand: their order means nothing."""
    pairs: list[tuple[Thing, Thing]] = []
    left, came = list(olds), list(news)
    for same in (_identity, lambda thing: thing.key):
        candidates = defaultdict(list)
        for thing in came:
            candidates[same(thing)].append(thing)
        if len(left) * len(came) > MAX_LIKENESSES and same is not _identity:
            break
        for thing in list(left):
            others = candidates[same(thing)]
            best = max(others, key=lambda other: similarity(thing, other), default=None)
            if best is None or (same is not _identity and similarity(thing, best) < ALIKE):
                continue
            others.remove(best)
            left.remove(thing)
            came.remove(best)
            pairs.append((thing, best))
    return pairs, left, came


def _align(olds: list[Thing], news: list[Thing]) -> _Aligned:
    """Pairs two lists of actions in order; crossing pairs are left for ``_find_moved``."""
    pairs: list[tuple[Thing, Thing]] = []
    left: list[Thing] = []
    came: list[Thing] = []
    for same, gap_old, gap_new in _gaps(olds, news, lambda thing: content((thing.key, thing.body))):
        if same:
            pairs += zip(gap_old, gap_new, strict=True)
            continue
        for named, some_old, some_new in _gaps(gap_old, gap_new, _identity):
            if named:
                pairs += zip(some_old, some_new, strict=True)
                continue
            renamed, rest_old, rest_new = _renamed(some_old, some_new)
            pairs += renamed
            left += rest_old
            came += rest_new
    return pairs, left, came


def _gaps(
    olds: Sequence[Thing], news: Sequence[Thing], key: Callable[[Thing], Hashable]
) -> Iterator[tuple[bool, Sequence[Thing], Sequence[Thing]]]:
    found = gaps([key(thing) for thing in olds], [key(thing) for thing in news], [_weight(thing) for thing in olds])
    for same, old, new in found:
        yield same, olds[old.start : old.stop], news[new.start : new.stop]


def _weight(thing: Thing) -> int:
    """How much a thing says; at least 1."""
    return 1 + sum(_values(thing).values())


def _renamed(olds: Sequence[Thing], news: Sequence[Thing]) -> _Aligned:
    """Things at the same place: a choice on the same digit, or an action of one sort that says much the same."""
    pairs: list[tuple[Thing, Thing]] = []
    left, came = list(olds), list(news)
    if len(olds) * len(news) > MAX_LIKENESSES:
        return pairs, left, came
    for old in olds:
        for new in came:
            same_digit = old.is_choice and _dtmf(old) is not None and _dtmf(old) == _dtmf(new)
            alone = len(olds) == len(news) == 1 and old.key == new.key
            if same_digit or alone or (old.key == new.key and similarity(old, new) >= ALIKE):
                pairs.append((old, new))
                left.remove(old)
                came.remove(new)
                break
    return pairs, left, came


def _find_moved(matching: Matching) -> None:
    """Looks for what left one place among what came to another, inside of removed and new things too."""
    gone = [inner for thing in matching.removed for inner in (thing, *thing.all_inside())]
    news = [inner for thing in matching.added for inner in (thing, *thing.all_inside())]
    taken: set[int] = set()
    for same, enough in ((_whole, 0.0), (_identity, ALIKE)):
        candidates: dict[Hashable, list[Thing]] = defaultdict(list)
        for new in news:
            candidates[same(new)].append(new)
        for old in gone:
            if not old.name or id(old) in taken or _inside(old, taken):
                continue
            free = (new for new in candidates[same(old)] if id(new) not in taken and not _inside(new, taken))
            found = next((new for new in islice(free, MOST_NAMESAKES) if similarity(old, new) >= enough), None)
            if found is None:
                continue
            taken |= {id(old), id(found)}
            matching.moved.add(id(found))
            for remaining, thing in ((matching.removed, old), (matching.added, found)):
                if thing in remaining:
                    remaining.remove(thing)
            _pair(matching, old, found)


def _inside(thing: Thing, taken: set[int]) -> bool:
    """Whether something around it was found again already, which takes it along."""
    around = thing.parent
    while around is not None:
        if id(around) in taken:
            return True
        around = around.parent
    return False


def _whole(thing: Thing) -> tuple[str, str]:
    return thing.key, content(thing.body)


def _identity(thing: Thing) -> tuple[str, str]:
    return thing.key, thing.name or content(thing.body)


def _dtmf(thing: Thing) -> Any:
    return thing.body.get("dtmf") if isinstance(thing.body, dict) else None


def similarity(one: Thing, other: Thing) -> float:
    """Share of values that two things have in common, names left out; 1 for two that say nothing."""
    left, right = _values(one), _values(other)
    if not left and not right:
        return 1.0
    return (
        2
        * sum(min(left[key], right[key]) for key in left.keys() & right.keys())
        / (sum(left.values()) + sum(right.values()))
    )


def _values(thing: Thing) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    pending: list[tuple[str, Any]] = [("", thing.body)]
    while pending:
        where, value = pending.pop()
        if isinstance(value, dict):
            pending += [(str(key), item) for key, item in value.items() if value is not thing.body or key != "name"]
        elif isinstance(value, list):
            pending += [(where, item) for item in value]
        else:
            counts[f"{where}={value!r}"] += 1
    return counts
