"""Dependency tracking with the official SDK: who uses what, and who lags behind a common module."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flow_driver import content, queueing
from sdk import ApiException, Sdk, refused
from support import flow, module


def named(listing: Any) -> list[tuple[str, str]]:
    """(type, name) of what a list holds."""
    return [(item.type, item.name) for item in listing.entities]


def consumed(sdk: Sdk, flow_id: str, version: str, **query: Any) -> dict[str, Any]:
    """What a version of a call flow uses, by name."""
    listing = sdk.architect.get_architect_dependencytracking_consumedresources(
        flow_id, version, "INBOUNDCALLFLOW", **query
    )
    return {item.name: item for item in listing.entities}


def behind(sdk: Sdk, **query: Any) -> dict[str, Any]:
    """Consumers of something that changed since, by name."""
    listing = sdk.architect.get_architect_dependencytracking_updatedresourceconsumers(consumed_resources=True, **query)
    return {item.name: item for item in listing.entities}


def orphans(sdk: Sdk, **query: Any) -> dict[str, Any]:
    """Consumers of something that is gone, by name."""
    listing = sdk.architect.get_architect_dependencytracking_deletedresourceconsumers(consumed_resources=True, **query)
    return {item.name: item for item in listing.entities}


class TestModules:
    """A common module is copied into each caller when that caller is published (facts §3.2)."""

    @pytest.fixture
    def sdk(self, alone: Sdk) -> Sdk:
        """An org with a module and two callers."""
        alone.publish(module("Speak"))
        for name in ("First", "Second"):
            alone.publish(flow(name, modules=("Speak",)))
        return alone

    @staticmethod
    def of(sdk: Sdk, name: str) -> str:
        """The id of the flow of that name."""
        return str(sdk.architect.get_flows(name=name).entities[0].id)

    def test_everybody_holds_the_module_as_it_is(self, sdk):
        speak = consumed(sdk, self.of(sdk, "First"), "1.0")["Speak"]

        assert (speak.id, speak.type, speak.version) == (self.of(sdk, "Speak"), "COMMONMODULEFLOW", "1.0")
        assert (speak.updated, speak.deleted) == (False, False)
        assert behind(sdk) == {}

    def test_a_publish_of_the_module_leaves_its_callers_behind_and_their_republish_catches_up(self, sdk):
        first = self.of(sdk, "First")

        sdk.publish(module("Speak", says="Changed."))

        speak = consumed(sdk, first, "1.0")["Speak"]
        assert (speak.version, speak.updated) == ("1.0", True)
        assert set(behind(sdk)) == {"First", "Second"}
        entry = behind(sdk)["First"]
        assert (entry.id, entry.type, entry.version, entry.updated) == (first, "INBOUNDCALLFLOW", "1.0", True)
        assert [(item.name, item.updated) for item in entry.consumed_resources] == [("Speak", True)]
        assert set(behind(sdk, name="sec")) == {"Second"}
        assert behind(sdk, object_type=["COMMONMODULEFLOW"]) == {}
        assert behind(sdk, consumed_resource_type=["QUEUE"]) == {}

        sdk.architect.post_flows_actions_publish(first)

        assert set(behind(sdk)) == {"Second"}
        assert (consumed(sdk, first, "2.0")["Speak"].version, consumed(sdk, first, "2.0")["Speak"].updated) == (
            "2.0",
            False,
        )
        # The version before keeps what it was built with.
        assert consumed(sdk, first, "1.0")["Speak"].version == "1.0"

        sdk.publish(flow("Second", modules=("Speak",)))

        assert behind(sdk) == {}

    def test_a_draft_of_the_module_leaves_nobody_behind(self, sdk):
        speak = self.of(sdk, "Speak")
        sdk.architect.post_flows_actions_checkout(speak)
        sdk.architect.post_flow_versions(speak, {"commonModule": {"name": "Speak"}})
        sdk.architect.post_flows_actions_checkin(speak)

        assert behind(sdk) == {}

    def test_a_caller_that_does_without_the_module_is_no_consumer_any_more(self, sdk):
        sdk.publish(flow("First"))

        consuming = sdk.architect.get_architect_dependencytracking_consumingresources
        users = consuming(self.of(sdk, "Speak"), "COMMONMODULEFLOW", flow_filter="published")

        assert named(users) == [("INBOUNDCALLFLOW", "Second")]

    def test_a_draft_without_the_module_keeps_the_published_caller_a_consumer(self, sdk):
        first = self.of(sdk, "First")
        sdk.architect.post_flows_actions_checkout(first)
        sdk.architect.post_flow_versions(first, content())
        sdk.architect.post_flows_actions_checkin(first)
        consuming = sdk.architect.get_architect_dependencytracking_consumingresources

        users = consuming(self.of(sdk, "Speak"), "COMMONMODULEFLOW", flow_filter="published")

        assert named(users) == [("INBOUNDCALLFLOW", "First"), ("INBOUNDCALLFLOW", "Second")]
        assert [item.version for item in users.entities] == ["1.0", "1.0"]

    def test_a_module_in_use_stays_until_its_last_caller_is_gone(self, sdk):
        speak = self.of(sdk, "Speak")
        in_use = (409, "architect.flow.cannot.delete.used.in.flows")
        assert refused(sdk.architect.delete_flow, speak) == in_use
        sdk.architect.delete_flow(self.of(sdk, "First"))
        assert refused(sdk.architect.delete_flow, speak) == in_use

        sdk.architect.delete_flow(self.of(sdk, "Second"))

        sdk.architect.delete_flow(speak)

    def test_consumers_are_paged_a_hundred_at_most(self, sdk):
        consuming = sdk.architect.get_architect_dependencytracking_consumingresources
        speak = self.of(sdk, "Speak")

        pages = [consuming(speak, "COMMONMODULEFLOW", page_size=1, page_number=number) for number in (1, 2)]

        assert [named(page) for page in pages] == [[("INBOUNDCALLFLOW", "First")], [("INBOUNDCALLFLOW", "Second")]]
        assert (pages[0].total, pages[0].page_count, pages[1].next_uri) == (2, 2, None)
        assert refused(consuming, speak, "COMMONMODULEFLOW", page_size=101) == (400, "invalid.query.param.value")


class TestObjects:
    """Everything else that a flow or a line uses."""

    def test_a_line_uses_its_flow_and_its_hours(self, sdk):
        target = sdk.publish(flow("Target"))
        hours = sdk.architect.post_architect_schedulegroups({"name": "Hours", "openSchedules": []})
        line = sdk.architect.post_architect_ivrs(
            {
                "name": "Line",
                "openHoursFlow": {"id": target},
                "closedHoursFlow": {"id": target},
                "scheduleGroup": {"id": hours.id},
            }
        )
        consuming = sdk.architect.get_architect_dependencytracking_consumingresources

        assert named(consuming(target, "INBOUNDCALLFLOW")) == [("IVRCONFIGURATION", "Line")]
        assert named(consuming(hours.id, "SCHEDULEGROUP")) == [("IVRCONFIGURATION", "Line")]
        assert named(consuming(target, "INBOUNDCALLFLOW", resource_type=["IVRCONFIGURATION"])) == [
            ("IVRCONFIGURATION", "Line")
        ]
        assert named(consuming(target, "INBOUNDCALLFLOW", resource_type=["INBOUNDCALLFLOW"])) == []

        sdk.architect.delete_architect_ivr(line.id)
        assert named(consuming(target, "INBOUNDCALLFLOW")) == []

    def test_a_queue_that_is_gone_leaves_orphans(self, sdk):
        queue = sdk.routing.post_routing_queues({"name": "Goes"})
        flow_id = sdk.publish(queueing("Transfers", "Goes"))
        assert orphans(sdk) == {}

        sdk.routing.delete_routing_queue(queue.id, force_delete=True)

        entry = orphans(sdk)["Transfers"]
        assert (entry.id, entry.type, entry.version) == (flow_id, "INBOUNDCALLFLOW", "1.0")
        (gone,) = entry.consumed_resources
        assert (gone.id, gone.type, gone.name, gone.deleted) == (queue.id, "QUEUE", "Goes", True)
        assert consumed(sdk, flow_id, "1.0")["Goes"].deleted
        assert orphans(sdk, object_type=["WORKFLOW"]) == {}
        assert orphans(sdk, consumed_resource_type=["DATATABLE"]) == {}
        assert set(orphans(sdk, consumed_resource_type=["QUEUE"], flow_filter="published")) == {"Transfers"}
        sdk.architect.post_flows_actions_deactivate(flow_id)
        assert orphans(sdk, flow_filter="published") == {}
        assert set(orphans(sdk, flow_filter="checkedIn")) == {"Transfers"}

    def test_a_queue_that_was_changed_is_updated_for_its_consumers(self, sdk):
        queue = sdk.routing.post_routing_queues({"name": "Changes"})
        flow_id = sdk.publish(queueing("Transfers too", "Changes"))
        assert not consumed(sdk, flow_id, "1.0")["Changes"].updated

        sdk.routing.put_routing_queue(queue.id, {"name": "Changes", "description": "Now"})

        assert consumed(sdk, flow_id, "1.0")["Changes"].updated

    def test_an_object_is_found_by_name_and_shown_with_both_its_sides(self, sdk):
        sdk.publish(module("Middle"))
        top = sdk.publish(flow("Top", modules=("Middle",)))
        sdk.architect.post_architect_ivrs({"name": "Above", "openHoursFlow": {"id": top}})
        search = sdk.architect.get_architect_dependencytracking

        (found,) = search(
            "top", object_type=["INBOUNDCALLFLOW"], consumed_resources=True, consuming_resources=True
        ).entities
        shown = sdk.architect.get_architect_dependencytracking_object(
            top, object_type="INBOUNDCALLFLOW", consumed_resources=True, consuming_resources=True
        )

        for item in (found, shown):
            assert (item.id, item.name, item.version, item.updated) == (top, "Top", "1.0", False)
            assert [used.name for used in item.consumed_resources] == ["Middle"]
            assert [user.name for user in item.consuming_resources] == ["Above"]
        assert sdk.architect.get_architect_dependencytracking_object(top).consumed_resources is None
        assert search("no such thing").entities == []

    def test_types_say_which_of_them_have_versions(self, sdk):
        types = sdk.architect.get_architect_dependencytracking_types(page_size=100)

        versioned = {item.id: item.versioned for item in types.entities}

        assert types.total == len(versioned)
        assert versioned["INBOUNDCALLFLOW"]
        assert versioned["COMMONMODULEFLOW"]
        assert not versioned["QUEUE"]
        assert not versioned["IVRCONFIGURATION"]
        assert sdk.architect.get_architect_dependencytracking_type("QUEUE").name == "QUEUE"
        assert refused(sdk.architect.get_architect_dependencytracking_type, "PIZZA") == (404, "not.found")


TRACKED: dict[str, Callable[[Sdk, str], Any]] = {
    "consumed resources": lambda sdk, flow_id: sdk.architect.get_architect_dependencytracking_consumedresources(
        flow_id, "1.0", "INBOUNDCALLFLOW"
    ),
    "consuming resources": lambda sdk, flow_id: sdk.architect.get_architect_dependencytracking_consumingresources(
        flow_id, "INBOUNDCALLFLOW"
    ),
    "search": lambda sdk, _: sdk.architect.get_architect_dependencytracking("a"),
    "object": lambda sdk, flow_id: sdk.architect.get_architect_dependencytracking_object(flow_id),
    "updated": lambda sdk, _: sdk.architect.get_architect_dependencytracking_updatedresourceconsumers(),
    "deleted": lambda sdk, _: sdk.architect.get_architect_dependencytracking_deletedresourceconsumers(),
}


def test_while_the_data_is_rebuilt_every_answer_says_that_it_is_incomplete(alone):
    flow_id = alone.publish(flow("Tracked"))
    assert alone.architect.get_architect_dependencytracking_build().status == "OPERATIONAL"
    alone.settings(tracking_complete=False)

    assert alone.architect.get_architect_dependencytracking_build().status == "BUILDINPROGRESS"
    for name, call in TRACKED.items():
        # 206 is no success for the SDK: it raises, with the incomplete answer as the body.
        with pytest.raises(ApiException) as caught:
            call(alone, flow_id)
        assert (name, caught.value.status) == (name, 206)
        assert isinstance(json.loads(caught.value.body), dict)

    alone.settings(tracking_complete=True)
    for call in TRACKED.values():
        call(alone, flow_id)


def test_a_rebuild_can_be_asked_for(sdk):
    assert sdk.architect.post_architect_dependencytracking_build() is None
    status = sdk.architect.get_architect_dependencytracking_build()
    assert (status.status, status.failed_objects) == ("OPERATIONAL", [])
    assert status.date_completed is not None
