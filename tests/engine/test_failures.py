"""A failure takes its dependents along, the rest goes on, and the next apply does just what is left."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from support import environment, flow, module, start, wait_for_lines

from reconciler.ledger import FileLedger


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
    (finding,) = [each for each in planned.json["findings"] if each["severity"] == "error"]
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


def test_a_change_that_could_not_be_recorded_is_not_done_twice(repository, cli, org):
    for number in range(3):
        repository.write(f"flows/{number}.yaml", flow(f"Flow {number}"))
    environment(repository, "concurrency: 1")
    org.fault(
        match={"method": "POST", "path": "/api/v2/flows/datatables/*/rows", "body_contains": "Flow 1"},
        effect={"status": 403},
    )

    failed = cli("apply", "--auto-approve")
    org.mend()
    resumed = cli("apply", "--auto-approve")

    assert (failed.code, resumed.code) == (4, 0)
    assert [org.version(f"Flow {number}") for number in range(3)] == ["1.0"] * 3


def test_a_change_that_breaks_unexpectedly_takes_no_other_change_along(repository, cli, org, monkeypatch):
    for number in range(4):
        repository.write(f"flows/{number}.yaml", flow(f"Flow {number}"))
    environment(repository, "concurrency: 2\nledger: {type: file}")
    write = FileLedger.write

    async def breaking(ledger, lock, row):
        if row.address == "inboundCall/Flow 1":
            raise ZeroDivisionError("no such number")
        await write(ledger, lock, row)

    with monkeypatch.context() as broken:
        broken.setattr(FileLedger, "write", breaking)
        failed = cli("apply", "--auto-approve")
    resumed = cli("apply", "--auto-approve")

    assert failed.code == 4
    assert "Unexpected: ZeroDivisionError" in failed.err
    assert "Traceback" not in failed.err
    assert resumed.code == 0, resumed.err
    assert [org.version(f"Flow {number}") for number in range(4)] == ["1.0"] * 4


def test_a_ledger_file_that_cannot_be_written_any_more_is_told_and_what_runs_is_finished(repository, cli, org):
    """As on a disk that fills up during the run."""
    for number in range(6):
        repository.write(f"flows/{number}.yaml", flow(f"Flow {number}"))
    environment(repository, "concurrency: 2\nledger: {type: file}")
    org.settings(job_seconds=0.3)
    run = start(repository, "apply", "--auto-approve")
    wait_for_lines(run, 1, "[")
    obstacle = repository.root / ".reconciler/ledger/test.json.partial"
    put_in_the_way(obstacle)

    _, said = run.communicate(timeout=60)

    assert run.returncode == 4, said
    assert "test.json: the ledger cannot be written" in said
    assert "Traceback" not in said
    obstacle.rmdir()
    org.settings(job_seconds=0)
    assert cli("unlock", "--yes").code == 0
    assert cli("apply", "--auto-approve").code == 0
    assert [org.version(f"Flow {number}") for number in range(6)] == ["1.0"] * 6
    assert cli("plan", "--detailed-exitcode").code == 0


def put_in_the_way(folder):
    """Makes a folder where files of that name come and go."""
    while not folder.is_dir():
        with suppress(FileExistsError):
            folder.mkdir()


def test_the_lock_is_ours_also_when_the_answer_to_taking_it_was_lost(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    org.fault(preset="answer-lost", times=1, match={"path": "*/rows", "body_contains": "(lock)"})

    assert cli("apply", "--auto-approve").code == 0
    assert cli("plan", "--detailed-exitcode").code == 0


def test_no_lock_stays_behind_when_the_answer_to_taking_it_makes_no_sense(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    org.fault(preset="half-json", times=1, match={"path": "*/rows", "body_contains": "(lock)"})

    failed = cli("apply", "--auto-approve")

    assert failed.code == 1
    assert "is not JSON" in failed.err
    assert cli("apply", "--auto-approve").code == 0


def test_a_lock_that_cannot_be_given_back_after_a_failure_is_told(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    org.fault(preset="half-json", match={"path": "*/rows", "body_contains": "(lock)"})
    org.fault(preset="forbidden", match={"method": "DELETE", "path": "*/rows/*"})

    failed = cli("apply", "--auto-approve")

    assert failed.code == 1
    assert "it expires by itself at" in failed.err
    org.mend()
    assert cli("apply", "--auto-approve").code == 3
    assert cli("unlock", "--yes").code == 0
    assert cli("apply", "--auto-approve").code == 0


def test_a_row_whose_answer_was_lost_is_written_all_the_same(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    org.fault(preset="answer-lost", times=1, match={"path": "*/rows", "body_contains": "inboundCall/Sales"})

    assert cli("apply", "--auto-approve").code == 0
    assert cli("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("transfer", ["/uploads/*", "/downloads/*"])
def test_an_address_that_has_expired_is_asked_for_again(repository, cli, org, transfer):
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    org.publish(flow("Sales", says="Edited by hand."))
    org.fault(preset="address-expired", times=1, match={"path": transfer})

    healed = cli("apply", "--auto-approve")

    assert healed.code == 0, healed.err
    assert cli("plan", "--detailed-exitcode").code == 0


def test_who_checked_a_flow_out_during_the_run_is_named(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")
    org.fault(match={"path": "/uploads/*"}, effect={"lock": {"user": "Ann Smith"}})

    failed = cli("apply", "--auto-approve")

    assert failed.code == 1
    assert "The flow is locked by Ann Smith" in failed.err


def test_a_web_page_in_place_of_an_answer_is_no_success(estate, cli, org):
    """A portal that answers everything with 200 must not pass for a delete that was done."""
    estate.write("flows/spare.yaml", flow("Spare"))
    assert cli("apply", "--auto-approve").code == 0
    estate.remove("flows/spare.yaml")
    org.fault(preset="portal-page", match={"method": "DELETE", "path": "/api/v2/flows/*"})

    ran = cli("apply", "--auto-approve", "--prune")

    assert ran.code == 1
    assert "is a web page" in ran.err
    assert "Spare" in org.flows()
    org.mend()
    assert cli("apply", "--auto-approve", "--prune").code == 0
    assert "Spare" not in org.flows()


@pytest.mark.parametrize(
    "route",
    [
        "POST /api/v2/authorization/divisions/{id}/objects/{objectType}",
        "PUT /uploads/flows/jobs/{jobId}",
    ],
)
def test_a_web_page_is_no_move_and_no_upload_either(repository, cli, org, route):
    org.make_division("Business")
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/old.yaml", flow("Old"))
    assert cli("apply", "--auto-approve").code == 0
    repository.remove("flows/old.yaml")
    repository.edit("flows/sales.yaml", "  name: Sales\n", "  name: Sales\n  division: Business\n")
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")
    org.fault(preset="portal-page", match={"route": route})

    failed = cli("apply", "--auto-approve", "--prune")

    assert failed.code == 4, failed.err
    assert f"{route.partition(' ')[0]} /" in failed.err
    assert "is a web page" in failed.err
    assert "proxy" in failed.err
    org.mend()
    assert cli("apply", "--auto-approve", "--prune").code == 0
    assert set(org.flows()) == {"Sales"}
    assert org.flows()["Sales"]["division"]["name"] == "Business"
    assert cli("plan", "--detailed-exitcode").code == 0
