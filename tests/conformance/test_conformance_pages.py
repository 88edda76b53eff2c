"""Paging with the official SDK: lists of every size around the page limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from sdk import Sdk, connect, refused

from reconciler.sandbox import embedded

SIZES = (0, 1, 24, 25, 26, 99, 100, 101)
SMALL = (0, 1, 24, 25, 26)
LARGE = (*SIZES, 499, 500, 501)


@dataclass(frozen=True)
class Listed:
    """A kind that is listed in pages."""

    name: str
    add: Callable[[Sdk, Any, int], Any]
    """(session, what ``parent`` made, number) → makes one more."""
    list: Callable[..., Any]
    """(session, parent, **paging) → one page."""
    maximum: int = 500
    sizes: tuple[int, ...] = SMALL
    parent: Callable[[Sdk], Any] = lambda _sdk: None
    """Makes what the listed things belong to."""
    key: str = "id"


def _table(sdk: Sdk) -> str:
    schema = {"properties": {"key": {"type": "string"}}}
    return str(sdk.architect.post_flows_datatables({"name": f"Table {uuid4()}", "schema": schema}).id)


def _checked_out_flow(sdk: Sdk) -> str:
    made = sdk.architect.post_flows({"name": f"Flow {uuid4()}", "type": "inboundcall"})
    sdk.architect.post_flows_actions_checkout(made.id)
    return str(made.id)


def _add_version(sdk: Sdk, flow_id: str, _number: int) -> Any:
    sdk.architect.post_flow_versions(flow_id, {"inboundCall": {"name": "Any"}})
    sdk.architect.post_flows_actions_checkin(flow_id)
    sdk.architect.post_flows_actions_checkout(flow_id)


def _schedule(number: int) -> dict[str, Any]:
    return {"name": f"Schedule {number}", "start": "2026-01-05T08:00:00.000", "end": "2026-01-05T17:00:00.000"}


def _did_pool(number: int) -> dict[str, str]:
    return {"startPhoneNumber": f"+45701{number:05}", "endPhoneNumber": f"+45701{number:05}"}


KINDS = (
    Listed(
        "flows",
        lambda sdk, _, number: sdk.architect.post_flows({"name": f"Flow {number}", "type": "inboundcall"}),
        lambda sdk, _, **paging: sdk.architect.get_flows(**paging),
        sizes=(*SMALL, 499, 500, 501),
    ),
    Listed(
        "flow division views",
        lambda sdk, _, number: sdk.architect.post_flows({"name": f"Flow {number}", "type": "inboundcall"}),
        lambda sdk, _, **paging: sdk.architect.get_flows_divisionviews(**paging),
    ),
    Listed(
        "versions of a flow",
        _add_version,
        lambda sdk, flow_id, **paging: sdk.architect.get_flow_versions(flow_id, **paging),
        parent=_checked_out_flow,
    ),
    Listed(
        "ivrs",
        lambda sdk, _, number: sdk.architect.post_architect_ivrs({"name": f"Line {number}"}),
        lambda sdk, _, **paging: sdk.architect.get_architect_ivrs(**paging),
        sizes=SIZES,
    ),
    Listed(
        "schedules",
        lambda sdk, _, number: sdk.architect.post_architect_schedules(_schedule(number)),
        lambda sdk, _, **paging: sdk.architect.get_architect_schedules(**paging),
    ),
    Listed(
        "schedule groups",
        lambda sdk, _, number: sdk.architect.post_architect_schedulegroups(
            {"name": f"Hours {number}", "openSchedules": []}
        ),
        lambda sdk, _, **paging: sdk.architect.get_architect_schedulegroups(**paging),
    ),
    Listed(
        "emergency groups",
        lambda sdk, _, number: sdk.architect.post_architect_emergencygroups({"name": f"Emergency {number}"}),
        lambda sdk, _, **paging: sdk.architect.get_architect_emergencygroups(**paging),
    ),
    Listed(
        "data tables",
        lambda sdk, _, number: _table(sdk),
        lambda sdk, _, **paging: sdk.architect.get_flows_datatables(**paging),
    ),
    Listed(
        "rows of a data table",
        lambda sdk, table, number: sdk.architect.post_flows_datatable_rows(table, {"key": f"row {number}"}),
        lambda sdk, table, **paging: sdk.architect.get_flows_datatable_rows(table, **paging),
        sizes=LARGE,
        parent=_table,
        key="key",
    ),
    Listed(
        "prompts",
        lambda sdk, _, number: sdk.architect.post_architect_prompts({"name": f"Prompt_{number}"}),
        lambda sdk, _, **paging: sdk.architect.get_architect_prompts(**paging),
    ),
    Listed(
        "queues",
        lambda sdk, _, number: sdk.routing.post_routing_queues({"name": f"Queue {number}"}),
        lambda sdk, _, **paging: sdk.routing.get_routing_queues(**paging),
    ),
    Listed(
        "queue division views",
        lambda sdk, _, number: sdk.routing.post_routing_queues({"name": f"Queue {number}"}),
        lambda sdk, _, **paging: sdk.routing.get_routing_queues_divisionviews(**paging),
        sizes=(99, 100, 101),
        maximum=100,
    ),
    Listed(
        "divisions",
        lambda sdk, _, number: sdk.authorization.post_authorization_divisions({"name": f"Division {number}"}),
        lambda sdk, _, **paging: sdk.authorization.get_authorization_divisions(**paging),
        sizes=SMALL[1:],  # There is always the home division.
    ),
    Listed(
        "did pools",
        lambda sdk, _, number: sdk.edges.post_telephony_providers_edges_didpools(_did_pool(number)),
        lambda sdk, _, **paging: sdk.edges.get_telephony_providers_edges_didpools(**paging),
    ),
    Listed(
        "resources of a prompt",
        lambda sdk, prompt, number: sdk.architect.post_architect_prompt_resources(
            prompt, {"language": f"x-{number}", "ttsString": "Hello."}
        ),
        lambda sdk, prompt, **paging: sdk.architect.get_architect_prompt_resources(prompt, **paging),
        parent=lambda sdk: sdk.architect.post_architect_prompts({"name": "Greeting"}).id,
    ),
)


@pytest.fixture
def empty(tmp_path) -> Iterator[Sdk]:
    """The SDK, logged in to an org that holds next to nothing."""
    with embedded.start(tmp_path / "org.sqlite") as running:
        session = connect(running)
        yield session
        session.close()


def keys(kind: Listed, page: Any) -> list[str]:
    """The ids, or keys, of the entities of a page."""
    return [entity[kind.key] if isinstance(entity, dict) else getattr(entity, kind.key) for entity in page.entities]


def check_pages(kind: Listed, sdk: Sdk, parent: Any, total: int, size: int | None) -> list[str]:
    """Reads a list page by page, checking each; returns what it holds."""
    paging = {} if size is None else {"page_size": size}
    size = size or 25
    count = -(-total // size)
    seen: list[str] = []
    number = 0
    while True:
        number += 1
        page = kind.list(sdk, parent, page_number=number, **paging)
        assert (page.total, page.page_count, page.page_size, page.page_number) == (total, count, size, number)
        assert len(page.entities) == min(size, total - len(seen))
        assert (page.next_uri is not None) == (number < count)
        assert (page.previous_uri is not None) == (number > 1)
        seen += keys(kind, page)
        if page.next_uri is None:
            break
        assert f"pageNumber={number + 1}" in page.next_uri
    assert number == max(count, 1)
    return seen


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_pages_hold_everything_once_whatever_the_size_of_the_list(empty, kind):
    parent = kind.parent(empty)
    there = kind.list(empty, parent).total
    for total in kind.sizes:
        for number in range(there, total):
            kind.add(empty, parent, number)
        there = total

        everything = check_pages(kind, empty, parent, total, 100 if total <= 101 else kind.maximum)

        assert len(set(everything)) == len(everything) == total
        if total <= 101:
            assert check_pages(kind, empty, parent, total, None) == everything


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_page_size_beyond_the_limits_is_refused_and_a_page_beyond_the_last_is_empty(sdk, kind):
    parent = kind.parent(sdk)
    for size in (0, kind.maximum + 1):
        assert refused(kind.list, sdk, parent, page_size=size) == (400, "invalid.query.param.value")
    assert refused(kind.list, sdk, parent, page_number=0) == (400, "invalid.query.param.value")

    page = kind.list(sdk, parent, page_size=kind.maximum, page_number=5)

    assert page.entities == []
    assert page.next_uri is None


def test_telephony_lists_repeat_the_total_under_its_other_name(sdk):
    """The Terraform provider reads it; the SDK's listings keep it to themselves (facts §2)."""
    for path in ("/architect/ivrs", "/architect/schedules", "/architect/schedulegroups"):
        page = sdk.get(path)
        assert page["totalNumberOfEntities"] == page["total"]


def test_the_addresses_of_a_page_lead_to_its_neighbours_with_filters_and_all(alone):
    for number in range(7):
        alone.routing.post_routing_queues({"name": f"Støtte & Salg {number}"})
    first = alone.routing.get_routing_queues(name="*& Salg*", page_size=3)
    second = alone.follow(first.next_uri, "QueueEntityListing")
    third = alone.follow(second.next_uri, "QueueEntityListing")

    names = [queue.name for page in (first, second, third) for queue in page.entities]
    assert names == [f"Støtte & Salg {number}" for number in range(7)]
    assert third.next_uri is None
    for page, uri in ((first, third.first_uri), (third, first.last_uri), (second, third.previous_uri)):
        again = alone.follow(uri, "QueueEntityListing")
        assert [queue.id for queue in again.entities] == [queue.id for queue in page.entities]


def test_the_division_views_of_queues_end_with_the_fifth_page(sdk):
    assert refused(sdk.routing.get_routing_queues_divisionviews, page_number=6) == (400, "invalid.query.param.value")
