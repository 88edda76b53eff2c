"""The platform's audit beside ours: whatever did not come from us is marked, and nothing that did."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from uuid import uuid4

import httpx
import pytest
from support import SEED, Org, Repository, connected, environment, flow, module

from reconciler.engine.audit.chain import Chain
from reconciler.sandbox import embedded

FLOWS = ("Sales", "Support", "Billing", "Fax", "Claims", "Moves", "Repairs")


class Watch:
    """Another look at the org's audit, and the list of what was done outside."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.outside: set[str] = set()

    def events(self, latest: int = 6) -> dict[str, dict]:
        """The latest events on flows, and those on IVRs, schedules and groups, by id."""
        now = datetime.now(UTC)
        span = "/".join(f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for hours in (-2, 2))
        found = {}
        for service in ("Architect", "Telephony"):
            body = {"interval": span, "serviceName": service, "pageSize": latest}
            answer = self.org.send("POST", "/audits/query/realtime", body).json()
            found |= {event["id"]: event for event in answer["entities"]}
        return found

    def outside_does(self, act: Callable[[], object], *, to: str | None = None) -> None:
        """Does something that is none of ours; ``to`` is the object, where we are at work meanwhile."""
        before = self.events()
        act()
        new = {id: event for id, event in self.events().items() if id not in before}
        assert new, "the org keeps an audit of it"
        self.outside |= {id for id, event in new.items() if to in (None, event["entity"]["id"])}


@contextmanager
def client_of(org: Org, **what: str) -> Iterator[Org]:
    """A second OAuth client, which acts as a person where one is named."""
    made = org.http.post("/sandbox/clients", json=what).raise_for_status().json()
    with httpx.Client(base_url=org.url, timeout=30) as http:
        pair = (made["client_id"], made["client_secret"])
        token = http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=pair).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield Org(org.url, *pair, http)


