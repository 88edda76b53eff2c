"""A change of division moves an object and does nothing else: no publish is lost, no drift is forgiven or invented."""

from __future__ import annotations

import pytest
from support import environment, flow, module


@pytest.fixture
def north(org):
    """The id of a second division."""
    return org.make_division("North")


@pytest.mark.usefixtures("north")
def test_a_consumer_that_moves_is_republished_as_well_when_its_module_changes(repository, cli, org):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    assert cli("apply", "--auto-approve").code == 0
    repository.edit("shared/greeter.yaml", "One moment.", "Two moments.")
    environment(repository, "division: North")

    assert cli("apply", "--auto-approve").code == 0

    assert org.version("Greeter") == "2.0"
    assert org.module_versions("Sales") == {"Greeter": "2.0"}
    assert org.flows()["Sales"]["division"]["name"] == "North"
    assert cli("plan", "--detailed-exitcode").code == 0


@pytest.mark.usefixtures("north")
def test_another_division_in_the_spec_of_an_ivr_is_no_drift(repository, cli):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write(
        "flows/line.yaml", 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Sales, division: Home}\n'
    )
    assert cli("apply", "--auto-approve").code == 0
    repository.edit("flows/line.yaml", "division: Home", "division: North")

    assert cli("drift").code == 0
    assert [change["address"] for change in cli("plan", "--format", "json").json["changes"]] == ["ivr/Line"]


@pytest.mark.usefixtures("north")
def test_moving_a_flow_does_not_accept_what_was_changed_in_it_by_hand(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    environment(repository, "policy: {on_drift: report}\ndivision: North")
    org.publish(flow("Sales", says="Emergency."))
    assert cli("drift").code == 2

    assert cli("apply", "--auto-approve").code == 0

    assert cli("drift").code == 2


def test_a_flow_moved_by_hand_is_drift(repository, cli, org, north):
    environment(repository, "division: Home\npolicy: {on_drift: fail}")
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    moved = org.send("POST", f"/authorization/divisions/{north}/objects/FLOW", [org.flows()["Sales"]["id"]])
    moved.raise_for_status()

    assert cli("drift").code == 2
    assert cli("plan").code == 1


@pytest.mark.usefixtures("north")
def test_a_flow_that_was_published_and_could_not_be_moved_is_moved_by_the_next_run(repository, cli, org):
    environment(repository, "division: North")
    repository.write("flows/sales.yaml", flow("Sales"))
    org.fault(match={"method": "POST", "path": "/api/v2/authorization/divisions/*"}, effect={"status": 403})
    assert cli("apply", "--auto-approve").code == 1
    org.mend()

    resumed = cli("apply", "--auto-approve")

    assert resumed.code == 0, resumed.err
    assert org.flows()["Sales"]["division"]["name"] == "North"
    assert org.version("Sales") == "1.0"
    assert cli("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(("policy", "code"), [("fail", 1), ("report", 0)])
def test_a_flow_moved_by_hand_is_left_also_when_its_spec_changes(repository, cli, org, north, policy, code):
    environment(repository, f"division: Home\npolicy: {{on_drift: {policy}}}")
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    move_flow(org, "Sales", north)
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")

    assert cli("apply", "--auto-approve").code == code

    assert org.flows()["Sales"]["division"]["name"] == "North"
    assert org.version("Sales") == "1.0"


def test_an_ivr_moved_by_hand_is_drift_also_when_its_spec_changes(repository, cli, org, north):
    environment(repository, "division: Home\npolicy: {on_drift: fail}")
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/line.yaml", "ivr: {name: Line, openHoursFlow: Sales, description: A}\n")
    assert cli("apply", "--auto-approve").code == 0
    org.change_ivr("Line", division={"id": north})
    repository.edit("flows/line.yaml", "description: A", "description: B")

    assert cli("drift").code == 2
    assert cli("plan").code == 1


def test_a_move_that_the_specs_took_over_is_guarded_again(repository, cli, org, north):
    south = org.make_division("South")
    environment(repository, "policy: {on_drift: fail}\ndivision: Home")
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    move_flow(org, "Sales", north)
    assert cli("drift").code == 2
    repository.edit("environments/test.yaml", "division: Home", "division: North")
    assert cli("apply", "--auto-approve").code == 0
    assert cli("drift").code == 0

    move_flow(org, "Sales", south)

    assert cli("drift").code == 2
    assert cli("plan").code == 1


def move_flow(org, name, division):
    """Moves a flow as a person in the user interface would."""
    moved = org.send("POST", f"/authorization/divisions/{division}/objects/FLOW", [org.flows()[name]["id"]])
    moved.raise_for_status()
