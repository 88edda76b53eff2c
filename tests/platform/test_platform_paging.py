"""Listings: every page, in order, later ones at once."""

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from platform_support import Org, ok, page, problem

from reconciler.platform import MalformedResponse, NotFound
from reconciler.platform.paging import batches, side_by_side

FLOWS = "GET /api/v2/flows"


def flow(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"id-{number}", "name": f"Flow {number}", "type": "INBOUNDCALL"} | more


def paged(org: Org, total: int, *, largest: int, tell: bool) -> None:
    """An org with that many flows that never gives more than ``largest`` a page."""

    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["pageNumber"])
        size = min(int(request.url.params["pageSize"]), largest)
        items = [flow(index) for index in range(total)][(number - 1) * size : number * size]
        return page(items, number=number, size=size, count=-(-total // size) if tell else None)

    org.on(FLOWS, answer)


@settings(max_examples=60, deadline=None)
@given(total=st.integers(0, 60), largest=st.integers(1, 25), tell=st.booleans())
def test_all_objects_come_once_and_in_order(total: int, largest: int, tell: bool) -> None:
    org = Org()
    paged(org, total, largest=largest, tell=tell)
    found = org.run(lambda platform: platform.flows.list(), requests_per_minute=10_000)
    assert [item.id for item in found] == [f"id-{number}" for number in range(total)]
    if tell:
        assert len(org.requests(FLOWS)) == max(1, -(-total // largest))


def test_flows_are_asked_for_by_500_and_without_filters() -> None:
    org = Org()
    paged(org, 1200, largest=500, tell=True)
    assert len(org.run(lambda platform: platform.flows.list())) == 1200
    assert [dict(request.url.params) for request in org.requests(FLOWS)] == [
        {"pageSize": "500", "pageNumber": str(number)} for number in (1, 2, 3)
    ]


def test_deleted_flows_are_left_out() -> None:
    org = Org().on(FLOWS, page([flow(1), flow(2, deleted=True)]))
    assert [item.id for item in org.run(lambda platform: platform.flows.list())] == ["id-1"]


def test_no_more_than_four_pages_are_asked_for_at_once() -> None:
    running = most = 0

    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return number

    assert asyncio.run(side_by_side(work, range(20))) == list(range(20))
    assert most == 4


def test_a_failing_page_fails_the_listing_with_its_own_error() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["pageNumber"])
        return problem(404, "not.found") if number == 3 else page([flow(number)], number=number, count=6)

    org = Org().on(FLOWS, answer)
    with pytest.raises(NotFound):
        org.run(lambda platform: platform.flows.list())


@pytest.mark.parametrize("body", [{"entities": {"id": "x"}}, {"entities": [{"id": "x"}]}, [flow(1)], None])
def test_a_page_of_another_shape_is_malformed(body: Any) -> None:
    with pytest.raises(MalformedResponse):
        Org().on(FLOWS, ok(body)).run(lambda platform: platform.flows.list())


@pytest.mark.parametrize("count", [10**9, None])
def test_a_listing_without_end_is_malformed(count: int | None) -> None:
    org = Org().on(FLOWS, lambda _request: page([flow(1)], count=count, size=1))
    with pytest.raises(MalformedResponse):
        org.run(lambda platform: platform.flows.list(), requests_per_minute=10_000)


def test_batches_hold_each_item_once() -> None:
    assert batches(["a", "b", "a", "c"], 2) == [["a", "b"], ["c"]]
