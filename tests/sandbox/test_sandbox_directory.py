"""Lists by which names are looked up, each with the filters of its own."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_support import Client, call_flow


def names(client: Client, path: str, **query: Any) -> list[str]:
    """Names of a list."""
    return [item["name"] for item in client.get(path, **query)["entities"]]


def test_filters_match_as_documented(client: Client) -> None:
    assert names(client, "/routing/skills", name="Billing") == ["Billing", "Billing Advanced"]
    assert names(client, "/routing/skills", name="Advanced") == []
    assert names(client, "/routing/queues", name="sales") == ["Sales"]
    assert names(client, "/routing/queues", name="sal*") == ["Sales", "Sales, North"]
    assert names(client, "/routing/queues", name="Sales, North") == ["Sales, North"]
    assert names(client, "/integrations/actions", name="find") == ["Find Customer"]
    assert names(client, "/integrations/actions", category="CRM") == ["Find Customer"]
    assert names(client, "/authorization/divisions", name="bus") == ["Business"]
    assert names(client, "/integrations/speech/tts/engines") == ["Genesys Enhanced TTS", "Genesys TTS"]


def test_a_data_action_lies_in_its_integration(client: Client) -> None:
    (action,) = client.get("/integrations/actions")["entities"]
    integration = client.get(f"/integrations/{action['integrationId']}")
    assert integration["name"] == action["category"] == "CRM"
    assert client.get("/integrations/actions/categories")["entities"] == [{"name": "CRM"}]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/routing/queues", {"name": "New"}),
        ("/routing/skills", {"name": "New"}),
        ("/routing/languages", {"name": "New"}),
        ("/routing/wrapupcodes", {"name": "New", "division": {"id": "*"}}),
        ("/outbound/contactlists", {"name": "New", "columnNames": ["Phone"]}),
        ("/groups", {"name": "New"}),
        ("/flows/outcomes", {"name": "New", "description": "Done"}),
        ("/flows/milestones", {"name": "New"}),
        ("/architect/prompts", {"name": "New"}),
        ("/authorization/divisions", {"name": "New"}),
    ],
)
def test_what_is_made_is_found_and_made_once(client: Client, path: str, body: dict[str, Any]) -> None:
    made = client.post(path, body)
    assert made["selfUri"] == f"/api/v2{path}/{made['id']}"
    assert client.http.get(made["selfUri"]).json()["name"] == "New"
    assert names(client, path, name="New") == ["New"] if path != "/groups" else "New" in names(client, path)
    assert client.refused("POST", path, body) == (409, "general.conflict")
    assert client.refused("POST", path, {**body, "name": ""})[0] == 400


def test_people_and_groups_are_searched(client: Client) -> None:
    exact = {"query": [{"fields": ["email"], "values": ["ADA@example.com"], "type": "EXACT"}]}
    assert [user["name"] for user in client.post("/users/search", exact)["results"]] == ["Ada Larsen"]
    none = {"query": [{"fields": ["email"], "value": "ada", "type": "EXACT"}]}
    assert client.post("/users/search", none)["total"] == 0
    groups = {"query": [{"fields": ["name"], "value": "du", "type": "STARTS_WITH"}]}
    assert [group["name"] for group in client.post("/groups/search", groups)["results"]] == ["Duty"]
    assert client.refused("POST", "/groups/search", {"query": [{"type": "MAGIC"}]}) == (400, "invalid.value")


def test_cursors_lead_through_everything(client: Client) -> None:
    client.settings(missing_references="create")
    for number in range(3):
        client.publish(
            f"workitem:\n  name: W{number}\n  worktype: {{name: Type {number}}}\n  startUpRef: ./states/state[s]\n"
            "  states:\n    - state: {name: S, refId: s}\n"
        )
    seen: list[str] = []
    after: str | None = None
    while True:
        page = client.post("/taskmanagement/worktypes/query", {"pageSize": 2, "filters": [], "after": after})
        seen += [item["name"] for item in page["entities"]]
        after = page.get("after")
        if after is None:
            break
    assert seen == ["Type 0", "Type 1", "Type 2"]
    wanted = {"filters": [{"name": "name", "type": "String", "operator": "IN", "values": ["Type 1"]}]}
    assert [item["name"] for item in client.post("/taskmanagement/worktypes/query", wanted)["entities"]] == ["Type 1"]


def test_objects_move_between_divisions(client: Client) -> None:
    home = client.get("/authorization/divisions/home")
    assert home["homeDivision"] is True
    business = client.get("/authorization/divisions", name="Business")["entities"][0]
    flow_id = client.publish(call_flow("Main"))
    client.call("POST", f"/authorization/divisions/{business['id']}/objects/FLOW", [flow_id])
    assert client.get(f"/flows/{flow_id}")["division"]["name"] == "Business"
    assert "division: Business" in client.export(flow_id)
    assert client.refused("DELETE", f"/authorization/divisions/{business['id']}") == (400, "bad.request")
    client.call("DELETE", f"/flows/{flow_id}")
    assert client.call("DELETE", f"/authorization/divisions/{business['id']}").status_code == 204
    assert client.refused("DELETE", f"/authorization/divisions/{home['id']}") == (400, "bad.request")


def test_prompts_have_a_resource_a_language(client: Client) -> None:
    prompt = client.post("/architect/prompts", {"name": "Greeting", "description": "Hello"})
    resources = f"/architect/prompts/{prompt['id']}/resources"
    client.post(resources, {"language": "en-us", "ttsString": "Hello."})
    assert client.refused("POST", resources, {"language": "en-us"}) == (409, "general.conflict")
    client.put(f"{resources}/en-us", {"ttsString": "Hi.", "text": ""})
    shown = client.get("/architect/prompts", name=["Greeting", "Other"])["entities"][0]
    assert [(item["language"], item["ttsString"]) for item in shown["resources"]] == [("en-us", "Hi.")]
    one = f"/architect/prompts/{prompt['id']}"
    assert client.refused("DELETE", one) == (409, "architect.prompt.has.resources")
    assert client.call("DELETE", one, allResources="true").status_code == 204
    assert client.refused("POST", "/architect/prompts", {"name": "not allowed"}) == (400, "invalid.value")
