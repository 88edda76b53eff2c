"""Changes are applied when the environment allows it: now, at a named time, or when a window opens."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from support import environment, flow, start, wait_for_lines

from reconciler.engine.timing import Gate, OutsideWindowError, Timing
from reconciler.ledger import FileLedger
from reconciler.platform import Platform
from reconciler.problems import ReconcilerError
from reconciler.specs.windows import Windows

EVENINGS = """\
ledger: {type: file}
windows:
  time_zone: Europe/London
  open: [{days: [mon, tue, wed, thu], from: "20:00", to: "23:30"}]
"""
THURSDAY = datetime(2026, 11, 26, 19, 59, 59, tzinfo=UTC)


@pytest.fixture
def guarded(repository):
    """A flow to be made, in an environment with windows on weekday evenings."""
    repository.write("flows/sales.yaml", flow("Sales"))
    environment(repository, EVENINGS)
    return repository


@pytest.fixture
def the_time_is(monkeypatch):
    """Sets the org's clock, which goes on from there."""

    def set_to(moment):
        began = time.monotonic()
        monkeypatch.setattr(Platform, "now", lambda self: moment + timedelta(seconds=time.monotonic() - began))

    return set_to


def test_outside_the_windows_apply_refuses_and_names_the_next_opening(guarded, org, cli, the_time_is):
    the_time_is(datetime(2026, 11, 27, 12, 0, tzinfo=UTC))

    ran = cli("apply", "--auto-approve")

    assert ran.code == 1
    assert "Nothing may be applied to test now: Fri 2026-11-27 12:00 (Europe/London) is in no window." in ran.err
    assert "It opens Mon 2026-11-30 20:00 (Europe/London)." in ran.err
    assert "--wait-for-window" in ran.err
    assert org.flows() == {}
    assert cli("unlock").err.startswith("test is not locked")


def test_inside_a_window_it_applies_and_tells_how_long_callers_saw_a_mixture(guarded, org, cli, the_time_is):
    guarded.write("flows/support.yaml", flow("Support"))
    the_time_is(datetime(2026, 11, 26, 20, 0, tzinfo=UTC))

    ran = cli("apply", "--auto-approve")

    assert ran.code == 0
    assert "From the first change to the last: " in ran.err
    assert cli("history", "--format", "json").json[0]["override"] is None


def test_it_waits_for_the_window_without_a_lock_and_then_looks_again(guarded, org, cli, the_time_is, tmp_path):
    saved = tmp_path / "plan.json"
    assert cli("plan", "--out", str(saved)).code == 0
    the_time_is(THURSDAY - timedelta(seconds=1))

    ran = cli("apply", str(saved), "--wait-for-window")

    assert ran.code == 0, ran.err
    assert "Waiting until Thu 2026-11-26 20:00 (Europe/London); nothing is locked meanwhile." in ran.err
    assert set(org.flows()) == {"Sales"}


def test_what_happens_during_the_wait_is_seen(guarded, org, cli, the_time_is, tmp_path, monkeypatch):
    saved = tmp_path / "plan.json"
    cli("plan", "--out", str(saved))
    the_time_is(THURSDAY)
    slept = asyncio.sleep

    async def meanwhile(self):
        assert await FileLedger(guarded.root / ".reconciler/ledger/test.json").lock() is None
        if "Sales" not in org.flows():
            org.publish(flow("Sales", says="Made by hand."))
        await slept(1.2)
        return True

    monkeypatch.setattr(Gate, "wait", meanwhile)

    ran = cli("apply", str(saved), "--wait-for-window")

    assert ran.code == 3
    assert "inboundCall/Sales" in ran.err
    assert "Made by hand." in json.dumps(org.get(f"/flows/{org.flows()['Sales']['id']}/latestconfiguration"))


def test_a_fresh_plan_waits_as_well_and_begins_at_the_named_time(repository, org, cli):
    repository.write("flows/sales.yaml", flow("Sales"))
    when = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    began = time.monotonic()

    ran = cli("apply", "--auto-approve", "--at", when)

    assert ran.code == 0, ran.err
    assert time.monotonic() - began > 1
    assert "Waiting until" in ran.err
    assert set(org.flows()) == {"Sales"}


