"""Killed at any moment, the next apply reaches the same end state, and nothing exists twice."""

from __future__ import annotations

import random
import signal
import time

import pytest
from support import environment, flow, module, start, wait_for_lines

KILLS = 10


@pytest.fixture
def estate(repository):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("shared/closer.yaml", module("Closer"))
    for number in range(8):
        repository.write(f"flows/flow-{number}.yaml", flow(f"Flow {number}", modules=("Greeter", "Closer")))
        repository.write(
            f"flows/line-{number}.yaml",
            f'ivr: {{name: Line {number}, dnis: ["+457010000{number}"], openHoursFlow: Flow {number}}}\n',
        )
    return repository


def wait_for_work(process, lines):
    """Until the run has said that so many changes were started or ended."""
    wait_for_lines(process, lines, "started", "[")


@pytest.mark.slow
def test_killed_ten_times_at_random_moments_it_converges(estate, cli, org):
    pick = random.Random(20261120)
    greeting = "One moment."
    for attempt in range(KILLS):
        # Every other run finds its jobs done at the first look and gets further in the same time.
        org.settings(job_seconds=0.03 if attempt % 2 else 0)
        process = start(estate, "apply", "--auto-approve")
        wait_for_work(process, pick.randrange(1, 20))
        time.sleep(pick.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        locked = cli("unlock", "--yes")
        assert locked.code == 0, locked.err
        if attempt % 3 == 2:
            estate.edit("shared/greeter.yaml", greeting, f"Moment {attempt}.")
            greeting = f"Moment {attempt}."

    org.settings(job_seconds=0)
    assert cli("apply", "--auto-approve").code == 0

    names = [entity["name"] for entity in org.get("/flows", pageSize=500)["entities"]]
    assert sorted(names) == sorted({"Greeter", "Closer", *(f"Flow {number}" for number in range(8))})
    lines = [entity["name"] for entity in org.get("/architect/ivrs", pageSize=100)["entities"]]
    assert sorted(lines) == [f"Line {number}" for number in range(8)]
    assert cli("plan", "--detailed-exitcode").code == 0
    assert cli("drift").code == 0
    flows = org.flows()
    for number in range(8):
        built = org.module_versions(f"Flow {number}")
        assert built == {name: flows[name]["publishedVersion"]["id"] for name in ("Greeter", "Closer")}


def test_a_left_over_lock_is_named_and_dropped_on_demand(estate, cli, org):
    org.settings(job_seconds=0.05)
    process = start(estate, "apply", "--auto-approve")
    wait_for_work(process, 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    org.settings(job_seconds=0)

    blocked = cli("apply", "--auto-approve")
    assert blocked.code == 3
    assert "is locked by" in blocked.err
    kept = cli("unlock")
    assert kept.code == 1
    dropped = cli("unlock", "--yes")
    assert dropped.code == 0
    assert "Locked by" in dropped.err
    assert cli("apply", "--auto-approve").code == 0
    assert cli("unlock").code == 0


def test_an_interrupted_publish_is_no_drift(estate, cli, org):
    """Also where drift stops a run: what our own dead run published is not somebody's edit."""
    environment(estate, "policy: {on_drift: fail}")
    assert cli("apply", "--auto-approve").code == 0
    estate.edit("flows/flow-3.yaml", "Hello.", "Good day.")
    table = org.get("/flows/datatables", name="Reconciler ledger test")["entities"][0]["id"]
    org.fault(
        match={"method": "PUT", "path": f"/api/v2/flows/datatables/{table}/rows/*", "body_contains": "Flow 3"},
        effect={"status": 403, "code": "missing.permissions"},
    )
    assert cli("apply", "--auto-approve").code == 1
    org.mend()

    resumed = cli("apply", "--auto-approve")

    assert resumed.code == 0, resumed.err
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_signal_lets_running_changes_end(estate, cli, org):
    org.settings(job_seconds=0.2)
    process = start(estate, "apply", "--auto-approve")
    wait_for_work(process, 3)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    org.settings(job_seconds=0)

    assert process.returncode == 4
    assert "not-started" in said
    assert cli("unlock").code == 0
    assert cli("apply", "--auto-approve").code == 0
    assert cli("plan", "--detailed-exitcode").code == 0


def test_what_a_dead_run_finished_is_guarded_against_hand_edits_again(repository, cli, org):
    for number in range(4):
        repository.write(f"flows/{number}.yaml", flow(f"Flow {number}"))
    environment(repository, "concurrency: 1\npolicy: {on_drift: fail}")
    org.settings(job_seconds=0.3)
    process = start(repository, "apply", "--auto-approve")
    wait_for_lines(process, 2, "[")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    org.settings(job_seconds=0)
    assert cli("unlock", "--yes").code == 0
    assert cli("apply", "--auto-approve").code == 0
    assert cli("plan", "--detailed-exitcode").code == 0
    assert cli("drift").code == 0

    org.publish(flow("Flow 0", says="Emergency."))

    assert cli("drift").code == 2
    assert cli("plan").code == 1


def test_a_hand_edit_of_a_flow_that_the_dead_run_never_began_is_drift(repository, cli, org):
    for number in range(5):
        repository.write(f"flows/{number}.yaml", flow(f"Flow {number}"))
    environment(repository, "concurrency: 1\npolicy: {on_drift: fail}")
    assert cli("apply", "--auto-approve").code == 0
    for number in range(5):
        repository.edit(f"flows/{number}.yaml", "Hello.", "Good day.")
    org.settings(job_seconds=0.5)
    process = start(repository, "apply", "--auto-approve")
    wait_for_lines(process, 1, "[")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    org.settings(job_seconds=0)
    assert cli("unlock", "--yes").code == 0
    assert org.version("Flow 4") == "1.0"

    org.publish(flow("Flow 4", says="Emergency."))

    assert cli("plan").code == 1


def test_a_signal_while_planning_applies_nothing(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    listing = "GET /api/v2/flows"
    org.fault(match={"method": "GET", "path": "/api/v2/flows"}, effect={"delay": 1.0})
    org.http.delete("/sandbox/requests").raise_for_status()
    process = start(repository, "apply", "--auto-approve")
    wait_until(lambda: listing in org.http.get("/sandbox/requests").json()["routes"])

    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)

    assert process.returncode != 0
    assert "Traceback" not in said
    assert org.flows() == {}
    org.mend()
    assert "not locked" in cli("unlock").err


def wait_until(holds, seconds=30.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_healed_row_knows_that_a_flow_holds_no_modules(repository, cli, org):
    """Else the ledger of a resumed run would not be that of an undisturbed one."""
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    org.publish(flow("Sales"))

    assert cli("apply", "--auto-approve").code == 0

    table = org.get("/flows/datatables", name="Reconciler ledger test")["entities"][0]["id"]
    rows = org.get(f"/flows/datatables/{table}/rows", showbrief="false", pageSize=100)["entities"]
    (row,) = [row for row in rows if row["address"] == "inboundCall/Sales"]
    assert (row["version"], row["modules"]) == ("2.0", "")


def test_a_second_ctrl_c_ends_at_once_and_shows_no_traceback(estate, cli, org):
    org.settings(job_seconds=60)
    process = start(estate, "apply", "--auto-approve")
    wait_for_work(process, 2)
    process.send_signal(signal.SIGINT)
    wait_for_lines(process, 1, "SIGINT: stopping")
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=20)[1]
    assert process.returncode == 1
    assert "Stopped." in said
    assert "Traceback" not in said
    assert "Task exception" not in said
