"""The ledger's lock: whoever lost it stops, whoever ends gives it back, and it names what is being published."""

from __future__ import annotations

import asyncio
import errno
import json
import os

import pytest
from support import environment, flow, start, wait_for_lines

from reconciler.engine.lease import Lease
from reconciler.files import replace_file
from reconciler.ledger import FileLedger, LockLostError

HEAD = "/api/v2/flows/datatables/*/rows/~head"
LOCK = "/api/v2/flows/datatables/*/rows/~lock.*"


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
    # Longer than an answer that the lock is held is believed.
    org.settings(job_seconds=1.1)
    run = start(repository, "apply", "--auto-approve")
    wait_for_lines(run, 1, "[")

    dropped = cli("unlock", "--yes")
    before = published(org)
    _, said = run.communicate(timeout=60)

    assert "The lock is dropped." in dropped.err
    assert run.returncode == 3, said
    assert len(before) < 8, "the run must still be under way"
    assert len(published(org)) <= len(before) + 1, said


def published(org):
    """Names of the flows that are published."""
    return [name for name, live in org.flows().items() if live.get("publishedVersion")]


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
    lock = json.loads(org.get(f"/flows/datatables/{table}/rows/~lock.1", showbrief="false")["note"])
    assert failed.code == 4
    assert lock["inflight"]


@pytest.mark.parametrize("reads_before", [0, 1])
def test_a_run_that_cannot_read_the_head_of_the_ledger_leaves_no_lock(changed, cli, org, reads_before):
    assert cli("plan").code == 0
    org.fault(match={"method": "GET", "path": HEAD}, after=reads_before, effect={"status": 403})

    assert cli("apply", "--auto-approve").code == 1

    org.mend()
    assert "not locked" in cli("unlock").err
    assert cli("apply", "--auto-approve").code == 0


def test_a_lost_lock_announces_nothing_more(tmp_path):
    async def check():
        ledger = FileLedger(tmp_path / "ledger.json")
        lease = Lease(ledger, await ledger.acquire("me", "r1"))
        await lease.announce("ivr/A", ["ivr/B"])
        lease.lost = LockLostError()
        with pytest.raises(LockLostError):
            await lease.announce("ivr/B", [])
        assert not lease.unsettled - {"ivr/A"}

    asyncio.run(check())


def test_a_renewal_that_fails_once_does_not_end_the_run(repository, cli, org, monkeypatch):
    """As on a disk that is full for a moment."""
    environment(repository, "ledger: {type: file}")
    repository.write("flows/sales.yaml", flow("Sales"))
    monkeypatch.setattr("reconciler.engine.lease.RENEW_SECONDS", 0.3)
    org.fault(match={"path": "/api/v2/flows/jobs/*"}, effect={"delay": 1})
    written = []

    def full_once(path, text):
        if path.name.endswith(".lock"):
            written.append(path)
            if len(written) == 3:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        replace_file(path, text)

    monkeypatch.setattr("reconciler.ledger.file.replace_file", full_once)

    applied = cli("apply", "--auto-approve")

    assert len(written) >= 3
    assert applied.code == 0, applied.err
