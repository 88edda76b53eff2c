"""The official SDK reads what was done to a flow (``post_flow_history``, ``get_flow_history_history_id``)."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from sdk import Sdk, another, genesys, refused

_NUMBERS = itertools.count(1)


def body(name: str, says: str = "Hello.") -> dict[str, Any]:
    """What stands below ``inboundCall`` in the YAML of a small flow."""
    main = {"name": "Main", "refId": "main", "actions": [{"disconnect": {"name": says}}]}
    return {
        "name": name,
        "defaultLanguage": "en-us",
        "startUpRef": "./tasks/task[main]",
        "tasks": [{"task": main}],
    }


def created(sdk: Sdk) -> Any:
    """A flow without content."""
    wanted = genesys.Flow()
    wanted.name, wanted.type = f"Flow {next(_NUMBERS)}", "INBOUNDCALL"
    return sdk.architect.post_flows(wanted)


def save(sdk: Sdk, flow: Any) -> str:
    """Checks a flow out and saves a draft; returns the draft's version."""
    sdk.architect.post_flows_actions_checkout(flow.id)
    return str(sdk.architect.post_flow_versions(flow.id, {"inboundCall": body(flow.name)}).id)


def history(sdk: Sdk, flow_id: str, **query: Any) -> Any:
    """A fresh history of a flow (SDK ``HistoryListing``)."""
    operation = sdk.architect.post_flow_history(flow_id)
    return sdk.architect.get_flow_history_history_id(flow_id, operation.id, **query)


def done(listing: Any) -> list[tuple[str, str | None]]:
    """Actions and versions of a history, as listed."""
    return [(entry.action, entry.version) for entry in listing.entities]


@pytest.fixture(scope="module")
def flow(sdk: Sdk) -> Any:
    """A flow that was created, drafted, checked in, published, unpublished, and drafted again in vain."""
    flow = created(sdk)
    save(sdk, flow)
    sdk.architect.post_flows_actions_checkin(flow.id)
    sdk.architect.post_flows_actions_publish(flow.id)
    sdk.architect.post_flows_actions_deactivate(flow.id)
    save(sdk, flow)
    sdk.architect.post_flows_actions_revert(flow.id)
    return flow


def test_a_history_lists_what_was_done_newest_first(sdk: Sdk, flow: Any) -> None:
    listing = history(sdk, flow.id)
    assert done(listing) == [
        ("REVERT", "2.0"),
        ("SAVE", "2.0"),
        ("CHECKOUT", "1.0"),
        ("DEACTIVATE", "1.0"),
        ("PUBLISH", "1.0"),
        ("CHECKIN", "1.0"),
        ("SAVE", "1.0"),
        ("CHECKOUT", None),
        ("CREATE", None),
    ]
    assert (listing.name, listing.complete, listing.action_name) == (flow.name, True, "HISTORY")
    assert listing.action_status == "SUCCESS"
    assert (listing.total, listing.page_count, listing.page_number, listing.page_size) == (9, 1, 1, 25)


def test_an_entry_says_who_did_it_and_when(sdk: Sdk) -> None:
    before = datetime.now(UTC)
    flow = created(sdk)
    ada = another(sdk, name="Ada's tool", user="Ada Larsen")
    ada.architect.post_flows_actions_checkout(flow.id)
    checked_out, made = history(sdk, flow.id).entities
    assert (checked_out.user.name, checked_out.client.name) == ("Ada Larsen", "Ada's tool")
    assert (made.user, made.client.id) == (None, sdk.running.client_id)
    assert checked_out.timestamp >= made.timestamp
    assert abs((made.timestamp - before).total_seconds()) < 30
    ada.close()


def test_a_history_is_paged_sorted_and_filtered(sdk: Sdk, flow: Any) -> None:
    listing = history(sdk, flow.id, page_size=4, page_number=3, sort_order="asc")
    assert done(listing) == [("REVERT", "2.0")]
    assert (listing.total, listing.page_count) == (9, 3)
    assert done(history(sdk, flow.id, action=["save", "publish"])) == [
        ("SAVE", "2.0"),
        ("PUBLISH", "1.0"),
        ("SAVE", "1.0"),
    ]
    by_action = [action for action, _version in done(history(sdk, flow.id, sort_by="action", sort_order="asc"))]
    assert by_action == sorted(by_action)


def test_a_history_ends_with_the_request_for_it(sdk: Sdk) -> None:
    flow = created(sdk)
    earlier = sdk.architect.post_flow_history(flow.id)
    sdk.architect.post_flows_actions_checkout(flow.id)
    listing = sdk.architect.get_flow_history_history_id(flow.id, earlier.id)
    assert done(listing) == [("CREATE", None)]


def test_a_deploy_job_leaves_the_creation_and_the_publish(sdk: Sdk) -> None:
    name = f"Flow {next(_NUMBERS)}"
    yaml = str({"inboundCall": body(name)})  # A mapping in flow style.
    flow_id = sdk.publish(yaml)
    sdk.publish(yaml)
    assert done(history(sdk, flow_id)) == [("PUBLISH", "2.0"), ("PUBLISH", "1.0"), ("CREATE", None)]


def test_taking_away_a_lock_shows_what_became_of_the_draft(sdk: Sdk) -> None:
    drafted, merely_locked = created(sdk), created(sdk)
    ada = another(sdk, name="Ada's tool", user="Ada Larsen")
    save(ada, drafted)
    ada.architect.post_flows_actions_checkout(merely_locked.id)
    for flow in (drafted, merely_locked):
        sdk.architect.post_flows_actions_unlock(flow.id)
    assert done(history(sdk, drafted.id))[0] == ("CHECKIN", "1.0")
    latest = history(sdk, merely_locked.id).entities[0]
    assert (latest.action, latest.user, latest.client.id) == ("REVERT", None, sdk.running.client_id)
    ada.close()


def test_a_history_that_takes_its_time_is_incomplete_until_then(alone: Sdk) -> None:
    flow = created(alone)
    alone.settings(query_seconds=3600)
    operation = alone.architect.post_flow_history(flow.id)
    assert (operation.complete, operation.action_status) == (False, "STARTED")
    listing = alone.architect.get_flow_history_history_id(flow.id, operation.id)
    assert (listing.complete, listing.action_status, listing.completed) == (False, "STARTED", None)
    assert listing.entities == []


def test_wrong_requests_for_a_history_are_refused(sdk: Sdk, flow: Any) -> None:
    other = created(sdk)
    operation = sdk.architect.post_flow_history(flow.id)
    read = sdk.architect.get_flow_history_history_id
    assert refused(sdk.architect.post_flow_history, "nowhere") == (404, "architect.flow.not.found")
    assert refused(read, other.id, operation.id) == (404, "not.found")
    assert refused(read, flow.id, operation.id, action=["renamed"]) == (400, "invalid.query.param.value")
    assert refused(read, flow.id, operation.id, sort_by="colour") == (400, "invalid.query.param.value")
    sdk.architect.delete_flow(other.id)
    assert refused(sdk.architect.post_flow_history, other.id) == (410, "architect.flow.deleted")
