"""Whether a share before and a share after differ by more than chance.

A share's interval is Wilson's score interval; the interval of a difference is Newcombe's, made of two of those
(R. G. Newcombe, Statistics in Medicine 17, 1998, method 10). Both hold for small numbers and for shares near
nothing, where the textbook's normal approximation fails: shares of flow errors are like that.
"""

from __future__ import annotations

from enum import StrEnum
from math import hypot, sqrt
from statistics import NormalDist

from pydantic import BaseModel, ConfigDict

CONFIDENCE = 0.99
"""So that nothing changed and we say "clearly" at most about once in a hundred comparisons."""
ENOUGH_FOR_ALARM = 10
"""Conversations on each side below which nothing is said at all."""
ENOUGH_FOR_PEACE = 100
"""Conversations on each side from which "no clear difference" is worth saying."""


class Verdict(StrEnum):
    """What can be said about two shares."""

    MORE = "clearly-more"
    FEWER = "clearly-fewer"
    SAME = "no-clear-difference"
    TOO_FEW = "too-few"


class Comparison(BaseModel):
    """So many of so many before, so many of so many after."""

    model_config = ConfigDict(frozen=True)

    before: int
    before_of: int
    after: int
    after_of: int
    before_share: float | None
    """None where there was nothing to have a share of."""
    after_share: float | None
    low: float | None
    """At the least this much more after than before, in shares; negative for fewer."""
    high: float | None
    """At the most."""
    verdict: Verdict


def compare(before: int, before_of: int, after: int, after_of: int) -> Comparison:
    """Compares two shares; each count is at most what it is counted of."""
    known = before_of > 0 and after_of > 0
    low, high = difference(before, before_of, after, after_of) if known else (None, None)
    return Comparison(
        before=before,
        before_of=before_of,
        after=after,
        after_of=after_of,
        before_share=before / before_of if before_of else None,
        after_share=after / after_of if after_of else None,
        low=low,
        high=high,
        verdict=_verdict(min(before_of, after_of), low, high),
    )


def _verdict(fewest: int, low: float | None, high: float | None) -> Verdict:
    if low is None or high is None or fewest < ENOUGH_FOR_ALARM:
        return Verdict.TOO_FEW
    if low > 0:
        return Verdict.MORE
    if high < 0:
        return Verdict.FEWER
    return Verdict.SAME if fewest >= ENOUGH_FOR_PEACE else Verdict.TOO_FEW


def wilson(count: int, of: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a share, both ends between 0 and 1; ``of`` is positive."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = count / of, z * z / of
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * sqrt(share * (1 - share) / of + weight / (4 * of))
    # Rounding must not move the end away from a share of nothing or everything.
    return (0.0 if count == 0 else max(0.0, middle - half), 1.0 if count == of else min(1.0, middle + half))


def difference(
    before: int, before_of: int, after: int, after_of: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Newcombe's interval of ``after / after_of - before / before_of``; both totals are positive."""
    old, new = before / before_of, after / after_of
    old_low, old_high = wilson(before, before_of, confidence)
    new_low, new_high = wilson(after, after_of, confidence)
    change = new - old
    return change - hypot(new - new_low, old_high - old), change + hypot(new_high - new, old - old_low)
