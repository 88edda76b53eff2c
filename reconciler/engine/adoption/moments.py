"""The moment that a comparison turns on, and the equally long windows before and after it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from reconciler.engine.adoption.document import Since, Window, Windows
from reconciler.ledger import RunRecord, Snapshot, stamp
from reconciler.problems import ReconcilerError
from reconciler.suggest import near

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=28)
"""How long after the last apply we look unless told otherwise: whole weeks, for the sake of the days of the week."""
STEPS_SHOWN = 30
STEPS = {
    timedelta(minutes=15): "PT15M",
    timedelta(minutes=30): "PT30M",
    timedelta(hours=1): "PT1H",
    timedelta(hours=2): "PT2H",
    timedelta(hours=6): "PT6H",
    timedelta(hours=12): "PT12H",
    timedelta(days=1): "P1D",
    timedelta(days=7): "P7D",
    timedelta(days=28): "P28D",
}
"""How finely a window may be cut, shortest first; as a query's granularity (ANALYTICS-4)."""
_DURATION = re.compile(r"(?=.)(?:(\d{1,4})w)?(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?")
_FORMS = "`2026-11-24T09:12` or `2026-11-24`, a duration like `2d` or `12h`, or a run id from `reconciler history`"


def read_zone(name: str) -> tzinfo:
    """A time zone by its IANA name, e.g. ``Europe/Copenhagen``.

    Raises:
        ReconcilerError: there is none of that name.
    """
    if name == "UTC":
        return UTC
    known = available_timezones()
    if name not in known:
        raise ReconcilerError(
            f"{name!r} is not a time zone.", remedy=f"{near(name, known)}Name one like Europe/Copenhagen or UTC."
        )
    return ZoneInfo(name)


def read_duration(text: str) -> timedelta:
    """``2d``, ``12h``, ``1d12h``, ``90m``, ``1w``.

    Raises:
        ReconcilerError: it is none, or no time at all.
    """
    found = _duration(text)
    if not found:
        raise ReconcilerError(f"{text!r} is not a duration.", remedy="Write one like 90m, 12h, 2d or 1w.")
    return found


def read_since(text: str, now: datetime, zone: tzinfo, runs: Sequence[RunRecord]) -> Since:
    """What ``--since`` means: a run, a date and time in ``zone``, or so long before ``now``.

    Raises:
        ReconcilerError: it is none of these, or lies in the future.
    """
    run = next((run for run in reversed(runs) if run.run == text), None)
    if run is not None:
        return since_run(run)
    duration = _duration(text)
    try:
        moment = now - duration if duration else _moment(text, zone)
    except (ValueError, OverflowError):
        raise ReconcilerError(
            f"--since {text!r} is no date, no duration and no run that the ledger remembers.",
            remedy=f"{near(text, [run.run for run in runs])}Write {_FORMS}.",
        ) from None
    if moment >= now:
        raise ReconcilerError(
            f"--since {text!r} lies in the future: it is {stamp(now)}.", remedy=f"Write {_FORMS}, in the past."
        )
    if moment < EARLIEST:
        raise ReconcilerError(f"--since {text!r} lies too far back.", remedy=f"Write {_FORMS}.")
    return Since(start=moment, end=moment)


def since_run(run: RunRecord) -> Since:
    """A run: from its beginning to its end, for what is published in between is neither before nor after."""
    return Since(start=run.at - timedelta(seconds=run.seconds), end=run.at, run=run.run, by=run.by, commit=run.commit)


def last_publish(ledger: Snapshot, addresses: Sequence[str]) -> Since | None:
    """The run that wrote the newest of these rows; None where none of them says when."""
    rows = [ledger.rows[address] for address in addresses]
    moments = [(row.applied_at, row.run) for row in rows if row.applied_at is not None]
    if not moments:
        return None
    latest, run_id = max(moments, key=lambda pair: pair[0])
    record = next((run for run in ledger.runs if run.run == run_id), None)
    if record is not None:
        return since_run(record)
    # The ledger remembers so many runs only; rows tell when theirs was.
    start = min(moment for moment, run in moments if run == run_id)
    by = next((row.applied_by for row in rows if row.run == run_id), None)
    return Since(start=start, end=latest, run=run_id, by=by)


def windows(since: Since, now: datetime, length: timedelta | None) -> Windows:
    """As much time before as after: up to ``now``, and at most ``length``."""
    passed = max(now - since.end, timedelta(seconds=1))
    if passed >= timedelta(hours=1):
        passed -= passed % timedelta(minutes=1)
    long = min(passed, length or passed)
    step = next((step for step in STEPS if long / step <= STEPS_SHOWN), max(STEPS))
    return Windows(
        before=Window(start=since.start - long, end=since.start),
        after=Window(start=since.end, end=since.end + long),
        granularity=STEPS[step],
        cut_at_now=long == passed,
    )


def _duration(text: str) -> timedelta | None:
    match = _DURATION.fullmatch(text)
    weeks, days, hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0, 0, 0)
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes) or None


def _moment(text: str, zone: tzinfo) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
