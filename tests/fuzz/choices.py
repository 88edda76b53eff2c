"""Decisions out of bytes, so that one target is driven by hypothesis, by a coverage-guided fuzzer, or by chance.

The same bytes always give the same decisions; where the bytes end, every further decision is the first option.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Choices:
    """Reads decisions from a text of bytes, front to back."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def over(self) -> bool:
        """Whether all bytes are used up."""
        return self._at >= len(self._data)

    def byte(self) -> int:
        """0–255; 0 where the bytes have ended."""
        if self.over:
            return 0
        self._at += 1
        return self._data[self._at - 1]

    def number(self, below: int) -> int:
        """0 ≤ number < ``below``; one byte for small ranges, three for larger ones."""
        if below <= 1:
            return 0
        if below <= 256:
            return self.byte() % below
        return (self.byte() << 16 | self.byte() << 8 | self.byte()) % below

    def chance(self, of: int) -> bool:
        """True once in ``of`` times; never once the bytes have ended."""
        return not self.over and self.number(of) == of - 1

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[self.number(len(items))]

    def rest(self, most: int) -> bytes:
        """Up to so many of the bytes as they are."""
        taken = self._data[self._at : self._at + most]
        self._at += len(taken)
        return taken
