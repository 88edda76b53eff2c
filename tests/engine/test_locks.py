"""The ledger's lock: whoever lost it stops, whoever ends gives it back, and it names what is being published."""

from __future__ import annotations

import json

import pytest
from support import environment, flow, start, wait_for_lines

HEAD = "/api/v2/flows/datatables/*/rows/~head"
LOCK = "/api/v2/flows/datatables/*/rows/~lock"


@pytest.fixture
def changed(repository, cli):
    """An applied flow whose spec has changed since."""
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")
    return repository


@pytest.mark.parametrize("ledger", ["org", "file"])
def test_a_run_whose_lock_is_dropped_publishes_nothing_more(repository, cli, org, ledger):
    for number in range(8):
        repository.write(f"flows/{number}.yaml", flow(f"Flow {number}"))
    environment(repository, f"concurrency: 1\nledger: {{type: {ledger}}}")
    org.settings(job_seconds=0.4)
    run = start(repository, "apply", "--auto-approve")
    wait_for_lines(run, 1, "[")

    dropped = cli("unlock", "--yes")
    _, said = run.communicate(timeout=60)

    assert "The lock is dropped." in dropped.err
    assert run.returncode == 3, said
    published = [name for name, live in org.flows().items() if live.get("publishedVersion")]
    assert len(published) <= 3, said


def test_a_run_that_cannot_begin_leaves_no_lock(changed, cli, org):
    org.fault(match={"method": "PUT", "path": HEAD}, effect={"status": 403}, times=1)

    assert cli("apply", "--auto-approve").code == 1

    assert "not locked" in cli("unlock").err
    assert cli("apply", "--auto-approve").code == 0
    assert org.version("Sales") == "2.0"


def test_unlock_looks_at_the_org_and_not_at_the_cached_ledger(changed, cli, org):
    """The head of the ledger was not written, so that the cache looks fresh although there is a lock."""
    assert cli("plan").code == 0
    org.fault(match={"method": "PUT", "path": HEAD}, effect={"status": 403}, times=1)
    org.fault(match={"method": "DELETE", "path": LOCK}, effect={"status": 403}, times=1)
    assert cli("apply", "--auto-approve").code == 1

    unlocked = cli("unlock", "--yes")

    assert unlocked.code == 0
    assert "The lock is dropped." in unlocked.err
    assert cli("apply", "--auto-approve").code == 0


def test_what_is_being_published_is_announced_again_when_announcing_it_failed(repository, cli, org):
    for number in range(4):
        repository.write(f"flows/{number}.yaml", flow(f"Flow {number}"))
    environment(repository, "concurrency: 1")
    org.fault(match={"method": "PUT", "path": LOCK}, effect={"status": 403}, times=1)
    org.fault(match={"method": "DELETE", "path": LOCK}, effect={"status": 403})

    failed = cli("apply", "--auto-approve")

    table = org.get("/flows/datatables", name="Reconciler ledger test")["entities"][0]["id"]
    lock = json.loads(org.get(f"/flows/datatables/{table}/rows/~lock", showbrief="false")["note"])
    assert failed.code == 4
    assert lock["inflight"]
