"""Killed at any moment, the next apply reaches the same end state, and nothing exists twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest
from support import flow, module

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


def start(repository, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments, "--env", "test"],
        cwd=repository.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_work(process, lines):
    """Until the run has said that so many changes were started or ended."""
    seen = 0
    for line in process.stderr:
        seen += line.startswith(("started", "["))
        if seen >= lines:
            return


@pytest.mark.slow
def test_killed_ten_times_at_random_moments_it_converges(estate, cli, org):
    pick = random.Random(20261120)
    org.http.put("/sandbox/settings", json={"job_seconds": 0.03}).raise_for_status()
    greeting = "One moment."
    for attempt in range(KILLS):
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

    assert cli("apply", "--auto-approve").code == 0

    names = [entity["name"] for entity in org.get("/flows", pageSize=500)["entities"]]
    assert sorted(names) == sorted({"Greeter", "Closer", *(f"Flow {number}" for number in range(8))})
    lines = [entity["name"] for entity in org.get("/architect/ivrs", pageSize=100)["entities"]]
    assert sorted(lines) == [f"Line {number}" for number in range(8)]
    assert cli("plan", "--detailed-exitcode").code == 0
    assert cli("drift").code == 0
    flows = org.flows()
    for number in range(8):
        consumer = flows[f"Flow {number}"]
        consumed = org.get(
            "/architect/dependencytracking/consumedresources",
            id=consumer["id"],
            version=consumer["publishedVersion"]["id"],
            objectType="INBOUNDCALLFLOW",
            pageSize=100,
        )["entities"]
        built = {item["name"]: item["version"] for item in consumed if item["type"] == "COMMONMODULEFLOW"}
        assert built == {name: flows[name]["publishedVersion"]["id"] for name in ("Greeter", "Closer")}


def test_a_left_over_lock_is_named_and_dropped_on_demand(estate, cli, org):
    org.http.put("/sandbox/settings", json={"job_seconds": 0.05}).raise_for_status()
    process = start(estate, "apply", "--auto-approve")
    wait_for_work(process, 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()

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
    with (estate.root / "environments/test.yaml").open("a", encoding="utf-8") as file:
        file.write("policy: {on_drift: fail}\n")
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
    org.http.put("/sandbox/settings", json={"job_seconds": 0.2}).raise_for_status()
    process = start(estate, "apply", "--auto-approve")
    wait_for_work(process, 3)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 4
    assert "not-started" in said
    assert cli("unlock").code == 0
    assert cli("apply", "--auto-approve").code == 0
    assert cli("plan", "--detailed-exitcode").code == 0