@pytest.fixture
def org(tmp_path) -> Iterator[Org]:
    """An org in which Ada works."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED + "users: [{name: Ada Larsen, email: ada@example.com}]\n", encoding="utf-8")
    with embedded.start(tmp_path / "org.sqlite", seed=seed) as running, connected(running) as made:
        yield made


@pytest.fixture
def estate(repository) -> Repository:
    """A module, four flows that hold it, two IVRs, schedules and a group."""
    repository.write("shared/hold.yaml", module("Hold"))
    for name in FLOWS:
        repository.write(f"flows/{name}.yaml", flow(name, modules=("Hold",)))
    for line in ("Main", "Night"):
        repository.write(f"flows/{line}.ivr.yaml", f"ivr: {{name: {line}, openHoursFlow: Sales}}\n")
    for day in ("Monday", "Tuesday"):
        start, end = "2026-01-05T08:00:00.000", "2026-01-05T16:00:00.000"
        repository.write(f"shared/{day}.yaml", f"schedule: {{name: {day}, start: '{start}', end: '{end}'}}\n")
    repository.write(
        "shared/hours.yaml", "scheduleGroup: {name: Hours, openSchedules: [Monday, Tuesday], timeZone: Etc/UTC}\n"
    )
    return repository


def schedule_id(org: Org, name: str) -> str:
    listed = org.get("/architect/schedules", pageSize=100)["entities"]
    return next(one["id"] for one in listed if one["name"] == name)


def put_schedule(org: Org, name: str, end: str) -> None:
    found = org.get(f"/architect/schedules/{schedule_id(org, name)}")
    org.send("PUT", f"/architect/schedules/{found['id']}", {**found, "end": end}).raise_for_status()


def check_out(org: Org, name: str) -> str:
    id = org.flows()[name]["id"]
    org.send("POST", "/flows/actions/checkout", flow=id).raise_for_status()
    return id


def draft(org: Org, name: str) -> None:
    """Checks a flow out and lets go of it."""
    org.send("POST", "/flows/actions/revert", flow=check_out(org, name)).raise_for_status()


def make_again(org: Org, name: str) -> None:
    """Deletes an IVR and makes another one of the same name."""
    old = org.get(f"/architect/ivrs/{org.ivrs()[name]['id']}")
    org.send("DELETE", f"/architect/ivrs/{old['id']}").raise_for_status()
    org.send("POST", "/architect/ivrs", {key: old[key] for key in ("name", "openHoursFlow")}).raise_for_status()


def apply(cli, *arguments: str) -> None:
    done = cli("apply", "--auto-approve", *arguments)
    assert done.code == 0, done.err


def applied_while(cli, repository: Repository, acts: Callable[[str], None]) -> None:
    """Applies, and has something else happen as soon as the run has published its first flow, whose name is told."""
    problems: list[BaseException] = []
    known = set((repository.root / ".reconciler/runs/test").glob("*.jsonl"))

    def meanwhile() -> None:
        try:
            while not (new := set((repository.root / ".reconciler/runs/test").glob("*.jsonl")) - known):
                time.sleep(0.005)
            while not (
                ended := re.search(r'"change-ended", "address": "inboundCall/(\w+)"', new.copy().pop().read_text())
            ):
                time.sleep(0.005)
            acts(ended[1])
        except BaseException as error:  # noqa: BLE001 - told in the test's own thread
            problems.append(error)

    thread = threading.Thread(target=meanwhile, daemon=True)
    thread.start()
    apply(cli)
    thread.join(30)
    assert not problems, problems
    assert not thread.is_alive()


def test_all_changes_made_outside_are_marked_in_a_run_of_100_mixed_events(estate, org, cli):
    """By a person, by another client, and by another tool with our own client, also while our runs are at work."""
    watch = Watch(org)
    apply(cli)
    with client_of(org, name="Ada's browser", user="Ada Larsen") as ada, client_of(org, name="Archy") as archy:
        # Drift of all kinds, and our runs that overwrite it, in quick succession.
        watch.outside_does(lambda: ada.publish(flow("Sales", says="By Ada.", modules=("Hold",))))
        watch.outside_does(lambda: archy.publish(flow("Support", says="By Archy.")))
        watch.outside_does(lambda: org.publish(flow("Billing", says="With our client.")))
        watch.outside_does(lambda: org.change_ivr("Main", description="With our client."))
        watch.outside_does(lambda: ada.change_ivr("Night", description="By Ada."))
        watch.outside_does(lambda: put_schedule(org, "Monday", "2026-01-05T17:00:00.000"))
        apply(cli)
        watch.outside_does(lambda: draft(ada, "Fax"))
        watch.outside_does(lambda: draft(org, "Fax"))
        watch.outside_does(lambda: put_schedule(ada, "Tuesday", "2026-01-05T18:00:00.000"))
        watch.outside_does(lambda: make_again(org, "Night"))
        watch.outside_does(lambda: org.publish(flow("Sales", says="Once more.", modules=("Hold",))))
        watch.outside_does(lambda: org.publish(flow("Sales", says="And again.", modules=("Hold",))))
        apply(cli)

        # Another tool with our own client, on the same objects, while our run is at work.
        environment(estate, "concurrency: 1\nverify: {after_apply: off}")
        for name in FLOWS:
            estate.edit(f"flows/{name}.yaml", "Hello.", "Good morning.")
        estate.edit("flows/Main.ivr.yaml", "name: Main", "name: Main, description: Ours")
        org.settings(job_seconds=0.1)

        def with_our_client(first: str) -> None:
            with httpx.Client(base_url=org.url, timeout=30, headers=org.http.headers) as http:
                tool = Org(org.url, org.client_id, org.client_secret, http)
                tool.settings(job_seconds=0)
                watching = Watch(tool)
                flow_id = tool.flows()[first]["id"]
                watching.outside_does(lambda: tool.publish(flow(first, says="Meanwhile.")), to=flow_id)
                night = tool.ivrs()["Night"]["id"]
                watching.outside_does(lambda: tool.change_ivr("Night", description="Meanwhile"), to=night)
                day = schedule_id(tool, "Tuesday")
                watching.outside_does(lambda: put_schedule(tool, "Tuesday", "2026-01-05T19:00:00.000"), to=day)
                watch.outside |= watching.outside

        applied_while(cli, estate, with_our_client)
        org.settings(job_seconds=0)

        # What the specs let go of, and what somebody else takes away.
        estate.remove("flows/Fax.yaml")
        apply(cli, "--prune")
        watch.outside_does(lambda: org.publish(flow("Fax", says="Back again.")))
        watch.outside_does(lambda: ada.delete_flow("Fax"))
        watch.outside_does(lambda: archy.publish(flow("Sales", says="Last of all.", modules=("Hold",))))
        watch.outside_does(lambda: org.publish(module("Hold", says="Another module.")))
        apply(cli)
        whose = cycle((org, ada))
        for _ in range(100 - len(watch.events(500))):
            watch.outside_does(lambda: next(whose).change_ivr("Main", description=str(uuid4())))

    found = cli("audit", "--platform", "--format", "json")
    assert found.code == 2
    entries = found.json["entries"]
    told = watch.events(500)
    assert len(entries) == len(told) == 100
    assert {entry["id"] for entry in entries if entry["origin"] == "outside"} == watch.outside
    ours = [entry for entry in entries if entry["origin"] == "ours"]
    assert {entry["basis"] for entry in ours} == {"record"}
    assert found.json["missing"] == []
    mine = Counter(entry["who"]["our_client"] for entry in entries if entry["origin"] == "outside")
    assert mine[True] >= 15, "the client alone would have passed these off as ours"
    assert len(ours) >= 40

    text = cli("audit", "--platform").err
    assert f"{len(ours)} ours, {len(watch.outside)} not ours" in text
    assert text.count("NOT OURS") == len(watch.outside)
    assert "NOT OURS  inboundCall/Sales  published version 2.0" in text
    assert "by Ada Larsen through OAuth client" in text
    assert f"by OAuth client {org.client_id}, ours, in no run of ours" in text
    assert "NOT OURS  ivr/Night  deleted" in text
    assert "NOT OURS  schedule/Monday  changed: end" in text


@pytest.fixture
def small(repository, cli) -> Repository:
    """A flow, an IVR and a schedule, applied."""
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/main.ivr.yaml", "ivr: {name: Main, openHoursFlow: Sales}\n")
    start, end = "2026-01-05T08:00:00.000", "2026-01-05T16:00:00.000"
    repository.write("shared/monday.yaml", f"schedule: {{name: Monday, start: '{start}', end: '{end}'}}\n")
    apply(cli)
    return repository


def origins(cli, *arguments: str) -> Counter:
    """How many events came from where, by what that rests on."""
    found = cli("audit", "platform", *arguments, "--format", "json").json
    return Counter(entry["basis"] or "outside" for entry in found["entries"])


def test_ours_is_quiet_drafts_are_no_change_yet_and_what_nobody_manages_is_left_out(small, org, cli):
    ran = cli("audit", "--platform")
    assert ran.code == 0
    assert "4 events on managed objects: 4 ours, 0 not ours" in ran.err
    assert "NOT OURS" not in ran.err

    draft(org, "Sales")
    org.publish(flow("Somebody's"))

    ran = cli("audit", "--platform")
    assert ran.code == 0
    assert "2 not ours, of which 0 changed something" in ran.err
    assert "NOT OURS  inboundCall/Sales  checked out" in ran.err
    assert "2 events on objects that nobody manages here left out." in ran.err


def test_without_the_trail_the_ledger_decides_also_on_runs_of_another_client_of_ours(small, org, cli, monkeypatch):
    """A pipeline applies with a client of its own; a person looks with another one, on another machine."""
    (small.root / ".reconciler/audit/test.jsonl").rename(small.root / "kept.jsonl")
    with client_of(org, name="Laptop") as laptop:
        monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_ID", laptop.client_id)
        monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_SECRET", laptop.client_secret)
        laptop.change_ivr("Main", description="By hand, from the laptop")

        assert origins(cli) == {"ledger": 4, "outside": 1}
        ran = cli("audit", "platform")
        assert ran.code == 2
        assert "4 events taken for ours by what the ledger remembers of run" in ran.err
        assert origins(cli, "kept.jsonl") == {"record": 4, "outside": 1}


def test_without_the_trail_another_tool_with_our_client_is_not_taken_for_a_run_that_had_just_ended(small, org, cli):
    """The ledger knows which versions our run left; what was made after those is somebody else's, however soon."""
    small.edit("flows/main.ivr.yaml", "Sales}", "Sales, description: Ours}")
    apply(cli)
    org.publish(flow("Sales", says="By another tool."))
    org.change_ivr("Main", description="By another tool")
    (small.root / ".reconciler/audit/test.jsonl").rename(small.root / "kept.jsonl")

    ran = cli("audit", "platform")

    assert ran.code == 2
    assert origins(cli) == {"ledger": 5, "outside": 2}
    assert origins(cli, "kept.jsonl") == {"record": 5, "outside": 2}


