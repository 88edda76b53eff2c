"""Deploy jobs: what publishes, what fails, and with which words."""

from __future__ import annotations

import time

import httpx
import pytest
from sandbox_support import Client, another, call_flow, calls, module, to_flow, to_queue

from reconciler.sandbox.embedded import Running


def test_a_flow_is_published_by_name_and_type(client: Client) -> None:
    job = client.post("/flows/jobs", {})
    assert client.get(f"/flows/jobs/{job['id']}")["status"] == "Registered"
    assert (
        httpx.put(job["presignedUrl"], headers=job["headers"], content=call_flow("Sales").encode()).status_code == 200
    )
    state = client.get(f"/flows/jobs/{job['id']}", expand="messages")
    assert (state["status"], state["command"], state["messages"]) == ("Success", "Publish", [])
    flow = client.get(f"/flows/{state['flow']['id']}")
    assert (flow["name"], flow["type"], flow["active"]) == ("Sales", "INBOUNDCALL", True)
    version = flow["publishedVersion"]
    assert version["id"] == "1.0"
    assert version["type"] == "PUBLISH"
    assert isinstance(version["dateCreated"], int)
    assert version["datePublished"].endswith("Z")
    assert flow["savedVersion"]["id"] == flow["checkedInVersion"]["id"] == "1.0"
    assert flow["currentOperation"]["actionStatus"] == "SUCCESS"


def test_messages_are_shown_only_when_asked_for(client: Client) -> None:
    job_id = client.upload(call_flow("Sales", to_queue("Nowhere")))
    assert "messages" not in client.get(f"/flows/jobs/{job_id}")
    assert client.get(f"/flows/jobs/{job_id}", expand="messages")["messages"][0]["type"] == "Error"


def test_publishing_again_makes_a_new_version_even_of_equal_content(client: Client) -> None:
    flow_id = client.publish(call_flow("Sales"))
    assert client.publish(call_flow("Sales")) == flow_id
    assert client.version(flow_id) == "2.0"
    versions = client.get(f"/flows/{flow_id}/versions")["entities"]
    assert [version["id"] for version in versions] == ["2.0", "1.0"]
    assert "datePublishedEnd" in versions[1]
    assert "datePublishedEnd" not in versions[0]


def test_every_missing_object_is_named(client: Client) -> None:
    actions = to_queue("Nowhere") + to_queue("Sales") + to_flow("Nothing") + calls("Nobody")
    messages = client.failure(call_flow("Main", actions))
    assert messages == [
        "find 'queue' by value of 'Nowhere' - no matches",
        "find 'inboundcall flow' by value of 'Nothing' - no matches",
        "find 'commonmodule flow' by value of 'Nobody' - no matches",
    ]
    assert client.get("/flows")["total"] == 0


def test_a_common_module_must_be_published_to_be_called(client: Client) -> None:
    client.post("/flows", {"name": "Authenticate", "type": "commonmodule"})
    message = client.failure(call_flow("Main", calls("Authenticate")))
    assert message == ["find 'commonmodule flow' by value of 'Authenticate' - no published version"]


def test_a_module_call_must_fit_the_module(client: Client) -> None:
    variables = """\
  variables:
    - stringVariable:
        name: Common.number
        isInput: true
    - booleanVariable:
        name: Common.found
        isOutput: true
"""
    client.publish(module("Find", variables=variables))
    fits = "inputs: {Common.number: {lit: x}}\n                    outputs: {Common.found: {noValue: true}}"
    client.publish(call_flow("Fits", calls("Find", fits)))
    assert client.failure(call_flow("Old", calls("Find", "inputs: {Common.name: {lit: x}}"))) == [
        "The common module 'Find' has no input named 'Common.name'."
    ]


@pytest.mark.parametrize(
    ("yaml", "says"),
    [
        ("", "empty"),
        ("inboundCall: [", "cannot be read"),
        ("pizza:\n  name: X\n", "'pizza' is not a flow type"),
        ("inboundCall: text\n", "mapping"),
        ("a: 1\nb: 2\n", "one root key"),
        (call_flow("A") + "---\n" + call_flow("B"), "2 documents"),
        (call_flow("A/B"), "must not contain '/'"),
        (call_flow("A-debug"), "must not end with '-debug'"),
        (call_flow("'??'"), "at least one letter or digit"),
        (call_flow("x" * 201), "201 characters"),
        (call_flow("''"), "'name' is required"),
        (call_flow("A").replace("task[main]", "task[other]"), "could not resolve the reference './tasks/task[other]'"),
        (call_flow("A").replace("  startUpRef: ./tasks/task[main]\n", ""), "'startUpRef' is required"),
    ],
)
def test_what_is_no_sound_flow_fails_with_the_reason(client: Client, yaml: str, says: str) -> None:
    assert says in " ".join(client.failure(yaml))


