"""What somebody changes in the org is found, shown and handled by policy; what is found there is adopted."""

from __future__ import annotations

import json

import pytest
from support import environment, flow, module


@pytest.fixture
def applied(repository, cli):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write(
        "flows/hours.yaml",
        """\
        schedule:
          name: Weekdays
          start: "2026-01-05T08:00:00.000"
          end: "2026-01-05T17:00:00.000"
          rrule: FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR
        """,
    )
    assert cli("apply", "--auto-approve").code == 0
    return repository


def test_another_clients_version_is_drift_with_what_differs_and_by_whom(applied, cli, org):
    org.publish(flow("Sales", says="Hello, stranger.", modules=("Greeter",)))

    found = cli("drift", "--format", "json")

    assert found.code == 2
    (drift,) = found.json["drift"]
    assert (drift["address"], drift["recorded_version"], drift["live_version"]) == ("inboundCall/Sales", "1.0", "2.0")
    assert drift["published_by"]
    assert drift["published_at"]
    assert [(d["before"], d["after"]) for d in drift["diff"]] == [("Hello.", "Hello, stranger.")]
    text = cli("drift")
    assert text.code == 2
    assert "Hello, stranger." in text.err


def test_overwrite_puts_it_back(applied, cli, org):
    org.publish(flow("Sales", says="Hello, stranger.", modules=("Greeter",)))

    plan = cli("plan", "--format", "json").json

    (change,) = plan["changes"]
    assert (change["action"], change["address"]) == ("update", "inboundCall/Sales")
    assert "was changed in the org" in change["reasons"][0]
    assert [(d["before"], d["after"]) for d in change["diff"]] == [("Hello, stranger.", "Hello.")]
    assert cli("apply", "--auto-approve").code == 0
    assert cli("drift").code == 0
    assert org.version("Sales") == "3.0"


def test_report_leaves_it(applied, cli, org):
    environment(applied, "policy: {on_drift: report}")
    org.publish(flow("Sales", says="Hello, stranger.", modules=("Greeter",)))

    plan = cli("plan", "--format", "json").json

    assert plan["changes"] == []
    assert len(plan["drift"]) == 1
    assert cli("apply", "--auto-approve").code == 0
    assert org.version("Sales") == "2.0"


def test_fail_stops(applied, cli, org):
    environment(applied, "policy: {on_drift: fail}")
    org.publish(flow("Sales", says="Hello, stranger.", modules=("Greeter",)))

    assert cli("plan").code == 1
    refused = cli("apply", "--auto-approve")
    assert refused.code == 1
    assert org.version("Sales") == "2.0"


def test_the_same_content_published_again_is_healed_and_no_change(applied, cli, org):
    org.publish(flow("Sales", modules=("Greeter",)))
    assert org.version("Sales") == "2.0"

    assert cli("drift").code == 0
    assert cli("plan", "--detailed-exitcode").code == 0
    assert cli("apply", "--auto-approve").code == 0

    assert cli("plan", "--detailed-exitcode").code == 0
    assert org.version("Sales") == "2.0"


def test_fields_changed_by_hand_are_drift_too(applied, cli, org):
    (schedule,) = org.get("/architect/schedules", pageSize=100)["entities"]
    schedule["end"] = "2026-01-05T18:00:00.000"
    org.send("PUT", f"/architect/schedules/{schedule['id']}", schedule).raise_for_status()

    found = cli("drift", "--format", "json")

    assert found.code == 2
    (drift,) = found.json["drift"]
    assert drift["address"] == "schedule/Weekdays"
    assert drift["diff"] == [
        {"path": "end", "op": "change", "before": "2026-01-05T17:00:00.000", "after": "2026-01-05T18:00:00.000"}
    ]
    assert cli("apply", "--auto-approve").code == 0
    assert cli("drift").code == 0


def test_a_flow_that_means_the_same_is_adopted_without_a_publish(repository, cli, org):
    org.publish(flow("Sales"))
    repository.write("flows/sales.yaml", flow("Sales"))

    plan = cli("plan", "--format", "json").json

    assert [(c["action"], c["address"]) for c in plan["changes"]] == [("adopt", "inboundCall/Sales")]
    assert cli("apply", "--auto-approve").code == 0
    assert org.version("Sales") == "1.0"
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_flow_that_differs_is_updated_with_the_difference_shown(repository, cli, org):
    org.publish(flow("Sales", says="Hi."))
    repository.write("flows/sales.yaml", flow("Sales"))

    plan = cli("plan", "--format", "json").json

    (change,) = plan["changes"]
    assert change["action"] == "update"
    assert change["diff_basis"] == "live export"
    assert [(d["before"], d["after"]) for d in change["diff"]] == [("Hi.", "Hello.")]
    assert cli("apply", "--auto-approve").code == 0
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_flow_deleted_in_the_org_is_made_again(applied, cli, org):
    sales = org.flows()["Sales"]["id"]
    org.delete_flow("Sales")

    assert cli("drift").code == 2
    plan = cli("plan", "--format", "json").json

    (change,) = plan["changes"]
    assert (change["action"], change["address"]) == ("create", "inboundCall/Sales")
    assert "was deleted in the org since it was applied" in change["reasons"]
    assert cli("apply", "--auto-approve").code == 0
    assert org.flows()["Sales"]["id"] != sales
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_flow_that_somebody_edits_is_pointed_out_and_left_alone(applied, cli, org):
    sales = org.flows()["Sales"]["id"]
    org.send("POST", "/flows/actions/checkout", flow=sales).raise_for_status()
    applied.edit("flows/sales.yaml", "Hello.", "Good day.")

    plan = cli("plan", "--format", "json").json

    assert [f["id"] for f in plan["findings"]] == ["flow-locked"]


def test_a_hand_edit_is_drift_also_after_a_change_that_failed_and_was_taken_back(applied, cli, org):
    """The failed publish was announced in the ledger; that may not excuse somebody's edit for ever."""
    applied.edit("flows/sales.yaml", "Hello.", "Good day.")
    org.fault(match={"method": "POST", "path": "/api/v2/flows/jobs"}, effect={"status": 403})
    assert cli("apply", "--auto-approve").code == 1
    org.mend()
    applied.edit("flows/sales.yaml", "Good day.", "Hello.")
    assert cli("apply", "--auto-approve").code == 0
    assert cli("drift").code == 0

    org.publish(flow("Sales", says="Emergency.", modules=("Greeter",)))

    assert cli("drift").code == 2


def test_a_recorded_version_that_the_org_does_not_have_is_no_change(repository, cli):
    environment(repository, "ledger: {type: file}")
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    ledger = repository.root / ".reconciler/ledger/test.json"
    state = json.loads(ledger.read_text(encoding="utf-8"))
    state["rows"]["inboundCall/Sales"]["version"] = "99.0"
    ledger.write_text(json.dumps(state), encoding="utf-8")

    planned = cli("plan", "--detailed-exitcode")

    assert planned.code == 0, planned.err