def test_what_a_killed_run_had_planned_is_taken_for_its_own(small, org, cli):
    trail = small.root / ".reconciler/audit/test.jsonl"
    beginning = trail.read_text(encoding="utf-8").splitlines(keepends=True)[0]
    trail.write_text(beginning, encoding="utf-8")
    with client_of(org, name="Archy") as archy:
        archy.publish(flow("Sales", says="By Archy."))

    assert origins(cli) == {"record": 4, "outside": 1}


def test_long_answers_are_read_whole_what_is_missing_is_told_and_a_refusal_names_the_permission(
    small, org, cli, monkeypatch
):
    monkeypatch.setattr("reconciler.platform.audits._PAGE", 1)
    org.settings(query_seconds=0.1)
    org.change_ivr("Main", description="By hand")
    assert origins(cli, "--since", "40d") == {"record": 4, "outside": 1}

    kept = [json.loads(line) for line in (small.root / ".reconciler/audit/test.jsonl").read_text().splitlines()]
    change = next(one for one in kept if one.get("address") == "inboundCall/Sales")
    body = {key: value for key, value in change.items() if key not in ("seq", "previous", "hash")}
    claimed = body | {"action": "update", "version_before": "1.0", "version_after": "2.0", "run": "claimed"}
    Chain(small.root / "other.jsonl").append([{**kept[0], "run": "claimed"}, claimed])
    ran = cli("audit", "platform", ".reconciler/audit/test.jsonl", "other.jsonl")
    assert "1 of ours without an event" in ran.err
    assert "run claimed: update inboundCall/Sales version 2.0" in ran.err

    org.fault(match={"path": "/api/v2/audits/query/servicemapping"}, effect={"status": 403})
    ran = cli("audit", "--platform")
    assert ran.code == 1
    assert "audits:audit:view" in ran.err


