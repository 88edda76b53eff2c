"""When changes may be applied: by the clock on the wall, also in the nights in which it is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine.windows import Calendar
from reconciler.specs.windows import Windows

LONDON = "Europe/London"


def calendar(zone=LONDON, **keys):
    return Calendar(Windows.model_validate({"time_zone": zone, **keys}))


def at(text, zone=LONDON, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


EVENINGS = {"days": ["mon", "tue", "wed", "thu"], "from": "20:00", "to": "23:30"}
NIGHT = {"days": ["sat"], "from": "22:00", "to": "04:00"}


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-26T20:00", None),  # Thursday
        ("2026-11-26T19:59", "2026-11-26T20:00"),
        ("2026-11-26T23:29", None),
        ("2026-11-26T23:30", "2026-11-28T22:00"),
        ("2026-11-28T21:59", "2026-11-28T22:00"),
        ("2026-11-29T03:59", None),  # of Saturday's night
        ("2026-11-29T04:00", "2026-11-30T20:00"),
        ("2026-11-28T03:00", "2026-11-28T22:00"),  # Saturday morning belongs to Friday
    ],
)
def test_evenings_and_a_night(moment, opens):
    closed = calendar(open=[EVENINGS, NIGHT]).closed(at(moment))
    assert (closed and closed.opens) == (at(opens) if opens else None)


def test_the_reason_names_day_time_and_zone():
    closed = calendar(open=[EVENINGS]).closed(at("2026-11-27T12:15"))
    assert closed.why == "Fri 2026-11-27 12:15 (Europe/London) is in no window"


def test_closed_days_and_holidays_win_over_openings():
    windows = calendar(
        open=[{"from": "00:00", "to": "24:00"}],
        closed=[{"from": "2026-12-20", "to": "2026-12-23", "reason": "Christmas trade"}, {"date": "2026-12-24"}],
        holidays={"country": "GB", "subdivision": "ENG"},
    )
    assert windows.closed(at("2026-12-20T10:00")).why == "2026-12-20 is closed (Christmas trade)"
    assert windows.closed(at("2026-12-24T10:00")).why == "2026-12-24 is closed"
    assert windows.closed(at("2026-12-25T10:00")).why == "2026-12-25 is Christmas Day"
    # Boxing Day is a Saturday, with Monday in its place.
    assert windows.closed(at("2026-12-20T10:00")).opens == at("2026-12-27T00:00")


def test_a_rule_names_days_of_the_month_and_its_night_goes_on():
    third_sunday = calendar(open=[{"rule": "FREQ=MONTHLY;BYDAY=3SU", "from": "23:00", "to": "02:00"}])
    assert third_sunday.closed(at("2026-11-26T12:00")).opens == at("2026-12-20T23:00")
    assert third_sunday.is_open(at("2026-12-21T01:59"))
    assert not third_sunday.is_open(at("2026-12-13T23:30"))


def test_without_openings_all_is_open_that_is_not_closed():
    windows = calendar(closed=[{"date": "2026-12-24"}])
    assert windows.is_open(at("2026-12-23T23:59"))
    assert windows.closed(at("2026-12-24T00:00")).opens == at("2026-12-25T00:00")


def test_a_calendar_that_never_opens_says_so():
    windows = calendar(open=[NIGHT], closed=[{"from": "2026-01-01", "to": "2030-01-01"}])
    assert windows.closed(at("2026-11-26T12:00")).opens is None


def test_the_hour_that_comes_twice_is_open_twice():
    # On 2026-10-25 the clock goes from 02:00 BST back to 01:00 GMT.
    windows = calendar(open=[{"days": ["sun"], "from": "01:15", "to": "01:45"}])
    assert windows.is_open(at("2026-10-25T01:30", fold=0))
    assert windows.is_open(at("2026-10-25T01:30", fold=1))
    between = at("2026-10-25T01:50", fold=0)
    assert windows.closed(between).opens.astimezone(UTC) == datetime(2026, 10, 25, 1, 15, tzinfo=UTC)


def test_the_hour_that_is_left_out_begins_with_the_jump():
    # On 2026-03-29 the clock jumps from 01:00 GMT to 02:00 BST.
    windows = calendar(open=[{"days": ["sun"], "from": "01:30", "to": "03:00"}])
    assert windows.closed(at("2026-03-29T00:59")).opens.astimezone(UTC) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    only_the_gap = calendar(open=[{"days": ["sun"], "from": "01:00", "to": "02:00"}])
    assert only_the_gap.closed(at("2026-03-29T00:30")).opens == at("2026-04-05T01:00")


def test_a_window_tells_when_it_closes():
    windows = calendar(open=[EVENINGS, NIGHT])
    assert windows.closing(at("2026-11-26T20:10")) == at("2026-11-26T23:30")
    assert windows.closing(at("2026-11-28T23:10")) == at("2026-11-29T04:00")
    assert calendar().closing(at("2026-11-26T20:10")) is None


clocks = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
openings = st.lists(
    st.builds(
        lambda days, start, end: {"days": days, "from": start, "to": end},
        st.lists(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), unique=True),
        clocks,
        st.one_of(clocks, st.just("24:00")),
    ),
    min_size=1,
    max_size=3,
)
# Around the changes of the clock of 2026 in each zone.
zones = st.sampled_from(["Europe/London", "Australia/Lord_Howe", "America/New_York", "Asia/Kolkata", "America/Havana"])
weeks = st.sampled_from(["2026-03-07", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-10-31"])
moments = st.builds(
    lambda day, minutes: at(day, "UTC") + timedelta(minutes=minutes), weeks, st.integers(0, 3 * 24 * 60)
)


@settings(max_examples=60, deadline=None)
@given(zones, openings, moments)
def test_no_minute_before_the_next_opening_is_open(zone, opening, moment):
    windows = calendar(zone, open=opening)
    opens = windows.next_opening(moment)
    minute = moment
    for _ in range(60 * 36):
        if windows.is_open(minute):
            assert opens.astimezone(UTC) == minute
            return
        minute += timedelta(minutes=1)
    assert opens is None or opens.astimezone(UTC) >= minute


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("time_zone: Europe/Londn", "not the name of a time zone"),
        ("time_zone: Europe/London\n  open: [{from: 8, to: '9:00'}]", "windows.open.0.from"),
        ("time_zone: Europe/London\n  open: [{from: '08:00', to: '9:00'}]", "write a time like 23:30"),
        ("time_zone: Europe/London\n  open: [{days: [monday], from: '08:00', to: '09:00'}]", "must be mon, tue"),
        ("time_zone: Europe/London\n  open: [{rule: MONTHLY, from: '08:00', to: '09:00'}]", "not a recurrence rule"),
        ("time_zone: Europe/London\n  open: [{rule: FREQ=DAILY;COUNT=3, from: '08:00', to: '09:00'}]", "without count"),
        ("time_zone: Europe/London\n  open: [{rule: FREQ=WEEKLY, from: '08:00', to: '09:00'}]", "names no days"),
        ("time_zone: Europe/London\n  closed: [{date: 24.12.2026}]", "write a date like 2026-12-24"),
        ("time_zone: Europe/London\n  closed: [{from: 2026-12-24}]", "give both from and to"),
        ("time_zone: Europe/London\n  holidays: {country: XX}", "no holidays are known for xx"),
        ("open: []", "needs the key 'windows.time_zone'"),
    ],
)
def test_mistakes_in_the_environment_are_named_with_their_line(repository, cli, keys, message):
    with (repository.root / "environments/test.yaml").open("a") as file:
        file.write(f"windows:\n  {keys}\n")

    ran = cli("validate")

    assert ran.code == 1
    assert message in ran.err, ran.err
    assert "environments/test.yaml:" in ran.err
