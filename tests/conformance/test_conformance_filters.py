"""What a list is asked for, as the official SDK sends it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sdk import Sdk, connect, refused
from support import flow, module

from reconciler.sandbox.embedded import Running


@pytest.fixture(scope="module")
def filled(running: Running) -> Iterator[Sdk]:
    sdk = connect(running)
    division = sdk.authorization.get_authorization_divisions(name="Business").entities[0].id
    sdk.publish(flow("Front Door"))
    sdk.publish(flow("Back Door"))
    sdk.publish(module("Greet"))
    sdk.architect.post_flows(
        {"name": "Night Door", "type": "inqueuecall", "description": "Dark", "division": {"id": division}}
    )
    yield sdk
    sdk.close()


def names(page: Any) -> set[str]:
    return {entity.name for entity in page.entities}


def test_several_types_of_flow_at_once(filled):
    assert names(filled.architect.get_flows(type=["inqueuecall", "commonmodule"])) == {"Night Door", "Greet"}


def test_a_filter_by_name_is_not_exact(filled):
    assert names(filled.architect.get_flows(name="door")) == {"Front Door", "Back Door", "Night Door"}
    assert names(filled.architect.get_flows(name="door", type=["inboundcall"])) == {"Front Door", "Back Door"}


def test_several_divisions_at_once(filled):
    divisions = filled.authorization.get_authorization_divisions().entities

    business = [division.id for division in divisions if division.name == "Business"]
    both = [division.id for division in divisions if division.name in ("Business", "Home")]

    assert names(filled.architect.get_flows(division_id=business)) == {"Night Door"}
    assert len(names(filled.architect.get_flows(division_id=both))) == 4


def test_ids_win_over_all_other_filters_of_flows(filled):
    by_name = {entity.name: entity.id for entity in filled.architect.get_flows().entities}
    two = [by_name["Greet"], by_name["Night Door"]]

    assert names(filled.architect.get_flows(id=two, name="Front")) == {"Greet", "Night Door"}
    assert names(filled.architect.get_flows_divisionviews(id=two, type=["inboundcall"])) == {
        "Greet",
        "Night Door",
    }


def test_a_look_up_by_id_leaves_out_what_is_not_there(filled):
    known = filled.architect.get_flows(name="Greet").entities[0].id

    assert names(filled.architect.get_flows_lookup([known, str(uuid4())])) == {"Greet"}
    assert filled.architect.get_flows_lookup([str(uuid4())]).entities == []


def test_description_and_either_of_both(filled):
    assert names(filled.architect.get_flows(description="dark")) == {"Night Door"}
    assert names(filled.architect.get_flows(name_or_description="dark")) == {"Night Door"}
    assert names(filled.architect.get_flows(name_or_description="greet")) == {"Greet"}


def test_order_by_name_in_both_directions(filled):
    up = [entity.name for entity in filled.architect.get_flows(sort_by="name", sort_order="asc").entities]
    down = [entity.name for entity in filled.architect.get_flows(sort_by="name", sort_order="desc").entities]

    assert up == ["Back Door", "Front Door", "Greet", "Night Door"]
    assert down == up[::-1]


def test_flows_published_before_and_after_a_moment(filled):
    published = filled.architect.get_flows(name="Back Door").entities[0].published_version.date_published
    moment = published.isoformat()

    assert "Greet" in names(filled.architect.get_flows(published_after=moment))
    assert "Front Door" in names(filled.architect.get_flows(published_before=moment))
    assert "Night Door" not in names(filled.architect.get_flows(published_after="2020-01-01T00:00:00Z"))


def test_a_wrong_filter_is_refused_and_not_ignored(filled):
    flows = filled.architect.get_flows
    assert refused(flows, type=["callflow"]) == (400, "invalid.query.param.value")
    assert refused(flows, published_after="yesterday") == (400, "invalid.date")
    assert refused(flows, sort_by="colour") == (400, "invalid.query.param.value")


def test_queues_by_name_take_asterisks_and_skills_their_beginning(filled):
    for name in ("Billing", "Billing Advanced", "Advanced"):
        filled.routing.post_routing_skills({"name": name})

    assert names(filled.routing.get_routing_queues(name="Sal*")) == {"Sales"}
    assert names(filled.routing.get_routing_queues(name="Sal")) == set()
    assert names(filled.routing.get_routing_skills(name="bill")) == {"Billing", "Billing Advanced"}


def test_the_star_stands_for_all_divisions_of_queues(filled):
    assert names(filled.routing.get_routing_queues_divisionviews(division_id=["*"])) == {"Sales", "Support"}


def test_several_names_of_prompts_win_over_all_other_filters(filled):
    for name in ("Hello", "Goodbye", "Wait"):
        filled.architect.post_architect_prompts({"name": name})
    other = [filled.authorization.get_authorization_divisions(name="Business").entities[0].id]

    found = filled.architect.get_architect_prompts(name=["Hello", "Wait"], division_id=other)

    assert names(found) == {"Hello", "Wait"}


@pytest.mark.parametrize("kind", ["flows_outcomes", "flows_milestones", "architect_prompts"])
def test_outcomes_milestones_and_prompts_are_found_by_their_description(sdk, kind):
    create, listed = getattr(sdk.architect, f"post_{kind}"), getattr(sdk.architect, f"get_{kind}")
    first = create(body={"name": "Paid_1", "description": "Money came in"})
    second = create(body={"name": "Money_2", "description": "Nothing"})

    assert [found.id for found in listed(description="money").entities] == [first.id]
    assert {found.id for found in listed(name_or_description="money").entities} == {first.id, second.id}


@pytest.mark.parametrize("kind", ["flows_outcomes", "flows_milestones"])
def test_ids_win_over_all_other_filters_of_outcomes_and_milestones(sdk, kind):
    made = getattr(sdk.architect, f"post_{kind}")(body={"name": "Hung up"})

    found = getattr(sdk.architect, f"get_{kind}")(id=[made.id], name="nobody")

    assert [item.id for item in found.entities] == [made.id]