def test_a_move_to_another_division_and_an_adoption_are_no_puzzle(small, org, cli):
    org.make_division("North")
    org.publish(flow("Adopted"))
    small.write("flows/adopted.yaml", flow("Adopted"))
    small.edit("flows/sales.yaml", "name: Sales", "name: Sales\n  division: North")
    apply(cli)

    found = cli("audit", "--platform", "--format", "json").json
    outside = [(entry["address"], entry["action"]) for entry in found["entries"] if entry["origin"] == "outside"]
    assert outside == [("inboundCall/Adopted", "Create"), ("inboundCall/Adopted", "Publish")]


def test_a_flow_that_is_published_as_it_is_takes_its_check_out_along(small, org, cli):
    small.write("shared/hold.yaml", module("Hold"))
    apply(cli)
    org.publish(flow("Outside", modules=("Hold",)))
    small.edit("shared/hold.yaml", "One moment", "Just a moment")
    apply(cli, "--republish-unmanaged")

    found = cli("audit", "--platform", "--format", "json").json
    told = [(e["action"], e["origin"]) for e in found["entries"] if e["address"] == "inboundCall/Outside"]
    assert told == [("Create", "outside"), ("Publish", "outside"), ("Checkout", "ours"), ("Publish", "ours")]


def test_what_is_rolled_back_or_taken_back_is_ours_and_on_record(small, org, cli):
    first = {"id": records(small)[-1]["run"]}
    small.edit("flows/sales.yaml", "Hello.", "Good evening.")
    apply(cli)
    done = cli("rollback", "--auto-approve")
    assert done.code == 0, done.err
    undone = records(small)[-2]["run"]
    assert [one["rollback"] for one in records(small) if "rollback" in one] == [
        f"of run {second_of(small, first['id'])}"
    ]

    small.write("flows/other.yaml", flow("Other"))
    org.fault(match={"job_flow": "Other"}, effect={"job": {"status": "Failure", "messages": ["It is broken."]}})
    assert cli("apply", "--auto-approve", "--rollback-on-failure").code == 1
    ended = records(small)[-1]
    assert ended["retreat"]["taken_back"] == 1
    assert ended["counts"] == {"applied": 2, "failed": 1}
    assert ended["run"] != undone

    told = cli("audit").err
    assert "rollback of run" in told
    assert "1 change taken back, because inboundCall/Other failed" in told
    assert cli("audit", "verify").code == 0
    assert cli("audit", "--platform").code == 0


def records(repository: Repository) -> list[dict]:
    lines = (repository.root / ".reconciler/audit/test.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def second_of(repository: Repository, first: str) -> str:
    return next(one["run"] for one in records(repository) if one["run"] != first)
