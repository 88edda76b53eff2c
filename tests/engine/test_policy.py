"""``policy.on_drift`` decides about everything that was changed by hand, whatever else the plan would do to it."""

from __future__ import annotations

import pytest
from support import environment, flow

LINE = 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Sales, description: A}\n'


@pytest.fixture
def applied(repository, cli):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/keep.yaml", flow("Keep"))
    assert cli("apply", "--auto-approve").code == 0
    return repository


@pytest.mark.parametrize("policy", ["fail", "report"])
def test_a_field_changed_by_hand_stays_when_the_spec_changes_another_one(repository, cli, org, policy):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/emergency.yaml", flow("Emergency"))
    repository.write("flows/line.yaml", LINE)
    assert cli("apply", "--auto-approve").code == 0
    environment(repository, f"policy: {{on_drift: {policy}}}")
    org.change_ivr("Line", openHoursFlow={"id": org.flows()["Emergency"]["id"]})
    assert cli("drift").code == 2
    repository.edit("flows/line.yaml", "description: A", "description: B")

    assert cli("drift").code == 2
    assert cli("apply", "--auto-approve").code == (1 if policy == "fail" else 0)
    assert org.ivrs()["Line"]["openHoursFlow"]["name"] == "Emergency"


def test_report_leaves_a_flow_changed_by_hand_also_when_its_spec_changes(applied, cli, org):
    environment(applied, "policy: {on_drift: report}")
    org.publish(flow("Sales", says="Emergency."))
    applied.edit("flows/sales.yaml", "Hello.", "Good day.")

    plan = cli("plan", "--format", "json").json

    assert plan["changes"] == []
    assert [drift["address"] for drift in plan["drift"]] == ["inboundCall/Sales"]


def test_fail_stops_at_a_flow_deleted_by_hand(applied, cli, org):
    environment(applied, "policy: {on_drift: fail}")
    org.delete_flow("Sales")

    assert cli("drift").code == 2
    assert cli("plan").code == 1
    assert cli("apply", "--auto-approve").code == 1
    assert set(org.flows()) == {"Keep"}


def test_fail_stops_at_a_flow_unpublished_by_hand(applied, cli, org):
    environment(applied, "policy: {on_drift: fail}")
    org.send("POST", "/flows/actions/deactivate", flow=org.flows()["Sales"]["id"]).raise_for_status()

    assert cli("drift").code == 2
    assert cli("plan").code == 1


def test_fail_stops_before_a_flow_changed_by_hand_is_pruned(applied, cli, org):
    environment(applied, "policy: {on_drift: fail}")
    org.publish(flow("Sales", says="Emergency."))
    applied.remove("flows/sales.yaml")

    assert cli("plan", "--prune").code == 1
    assert cli("apply", "--prune", "--auto-approve").code == 1
    assert "Sales" in org.flows()


def test_what_an_explicit_overwrite_puts_back_is_shown_beside_the_change_of_the_spec(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    environment(repository, "policy: {on_drift: report}\n")
    org.publish(flow("Sales", says="Emergency."))
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")

    said = cli("plan", "--target", "inboundCall/Sales").err

    assert "Good day." in said
    assert "Emergency." in said


def test_fail_stops_at_a_flow_that_was_deleted_and_made_again_by_hand(applied, cli, org):
    environment(applied, "policy: {on_drift: fail}")
    org.delete_flow("Sales")
    org.publish(flow("Sales", says="Emergency."))

    assert cli("drift").code == 2
    assert cli("plan").code == 1


def test_fail_stops_at_an_ivr_that_was_deleted_and_made_again_by_hand(applied, cli, org):
    applied.write("flows/line.yaml", LINE)
    environment(applied, "policy: {on_drift: fail}")
    assert cli("apply", "--auto-approve").code == 0
    org.send("DELETE", f"/architect/ivrs/{org.ivrs()['Line']['id']}").raise_for_status()
    keep = {"id": org.flows()["Keep"]["id"]}
    remade = {"name": "Line", "dnis": ["+4570100001"], "openHoursFlow": keep}
    org.send("POST", "/architect/ivrs", remade).raise_for_status()

    assert cli("plan").code == 1
