"""The life of a flow, told with the official SDK."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from flow_driver import content, new_flow, queueing, standing, transferring, waiting
from sdk import Sdk, another, genesys, refused
from support import flow, module


def test_a_flow_goes_from_its_creation_to_the_air(sdk):
    architect = sdk.architect
    wanted = genesys.models.Flow()
    wanted.name, wanted.type, wanted.description = "Sales", "INBOUNDCALL", "For buyers"
    made = architect.post_flows(wanted, language="en-us")
    assert (made.name, made.type, made.description, made.active) == ("Sales", "INBOUNDCALL", "For buyers", False)
    assert made.division.name == "Home"
    assert made.published_version is None
    assert made.self_uri == f"/api/v2/flows/{made.id}"

    locked = architect.post_flows_actions_checkout(made.id)
    assert locked.locked_client.id == sdk.client_id
    assert locked.locked_user is None

    saved = architect.post_flow_versions(made.id, content("Welcome."))
    assert (saved.id, saved.type, saved.secure, saved.debug) == ("1.0", "SAVE", False, False)
    assert saved.created_by_client.id == sdk.client_id
    age = datetime.now(UTC) - datetime.fromtimestamp(saved.date_saved / 1000, UTC)
    assert timedelta(0) <= age < timedelta(minutes=1)

    checked_in = architect.post_flows_actions_checkin(made.id)
    assert (checked_in.action_name, checked_in.action_status, checked_in.complete) == ("CHECKIN", "SUCCESS", True)
    assert checked_in.client.id == sdk.client_id
    version = architect.get_flow(made.id).checked_in_version
    assert (version.id, version.type) == ("1.0", "CHECKIN")
    assert version.date_checked_in >= version.date_created

    published = architect.post_flows_actions_publish(made.id)
    assert (published.action_name, published.action_status) == ("PUBLISH", "SUCCESS")
    live = architect.get_flow(made.id)
    assert live.active
    assert live.locked_client is None
    assert live.current_operation.id == published.id
    assert (live.published_version.id, live.published_version.type) == ("1.0", "PUBLISH")
    assert live.published_version.date_published.tzinfo is not None
    assert live.published_version.date_published_end is None

    assert architect.get_flow_version_configuration(made.id, "1.0") == content("Welcome.")
    assert architect.get_flow_latestconfiguration(made.id) == content("Welcome.")
    assert architect.get_flow_version(made.id, "1.0").configuration_uri.endswith("/versions/1.0/configuration")


def test_an_older_version_comes_back_as_a_new_one(sdk):
    flow_id = sdk.publish(flow("Comes back", says="First."))
    sdk.publish(flow("Comes back", says="Second."))

    sdk.architect.post_flows_actions_publish(flow_id, version="1.0")

    assert standing(sdk, flow_id) == "- 3 3 3"
    greeting = sdk.architect.get_flow_version_configuration(flow_id, "3.0")["inboundCall"]["initialGreeting"]
    assert greeting == {"tts": "First."}
    newest, second, first = sdk.architect.get_flow_versions(flow_id).entities
    assert [version.id for version in (newest, second, first)] == ["3.0", "2.0", "1.0"]
    assert newest.date_published_end is None
    assert first.date_published_end == second.date_published
    assert second.date_published_end == newest.date_published


def test_a_draft_that_was_dropped_is_not_heard_of_again(sdk):
    flow_id = sdk.publish(flow("Dropped"))
    sdk.architect.post_flows_actions_checkout(flow_id)
    draft = sdk.architect.post_flow_versions(flow_id, content("Draft."))

    sdk.architect.post_flows_actions_revert(flow_id)
    sdk.publish(flow("Dropped", says="Again."))

    assert draft.id not in {version.id for version in sdk.architect.get_flow_versions(flow_id).entities}
    assert refused(sdk.architect.get_flow_version, flow_id, draft.id) == (404, "not.found")


def test_a_draft_is_replaced_by_the_next_one(sdk):
    flow_id = new_flow(sdk)
    sdk.architect.post_flows_actions_checkout(flow_id)
    first = sdk.architect.post_flow_versions(flow_id, content("First."))

    second = sdk.architect.post_flow_versions(flow_id, content("Second."))

    assert [version.id for version in sdk.architect.get_flow_versions(flow_id).entities] == [second.id]
    assert refused(sdk.architect.get_flow_version, flow_id, first.id) == (404, "not.found")
    assert sdk.architect.get_flow_latestconfiguration(flow_id) == content("Second.")
    sdk.architect.post_flows_actions_revert(flow_id)


def test_a_flow_that_was_taken_down_says_until_when_it_was_up(sdk):
    flow_id = sdk.publish(flow("Taken down"))

    down = sdk.architect.post_flows_actions_deactivate(flow_id)

    assert not down.active
    assert down.published_version is None
    version = sdk.architect.get_flow_version(flow_id, "1.0")
    assert version.date_published <= version.date_published_end


def test_a_deleted_flow_is_gone_but_can_still_be_read(sdk):
    flow_id = sdk.publish(flow("Deleted"))
    sdk.architect.delete_flow(flow_id)

    assert refused(sdk.architect.get_flow, flow_id) == (410, "architect.flow.deleted")
    assert sdk.architect.get_flow(flow_id, deleted=True).deleted
    assert sdk.architect.get_flows(name="Deleted").entities == []
    assert [found.id for found in sdk.architect.get_flows(name="Deleted", deleted=True).entities] == [flow_id]
    assert sdk.architect.get_flow_versions(flow_id, deleted=True).total == 1
    # Its name is free again, for a flow of its own.
    assert sdk.publish(flow("Deleted")) != flow_id


def test_several_flows_are_deleted_in_one_operation(sdk):
    flows = [new_flow(sdk), new_flow(sdk)]

    done = sdk.architect.delete_flows(flows)

    assert (done.action_name, done.action_status, done.complete) == ("DELETE", "SUCCESS", True)
    for flow_id in flows:
        assert refused(sdk.architect.get_flow, flow_id) == (410, "architect.flow.deleted")


def test_of_several_flows_none_is_deleted_when_one_cannot_be(sdk):
    colleague = another(sdk, name="Colleague")
    free, locked = new_flow(sdk), new_flow(sdk)
    colleague.architect.post_flows_actions_checkout(locked)

    assert refused(sdk.architect.delete_flows, [free, locked]) == (409, "architect.flow.locked.by.user")

    assert standing(sdk, free) == "- - - -"
    colleague.close()


def test_a_flow_is_renamed_and_described_anew(sdk):
    flow_id = sdk.publish(flow("Old Name"))

    changed = sdk.architect.put_flow(flow_id, {"name": "New Name", "description": "Better"})

    assert (changed.name, changed.description) == ("New Name", "Better")
    assert [found.id for found in sdk.architect.get_flows(name="New Name").entities] == [flow_id]
    assert sdk.architect.get_flows(name="Old Name").entities == []


def test_an_operation_is_followed_until_it_is_complete(alone):
    alone.settings(operation_seconds=0.3)
    flow_id = new_flow(alone)
    alone.architect.post_flows_actions_checkout(flow_id)
    alone.architect.post_flow_versions(flow_id, content())

    started = alone.architect.post_flows_actions_checkin(flow_id)

    assert (started.complete, started.action_status) == (False, "STARTED")
    assert alone.architect.get_flow(flow_id).checked_in_version is None
    for call in (alone.architect.post_flows_actions_checkin, alone.architect.post_flows_actions_publish):
        assert refused(call, flow_id) == (409, "architect.operation.already.in.progress")
    for _attempt in range(50):
        seen = alone.architect.get_flow(flow_id)
        if seen.current_operation.complete:
            break
        time.sleep(0.05)
    assert (seen.current_operation.id, seen.current_operation.action_status) == (started.id, "SUCCESS")
    assert seen.checked_in_version.id == "1.0"
    assert seen.locked_client is None


def test_a_publish_that_misses_something_ends_in_a_failed_operation_and_changes_nothing(sdk):
    flow_id = new_flow(sdk)
    sdk.architect.post_flows_actions_checkout(flow_id)
    sdk.architect.post_flow_versions(flow_id, json.loads(queueing("Any", "Nobody")))
    sdk.architect.post_flows_actions_checkin(flow_id)

    failed = sdk.architect.post_flows_actions_publish(flow_id)

    assert (failed.complete, failed.action_status) == (True, "FAILURE")
    assert failed.error_code == "architect.flow.cannot.publish.missing.dependencies"
    assert "Nobody" in failed.error_message
    assert standing(sdk, flow_id) == "- 1 1 -"
    assert sdk.architect.get_flow(flow_id).current_operation.id == failed.id


def test_lists_may_lag_behind_while_reading_by_id_is_exact(alone):
    alone.settings(list_lag_seconds=1)
    flow_id = alone.publish(flow("Lags", says="First."))
    assert listed_version(alone, "Lags", "1.0")

    alone.publish(flow("Lags", says="Second."))

    assert alone.architect.get_flow(flow_id).published_version.id == "2.0"
    assert alone.architect.get_flows(name="Lags").entities[0].published_version.id == "1.0"
    assert listed_version(alone, "Lags", "2.0")


def listed_version(sdk: Sdk, name: str, version: str) -> bool:
    """Waits until the list shows a published version of the flow of that name; False if it never does."""
    for _attempt in range(60):
        found = sdk.architect.get_flows(name=name).entities
        if found and found[0].published_version.id == version:
            return True
        time.sleep(0.05)
    return False


def test_a_person_who_holds_a_flow_is_named(sdk):
    flow_id = sdk.publish(flow("Held"))
    ada = another(sdk, name="Ada's browser", user="Ada Larsen")
    ada.architect.post_flows_actions_checkout(flow_id)

    held = sdk.architect.get_flow(flow_id)

    assert (held.locked_user.name, held.locked_user.email) == ("Ada Larsen", "ada@example.com")
    assert held.locked_client is None
    assert [found.id for found in sdk.architect.get_flows(locked_by=held.locked_user.id).entities] == [flow_id]
    editable = sdk.architect.get_flows(editable_by=held.locked_user.id, name="Held")
    assert [found.id for found in editable.entities] == [flow_id]
    ada.close()


def test_a_flow_held_by_a_client_is_found_by_the_client(sdk):
    flow_id = new_flow(sdk)
    sdk.architect.post_flows_actions_checkout(flow_id)

    found = sdk.architect.get_flows(locked_by_client_id=sdk.client_id)

    assert flow_id in {entity.id for entity in found.entities}
    sdk.architect.post_flows_actions_unlock(flow_id)


def test_a_common_module_shows_who_may_call_it_and_what_goes_in_and_out(sdk):
    text = module("Ask for a number").replace(
        "  settingsCommonModule:",
        "  variables:\n"
        "    - stringVariable:\n"
        "        name: Flow.question\n"
        "        isInput: true\n"
        "    - integerVariable:\n"
        "        name: Flow.answer\n"
        "        isOutput: true\n"
        "  settingsCommonModule:",
    )
    flow_id = sdk.publish(text)

    plain = sdk.architect.get_flow(flow_id)
    version = sdk.architect.get_flow_version(flow_id, plain.published_version.id)
    listed = sdk.architect.get_flows(id=[flow_id], include_schemas=True).entities[0]

    assert plain.compatible_flow_types == ["INBOUNDCALL"]
    assert plain.supported_languages[0].language == "en-us"
    assert plain.input_schema is None
    assert list(version.input_schema.properties) == ["Flow.question"]
    assert list(version.output_schema.properties) == ["Flow.answer"]
    assert list(listed.input_schema["properties"]) == ["Flow.question"]


def test_the_short_view_of_a_flow_has_what_its_model_has(sdk):
    flow_id = sdk.publish(flow("Short view"))

    view = sdk.architect.get_flows_divisionviews(id=[flow_id]).entities[0]

    assert (view.id, view.name, view.type, view.division.name) == (flow_id, "Short view", "INBOUNDCALL", "Home")
    assert view.published_version.id == "1.0"


def test_flows_move_between_divisions(sdk):
    flow_id = sdk.publish(flow("Moves"))
    business = sdk.authorization.get_authorization_divisions(name="Business").entities[0]

    sdk.authorization.post_authorization_division_object(business.id, "FLOW", [flow_id])

    assert sdk.architect.get_flow(flow_id).division.name == "Business"


@pytest.mark.parametrize("where", ["ivr.configs", "emergency.groups", "queues", "flows"])
def test_a_flow_in_use_can_neither_be_deleted_nor_taken_down(sdk, where):
    name = f"Used in {where}"
    flow_id = sdk.publish(waiting(name) if where == "queues" else flow(name))
    match where:
        case "ivr.configs":
            sdk.architect.post_architect_ivrs({"name": f"Line of {name}", "openHoursFlow": {"id": flow_id}})
        case "emergency.groups":
            calls = [{"emergencyFlow": {"id": flow_id}, "ivrs": []}]
            sdk.architect.post_architect_emergencygroups({"name": f"Group of {name}", "emergencyCallFlows": calls})
        case "queues":
            sdk.routing.post_routing_queues({"name": f"Queue of {name}", "queueFlow": {"id": flow_id}})
        case "flows":
            sdk.publish(transferring(f"Transfers to {name}", name))

    assert refused(sdk.architect.delete_flow, flow_id) == (409, f"architect.flow.cannot.delete.used.in.{where}")
    if where == "flows":
        # The list of codes for taking down has none for flows (facts §3.1).
        assert not sdk.architect.post_flows_actions_deactivate(flow_id).active
    else:
        code = f"architect.flow.cannot.deactivate.used.in.{where}"
        assert refused(sdk.architect.post_flows_actions_deactivate, flow_id) == (409, code)
        assert sdk.architect.get_flow(flow_id).active
