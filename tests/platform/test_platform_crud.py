"""IVRs, schedules, schedule groups: versioned PUT, soft delete, numbers by fifties."""

import json
from collections.abc import Awaitable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from platform_support import Org, ok, page, problem

from reconciler.platform import (
    BadRequest,
    Conflict,
    Ivr,
    IvrBody,
    JobTimedOut,
    NotFound,
    Platform,
    Ref,
    Schedule,
    ScheduleBody,
    ScheduleGroupBody,
    VersionConflict,
)
from reconciler.platform.ivrs import number_steps

ALL = "/api/v2/architect/schedules"
ONE = f"{ALL}/s1"
HOURS = {
    "id": "s1",
    "name": "Office hours",
    "start": "2026-01-05T08:00:00.000",
    "end": "2026-01-05T17:00:00.000",
    "rrule": "FREQ=WEEKLY;BYDAY=MO",
    "version": 4,
    "state": "active",
    "division": {"id": "d", "name": "Home", "selfUri": "/x"},
}
BODY = ScheduleBody(
    name="Office hours",
    start="2026-01-05T08:00:00.000",
    end="2026-01-05T17:00:00.000",
    rrule="FREQ=WEEKLY;BYDAY=MO",
    division=Ref(id="d", name="Home"),
    version=4,
)


def update(platform: Platform) -> Awaitable[Schedule]:
    return platform.schedules.update("s1", BODY)


def test_lists_leave_deleted_objects_out() -> None:
    org = Org().on(f"GET {ALL}", page([HOURS, HOURS | {"id": "s2", "state": "deleted"}]))
    [schedule] = org.run(lambda platform: platform.schedules.list())
    assert (schedule.id, schedule.version, schedule.division) == ("s1", 4, Ref(id="d", name="Home"))
    assert org.requests(f"GET {ALL}")[0].url.params["pageSize"] == "100"


@pytest.mark.parametrize("answer", [problem(404), problem(410), ok(HOURS | {"state": "deleted"})])
def test_a_deleted_object_is_not_found_however_the_org_says_it(answer: httpx.Response) -> None:
    with pytest.raises(NotFound):
        Org().on(f"GET {ONE}", answer).run(lambda platform: platform.schedules.get("s1"))


def test_create_sends_writable_fields_and_no_version() -> None:
    org = Org().on(f"POST {ALL}", ok(HOURS))
    org.run(lambda platform: platform.schedules.create(BODY))
    assert org.bodies(f"POST {ALL}") == [
        {
            "name": "Office hours",
            "start": "2026-01-05T08:00:00.000",
            "end": "2026-01-05T17:00:00.000",
            "rrule": "FREQ=WEEKLY;BYDAY=MO",
            "division": {"id": "d"},
        }
    ]


def test_a_live_object_can_be_written_back_without_its_computed_fields() -> None:
    live = Schedule.model_validate(HOURS | {"dateModified": "2026-01-01T00:00:00Z", "createdBy": "x"})
    org = Org().on(f"PUT {ONE}", ok(HOURS | {"version": 5}))
    assert org.run(lambda platform: platform.schedules.update("s1", live)).version == 5
    assert org.bodies(f"PUT {ONE}")[0].keys() == {"name", "start", "end", "rrule", "division", "version"}


def test_references_are_written_as_ids() -> None:
    org = Org().on("POST /api/v2/architect/schedulegroups", ok({"id": "g", "name": "Hours"}))
    body = ScheduleGroupBody(
        name="Hours", time_zone="Europe/Copenhagen", open_schedules=(Ref(id="s1", name="Office hours"),)
    )
    org.run(lambda platform: platform.schedule_groups.create(body))
    assert org.bodies("POST /api/v2/architect/schedulegroups") == [
        {
            "name": "Hours",
            "timeZone": "Europe/Copenhagen",
            "openSchedules": [{"id": "s1"}],
            "closedSchedules": [],
            "holidaySchedules": [],
        }
    ]


