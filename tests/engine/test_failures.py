"""A failure takes its dependents along, the rest goes on, and the next apply does just what is left."""

from __future__ import annotations

import json

import pytest
from support import flow, module


@pytest.fixture
def estate(repository):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("shared/closer.yaml", module("Closer"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write("flows/support.yaml", flow("Support", modules=("Closer",)))
    repository.write("flows/line.yaml", 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Sales}\n')
    return repository


def test_dependents_are_skipped_with_the_reason_and_the_rest_is_applied(estate, cli, org):
    org.fault(
        match={"job_flow": "Greeter"},
        effect={"job": {"status": "Failure", "messages": ["The flow has validation errors."]}},
    )

    failed = cli("apply", "--auto-approve")

    assert failed.code == 4
    assert "Architect did not publish the flow: The flow has validation errors" in failed.err
    assert "It depends on commonModule/Greeter, which failed." in failed.err
    assert "It depends on inboundCall/Sales, which was skipped." in failed.err
    assert set(org.flows()) == {"Closer", "Support"}
    journal = next((estate.root / ".reconciler/runs/test").glob("*.jsonl"))
    events = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    outcomes = {e["address"]: e["outcome"] for e in events if e["event"] == "change-ended"}
    assert outcomes == {
        "commonModule/Greeter": "failed",
        "commonModule/Closer": "applied",
        "inboundCall/Support": "applied",
        "inboundCall/Sales": "skipped",
        "ivr/Line": "skipped",
    }

    org.mend()
    rest = cli("plan", "--format", "json").json
    assert [change["address"] for change in rest["changes"]] == [
        "commonModule/Greeter",
        "inboundCall/Sales",
        "ivr/Line",
    ]
    assert cli("apply", "--auto-approve").code == 0
    assert cli("plan", "--detailed-exitcode").code == 0
    assert org.version("Support") == "1.0"


def test_when_nothing_could_be_applied_the_exit_code_is_1(repository, cli, org):
    repository.write("shared/greeter.yaml", module("Greeter"))
    org.fault(match={"job_flow": "Greeter"}, effect={"job": {"status": "Failure", "messages": []}})

    failed = cli("apply", "--auto-approve")

    assert failed.code == 1
    assert "failed" in failed.err


def test_missing_objects_are_found_before_anything_is_applied(repository, cli, org):
    repository.write(
        "flows/sales.yaml",
        flow("Sales").replace(
            "          - disconnect:",
            "          - transferToAcd:\n              name: Transfer\n              targetQueue:\n"
            "                lit:\n                  name: Nobody Home\n          - disconnect:",
        ),
    )
    repository.write("flows/other.yaml", flow("Other"))

    planned = cli("plan", "--format", "json")

    assert planned.code == 1
    (finding,) = planned.json["findings"]
    assert finding["id"] == "missing-reference"
    assert (finding["file"], finding["line"]) == ("flows/sales.yaml", 20)
    assert "queue 'Nobody Home'" in finding["message"]
    assert cli("apply", "--auto-approve").code == 1
    assert org.flows() == {}


def test_a_number_moves_from_one_line_to_another(estate, cli, org):
    assert cli("apply", "--auto-approve").code == 0
    estate.write(
        "flows/line.yaml",
        """\
        ivr: {name: Another Line, dnis: ["+4570100001"], openHoursFlow: Sales}
        ---
        ivr: {name: Line, dnis: ["+4570100002"], openHoursFlow: Sales}
        """,
    )

    plan = cli("plan", "--format", "json").json

    assert [change["address"] for change in plan["changes"]] == ["ivr/Line", "ivr/Another Line"]
    assert cli("apply", "--auto-approve").code == 0
    assert {name: ivr["dnis"] for name, ivr in org.ivrs().items()} == {
        "Line": ["+4570100002"],
        "Another Line": ["+4570100001"],
    }
