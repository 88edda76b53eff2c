"""Dependency tracking and divisions."""

import httpx
import pytest
from platform_support import Org, ok, page, problem

from reconciler.platform import Dependency, TrackingIncomplete

TRACKING = "/api/v2/architect/dependencytracking"
USED = {"id": "m", "name": "Authenticate", "type": "COMMONMODULEFLOW", "version": "2.0", "updated": True}


def partial(items: list[object]) -> httpx.Response:
    return httpx.Response(206, content=page(items).content)


def test_consumed_objects_are_asked_for_by_version_and_type() -> None:
    org = Org().on(f"GET {TRACKING}/consumedresources", page([USED]))
    [found] = org.run(
        lambda platform: platform.tracking.consumed("f", "3.0", "WORKFLOW", ("COMMONMODULEFLOW", "QUEUE"))
    )
    assert found == Dependency(id="m", name="Authenticate", type="COMMONMODULEFLOW", version="2.0", updated=True)
    assert dict(org.seen[-1].url.params) == {
        "id": "f",
        "version": "3.0",
        "objectType": "WORKFLOW",
        "resourceType": "COMMONMODULEFLOW,QUEUE",
        "pageSize": "100",
        "pageNumber": "1",
    }


def test_consumers_are_the_published_ones_by_default() -> None:
    org = Org().on(f"GET {TRACKING}/consumingresources", page([]))
    assert org.run(lambda platform: platform.tracking.consuming("m", "COMMONMODULEFLOW")) == []
    sent = dict(org.seen[-1].url.params)
    assert (sent["flowFilter"], "version" in sent) == ("published", False)


def test_an_incomplete_answer_is_asked_for_again() -> None:
    org = Org().on(f"GET {TRACKING}/consumingresources", partial([]), partial([]), page([USED]))
    assert len(org.run(lambda platform: platform.tracking.consuming("m", "COMMONMODULEFLOW"))) == 1


def test_an_answer_that_stays_incomplete_is_not_trusted() -> None:
    org = Org().on(f"GET {TRACKING}/consumingresources", partial([USED]))
    with pytest.raises(TrackingIncomplete) as caught:
        org.run(lambda platform: platform.tracking.consuming("m", "COMMONMODULEFLOW"))
    assert org.time.now - 1000 <= 20
    assert "rebuilt" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("status", "operational"), [("OPERATIONAL", True), ("OPERATIONALNEEDSREBUILD", False), ("NOTBUILT", False)]
)
def test_the_state_of_tracking_is_known(status: str, operational: bool) -> None:
    org = Org().on(f"GET {TRACKING}/build", ok({"status": status, "id": "x", "failedObjects": None}))
    assert org.run(lambda platform: platform.tracking.build_status()).operational is operational


class TestDivisions:
    def test_a_division_is_found_by_its_exact_name(self) -> None:
        org = Org().on(
            "GET /api/v2/authorization/divisions",
            page([{"id": "1", "name": "Home 2"}, {"id": "2", "name": "Home", "homeDivision": True}]),
        )
        found = org.run(lambda platform: platform.divisions.find("Home"))
        assert found is not None
        assert (found.id, found.home_division) == ("2", True)

    def test_objects_are_moved_by_id(self) -> None:
        route = "POST /api/v2/authorization/divisions/d/objects/FLOW"
        org = Org().on(route, problem(500), httpx.Response(204))
        org.run(lambda platform: platform.divisions.move("FLOW", "d", ["f1", "f2"]))
        assert org.bodies(route) == [["f1", "f2"]] * 2
