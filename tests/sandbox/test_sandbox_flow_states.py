"""The state machine of a flow: locks, drafts, check-in, publish, unpublish, deletion."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sandbox_support import Client, another, call_flow, calls, module, to_flow

from reconciler.archy.yaml import load
from reconciler.sandbox.embedded import Running


def act(client: Client, name: str, flow_id: str, **query: str) -> Any:
    """One action, which must succeed."""
    return client.post(f"/flows/actions/{name}", flow=flow_id, **query)


def test_a_name_is_taken_once_a_type(client: Client) -> None:
    made = client.post("/flows", {"name": "Sales", "type": "inboundcall", "description": "First"})
    assert (made["type"], made["active"], made["division"]["name"]) == ("INBOUNDCALL", False, "Home")
    assert "publishedVersion" not in made
    again = {"name": "Sales", "type": "INBOUNDCALL"}
    assert client.refused("POST", "/flows", again) == (409, "architect.flow.already.exists")
    assert client.post("/flows", {"name": "Sales", "type": "bot"})["id"] != made["id"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": "bot"}, "architect.flow.validate.failed.missing.name"),
        ({"name": "X"}, "architect.flow.validate.failed.missing.type"),
        ({"name": "X", "type": "pizza"}, "architect.flow.invalid.type"),
        ({"name": "a/b", "type": "bot"}, "architect.flow.validate.failed.invalid.name"),
    ],
)
def test_a_flow_needs_a_proper_name_and_type(client: Client, body: dict[str, str], code: str) -> None:
    assert client.refused("POST", "/flows", body) == (400, code)


def test_a_draft_goes_from_checkout_to_published(client: Client) -> None:
    flow_id = client.post("/flows", {"name": "Sales", "type": "inboundcall"})["id"]
    configuration = load(call_flow("Sales"))
    assert client.refused("POST", f"/flows/{flow_id}/versions", configuration)[1] == "architect.flow.not.locked.by.user"
    assert client.refused("POST", "/flows/actions/publish", flow=flow_id) == (409, "architect.flow.not.checked.in")
    assert act(client, "checkout", flow_id)["lockedClient"]["id"]
    assert client.refused("POST", "/flows/actions/checkin", flow=flow_id)[1] == (
        "architect.flow.cannot.checkin.missing.config"
    )
    saved = client.post(f"/flows/{flow_id}/versions", configuration)
    assert (saved["id"], saved["type"]) == ("1.0", "SAVE")
    assert client.refused("POST", "/flows/actions/publish", flow=flow_id) == (409, "architect.flow.not.checked.in")
    operation = act(client, "checkin", flow_id)
    assert (operation["actionName"], operation["actionStatus"], operation["complete"]) == ("CHECKIN", "SUCCESS", True)
    flow = client.get(f"/flows/{flow_id}")
    assert "lockedClient" not in flow
    assert flow["checkedInVersion"]["type"] == "CHECKIN"
    assert act(client, "publish", flow_id)["actionStatus"] == "SUCCESS"
    assert client.version(flow_id) == "1.0"
    assert client.get(f"/flows/{flow_id}/versions/1.0/configuration") == configuration
    assert client.get(f"/flows/{flow_id}/latestconfiguration") == configuration


def test_a_draft_can_be_dropped(client: Client) -> None:
    flow_id = client.publish(call_flow("Sales"))
    act(client, "checkout", flow_id)
    client.post(f"/flows/{flow_id}/versions", load(call_flow("Sales", says="Draft.")))
    assert client.get(f"/flows/{flow_id}")["savedVersion"]["id"] == "2.0"
    assert "Draft." in client.export(flow_id)
    assert "Draft." not in client.export(flow_id, "published")
    reverted = act(client, "revert", flow_id)
    assert reverted["savedVersion"]["id"] == "1.0"
    assert client.refused("POST", "/flows/actions/revert", flow=flow_id) == (409, "architect.flow.not.locked.by.user")
    assert client.refused("GET", f"/flows/{flow_id}/versions/2.0")[0] == 404
    # Numbers are never used twice.
    client.publish(call_flow("Sales"))
    assert client.version(flow_id) == "3.0"


def test_unlocking_takes_the_lock_of_anybody(client: Client, running: Running) -> None:
    flow_id = client.publish(call_flow("Sales"))
    other = another(client, running, name="Other")
    with other:
        act(other, "checkout", flow_id)
        assert client.refused("POST", "/flows/actions/publish", flow=flow_id)[1] == "architect.flow.locked.by.user"
        assert client.refused("DELETE", f"/flows/{flow_id}") == (409, "architect.flow.locked.by.user")
        other.post(f"/flows/{flow_id}/versions", load(call_flow("Sales", says="Theirs.")))
        unlocked = act(client, "unlock", flow_id)
        assert "lockedClient" not in unlocked
        assert unlocked["checkedInVersion"]["id"] == "2.0"
        assert unlocked["publishedVersion"]["id"] == "1.0"


def test_republishing_advances_the_version_by_one(client: Client) -> None:
    flow_id = client.publish(call_flow("Sales"))
    act(client, "checkout", flow_id)
    act(client, "publish", flow_id)
    assert client.version(flow_id) == "2.0"
    assert "lockedClient" not in client.get(f"/flows/{flow_id}")
    act(client, "publish", flow_id, version="1.0")
    assert client.version(flow_id) == "3.0"


def test_publishing_an_older_version_loses_none_that_came_after_it(client: Client) -> None:
    flow_id = client.publish(call_flow("Sales"))
    for says in ("Second.", "Third."):
        act(client, "checkout", flow_id)
        client.post(f"/flows/{flow_id}/versions", load(call_flow("Sales", says=says)))
        act(client, "checkin", flow_id)
    act(client, "publish", flow_id, version="2.0")
    assert client.version(flow_id) == "4.0"
    assert "Second." in client.export(flow_id, "published")
    versions = client.get(f"/flows/{flow_id}/versions")["entities"]
    assert [(each["id"], each["type"]) for each in versions] == [
        ("4.0", "PUBLISH"),
        ("3.0", "CHECKIN"),
        ("2.0", "CHECKIN"),
        ("1.0", "PUBLISH"),
    ]


def test_a_publish_may_fail_after_it_was_accepted(client: Client) -> None:
    client.publish(call_flow("Target"))
    flow_id = client.publish(call_flow("Main", to_flow("Target")))
    client.put(f"/flows/{client.get('/flows', name='Target')['entities'][0]['id']}", {"name": "Renamed"})
    assert act(client, "publish", flow_id)["actionStatus"] == "SUCCESS"
    module_id = client.publish(module("Speak"))
    caller = client.publish(call_flow("Caller", calls("Speak")))
    act(client, "deactivate", module_id)
    failed = act(client, "publish", caller)
    assert failed["actionStatus"] == "FAILURE"
    assert failed["errorCode"] == "architect.flow.cannot.publish.missing.dependencies"
    assert "Speak" in failed["errorMessage"]
    assert client.version(caller) == "1.0"


def test_an_operation_is_seen_while_it_runs(client: Client) -> None:
    flow_id = client.publish(call_flow("Sales"))
    client.settings(operation_seconds=0.3)
    started = act(client, "publish", flow_id)
    assert (started["complete"], started["actionStatus"]) == (False, "STARTED")
    assert client.get(f"/flows/{flow_id}")["currentOperation"]["complete"] is False
    assert client.version(flow_id) == "1.0"
    assert client.refused("POST", "/flows/actions/publish", flow=flow_id)[1] == (
        "architect.operation.already.in.progress"
    )
    time.sleep(0.35)
    assert client.get(f"/flows/{flow_id}")["currentOperation"]["actionStatus"] == "SUCCESS"
    assert client.version(flow_id) == "2.0"


def test_a_deleted_flow_is_gone_but_not_forgotten(client: Client) -> None:
    flow_id = client.publish(call_flow("Sales"))
    assert client.call("DELETE", f"/flows/{flow_id}").status_code == 204
    assert client.refused("GET", f"/flows/{flow_id}") == (410, "architect.flow.deleted")
    assert client.get(f"/flows/{flow_id}", deleted="true")["deleted"] is True
    assert client.get("/flows")["total"] == 0
    assert client.get("/flows", deleted="true")["total"] == 1
    assert client.get("/flows/lookup", id=flow_id)["total"] == 0
    assert client.refused("GET", "/flows/0b8c1d3e-0000-4000-8000-000000000000") == (404, "architect.flow.not.found")
    assert client.publish(call_flow("Sales")) != flow_id


def test_several_flows_are_deleted_as_one_operation_or_not_at_all(client: Client) -> None:
    used = client.publish(module("Used"))
    client.publish(call_flow("Main", calls("Used")))
    free = client.publish(call_flow("Free"))
    assert client.refused("DELETE", "/flows", id=f"{free},{used}")[0] == 409
    assert client.version(free) == "1.0"
    assert client.call("DELETE", "/flows", id=free).json()["actionName"] == "DELETE"
    assert client.refused("GET", f"/flows/{free}")[0] == 410


def test_a_flow_in_use_is_neither_deleted_nor_unpublished(client: Client) -> None:
    module_id = client.publish(module("Speak"))
    main = client.publish(call_flow("Main", calls("Speak")))
    assert client.refused("DELETE", f"/flows/{module_id}") == (409, "architect.flow.cannot.delete.used.in.flows")
    ivr = client.post("/architect/ivrs", {"name": "Line", "openHoursFlow": {"id": main}})
    assert client.refused("DELETE", f"/flows/{main}") == (409, "architect.flow.cannot.delete.used.in.ivr.configs")
    assert client.refused("POST", "/flows/actions/deactivate", flow=main) == (
        409,
        "architect.flow.cannot.deactivate.used.in.ivr.configs",
    )
    client.call("DELETE", f"/architect/ivrs/{ivr['id']}")
    group = client.post(
        "/architect/emergencygroups",
        {"name": "Storm", "emergencyCallFlows": [{"emergencyFlow": {"id": main}, "ivrs": []}]},
    )
    assert client.refused("DELETE", f"/flows/{main}")[1] == "architect.flow.cannot.delete.used.in.emergency.groups"
    client.call("DELETE", f"/architect/emergencygroups/{group['id']}")
    queue = client.post("/routing/queues", {"name": "Q", "queueFlow": {"id": main}})
    assert client.refused("DELETE", f"/flows/{main}")[1] == "architect.flow.cannot.delete.used.in.queues"
    client.call("DELETE", f"/routing/queues/{queue['id']}")
    # What a consumer used before its last publish does not count.
    client.publish(call_flow("Main"))
    assert client.call("DELETE", f"/flows/{module_id}").status_code == 204
    assert client.call("DELETE", f"/flows/{main}").status_code == 204


def test_lists_filter_and_sort(client: Client, running: Running) -> None:
    client.publish(call_flow("Alpha", extra="  description: First of all\n"))
    client.publish(call_flow("Beta"))
    business = client.get("/authorization/divisions", name="Business")["entities"][0]["id"]
    gamma = client.publish(call_flow("Gamma", extra="  division: Business\n"))

    def names(**query: Any) -> list[str]:
        return [flow["name"] for flow in client.get("/flows", sortBy="name", **query)["entities"]]

    assert names(name="ta") == ["Beta"]
    assert names(name="a*a") == ["Alpha", "Gamma"]
    assert names(nameOrDescription="FIRST") == ["Alpha"]
    assert names(divisionId=business) == ["Gamma"]
    assert names(id=gamma) == ["Gamma"]
    assert names(sortOrder="desc") == ["Gamma", "Beta", "Alpha"]
    assert names(publishedAfter="2999-01-01T00:00:00Z") == []
    other = another(client, running, name="Other")
    with other:
        act(other, "checkout", gamma)
        holder = client.get(f"/flows/{gamma}")["lockedClient"]["id"]
    assert names(lockedByClientId=holder) == ["Gamma"]
    assert [view["name"] for view in client.get("/flows/divisionviews", divisionId=business)["entities"]] == ["Gamma"]
    assert [flow["name"] for flow in client.get("/flows/lookup", id=[gamma, "x"])["entities"]] == ["Gamma"]
    assert client.call("POST", f"/authorization/divisions/{business}/objects/FLOW", [gamma]).status_code == 204
