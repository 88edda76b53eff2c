"""What an org may answer to `adoption`, over real HTTP."""

from __future__ import annotations

import json

import pytest
from adoption_support import APPLIED, SINCE, applied_at, file_ledger, traffic
from support import flow

QUERY = "POST /api/v2/analytics/flows/aggregates/query"


@pytest.fixture
def applied(repository, org, cli):
    """A flow in its second version, applied on 5 March 2024."""
    file_ledger(repository)
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    repository.edit("flows/sales.yaml", "Hello", "Good morning")
    assert cli("apply", "--auto-approve").code == 0
    applied_at(repository, APPLIED)
    return org


def answer(org, *stretches, version="2"):
    """Has every query answered with these conversations of the flow."""
    group = {"flowId": org.flows()["Sales"]["id"], "flowVersion": version, "exitReason": "TRANSFER"}
    body = {"results": [{"group": group, "data": list(stretches)}]}
    effect = {"status": 200, "body": json.dumps(body), "media_type": "application/json"}
    org.fault(match={"route": QUERY}, effect=effect)


def stretch(interval, entered, ended):
    counts = {"nFlow": entered, "tFlow": ended}
    return {
        "interval": interval,
        "metrics": [{"metric": name, "stats": {"count": count}} for name, count in counts.items() if count],
    }


def test_a_version_is_the_same_whether_written_with_or_without_its_point(applied, cli):
    answer(applied, stretch("2024-03-05T09:00:00.000Z/2024-03-05T11:00:00.000Z", 40, 38))
    ran = cli("adoption", "--window", "2d")
    assert "no new version: 2.0 answered before as well, and all 40 calls since" in ran.err
    assert "2 calls of them have not ended yet" in ran.err


def test_what_is_no_interval_is_named_and_not_guessed(applied, cli):
    answer(applied, stretch("today", 1, 1))
    ran = cli("adoption", "--window", "2d")
    assert ran.code == 1
    assert "has an interval that is none: 'today'" in ran.err


@pytest.mark.parametrize("said", ["You are missing the following permission(s): analytics:flowAggregate:view", "No."])
def test_a_refusal_names_the_permission_also_where_the_org_does_not(applied, cli, said):
    applied.fault(match={"route": QUERY}, effect={"status": 403, "code": "missing.permissions", "message": said})
    ran = cli("adoption")
    assert ran.code == 1
    assert "Give the OAuth client a role with analytics:flowAggregate:view" in ran.err


def test_hundreds_of_flows_take_two_requests_for_every_fifty(applied, repository, cli):
    ledger = json.loads((repository.root / "ledger.json").read_text(encoding="utf-8"))
    (row,) = ledger["rows"].values()
    copies = {f"inboundCall/Sales {number}": row | {"object_id": f"id-{number}"} for number in range(119)}
    ledger["rows"] |= {address: copy | {"address": address} for address, copy in copies.items()}
    (repository.root / "ledger.json").write_text(json.dumps(ledger), encoding="utf-8")
    traffic(applied, "Sales", "2.0", SINCE)
    applied.http.delete("/sandbox/requests")
    report = cli("adoption", "--window", "2d", "--format", "json").json
    routes = applied.http.get("/sandbox/requests").json()["routes"]
    assert routes == {"POST /oauth/token": 1, "GET /api/v2/organizations/me": 1, QUERY: 6}
    assert len(report["flows"]) == 120
    assert sum(one["after"]["conversations"] for one in report["flows"]) == report["flows"][0]["after"]["conversations"]


def test_without_any_apply_there_is_nothing_to_compare(repository, cli):
    ran = cli("adoption")
    assert ran.code == 0
    assert "No flow was ever applied to test; there is nothing to compare." in ran.err
    report = cli("adoption", "--format", "json").json
    assert (report["since"], report["flows"]) == (None, [])


def test_the_ledger_in_the_org_serves_as_well(repository, org, cli):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write(
        "flows/hours.yaml", "schedule: {name: Day, start: 2026-01-01T09:00:00.000, end: 2026-01-01T17:00:00.000}\n"
    )
    assert cli("apply", "--auto-approve").code == 0
    ran = cli("adoption")
    assert "inboundCall/Sales  1.0\n  no calls before nor since" in ran.err
    refused = cli("adoption", "schedule/Day")
    assert refused.code == 1
    assert "schedule/Day is no flow: only flows have conversations to count." in refused.err