def test_without_a_version_the_present_one_is_replaced() -> None:
    org = Org().on(f"GET {ONE}", ok(HOURS | {"version": 9})).on(f"PUT {ONE}", ok(HOURS | {"version": 10}))
    body = BODY.model_copy(update={"version": None})
    org.run(lambda platform: platform.schedules.update("s1", body))
    assert org.bodies(f"PUT {ONE}")[0]["version"] == 9


@pytest.mark.parametrize(
    "refusal",
    [
        problem(409, "general.conflict", "conflict"),
        problem(409, "general.conflict", "version conflict"),
        problem(400, "bad.request", "The version 4 does not match the current version 6"),
    ],
)
def test_a_changed_object_is_a_version_conflict(refusal: httpx.Response) -> None:
    org = Org().on(f"PUT {ONE}", refusal).on(f"GET {ONE}", ok(HOURS | {"version": 6}))
    with pytest.raises(VersionConflict):
        org.run(update)


def test_a_conflict_about_something_else_stays_one() -> None:
    org = Org().on(f"PUT {ONE}", problem(409, "name.taken", "The name is taken")).on(f"GET {ONE}", ok(HOURS))
    with pytest.raises(Conflict, match="name is taken") as caught:
        org.run(update)
    assert not isinstance(caught.value, VersionConflict)


def test_our_own_write_whose_answer_was_lost_is_recognised() -> None:
    org = Org().on(f"PUT {ONE}", httpx.ReadError("cut"), problem(409, "general.conflict", "version conflict"))
    org.on(f"GET {ONE}", ok(HOURS | {"version": 5}))
    assert org.run(update).version == 5


def test_somebody_elses_write_after_a_lost_answer_is_a_conflict() -> None:
    org = Org().on(f"PUT {ONE}", httpx.ReadError("cut"), problem(409, "general.conflict", "version conflict"))
    org.on(f"GET {ONE}", ok(HOURS | {"version": 5, "name": "Other"}))
    with pytest.raises(VersionConflict):
        org.run(update)


class TestDelete:
    @pytest.mark.parametrize("gone", [problem(404), ok(HOURS | {"state": "deleted"})])
    def test_it_waits_until_the_object_is_no_longer_shown(self, gone: httpx.Response) -> None:
        org = Org().on(f"DELETE {ONE}", httpx.Response(204)).on(f"GET {ONE}", ok(HOURS), ok(HOURS), gone)
        org.run(lambda platform: platform.schedules.delete("s1"))
        assert len(org.requests(f"GET {ONE}")) == 3

    def test_an_object_that_stays_is_an_error(self) -> None:
        org = Org().on(f"DELETE {ONE}", httpx.Response(204)).on(f"GET {ONE}", ok(HOURS))
        with pytest.raises(JobTimedOut):
            org.run(lambda platform: platform.schedules.delete("s1"))
        assert org.time.now - 1000 == pytest.approx(30)

    def test_gone_already_is_deleted(self) -> None:
        Org().on(f"DELETE {ONE}", problem(404)).run(lambda platform: platform.schedules.delete("s1"))

    def test_an_object_in_use_is_a_conflict_after_a_while(self) -> None:
        org = Org().on(f"DELETE {ONE}", problem(409, "in.use", "used by schedule group Hours"))
        with pytest.raises(Conflict, match="Hours"):
            org.run(lambda platform: platform.schedules.delete("s1"), settle=3.0)
        assert org.time.now - 1000 == pytest.approx(3)


