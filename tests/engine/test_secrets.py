"""A secret is uploaded and nowhere else: not shown, not stored, and its rotation is noticed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support import environment, flow

CANARY = "canary-4f1c9e77-token"
OLD = "canary-old-1b2d-token"
PIN = "471147"
OTHER_PIN = "582258"
SETS_PIN = flow("Sales").replace(
    "        actions:\n",
    """\
        actions:
          - setParticipantData:
              name: Set
              attributes:
                - attribute:
                    name:
                      lit: pin
                    value:
                      lit: {{ pin | yaml }}
""",
)
"""A flow with a secret that is a value of its own."""


@pytest.fixture
def estate(repository, monkeypatch):
    monkeypatch.setenv("CRM_TOKEN", CANARY)
    environment(repository, "variables: {crm: {token: {secret: {env: CRM_TOKEN}}}}")
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


@pytest.fixture
def with_pin(repository, monkeypatch):
    """A repository with a secret that consists of digits."""
    monkeypatch.setenv("PIN", PIN)
    environment(repository, "variables: {pin: {secret: {env: PIN}}}")
    return repository


def test_digits_without_quotes_are_refused_before_anything_is_applied(with_pin, cli, org):
    """A number is not the text that the secret is; the document would change with the value."""
    with_pin.write("flows/another.yaml", flow("Another"))
    with_pin.write("flows/sales.yaml", SETS_PIN.replace(" | yaml", ""))

    planned = cli("plan", "--format", "json")
    refused = cli("apply", "--auto-approve")

    assert (planned.code, refused.code) == (1, 1)
    assert [finding["id"] for finding in planned.json["findings"]] == ["secret-changes-document"]
    assert "{{ name | yaml }}" in refused.err
    assert PIN not in planned.out + planned.err + refused.err
    assert org.flows() == {}


def test_digits_are_rotated_and_neither_the_old_nor_a_strange_value_is_shown(with_pin, cli, org, monkeypatch):
    with_pin.write("flows/sales.yaml", SETS_PIN)
    assert cli("apply", "--auto-approve").code == 0
    org.publish(SETS_PIN.replace("{{ pin | yaml }}", f'"{PIN}"').replace("Hello.", "By hand."))
    monkeypatch.setenv("PIN", "888888")

    rotated = cli("plan", "--format", "json")
    org.publish(SETS_PIN.replace("{{ pin | yaml }}", OTHER_PIN).replace("Hello.", "By hand."))
    strange = cli("plan", "--format", "json")

    for planned in (rotated, strange):
        assert planned.json["drift"]
        assert PIN not in planned.out
        assert OTHER_PIN not in planned.out
    assert cli("apply", "--auto-approve").code == 0
    assert "888888" in uploaded(org, "Sales")
    assert leaks(with_pin, org, PIN, OTHER_PIN, "888888") == []


def test_an_old_value_that_became_an_expression_is_not_shown(with_pin, cli, org, monkeypatch):
    monkeypatch.setenv("PIN", OLD)
    with_pin.write("flows/sales.yaml", SETS_PIN)
    assert cli("apply", "--auto-approve").code == 0
    org.publish(SETS_PIN.replace("lit: {{ pin | yaml }}", f'exp: "\\"{OLD}\\""'))
    monkeypatch.setenv("PIN", CANARY)

    planned = cli("plan", "--format", "json")

    assert planned.json["drift"]
    assert OLD not in planned.out


def test_a_value_that_the_org_repeats_in_a_message_is_not_shown(with_pin, cli, org, monkeypatch):
    monkeypatch.setenv("PIN", CANARY)
    with_pin.write("flows/sales.yaml", SETS_PIN)
    org.fault(
        match={"job_flow": "Sales"},
        effect={"job": {"status": "Failure", "messages": [f"Invalid value '{CANARY}' in action Set."]}},
    )

    failed = cli("apply", "--auto-approve")

    assert failed.code == 1
    assert "in action Set" in failed.err
    assert CANARY not in failed.err + failed.out
    assert leaks(with_pin, org, CANARY) == []


def test_an_ivr_cannot_hold_one_and_nothing_is_applied(with_pin, cli, org):
    with_pin.write("flows/sales.yaml", flow("Sales"))
    with_pin.write("flows/line.yaml", "ivr:\n  name: Line\n  openHoursFlow: Sales\n  description: {{ pin | yaml }}\n")
    org.send("POST", "/architect/ivrs", {"name": "Line", "description": PIN}).raise_for_status()

    planned = cli("plan", "--format", "json")
    refused = cli("apply", "--auto-approve")

    assert (planned.code, refused.code) == (1, 1)
    assert [finding["id"] for finding in planned.json["findings"]] == ["secret-in-fields"]
    assert PIN not in planned.out + planned.err + refused.err
    assert org.flows() == {}


def test_after_a_lost_ledger_a_flow_with_one_is_adopted(with_pin, cli, org):
    with_pin.write("flows/sales.yaml", SETS_PIN)
    assert cli("apply", "--auto-approve").code == 0
    table = org.get("/flows/datatables", name="Reconciler ledger test")["entities"][0]
    org.send("DELETE", f"/flows/datatables/{table['id']}", force="true").raise_for_status()

    plan = cli("plan", "--format", "json").json

    assert [(change["action"], change["address"]) for change in plan["changes"]] == [("adopt", "inboundCall/Sales")]


def test_a_hand_edit_beside_one_that_the_spec_takes_over_is_adopted(with_pin, cli, org):
    with_pin.write("flows/sales.yaml", SETS_PIN)
    assert cli("apply", "--auto-approve").code == 0
    environment(with_pin, "policy: {on_drift: report}")
    org.publish(SETS_PIN.replace("{{ pin | yaml }}", f'"{PIN}"').replace("Hello.", "By hand."))
    with_pin.edit("flows/sales.yaml", "Hello.", "By hand.")

    plan = cli("plan", "--format", "json").json

    assert [(change["action"], change["address"]) for change in plan["changes"]] == [("adopt", "inboundCall/Sales")]
