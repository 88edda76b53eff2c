"""Two objects of one name, as orgs have them: in the way only where the name is one of ours."""

from __future__ import annotations

import json
from functools import partial

import httpx
import pytest
from support import flow

from reconciler.platform import Platform

TIMES = {"start": "2026-01-05T08:00:00.000", "end": "2026-01-05T17:00:00.000"}
SCHEDULES = "/api/v2/architect/schedules"


class _ShowsSchedulesTwice(httpx.AsyncBaseTransport):
    """The network, but for lists of schedules: each is in them once more, as another object."""

    def __init__(self):
        self._network = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request):
        answer = await self._network.handle_async_request(request)
        if (request.method, request.url.path) != ("GET", SCHEDULES):
            return answer
        page = json.loads(await answer.aread())
        page["entities"] += [{**entity, "id": f"twin-of-{entity['id']}"} for entity in page["entities"]]
        page["total"] = len(page["entities"])
        return httpx.Response(answer.status_code, json=page)

    async def aclose(self):
        await self._network.aclose()


@pytest.fixture(autouse=True)
def twins(org, monkeypatch):
    """The sandbox itself refuses a name that is taken, so that the second object is made on the way here."""
    org.send("POST", "/architect/schedules", {"name": "Twice", **TIMES}).raise_for_status()
    shows_twice = partial(Platform, transport=_ShowsSchedulesTwice())
    monkeypatch.setattr("reconciler.cli.session.Platform", shows_twice)


def test_two_objects_that_are_not_ours_are_worth_knowing_and_no_obstacle(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))

    plan = cli("plan", "--format", "json").json
    applied = cli("apply", "--auto-approve")

    (finding,) = plan["findings"]
    assert (finding["id"], finding["severity"], finding["address"]) == ("duplicate-in-org", "info", "schedule/Twice")
    assert applied.code == 0, applied.err
    assert org.version("Sales") == "1.0"


def test_two_objects_of_a_name_that_we_manage_are_an_error(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/hours.yaml", f"schedule: {json.dumps({'name': 'Twice', **TIMES})}\n")

    plan = cli("plan", "--format", "json")

    assert plan.code == 1
    assert ("duplicate-in-org", "error") in [(each["id"], each["severity"]) for each in plan.json["findings"]]
    assert cli("apply", "--auto-approve").code == 1
    assert org.flows() == {}