class IvrOrg(Org):
    """One IVR that takes at most 50 new numbers at once and checks versions."""

    def __init__(self, dnis: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.ivr: dict[str, Any] = {"id": "i", "name": "Sales Line", "version": 1, "dnis": list(dnis)}
        self.writes: list[list[str]] = []
        self.on("POST /api/v2/architect/ivrs", self._write)
        self.on("PUT /api/v2/architect/ivrs/i", self._write)
        self.on("GET /api/v2/architect/ivrs/i", lambda _request: ok(self.ivr))

    def _write(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if request.method == "PUT" and body["version"] != self.ivr["version"]:
            return problem(409, "general.conflict", "does not match the current version")
        if len(set(body["dnis"]) - set(self.ivr["dnis"])) > 50:
            return problem(400, "bad.request", "too many new numbers")
        self.ivr |= body | {"version": self.ivr["version"] + 1}
        self.writes.append(body["dnis"])
        return ok(self.ivr)


def numbers(count: int, start: int = 0) -> tuple[str, ...]:
    return tuple(f"+4570{number:06}" for number in range(start, start + count))


def ivr(dnis: tuple[str, ...], version: int | None = None) -> IvrBody:
    return IvrBody(name="Sales Line", dnis=dnis, open_hours_flow=Ref(id="f"), version=version)


@pytest.mark.parametrize(("count", "writes"), [(0, 1), (50, 1), (51, 2), (120, 3)])
def test_a_new_ivr_gets_its_numbers_by_fifties(count: int, writes: int) -> None:
    org = IvrOrg()
    made = org.run(lambda platform: platform.ivrs.create(ivr(numbers(count))))
    assert set(made.dnis) == set(numbers(count))
    assert len(org.writes) == writes
    assert org.time.now - 1000 == 2 * (writes - 1)


def test_numbers_that_are_there_do_not_count_as_new() -> None:
    org = IvrOrg(numbers(100))
    wanted = (*numbers(100)[10:], *numbers(60, start=500))
    updated = org.run(lambda platform: platform.ivrs.update("i", ivr(wanted, version=1)))
    assert updated.dnis == wanted
    assert len(org.writes) == 2


def test_many_numbers_do_not_hide_a_version_conflict() -> None:
    org = IvrOrg(numbers(3))
    org.ivr["version"] = 7
    with pytest.raises(VersionConflict, match="version 7, not 1"):
        org.run(lambda platform: platform.ivrs.update("i", ivr(numbers(80), version=1)))
    assert org.writes == []


def test_a_failure_half_way_says_how_many_numbers_are_there() -> None:
    org = IvrOrg()
    org.on(
        "PUT /api/v2/architect/ivrs/i",
        problem(400, "bad.request", "Field 'didPoolId' is required and cannot be empty."),
    )
    with pytest.raises(BadRequest, match="50 of its 70 numbers"):
        org.run(lambda platform: platform.ivrs.create(ivr(numbers(70))))


def test_a_number_outside_all_did_pools_is_explained() -> None:
    refusal = problem(400, "bad.request", "Field 'didPoolId' is required and cannot be empty.")
    org = IvrOrg().on("POST /api/v2/architect/ivrs", refusal)
    with pytest.raises(BadRequest, match="DID pool") as caught:
        org.run(lambda platform: platform.ivrs.create(ivr(numbers(1))))
    assert numbers(1)[0] in str(caught.value)
    assert "DID pool" in str(caught.value.remedy)


def test_an_ivr_is_read_with_its_references() -> None:
    wire = {
        "id": "i",
        "name": "Sales",
        "dnis": ["+45"],
        "openHoursFlow": {"id": "f", "name": "Sales"},
        "scheduleGroup": None,
    }
    read = Ivr.model_validate(wire)
    assert (read.open_hours_flow, read.schedule_group, read.dnis) == (Ref(id="f", name="Sales"), None, ("+45",))


NUMBERS = st.lists(st.integers(0, 300).map(str), unique=True, max_size=200)


@given(wanted=NUMBERS, present=NUMBERS)
def test_steps_never_add_more_than_fifty_and_end_complete(wanted: list[str], present: list[str]) -> None:
    before = set(present)
    steps = number_steps(wanted, present=present)
    for step in steps:
        assert len(set(step) - before) <= 50
        assert set(step) <= set(wanted)
        before = set(step)
    assert steps[-1] == tuple(wanted)
