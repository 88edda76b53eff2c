"""Queues, skills, divisions and everything else that flows name, with the official SDK."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from flow_driver import waiting
from sdk import Sdk, genesys, refused
from support import flow

SEED = """\
organization: {name: Directory Org}
divisions: [Business]
queues: [Sales]
contactLists: [Customers]
scripts: [Ask first]
surveyForms: [How was it]
knowledgeBases: [Handbook]
worktypes: [Claim]
agenticVirtualAgents: [Robin]
sttEngines: [Listens well]
groups: [Duty]
users:
  - {name: Ada Larsen, email: ada@example.com}
dataActions:
  - {category: CRM, name: Find Customer}
  - {category: CRM, name: Take Card Number, secure: true}
  - {category: Billing, name: Get Balance}
"""
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def seed() -> str:
    """One of everything."""
    return SEED


@dataclass(frozen=True)
class Made:
    """A kind that clients make: names of its operations, all in one API of the SDK."""

    api: str
    one: str
    """Ending of the operations on one object."""
    several: str
    """Ending of the operations on the collection."""
    body: dict[str, Any] = field(default_factory=dict)
    update: bool = False
    delete: bool = True
    division: bool = True
    described: bool = True

    def __str__(self) -> str:
        return self.several


MADE = (
    Made("RoutingApi", "routing_queue", "routing_queues", update=True),
    Made("RoutingApi", "routing_skill", "routing_skills", described=False),
    Made("RoutingApi", "routing_language", "routing_languages", division=False, described=False),
    Made("RoutingApi", "routing_wrapupcode", "routing_wrapupcodes", update=True),
    Made("OutboundApi", "outbound_contactlist", "outbound_contactlists", {"columnNames": ["Phone"]}, described=False),
    Made("ArchitectApi", "flows_milestone", "flows_milestones", update=True),
    Made("ArchitectApi", "flows_outcome", "flows_outcomes", delete=False),
    Made("GroupsApi", "group", "groups", division=False),
    Made("UsersApi", "user", "users", {"email": "new@example.com"}, delete=False, described=False),
)


def create(api: Any, kind: Made, body: dict[str, Any]) -> Any:
    """Makes one."""
    return getattr(api, f"post_{kind.several}")(body=body)


@pytest.mark.parametrize("kind", MADE, ids=str)
def test_what_clients_make_is_read_listed_changed_and_deleted(sdk, kind):
    api = getattr(genesys, kind.api)(sdk.client)
    get, listed = getattr(api, f"get_{kind.one}"), getattr(api, f"get_{kind.several}")
    body = {"name": f"Thing {next(_NUMBERS)}", **kind.body, **({"description": "Good"} if kind.described else {})}

    made = create(api, kind, body)

    assert made.name == body["name"]
    assert get(made.id).to_dict() == made.to_dict()
    if kind.division:
        assert made.division.name == "Home"
    if kind.described:
        assert made.description == "Good"
    assert made.id in [item.id for item in listed(id=[made.id]).entities]
    assert refused(create, api, kind, body) == (409, "general.conflict")
    assert refused(get, "nothing") == (404, "not.found")
    if kind.update:
        changed = getattr(api, f"put_{kind.one}")(made.id, body={**body, "description": "Better"})
        assert (changed.id, changed.description, get(made.id).description) == (made.id, "Better", "Better")
    if kind.delete:
        getattr(api, f"delete_{kind.one}")(made.id)
        assert refused(get, made.id) == (404, "not.found")
        assert create(api, kind, body).id != made.id


def test_an_outcome_is_changed_by_an_operation_and_never_without_a_description(sdk):
    made = sdk.architect.post_flows_outcomes(body={"name": "Paid", "description": "Money came in"})

    done = sdk.architect.put_flows_outcome(made.id, body={"name": "Paid at last"})

    assert (done.action_name, done.action_status, done.complete) == ("UPDATE", "SUCCESS", True)
    after = sdk.architect.get_flows_outcome(made.id)
    assert (after.name, after.description) == ("Paid at last", " ")


def test_a_skill_moves_to_another_division(sdk):
    skill = sdk.routing.post_routing_skills({"name": "Moves"})
    business = sdk.authorization.get_authorization_divisions(name="Business").entities[0]

    assert sdk.routing.patch_routing_skill(skill.id, {"divisionId": business.id}).division.name == "Business"


def test_a_wrap_up_code_may_belong_to_all_divisions(sdk):
    code = sdk.routing.post_routing_wrapupcodes({"name": "Everywhere", "division": {"id": "*"}})

    assert sdk.routing.get_routing_wrapupcode(code.id).division.id == "*"


def test_a_queue_keeps_its_flow(sdk):
    flow_id = sdk.publish(waiting("Waits"))

    queue = sdk.routing.post_routing_queues({"name": "With a flow", "queueFlow": {"id": flow_id}})

    assert (queue.queue_flow.id, queue.queue_flow.name) == (flow_id, "Waits")
    assert sdk.routing.put_routing_queue(queue.id, {"name": "With a flow"}).queue_flow is None
    sdk.architect.delete_flow(flow_id)


def test_divisions_are_made_renamed_and_deleted_when_they_are_empty(sdk):
    api = sdk.authorization
    made = api.post_authorization_divisions({"name": "Passing", "description": "For now"})
    assert (made.description, made.home_division) == ("For now", False)
    flow_id = sdk.publish(flow("Moves along"))
    api.post_authorization_division_object(made.id, "FLOW", [flow_id])

    assert refused(api.delete_authorization_division, made.id) == (400, "bad.request")

    home = api.get_authorization_divisions_home()
    assert (home.name, home.home_division) == ("Home", True)
    api.post_authorization_division_object(home.id, "FLOW", [flow_id])
    assert api.put_authorization_division(made.id, {"name": "Passed"}).name == "Passed"
    api.delete_authorization_division(made.id)
    assert refused(api.get_authorization_division, made.id) == (404, "not.found")
    assert refused(api.delete_authorization_division, home.id, force=True) == (400, "bad.request")


@pytest.mark.parametrize(
    ("object_type", "body", "answer"),
    [
        ("IVR", [], (400, "bad.request")),
        ("FLOW", ["nothing"], (404, "architect.flow.not.found")),
        ("QUEUE", ["nothing"], (404, "not.found")),
        ("QUEUE", {"id": "x"}, (400, "invalid.value")),
    ],
)
def test_what_cannot_be_moved_between_divisions_is_refused(sdk, object_type, body, answer):
    home = sdk.authorization.get_authorization_divisions_home().id
    assert refused(sdk.authorization.post_authorization_division_object, home, object_type, body) == answer


READ = (
    ("ScriptsApi", "get_script", "get_scripts", "Ask first"),
    ("ScriptsApi", "get_script", "get_scripts_published", "Ask first"),
    ("ScriptsApi", "get_script", "get_scripts_divisionviews", "Ask first"),
    ("QualityApi", "get_quality_forms_survey", "get_quality_forms_surveys", "How was it"),
    ("KnowledgeApi", "get_knowledge_knowledgebase", "get_knowledge_knowledgebases", "Handbook"),
    ("VirtualAgentsApi", "get_agentic_virtualagent", "get_agentic_virtualagents", "Robin"),
    ("IntegrationsApi", "get_integrations_speech_stt_engine", "get_integrations_speech_stt_engines", "Listens well"),
    ("IntegrationsApi", "get_integrations_speech_tts_engine", "get_integrations_speech_tts_engines", "Genesys TTS"),
    ("IntegrationsApi", "get_integration", "get_integrations", "CRM"),
    ("IntegrationsApi", "get_integrations_action", "get_integrations_actions", "Find Customer"),
    ("OutboundApi", "get_outbound_contactlist", "get_outbound_contactlists", "Customers"),
)


@pytest.mark.parametrize(("api", "one", "several", "name"), READ, ids=[row[2] for row in READ])
def test_what_the_seed_brought_is_listed_and_read(sdk, api, one, several, name):
    session = getattr(genesys, api)(sdk.client)

    listed = getattr(session, several)().entities

    (found,) = [item for item in listed if item.name == name]
    assert getattr(session, one)(found.id).name == name


def test_data_actions_are_found_by_category_name_and_secrecy(sdk):
    api = genesys.IntegrationsApi(sdk.client)

    def names(**query: Any) -> set[str]:
        return {action.name for action in api.get_integrations_actions(**query).entities}

    assert names(category="CRM") == {"Find Customer", "Take Card Number"}
    assert names(secure="true") == {"Take Card Number"}
    assert names(name="balance") == {"Get Balance"}
    assert [item.name for item in api.get_integrations_actions_categories().entities] == ["Billing", "CRM"]
    crm = next(item for item in api.get_integrations().entities if item.name == "CRM")
    made = api.post_integrations_actions({"name": "Close Ticket", "category": "CRM", "integrationId": crm.id})
    assert (made.category, made.integration_id, made.secure) == ("CRM", crm.id, False)
    api.delete_integrations_action(made.id)
    assert names(category="CRM") == {"Find Customer", "Take Card Number"}


def criterion(kind: str, value: str) -> dict[str, Any]:
    """One condition of a search by name."""
    return {"query": [{"type": kind, "fields": ["name"], "value": value}]}


@pytest.mark.parametrize(
    ("search", "name"),
    [
        (lambda sdk: genesys.SearchApi(sdk.client).post_users_search, "Ada Larsen"),
        (lambda sdk: genesys.GroupsApi(sdk.client).post_groups_search, "Duty"),
    ],
    ids=["users", "groups"],
)
def test_people_and_groups_are_searched(sdk, search: Callable[[Sdk], Callable[..., Any]], name):
    find = search(sdk)

    for kind, value in (("EXACT", name), ("STARTS_WITH", name[:3]), ("CONTAINS", name[1:4])):
        found = find(criterion(kind, value))
        assert ([item.name for item in found.results], found.total, found.page_count) == ([name], 1, 1)
    assert find(criterion("EXACT", name[:3])).results == []
    assert refused(find, criterion("SOUNDS_LIKE", name)) == (400, "invalid.value")


def test_worktypes_are_queried_by_name(sdk):
    api = genesys.TaskManagementApi(sdk.client)
    named = {"filters": [{"name": "name", "type": "String", "operator": "IN", "values": ["Claim", "Other"]}]}

    (found,) = api.post_taskmanagement_worktypes_query(named).entities

    assert found.name == "Claim"
    assert api.get_taskmanagement_worktype(found.id).name == "Claim"
