"""The windows that are compared, and how stretches of time are put into them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.adoption.counting import flow_adoption, version_name, version_order
from reconciler.engine.adoption.document import Since
from reconciler.engine.adoption.moments import STEPS, STEPS_SHOWN, windows
from reconciler.ledger import Row
from reconciler.platform import FlowCount

START = datetime(2024, 3, 5, 9, tzinfo=UTC)
seconds = st.integers(0, 3 * 365 * 86400)


@given(lasted=st.integers(0, 7200), passed=seconds, asked=st.none() | st.integers(60, 40 * 86400))
def test_windows_are_equally_long_touch_the_apply_and_end_by_now(lasted, passed, asked):
    since = Since(start=START, end=START + timedelta(seconds=lasted))
    now = since.end + timedelta(seconds=passed)
    length = timedelta(seconds=asked) if asked else None
    found = windows(since, now, length)
    assert (found.before.end, found.after.start) == (since.start, since.end)
    long = found.after.end - found.after.start
    assert found.before.end - found.before.start == long > timedelta(0)
    assert found.after.end <= max(now, since.end + timedelta(seconds=1))
    assert length is None or long <= length
    if found.cut_at_now:
        assert now - found.after.end < timedelta(minutes=1)
    else:
        assert long == length
    step = next(step for step, name in STEPS.items() if name == found.granularity)
    assert long / step <= max(STEPS_SHOWN, 40)


@given(passed=st.integers(60, 200 * 86400), offset=st.integers(0, 3599), each=st.integers(1, 9))
def test_no_conversation_is_lost_or_counted_twice_however_the_org_cuts_the_time(passed, offset, each):
    """Also where it cuts at full hours and not from the beginning of the interval."""
    since = Since(start=START, end=START)
    found = windows(since, START + timedelta(seconds=passed), None)
    step = next(step for step, name in STEPS.items() if name == found.granularity)
    moment, counts = found.after.start - timedelta(seconds=min(offset, step.total_seconds())), []
    while moment < found.after.end:
        counts.append(FlowCount("id", "2.0", "TRANSFER", moment, moment + step, entered=each, ended=each))
        moment += step
    row = Row(address="inboundCall/Sales", object_id="id", version="2.0", spec_digest="x", applied_at=START)
    told = flow_adoption(row, since, found, [], counts)
    assert sum(one.conversations for one in told.steps_after) == told.after.conversations == each * len(counts)
    assert told.steps_after[0].start == found.after.start
    assert told.steps_after[-1].end == found.after.end
    for first, second in zip(told.steps_after, told.steps_after[1:], strict=False):
        assert first.end == second.start
    assert all(one.end > one.start for one in told.steps_after)


@pytest.mark.parametrize(
    ("written", "name"), [("3", "3.0"), ("3.0", "3.0"), ("12.1", "12.1"), (None, "?"), ("draft", "draft")]
)
def test_versions_have_one_spelling(written, name):
    assert version_name(written) == name


def test_versions_are_ordered_as_numbers_and_what_is_none_comes_first():
    assert sorted(["10.0", "9.0", "?", "2.0"], key=version_order) == ["?", "2.0", "9.0", "10.0"]