def test_setting_the_windows_aside_is_recorded(guarded, org, cli, the_time_is):
    the_time_is(datetime(2026, 11, 27, 12, 0, tzinfo=UTC))

    ran = cli("apply", "--auto-approve", "--override-window", "Wrong number on air, INC-4711")

    assert ran.code == 0
    assert "The windows of test are set aside: Wrong number on air, INC-4711" in ran.err
    assert cli("history", "--format", "json").json[0]["override"] == "Wrong number on air, INC-4711"
    assert "outside the windows: Wrong number on air, INC-4711" in cli("history").err
    (journal,) = (guarded.root / ".reconciler/runs/test").glob("*.jsonl")
    assert json.loads(journal.read_text().splitlines()[0])["override"] == "Wrong number on air, INC-4711"


def test_a_reason_of_bytes_that_are_no_text_is_recorded_as_far_as_it_is(guarded, org, cli, the_time_is):
    the_time_is(datetime(2026, 11, 27, 12, 0, tzinfo=UTC))
    done = cli("apply", "--auto-approve", "--override-window", "Line \udcff is down")
    assert done.code == 0, done.err
    assert "outside the windows: Line" in cli("history").err


def test_a_run_that_begins_outside_and_ends_inside_keeps_its_reason(guarded, org, cli, the_time_is):
    org.settings(job_seconds=1.5)
    the_time_is(datetime(2026, 11, 26, 19, 59, 59, tzinfo=UTC))

    ran = cli("apply", "--auto-approve", "--override-window", "It cannot wait")

    assert ran.code == 0
    assert cli("history", "--format", "json").json[0]["override"] == "It cannot wait"


def test_without_changes_any_time_will_do(guarded, cli, the_time_is):
    the_time_is(datetime(2026, 11, 26, 20, 30, tzinfo=UTC))
    assert cli("apply", "--auto-approve").code == 0
    the_time_is(datetime(2026, 11, 27, 12, 0, tzinfo=UTC))
    assert cli("apply", "--auto-approve").code == 0


def test_a_wait_can_be_broken_off(guarded, org):
    run = start(guarded, "apply", "--auto-approve", "--at", (datetime.now(UTC) + timedelta(hours=3)).isoformat(),
                "--override-window", "a test")  # fmt: skip
    wait_for_lines(run, 1, "Waiting until")
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=20)
    assert run.returncode == 1
    assert "Traceback" not in said
    assert org.flows() == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--at", "tonight"), "'tonight' is not a date and time."),
        (("--at", "2020-01-01T00:00+00:00"), "is over; it is"),
        (("--at", "2099-01-01T00:00+00:00", "--override-window", "x"), "longer than 24 hours"),
        (("--override-window", " "), "--override-window needs a reason."),
    ],
)
def test_times_that_make_no_sense_are_refused(guarded, org, cli, the_time_is, options, message):
    the_time_is(datetime(2026, 11, 26, 20, 30, tzinfo=UTC))
    ran = cli("apply", "--auto-approve", *options)
    assert (ran.code, message in ran.err) == (1, True), ran.err
    assert org.flows() == {}


class Clock:
    """A clock that goes by what is slept, and can be set."""

    def __init__(self, now):
        self.now = now
        self.slept = []

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def gate(clock, **timing):
    class Named:
        name = "test"
        windows = Windows.model_validate(
            {"time_zone": "Europe/London", "open": [{"days": ["sun"], "from": "01:30", "to": "03:00"}]}
        )

    return Gate(Named(), Timing(**timing), clock, lambda _text: None, clock.sleep)


def test_the_wait_ends_to_the_second_also_in_the_night_of_the_change():
    clock = Clock(datetime(2026, 10, 24, 20, 0, 7, tzinfo=UTC))
    assert asyncio.run(gate(clock, wait_for_window=True).wait())
    assert clock.now == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert max(clock.slept) <= 30


def test_a_time_outside_the_windows_waits_for_the_next_one_or_is_refused():
    clock = Clock(datetime(2026, 10, 24, 20, 0, tzinfo=UTC))
    at = datetime(2026, 10, 25, 0, 10, tzinfo=UTC)
    with pytest.raises(OutsideWindowError):
        gate(clock, at=at).begin()
    assert gate(clock, at=at, wait_for_window=True).begin() == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    with pytest.raises(ReconcilerError, match="longer than 2 hours"):
        gate(clock, wait_for_window=True, longest=timedelta(hours=2)).begin()
