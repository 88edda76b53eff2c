"""How much is told of each change, so that all of them find room in one comment.

Given up first are long differences, then the differences of the last changes, then their details, at last their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """How much is told of one change."""

    differences: int
    width: int
    """Characters of each text or value."""
    names: int
    """Items of each list: what is reached, who uses it, why, findings."""

    @property
    def remarks(self) -> bool:
        """Whether there is room for findings that are neither error nor warning."""
        return self.names >= 5


FULL = Level(100, 2000, 10)
SHORTENED = (Level(50, 500, 10), Level(20, 250, 5), Level(10, 160, 3), Level(3, 120, 1))
BARE = Level(0, 0, 1)


@dataclass(frozen=True)
class Entry:
    """One change, or one object that drifted."""

    detailed: Callable[[Level], str]
    """Writes it with its details; asked for the same level again and again."""
    line: str
    """It as one item of a list."""
    has_differences: bool


@dataclass(frozen=True)
class Told:
    """One entry as it is shown."""

    text: str
    level: Level | None
    """None for one that is only listed."""
    entry: Entry

    @property
    def keeps_differences(self) -> bool:
        """Whether its differences are told, at least in part."""
        return self.level not in (None, BARE)


@dataclass(frozen=True)
class Fitted:
    """What found room, in order."""

    told: tuple[Told, ...]
    unnamed: int = 0
    """How many entries found no room at all."""

    @property
    def complete(self) -> bool:
        """Whether every entry has its details, and its differences at least in part."""
        return not self.unnamed and all(one.keeps_differences for one in self.told)

    def parted(self, at: int) -> tuple[Fitted, Fitted]:
        """The first ``at`` entries, and the others."""
        first = self.told[:at]
        unnamed_first = min(at - len(first), self.unnamed)
        return Fitted(first, unnamed_first), Fitted(self.told[at:], self.unnamed - unnamed_first)


def size(text: str) -> int:
    """UTF-8 bytes, of which a text has at least as many as it has characters or UTF-16 units."""
    return len(text.encode())


def fitted(entries: Sequence[Entry], room: int) -> Fitted:
    """As much of the entries as ``room`` bytes hold, each followed by a blank line."""
    for level in (FULL, *SHORTENED):
        told = _at(entries, level, room)
        if len(told) == len(entries):
            return Fitted(tuple(told))
    return _front(entries, room)


def _front(entries: Sequence[Entry], room: int) -> Fitted:
    """The first entries with short differences, the others without, or only listed."""
    bare = _at(entries, BARE, room)
    if len(bare) == len(entries):
        told = _bettered(bare, room)
        kept = sum(one.keeps_differences and one.entry.has_differences for one in told)
        # Most differences are worth more than that the last entries can be opened.
        if 2 * kept >= sum(entry.has_differences for entry in entries):
            return Fitted(tuple(told))
    listed = _at(entries, None, room)
    if len(listed) < len(entries):
        return Fitted(tuple(listed), len(entries) - len(listed))
    return Fitted(tuple(_bettered(listed, room)))


def _at(entries: Iterable[Entry], level: Level | None, room: int) -> list[Told]:
    """The entries from the front on that find room at a level."""
    told = []
    for entry in entries:
        text = entry.detailed(level) if level else entry.line
        room -= _taken(text)
        if room < 0:
            break
        told.append(Told(text, level, entry))
    return told


def _bettered(told: Sequence[Told], room: int) -> list[Told]:
    """From the front on with short differences, as long as there is room."""
    least = SHORTENED[-1]
    left = room - sum(_taken(one.text) for one in told)
    front = []
    for one in told:
        better = one.entry.detailed(least)
        left -= size(better) - size(one.text)
        if left < 0:
            break
        front.append(Told(better, least, one.entry))
    return [*front, *told[len(front) :]]


def _taken(text: str) -> int:
    return size(text) + 2
