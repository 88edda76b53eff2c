"""Common modules are copied into their consumers at publish; tracking says who lags behind."""

from __future__ import annotations

from typing import Any

from sandbox_support import Client, call_flow, calls, module, to_flow, to_queue

TRACKING = "/architect/dependencytracking"


def consumed(client: Client, flow_id: str, version: str, **query: Any) -> dict[str, dict[str, Any]]:
    """What a version uses, by name."""
    listed = client.get(
        f"{TRACKING}/consumedresources", id=flow_id, version=version, objectType="INBOUNDCALLFLOW", **query
    )
    return {entry["name"]: entry for entry in listed["entities"]}


def test_a_consumer_keeps_its_copy_until_it_is_published_again(client: Client) -> None:
    module_id = client.publish(module("Speak"))
    caller = client.publish(call_flow("Main", calls("Speak") + to_queue("Sales")))
    before = consumed(client, caller, "1.0")
    assert (before["Speak"]["type"], before["Speak"]["version"], before["Speak"]["updated"]) == (
        "COMMONMODULEFLOW",
        "1.0",
        False,
    )
    assert before["Sales"]["type"] == "QUEUE"

    client.publish(module("Speak", "Changed."))
    stale = consumed(client, caller, "1.0")["Speak"]
    assert (stale["version"], stale["updated"]) == ("1.0", True)
    assert client.version(caller) == "1.0"
    updated = client.get(f"{TRACKING}/updatedresourceconsumers", consumedResources="true")["entities"]
    assert [(entry["name"], entry["updated"]) for entry in updated] == [("Main", True)]
    assert [entry["name"] for entry in updated[0]["consumedResources"]] == ["Speak"]

    client.publish(call_flow("Main", calls("Speak")))
    fresh = consumed(client, caller, "2.0")["Speak"]
    assert (fresh["version"], fresh["updated"]) == ("2.0", False)
    # The version before keeps what it was built with.
    assert consumed(client, caller, "1.0")["Speak"]["version"] == "1.0"
    assert client.get(f"{TRACKING}/updatedresourceconsumers")["total"] == 0
    users = client.get(f"{TRACKING}/consumingresources", id=module_id, objectType="COMMONMODULEFLOW")["entities"]
    assert [(entry["name"], entry["version"]) for entry in users] == [("Main", "2.0")]


def test_republishing_by_action_takes_the_newest_module(client: Client) -> None:
    client.publish(module("Speak"))
    caller = client.publish(call_flow("Main", calls("Speak")))
    client.publish(module("Speak", "Changed."))
    client.post("/flows/actions/publish", flow=caller)
    assert consumed(client, caller, "2.0")["Speak"]["version"] == "2.0"


def test_consumers_are_told_apart_by_what_is_live(client: Client) -> None:
    target = client.publish(call_flow("Target"))
    main = client.publish(call_flow("Main", to_flow("Target")))
    client.post("/architect/ivrs", {"name": "Line", "openHoursFlow": {"id": target}})

    def users(**query: Any) -> list[tuple[str, str]]:
        listed = client.get(f"{TRACKING}/consumingresources", id=target, objectType="INBOUNDCALLFLOW", **query)
        return [(entry["type"], entry["name"]) for entry in listed["entities"]]

    assert users() == [("INBOUNDCALLFLOW", "Main"), ("IVRCONFIGURATION", "Line")]
    assert users(flowFilter="published") == [("INBOUNDCALLFLOW", "Main")]
    assert users(resourceType="IVRCONFIGURATION") == [("IVRCONFIGURATION", "Line")]
    client.publish(call_flow("Main"))
    assert users(flowFilter="published") == []
    assert client.call("DELETE", f"/flows/{main}").status_code == 204


def test_a_renamed_module_stays_the_same_module(client: Client) -> None:
    module_id = client.publish(module("Speak"))
    caller = client.publish(call_flow("Main", calls("Speak")))
    client.put(f"/flows/{module_id}", {"name": "Talk"})
    assert "Talk" in consumed(client, caller, "1.0")
    assert "Talk:" in client.export(caller)
    assert client.failure(call_flow("Main", calls("Speak")))
    client.post("/flows/actions/publish", flow=caller)
    assert client.version(caller) == "2.0"
    assert "Talk:" in client.export(caller)


def test_tracking_speaks_the_platforms_types(client: Client) -> None:
    flow_id = client.publish(call_flow("Main", to_queue("Sales")))
    queue = client.get("/routing/queues", name="Sales")["entities"][0]
    found = client.get(f"{TRACKING}/object", id=queue["id"], objectType="QUEUE", consumingResources="true")
    assert [entry["id"] for entry in found["consumingResources"]] == [flow_id]
    assert client.get(TRACKING, name="main", consumedResources="true")["entities"][0]["consumedResources"]
    types = {entry["id"]: entry["versioned"] for entry in client.get(f"{TRACKING}/types", pageSize=100)["entities"]}
    assert types["COMMONMODULEFLOW"] is True
    assert types["USERPROMPT"] is False
    assert client.get(f"{TRACKING}/build")["status"] == "OPERATIONAL"


def test_tracking_says_what_it_cannot_answer(client: Client) -> None:
    flow_id = client.publish(call_flow("Main"))
    path = f"{TRACKING}/consumedresources"
    assert client.refused("GET", path, id=flow_id, objectType="INBOUNDCALLFLOW")[0] == 400
    assert client.refused("GET", path, id=flow_id, version="9.0", objectType="INBOUNDCALLFLOW")[0] == 404
    assert client.refused("GET", path, id=flow_id, version="1.0", objectType="QUEUE")[0] == 400
    assert client.refused("GET", path, id=flow_id, version="1.0", objectType="INBOUNDCALLFLOW", pageSize=101)[0] == 400
    client.settings(tracking_complete=False)
    answer = client.call("GET", path, id=flow_id, version="1.0", objectType="INBOUNDCALLFLOW")
    assert answer.status_code == 206


def test_consumers_of_what_is_gone_are_listed(client: Client) -> None:
    client.publish(call_flow("Main", to_queue("Sales")))
    queue = client.get("/routing/queues", name="Sales")["entities"][0]
    client.call("DELETE", f"/routing/queues/{queue['id']}")
    listed = client.get(f"{TRACKING}/deletedresourceconsumers")["entities"]
    assert [entry["name"] for entry in listed] == ["Main"]
