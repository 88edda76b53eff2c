"""How soon a run is done: what goes first, how many at once, and how the whole compares with what cannot be faster."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
from support import flow, module

from reconciler.engine.crowd import Crowd
from reconciler.engine.document import Action, Change, Precondition
from reconciler.engine.lease import Lease
from reconciler.engine.queue import Queue
from reconciler.ledger import FileLedger, LockInfo, short_hash
from reconciler.ledger.cells import lock_cells, lock_of


def change(name: str, *needs: str, kind: str = "inboundCall") -> Change:
    return Change(
        address=f"{kind}/{name}",
        kind=kind,
        name=name,
        action=Action.CREATE,
        reasons=(),
        depends_on=tuple(f"inboundCall/{need}" for need in needs),
        precondition=Precondition(absent=True),
    )


class TestOrder:
    """What is longest goes first."""

    def test_the_longest_chain_goes_before_what_stands_alone_and_that_in_the_order_of_the_plan(self) -> None:
        queue = Queue([change("A"), change("B"), change("Last"), change("Middle", "Last"), change("First", "Middle")])
        assert queue.coming(2) == ["inboundCall/Last", "inboundCall/A"]
        assert [queue.take() for _ in range(4)] == ["inboundCall/Last", "inboundCall/A", "inboundCall/B", None]
        assert queue.coming(9) == ["inboundCall/Middle", "inboundCall/First"]
        queue.done("inboundCall/Last")
        assert queue.take() == "inboundCall/Middle"

    def test_a_flow_that_another_waits_for_goes_before_one_that_only_ivrs_wait_for(self) -> None:
        lines = [change(f"Line {number}", "Few", kind="ivr") for number in range(3)]
        queue = Queue([change("Few"), change("Many"), *lines, change("After", "Many")])
        assert queue.take() == "inboundCall/Many"


class TestCrowd:
    """How many run at once after the org has said that it is too much."""

    def test_a_429_halves_it_and_changes_that_end_without_raise_it_again(self) -> None:
        told = 0
        crowd = Crowd(8, lambda: told)
        told = 3
        crowd.one_ended()
        assert crowd.limit == 4
        told = 5
        for _ in range(8):
            # These were begun before; they are not counted twice.
            crowd.one_ended()
        assert crowd.limit == 5
        for _ in range(9):
            crowd.one_ended()
        assert crowd.limit == 8

    def test_it_never_stops_altogether(self) -> None:
        told = 0
        crowd = Crowd(2, lambda: told)
        for _ in range(20):
            told += 1
            crowd.one_ended()
        assert crowd.limit == 1


def test_fifty_flows_are_published_in_little_more_than_the_longest_chain_takes(
    repository: Any, cli: Any, org: Any
) -> None:
    """`make bench-publish` measures the real figures: jobs of 5 s, the rate limit of the platform, within 1.3 times.

    Here the jobs are short, so that what the machine takes by itself counts more; the bound leaves room for a busy
    one. Four at a time, as it was once, they would take 14 seconds besides, one at a time 50.
    """
    seconds = 1.0
    for number in range(5):
        repository.write(f"shared/module-{number}.yaml", module(f"Module {number}"))
    for number in range(45):
        repository.write(f"flows/flow-{number:02}.yaml", flow(f"Flow {number:02}", modules=(f"Module {number % 5}",)))
    org.settings(job_seconds=seconds)
    httpx.delete(f"{org.url}/sandbox/requests").raise_for_status()
    ran = cli("apply", "--auto-approve")
    routes = httpx.get(f"{org.url}/sandbox/requests").json()["routes"]
    said = next(line for line in ran.err.splitlines() if line.startswith("From the first change to the last"))

    assert ran.code == 0, ran.err
    assert 2 * seconds <= float(said.split(": ")[1].removesuffix(" s.")) < 2 * seconds + 9.0
    # Nothing limits the rate here; where something does, there are fewer.
    assert routes["GET /api/v2/flows/jobs/{jobId}"] < 50 * 3


def test_fewer_changes_run_at_once_after_the_org_has_said_that_it_is_too_much(
    repository: Any, cli: Any, org: Any
) -> None:
    for number in range(12):
        repository.write(f"flows/flow-{number:02}.yaml", flow(f"Flow {number:02}"))
    org.fault(preset="rate-limited", times=3, match={"method": "POST", "path": "/api/v2/flows/jobs"})
    ran = cli("apply", "--auto-approve")

    assert ran.code == 0, ran.err
    assert "12 applied" in ran.err


def test_the_lock_says_what_is_in_flight_in_one_short_cell(tmp_path: Path) -> None:
    """A cell of a data table takes some 800 characters as far as we know (LEDGER-2)."""

    async def announced() -> LockInfo:
        lease = Lease(FileLedger(tmp_path / "ledger.json"))
        await lease.take("A. Person with a Long Name (GitHub run 19283746501)", "0123456789ab")
        names = [f"inboundCall/Flow {number}" for number in range(200)]
        for place in range(60):
            await lease.announce(names[place], names[place + 1 :])
        return lease.lock

    lock = asyncio.run(announced())
    note = lock_cells(lock)["note"]
    assert len(note) < 800
    assert lock_of({"note": note}) == lock
    assert {short_hash(f"inboundCall/Flow {number}") for number in range(60)} <= set(lock.inflight)
