"""IVRs, schedules, groups and DID pools."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_support import Client, call_flow, module

START, END = "2026-01-05T08:00:00.000", "2026-01-05T17:00:00.000"


def schedule(client: Client, name: str = "Weekdays") -> Any:
    """A schedule."""
    rule = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    return client.post("/architect/schedules", {"name": name, "start": START, "end": END, "rrule": rule})


def group(client: Client, name: str = "Hours") -> Any:
    """A schedule group with one open schedule."""
    opened = schedule(client, f"{name} open")
    body = {"name": name, "timeZone": "Europe/Copenhagen", "openSchedules": [{"id": opened["id"]}]}
    return client.post("/architect/schedulegroups", body)


def test_an_object_tells_all_that_the_platform_tells(client: Client) -> None:
    made = schedule(client)
    assert (made["version"], made["state"], made["start"], made["end"]) == (1, "active", START, END)
    assert made["division"]["name"] == "Home"
    assert made["selfUri"] == f"/api/v2/architect/schedules/{made['id']}"
    listed = client.get("/architect/schedules", name="Week")
    assert listed["totalNumberOfEntities"] == listed["total"] == 1
    assert client.http.get(made["selfUri"]).json() == made


@pytest.mark.parametrize("path", ["schedules", "schedulegroups", "ivrs", "emergencygroups"])
def test_an_update_must_repeat_the_current_version(client: Client, path: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "schedules": {"name": "A", "start": START, "end": END},
        "schedulegroups": {"name": "A", "openSchedules": []},
        "ivrs": {"name": "A"},
        "emergencygroups": {"name": "A"},
    }
    made = client.post(f"/architect/{path}", bodies[path])
    one = f"/architect/{path}/{made['id']}"
    without = {key: value for key, value in made.items() if key != "version"}
    assert client.refused("PUT", one, without) == (400, "bad.request")
    changed = client.put(one, {**made, "description": "Changed"})
    assert (changed["version"], changed["description"]) == (2, "Changed")
    assert client.refused("PUT", one, made) == (409, "general.conflict")
    assert client.get(one) == changed
    assert client.refused("POST", f"/architect/{path}", bodies[path])[0] == 409


@pytest.mark.parametrize(
    "body",
    [
        {"name": "A"},
        {"name": "", "start": START, "end": END},
        {"name": "A", "start": "2026-01-05T08:00:00Z", "end": END},
        {"name": "A", "start": "2026-13-05T08:00:00.000", "end": END},
        {"name": "A", "start": END, "end": START},
        {"name": "A", "start": START, "end": END, "rrule": "BYDAY=MO"},
        {"name": "A", "start": START, "end": END, "division": {"id": "nowhere"}},
    ],
)
def test_a_schedule_must_be_whole(client: Client, body: dict[str, Any]) -> None:
    assert client.refused("POST", "/architect/schedules", body) == (400, "invalid.value")


def test_an_update_replaces_and_clears_what_is_left_out(client: Client) -> None:
    flow, hours = client.publish(call_flow("Open")), group(client)
    body = {
        "name": "Line",
        "dnis": ["+4570100001"],
        "openHoursFlow": {"id": flow},
        "closedHoursFlow": {"id": flow},
        "holidayHoursFlow": {"id": flow},
        "scheduleGroup": {"id": hours["id"]},
    }
    made = client.post("/architect/ivrs", body)
    assert made["holidayHoursFlow"]["name"] == "Open"
    assert made["scheduleGroup"]["name"] == "Hours"
    kept = client.put(f"/architect/ivrs/{made['id']}", {**body, "holidayHoursFlow": None, "version": 1})
    assert "holidayHoursFlow" not in kept
    bare = client.put(f"/architect/ivrs/{made['id']}", {"name": "Line", "version": 2})
    assert bare["dnis"] == []
    assert "openHoursFlow" not in bare


def test_a_schedule_group_on_an_ivr_needs_open_and_closed_flows(client: Client) -> None:
    flow, hours = client.publish(call_flow("Open")), group(client)
    body = {"name": "Line", "openHoursFlow": {"id": flow}, "scheduleGroup": {"id": hours["id"]}}
    assert client.refused("POST", "/architect/ivrs", body) == (400, "invalid.value")
    assert client.post("/architect/ivrs", {**body, "closedHoursFlow": {"id": flow}})["id"]


def test_numbers_must_be_proper_free_and_owned(client: Client) -> None:
    path = "/architect/ivrs"
    client.post(path, {"name": "First", "dnis": ["+4570100001"]})
    assert client.refused("POST", path, {"name": "B", "dnis": ["70100002"]}) == (400, "invalid.value")
    assert client.refused("POST", path, {"name": "B", "dnis": ["+4570100001"]}) == (400, "bad.request")
    foreign = client.call("POST", path, {"name": "B", "dnis": ["+4580000000"]})
    assert foreign.json()["message"] == "Field 'didPoolId' is required and cannot be empty."
    many = [f"+45701000{number:02}" for number in range(10, 70)]
    assert client.refused("POST", path, {"name": "B", "dnis": many}) == (400, "bad.request")
    second = client.post(path, {"name": "B", "dnis": many[:50]})
    assert len(client.put(f"{path}/{second['id']}", {**second, "dnis": many})["dnis"]) == 60
    assert client.get(path, dnis="+4570100001")["entities"][0]["name"] == "First"


def test_references_must_lead_somewhere(client: Client) -> None:
    speak = client.publish(module("Speak"))
    path = "/architect/ivrs"
    assert client.refused("POST", path, {"name": "A", "openHoursFlow": {"id": speak}}) == (400, "invalid.value")
    assert client.refused("POST", path, {"name": "A", "openHoursFlow": {"id": "x"}}) == (400, "invalid.value")
    assert client.refused("POST", path, {"name": "A", "openHoursFlow": "x"}) == (400, "invalid.value")
    groups = "/architect/schedulegroups"
    assert client.refused("POST", groups, {"name": "G", "openSchedules": [{"id": "x"}]}) == (400, "invalid.value")
    assert client.refused("POST", groups, {"name": "G", "openSchedules": [], "timeZone": "Mars"}) == (
        400,
        "invalid.value",
    )


def test_what_is_in_use_is_deleted_last(client: Client) -> None:
    flow, hours = client.publish(call_flow("Open")), group(client)
    opened = hours["openSchedules"][0]["id"]
    ivr = client.post(
        "/architect/ivrs",
        {
            "name": "Line",
            "dnis": ["+4570100001"],
            "openHoursFlow": {"id": flow},
            "closedHoursFlow": {"id": flow},
            "scheduleGroup": {"id": hours["id"]},
        },
    )
    pool = client.get("/telephony/providers/edges/didpools")["entities"][0]
    in_order = [
        f"/architect/ivrs/{ivr['id']}",
        f"/architect/schedulegroups/{hours['id']}",
        f"/architect/schedules/{opened}",
    ]
    assert client.refused("DELETE", in_order[2])[0] == 409
    assert client.refused("DELETE", in_order[1]) == (409, "architect.dependency.object.in.use.by.ivr.configuration")
    assert client.refused("DELETE", f"/telephony/providers/edges/didpools/{pool['id']}")[0] == 409
    for path in in_order:
        assert client.call("DELETE", path).status_code == 204
        assert client.refused("GET", path)[0] == 404
    client.settings(deleted_objects="state")
    assert client.get(in_order[0])["state"] == "deleted"
    assert client.get("/architect/ivrs")["total"] == 0
    assert client.call("DELETE", f"/telephony/providers/edges/didpools/{pool['id']}").status_code == 204


def test_a_schedule_group_that_a_published_flow_evaluates_stays(client: Client) -> None:
    hours = group(client)
    action = """\
          - evaluateScheduleGroup:
              name: Open?
              evaluate:
                now: true
              scheduleGroup:
                lit:
                  name: Hours
"""
    client.publish(call_flow("Main", action))
    assert client.refused("DELETE", f"/architect/schedulegroups/{hours['id']}") == (
        409,
        "architect.dependency.object.in.use.by.flow",
    )


def test_numbers_of_pools_show_their_owner(client: Client) -> None:
    ivr = client.post("/architect/ivrs", {"name": "Line", "dnis": ["+4570100001"]})
    numbers = "/telephony/providers/edges/didpools/dids"
    assert client.get(numbers, type="ASSIGNED_AND_UNASSIGNED")["total"] == 100
    assert client.get(numbers, type="UNASSIGNED")["total"] == 99
    (one,) = client.get(numbers, type="ASSIGNED", numberMatch="70100001")["entities"]
    assert (one["number"], one["owner"]["id"], one["ownerType"]) == ("+4570100001", ivr["id"], "IVR_CONFIG")
    assert client.get("/telephony/providers/edges/dids")["entities"][0]["phoneNumber"] == "+4570100001"
    overlap = {"startPhoneNumber": "+4570100050", "endPhoneNumber": "+4570100150"}
    assert client.refused("POST", "/telephony/providers/edges/didpools", overlap)[0] == 409
