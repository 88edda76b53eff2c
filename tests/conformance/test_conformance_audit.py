"""The official SDK asks who did what (``AuditApi``)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sdk import Sdk, another, genesys, refused


def span(days_back: float = 1, days: float = 2) -> str:
    """An interval around now."""
    start = datetime.now(UTC) - timedelta(days=days_back)
    return f"{start:%Y-%m-%dT%H:%M:%SZ}/{start + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def query(service: str | None = "Telephony", *, order: str = "ascending", **filters: str) -> Any:
    """A query (SDK ``AuditQueryRequest``) with a filter for each keyword."""
    wanted = genesys.AuditQueryRequest()
    wanted.interval, wanted.service_name = span(), service
    wanted.filters = [{"property": name, "value": value} for name, value in filters.items()]
    wanted.sort = [{"name": "Timestamp", "sortOrder": order}]
    return wanted


class Audits:
    """The audits of an org, through the SDK."""

    def __init__(self, sdk: Sdk) -> None:
        self.api = genesys.AuditApi(sdk.client)

    def pages(self, wanted: Any, **options: Any) -> Iterator[Any]:
        """The pages of an asynchronous query's results."""
        transaction = self.api.post_audits_query(wanted)
        cursor: dict[str, str] = {}
        while True:
            page = self.api.get_audits_query_transaction_id_results(transaction.id, **cursor, **options)
            yield page
            if page.cursor is None:
                return
            cursor = {"cursor": page.cursor}

    def found(self, wanted: Any, **options: Any) -> list[Any]:
        """All entries that a query finds (SDK ``AuditLogMessage``)."""
        return [entry for page in self.pages(wanted, **options) for entry in page.entities]


def told(entries: list[Any]) -> list[tuple[str, str, str]]:
    """What was done to what."""
    return [(entry.action, entry.entity_type, entry.entity.name) for entry in entries]


@pytest.fixture
def audits(alone: Sdk) -> Audits:
    """The audits of an org of its own."""
    return Audits(alone)


def make_schedule(sdk: Sdk, name: str) -> Any:
    """A schedule that the org did not have."""
    wanted = {"name": name, "start": "2026-01-01T08:00:00.000", "end": "2026-01-01T16:00:00.000"}
    return sdk.architect.post_architect_schedules(wanted)


def test_each_kind_of_change_is_entered_under_its_service(alone: Sdk, audits: Audits) -> None:
    schedule = make_schedule(alone, "Day")
    group = alone.architect.post_architect_schedulegroups({"name": "Hours", "openSchedules": [{"id": schedule.id}]})
    alone.architect.post_architect_ivrs({"name": "Line"})
    alone.architect.delete_architect_schedulegroup(group.id)
    alone.architect.post_architect_prompts({"name": "Greeting"})
    schema = {"properties": {"key": {"type": "string"}}}
    table = alone.architect.post_flows_datatables({"name": "Numbers", "schema": schema})
    alone.architect.post_flows_datatable_rows(table.id, {"key": "one"})
    alone.routing.post_routing_queues({"name": "Night"})
    assert told(audits.found(query("Telephony"))) == [
        ("Create", "Schedule", "Day"),
        ("Create", "ScheduleGroup", "Hours"),
        ("Create", "IVR", "Line"),
        ("Delete", "ScheduleGroup", "Hours"),
    ]
    assert told(audits.found(query("Architect"))) == [("Create", "Prompt", "Greeting")]
    assert told(audits.found(query("Datatables"))) == [("Create", "Schema", "Numbers"), ("Create", "Row", "one")]
    assert told(audits.found(query("Routing"))) == [("Create", "Queue", "Night")]
    assert len(audits.found(query(None))) == 8


def test_what_the_org_held_from_the_start_was_done_by_nobody(audits: Audits) -> None:
    assert audits.found(query(None)) == []


def test_what_is_refused_leaves_no_entry(alone: Sdk, audits: Audits) -> None:
    make_schedule(alone, "Day")
    assert refused(make_schedule, alone, "Day")[0] == 409
    assert told(audits.found(query())) == [("Create", "Schedule", "Day")]


def test_an_entry_tells_who_what_and_the_values_before_and_after(alone: Sdk, audits: Audits) -> None:
    schedule = make_schedule(alone, "Day")
    ada = another(alone, name="Ada's tool", user="Ada Larsen")
    ada.architect.put_architect_schedule(schedule.id, {**_wire(schedule), "end": "2026-01-01T17:00:00.000"})
    entry = audits.found(query(Action="Update"), expand=["user"])[0]
    assert (entry.entity.id, entry.entity.name, entry.entity_type) == (schedule.id, "Day", "Schedule")
    assert (entry.user.name, entry.level, entry.status) == ("Ada Larsen", "USER", "SUCCESS")
    assert entry.client.id != alone.running.client_id
    assert entry.user_home_org_id == alone.organization.get_organizations_me().id
    (change,) = entry.property_changes
    assert (change.pcProperty, change.old_values, change.new_values) == (
        "end",
        ["2026-01-01T16:00:00.000"],
        ["2026-01-01T17:00:00.000"],
    )
    assert audits.found(query(Action="Update"))[0].user.name is None
    ada.close()


def _wire(schedule: Any) -> dict[str, Any]:
    return {"name": schedule.name, "version": schedule.version, "start": "2026-01-01T08:00:00.000"}


