"""Aligns two lists by what stays in order in both, in bounded time."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

MAX_PAIRS = 1_000_000
"""Pairs of items that are looked at: 1,000 actions in one task against as many others. More are told as replaced."""


def gaps(
    olds: Sequence[Hashable], news: Sequence[Hashable], weights: Sequence[int] | None = None
) -> Iterator[tuple[bool, range, range]]:
    """Single items that agree, and the stretches between them that do not, as (agree, old, new) positions.

    Args:
        olds: What identifies the items before.
        news: And those after.
        weights: Of the items before; of two that changed places the heavy one counts as having stayed.
    """
    at_old = at_new = 0
    pairs = _agreement(olds, news, weights or [1] * len(olds))
    for old, new in [*pairs, (len(olds), len(news))]:
        if old > at_old or new > at_new:
            yield False, range(at_old, old), range(at_new, new)
        if old < len(olds) and new < len(news):
            yield True, range(old, old + 1), range(new, new + 1)
        at_old, at_new = old + 1, new + 1


def _agreement(olds: Sequence[Hashable], news: Sequence[Hashable], weights: Sequence[int]) -> list[tuple[int, int]]:
    """The heaviest common subsequence, as pairs of positions."""
    shortest = min(len(olds), len(news))
    start = 0
    while start < shortest and olds[start] == news[start]:
        start += 1
    end = 0
    while end < shortest - start and olds[-1 - end] == news[-1 - end]:
        end += 1
    middle = _heaviest(olds[start : len(olds) - end], news[start : len(news) - end], weights[start:])
    return [
        *((number, number) for number in range(start)),
        *((start + old, start + new) for old, new in middle),
        *((len(olds) - number, len(news) - number) for number in range(end, 0, -1)),
    ]


def _heaviest(olds: Sequence[Hashable], news: Sequence[Hashable], weights: Sequence[int]) -> Iterator[tuple[int, int]]:
    rows, columns = len(olds), len(news)
    if not rows or not columns or rows * columns > MAX_PAIRS:
        return
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows - 1, -1, -1):
        here, below = best[row], best[row + 1]
        for column in range(columns - 1, -1, -1):
            together = below[column + 1] + weights[row] if olds[row] == news[column] else 0
            here[column] = max(together, below[column], here[column + 1])
    row = column = 0
    while row < rows and column < columns:
        if olds[row] == news[column] and best[row][column] == best[row + 1][column + 1] + weights[row]:
            yield row, column
            row, column = row + 1, column + 1
        elif best[row + 1][column] >= best[row][column + 1]:
            row += 1
        else:
            column += 1
