"""A secret is uploaded and nowhere else: not shown, not stored, and its rotation is noticed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support import flow

CANARY = "canary-4f1c9e77-token"
OLD = "canary-old-1b2d-token"


@pytest.fixture
def estate(repository, monkeypatch):
    monkeypatch.setenv("CRM_TOKEN", CANARY)
    with (repository.root / "environments/test.yaml").open("a", encoding="utf-8") as file:
        file.write("variables: {crm: {token: {secret: {env: CRM_TOKEN}}}}\n")
    repository.write("flows/sales.yaml", flow("Sales", says="\"{{ 'Token ' ~ crm.token }}\""))
    repository.write("flows/other.yaml", flow("Other"))
    return repository


def leaks(repository, org, *values):
    """Every place where one of the values stands, but for the sandbox's own data."""
    folders = [repository.root / ".reconciler", Path(os.environ["RECONCILER_CACHE_DIR"]), repository.root]
    files = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    found = [path for path in files for value in values if value.encode() in path.read_bytes()]
    for table in org.get("/flows/datatables", pageSize=100)["entities"]:
        rows = org.get(f"/flows/datatables/{table['id']}/rows", pageSize=100, showbrief="false")
        found += [table["name"] for value in values if value in json.dumps(rows)]
    return found


def uploaded(org, name):
    flow_id = org.flows()[name]["id"]
    job = org.send("POST", "/flows/export/jobs", {"flows": [{"flow": {"id": flow_id}}]}).json()
    return org.http.get(org.get(f"/flows/export/jobs/{job['id']}")["downloadUrl"]).text


def test_it_reaches_the_org_and_nothing_else(estate, cli, org):
    planned = cli("plan", "--format", "json", "--out", "plan.json")
    applied = cli("apply", "plan.json")
    again = cli("plan", "--detailed-exitcode")

    assert (planned.code, applied.code, again.code) == (0, 0, 0)
    assert CANARY in uploaded(org, "Sales")
    for ran in (planned, applied, again):
        assert CANARY not in ran.out + ran.err
    assert leaks(estate, org, CANARY) == []


def test_a_rotated_secret_is_a_change(estate, cli, org, monkeypatch):
    assert cli("apply", "--auto-approve").code == 0
    monkeypatch.setenv("CRM_TOKEN", CANARY + "-new")

    plan = cli("plan", "--format", "json").json

    (change,) = plan["changes"]
    assert (change["address"], change["reasons"]) == ("inboundCall/Sales", ["the secret crm.token changed"])
    assert cli("apply", "--auto-approve").code == 0
    assert CANARY + "-new" in uploaded(org, "Sales")
    assert cli("plan", "--detailed-exitcode").code == 0
    assert leaks(estate, org, CANARY) == []


def test_drift_next_to_and_in_a_secret_shows_neither_old_nor_new_value(estate, cli, org):
    assert cli("apply", "--auto-approve").code == 0
    org.publish(flow("Sales", says=f'"Token {OLD}"'))

    found = cli("drift", "--format", "json")
    text = cli("drift")
    planned = cli("plan", "--format", "markdown")

    assert found.code == 2
    assert found.json["drift"][0]["diff"]
    for ran in (found, text, planned):
        assert OLD not in ran.out + ran.err
        assert CANARY not in ran.out + ran.err
    assert leaks(estate, org, OLD, CANARY) == []


def test_an_old_value_in_a_flow_that_is_adopted_is_told_as_changed(estate, cli, org):
    org.publish(flow("Sales", says=f'"Token {OLD}"'))

    plan = cli("plan", "--format", "json")

    change = next(c for c in plan.json["changes"] if c["address"] == "inboundCall/Sales")
    assert change["action"] == "update"
    assert OLD not in plan.out
    assert "changed" in change["diff"][0]["before"]
    assert leaks(estate, org, OLD, CANARY) == []


def test_a_machine_without_the_secret_may_plan_but_not_apply(estate, cli, org, monkeypatch):
    assert cli("apply", "--auto-approve").code == 0
    monkeypatch.delenv("CRM_TOKEN")
    org.publish(flow("Sales", says=f'"Token {OLD}"'))

    planned = cli("plan", "--format", "json")
    refused = cli("apply", "--auto-approve")

    assert planned.code == 0
    assert OLD not in planned.out
    assert refused.code == 1
    assert "CRM_TOKEN" in refused.err
    assert cli("validate").code == 0