def test_filters_must_all_hold_and_the_order_is_the_one_asked_for(alone: Sdk, audits: Audits) -> None:
    first, second = make_schedule(alone, "A"), make_schedule(alone, "B")
    alone.architect.delete_architect_schedule(first.id)
    assert told(audits.found(query(EntityId=first.id, Action="Delete"))) == [("Delete", "Schedule", "A")]
    assert audits.found(query(EntityId=second.id, Action="Delete")) == []
    by_client = audits.found(query(ClientId=alone.running.client_id, order="descending"))
    assert [entry.action for entry in by_client] == ["Delete", "Create", "Create"]
    assert audits.found(query(TrusteeOrganizationId="somebody")) == []


@pytest.mark.parametrize("total", [24, 25, 26, 50, 51])
def test_a_cursor_leads_through_all_results_once(alone: Sdk, audits: Audits, total: int) -> None:
    for number in range(total):
        make_schedule(alone, f"Schedule {number:03}")
    pages = [[entry.entity.name for entry in page.entities] for page in audits.pages(query())]
    assert [len(page) for page in pages] == [25] * (total // 25) + ([total % 25] if total % 25 else [])
    assert [name for page in pages for name in page] == [f"Schedule {number:03}" for number in range(total)]


def test_results_end_with_the_query_even_if_read_later(alone: Sdk, audits: Audits) -> None:
    make_schedule(alone, "Before")
    transaction = audits.api.post_audits_query(query())
    make_schedule(alone, "After")
    results = audits.api.get_audits_query_transaction_id_results(transaction.id)
    assert told(results.entities) == [("Create", "Schedule", "Before")]


def test_a_query_runs_until_it_has_succeeded(alone: Sdk, audits: Audits) -> None:
    transaction = audits.api.post_audits_query(query(Action="Delete"))
    assert transaction.state == "Succeeded"
    status = audits.api.get_audits_query_transaction_id(transaction.id)
    assert (status.service_name, status.filters[0].pcProperty, status.filters[0].value) == (
        "Telephony",
        "Action",
        "Delete",
    )
    alone.settings(query_seconds=3600)
    running = audits.api.post_audits_query(query())
    assert running.state == "Running"
    assert refused(audits.api.get_audits_query_transaction_id_results, running.id) == (400, "bad.request")


def test_the_realtime_query_answers_at_once_in_pages(alone: Sdk, audits: Audits) -> None:
    for number in range(5):
        make_schedule(alone, f"Schedule {number}")
    wanted = genesys.AuditRealtimeQueryRequest()
    wanted.interval, wanted.service_name = span(days_back=20, days=30), "Telephony"
    wanted.page_size, wanted.page_number = 2, 3
    answer = audits.api.post_audits_query_realtime(wanted)
    assert told(answer.entities) == [("Create", "Schedule", "Schedule 0")]
    assert (answer.total, answer.page_count, answer.page_number, answer.page_size) == (5, 3, 3, 2)


def test_the_service_mapping_covers_every_entry(alone: Sdk, audits: Audits) -> None:
    flow = alone.publish("{inboundCall: {name: F, startUpRef: './tasks/task[a]', tasks: [{task: {refId: a}}]}}")
    alone.architect.delete_flow(flow)
    make_schedule(alone, "Day")
    mapping = audits.api.get_audits_query_servicemapping()
    known = {
        (service.name, entity.name, action)
        for service in mapping.services
        for entity in service.entities
        for action in entity.actions
    }
    entries = audits.found(query(None))
    assert {(entry.service_name, entry.entity_type, entry.action) for entry in entries} <= known
    assert [entry.action for entry in entries] == ["Create", "Publish", "Delete", "Create"]
    assert audits.api.get_audits_query_realtime_servicemapping().services


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"interval": "yesterday"}, "invalid.date"),
        ({"interval": "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z"}, "invalid.date"),
        ({"interval": "2026-01-01T00:00:00Z/2026-02-01T00:00:00Z"}, "invalid.date"),
        ({"serviceName": "Kitchen"}, "bad.request"),
        ({"filters": [{"property": "Colour", "value": "red"}]}, "bad.request"),
        ({"filters": [{"property": "Action"}]}, "invalid.value"),
        ({"filters": [{"property": ["Action"], "value": "Create"}]}, "invalid.value"),
        ({"filters": "Action"}, "bad.request"),
        ({"serviceName": {"a": 1}}, "invalid.value"),
        ({"sort": [{"name": "Colour"}]}, "bad.request"),
        ({"sort": [{"name": "Timestamp", "sortOrder": ["ascending"]}]}, "bad.request"),
    ],
)
def test_a_query_that_is_not_sound_is_refused(sdk: Sdk, change: dict[str, Any], code: str) -> None:
    audits = Audits(sdk)
    assert refused(audits.api.post_audits_query, {"interval": span(), "serviceName": "Architect", **change}) == (
        400,
        code,
    )


def test_an_unknown_query_is_not_found(sdk: Sdk) -> None:
    audits = Audits(sdk)
    assert refused(audits.api.get_audits_query_transaction_id, "nowhere") == (404, "not.found")
    assert refused(audits.api.get_audits_query_transaction_id_results, "nowhere") == (404, "not.found")


@pytest.mark.parametrize("cursor", ["nonsense", "LTE=", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "é"])
def test_what_is_no_cursor_is_refused(sdk: Sdk, cursor: str) -> None:
    audits = Audits(sdk)
    transaction = audits.api.post_audits_query(query())
    results = audits.api.get_audits_query_transaction_id_results
    assert refused(results, transaction.id, cursor=cursor) == (400, "invalid.query.param.value")