def test_a_flow_locked_by_another_entity_is_not_touched(client: Client, running: Running) -> None:
    flow_id = client.publish(call_flow("Sales"))
    client.http.post("/sandbox/flows/Sales/lock", json={"user": "Ada Larsen"}).raise_for_status()
    assert client.get(f"/flows/{flow_id}")["lockedUser"]["name"] == "Ada Larsen"
    (message,) = client.failure(call_flow("Sales", says="Changed."))
    assert message == (
        "The flow 'Sales' (type: 'inboundcall') is locked by another entity. "
        "You can use the --forceUnlock option to unlock it."
    )
    assert client.version(flow_id) == "1.0"
    ada = another(client, running, name="Ada's", user="Ada Larsen")
    with ada:
        assert ada.refused("POST", "/flows/actions/checkout", flow=flow_id) == (409, "architect.flow.locked.by.user")
    client.http.delete(f"/sandbox/flows/{flow_id}/lock").raise_for_status()
    client.publish(call_flow("Sales", says="Changed."))
    assert client.version(flow_id) == "2.0"


def test_stubs_are_made_for_call_targets_only(client: Client) -> None:
    state = client.deploy(call_flow("A", to_flow("B")), create_stubs=True)
    assert state["status"] == "Success"
    assert {flow["name"] for flow in client.get("/flows")["entities"]} == {"A", "B"}
    client.publish(call_flow("B", to_flow("A")))
    state = client.deploy(call_flow("C", calls("Module")), create_stubs=True)
    assert state["status"] == "Failure"


def test_an_org_may_make_whatever_is_named(client: Client) -> None:
    client.settings(missing_references="create")
    action = """\
          - callData:
              name: Look up
              category:
                Billing System:
                  dataAction:
                    Get Balance:
                      inputs: {}
"""
    client.publish(call_flow("Main", to_queue("New") + calls("Made Up") + action, extra="  division: Elsewhere\n"))
    assert client.get("/routing/queues", name="New")["total"] == 1
    assert client.get("/integrations/actions", category="Billing System")["entities"][0]["name"] == "Get Balance"
    assert client.get("/flows", type="commonmodule")["entities"][0]["publishedVersion"]["id"] == "1.0"
    assert client.get("/flows", name="Main")["entities"][0]["division"]["name"] == "Elsewhere"


def test_the_upload_address_is_all_that_is_needed_and_nothing_less(client: Client) -> None:
    job = client.post("/flows/jobs")
    content = call_flow("Sales").encode()
    assert httpx.put(job["presignedUrl"], content=content).status_code == 403
    forged = job["presignedUrl"].replace("signature=", "signature=x")
    assert httpx.put(forged, headers=job["headers"], content=content).status_code == 403
    assert client.get(f"/flows/jobs/{job['id']}")["status"] == "Registered"
    for _ in range(2):
        assert httpx.put(job["presignedUrl"], headers=job["headers"], content=content).status_code == 200
    flow_id = client.get(f"/flows/jobs/{job['id']}")["flow"]["id"]
    assert client.version(flow_id) == "1.0"


def test_a_job_takes_its_time_and_nothing_is_seen_before(client: Client) -> None:
    flow_id = client.publish(call_flow("Sales"))
    client.settings(job_seconds=0.4)
    job_id = client.upload(call_flow("Sales", says="Changed."))
    new_job = client.upload(call_flow("New"))
    assert client.get(f"/flows/jobs/{job_id}", expand="messages")["status"] == "Started"
    assert client.version(flow_id) == "1.0"
    assert [flow["name"] for flow in client.get("/flows")["entities"]] == ["Sales"]
    new_id = client.get(f"/flows/jobs/{new_job}")["flow"]["id"]
    assert client.refused("GET", f"/flows/{new_id}") == (404, "architect.flow.not.found")
    # A change in the meantime keeps what is still to be seen.
    client.put(f"/flows/{flow_id}", {"name": "Sales", "description": "Edited"})
    deadline = time.monotonic() + 5
    while client.get(f"/flows/jobs/{job_id}")["status"] == "Started":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert client.version(flow_id) == "2.0"
    assert client.get(f"/flows/{flow_id}")["description"] == "Edited"


def test_lists_lag_behind_reading_by_id(client: Client) -> None:
    old = client.publish(call_flow("Old"))
    client.settings(list_lag_seconds=0.4)
    time.sleep(0.45)
    new = client.publish(call_flow("New"))
    client.call("DELETE", f"/flows/{old}")
    client.post("/routing/skills", {"name": "Fresh"})
    assert client.version(new) == "1.0"
    assert client.refused("GET", f"/flows/{old}") == (410, "architect.flow.deleted")
    assert [flow["name"] for flow in client.get("/flows")["entities"]] == ["Old"]
    assert client.get("/routing/skills", name="Fresh")["total"] == 0
    time.sleep(0.45)
    assert [flow["name"] for flow in client.get("/flows")["entities"]] == ["New"]
    assert client.get("/routing/skills", name="Fresh")["total"] == 1


def test_a_stored_version_can_be_validated_against_the_org_of_today(client: Client) -> None:
    flow_id = client.publish(call_flow("Main", to_queue("Support")))
    reference = {"flows": [{"flow": {"id": flow_id}}]}
    job = client.post("/flows/validate/jobs", reference)
    assert client.get(f"/flows/validate/jobs/{job['id']}", expand="messages")["status"] == "Success"
    queue = client.get("/routing/queues", name="Support")["entities"][0]
    client.call("DELETE", f"/routing/queues/{queue['id']}", forceDelete="true")
    job = client.post("/flows/validate/jobs", reference)
    state = client.get(f"/flows/validate/jobs/{job['id']}", expand="messages")
    assert [message["text"] for message in state["messages"]] == [
        "Main: find 'queue' by value of 'Support' - no matches"
    ]
