"""When a difference between two shares is called clear."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.adoption.proportions import (
    ENOUGH_FOR_ALARM,
    ENOUGH_FOR_PEACE,
    Verdict,
    compare,
    difference,
    wilson,
)

totals = st.integers(1, 200_000)


@st.composite
def parts(draw):
    """So many of so many."""
    of = draw(totals)
    return draw(st.integers(0, of)), of


@pytest.mark.parametrize(
    ("after", "before", "low", "high"),
    [
        # Newcombe 1998, table II, method 10: the published 95 % intervals.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_intervals_are_those_that_newcombe_published(after, before, low, high):
    assert difference(*before, *after, confidence=0.95) == pytest.approx((low, high), abs=0.0001)


@given(parts())
def test_a_share_lies_in_its_interval_and_the_interval_between_nothing_and_all(part):
    count, of = part
    low, high = wilson(count, of)
    assert 0 <= low <= count / of + 1e-12
    assert count / of - 1e-12 <= high <= 1
    assert low < high


@given(parts(), st.integers(2, 50))
def test_more_calls_make_an_interval_narrower(part, times):
    count, of = part
    low, high = wilson(count, of)
    narrow_low, narrow_high = wilson(count * times, of * times)
    assert narrow_high - narrow_low < high - low


@given(parts(), parts())
def test_swapping_before_and_after_turns_the_difference_round(first, second):
    low, high = difference(*first, *second)
    assert difference(*second, *first) == pytest.approx((-high, -low), abs=1e-12)
    assert -1 <= low <= high <= 1
    turned = {Verdict.MORE: Verdict.FEWER, Verdict.FEWER: Verdict.MORE}
    verdict = compare(*first, *second).verdict
    assert compare(*second, *first).verdict is turned.get(verdict, verdict)


@given(parts(), st.integers(1, 50))
def test_the_same_share_is_never_a_clear_difference(part, times):
    count, of = part
    found = compare(count, of, count * times, of * times)
    assert found.verdict is (Verdict.SAME if of >= ENOUGH_FOR_PEACE else Verdict.TOO_FEW)


@given(st.integers(0, ENOUGH_FOR_ALARM - 1), parts())
def test_nothing_is_said_of_a_handful_of_calls(few, part):
    assert compare(few, few, *part).verdict is Verdict.TOO_FEW
    assert compare(*part, few, few).verdict is Verdict.TOO_FEW


@given(st.integers(ENOUGH_FOR_ALARM, 5000), st.integers(ENOUGH_FOR_ALARM, 5000))
def test_a_flow_that_breaks_every_call_is_noticed_however_few_there_are(before, after):
    assert compare(0, before, after, after).verdict is Verdict.MORE


@pytest.mark.parametrize("share", [0.005, 0.02, 0.1, 0.3, 0.5])
@pytest.mark.parametrize(("before", "after"), [(10, 10), (15, 60), (60, 15), (100, 100)])
def test_where_nothing_changed_a_clear_difference_is_told_once_in_a_hundred(share, before, after):
    """The exact probability of a false alarm, summed over all outcomes."""
    false = sum(
        chance(old, before, share) * chance(new, after, share)
        for old in range(before + 1)
        for new in range(after + 1)
        if compare(old, before, new, after).verdict in (Verdict.MORE, Verdict.FEWER)
    )
    assert false <= 0.0125


def chance(count: int, of: int, share: float) -> float:
    """Of exactly so many of so many."""
    return comb(of, count) * share**count * (1 - share) ** (of - count)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((12, 1000), (48, 1000), Verdict.MORE),
        ((48, 1000), (12, 1000), Verdict.FEWER),
        ((12, 1000), (19, 1000), Verdict.SAME),
        ((2, 60), (6, 60), Verdict.TOO_FEW),
        ((0, 0), (3, 1000), Verdict.TOO_FEW),
    ],
)
def test_examples(before, after, verdict):
    assert compare(*before, *after).verdict is verdict
