"""Linkage proved, on demand and after an apply: what callers get is asked of the org, and silence is never a yes."""

from __future__ import annotations

import json
import shutil
import signal
import time

import pytest
from support import SEED, Repository, connected, environment, flow, module, start, wait_for_lines

from reconciler.cli.main import run
from reconciler.sandbox import embedded

TRACKING = "/api/v2/architect/dependencytracking"
CONSUMED = f"GET {TRACKING}/consumedresources"
BUILD = f"GET {TRACKING}/build"
DIDS = "GET /api/v2/telephony/providers/edges/dids"
LOOKUP = "GET /api/v2/flows/lookup"
TRANSFER = "          - transferToAcd: {name: Go, targetQueue: {lit: {name: Sales}}}\n          - disconnect"
LINES = """\
schedule: {name: Day, start: "2026-01-05T08:00:00.000", end: "2026-01-05T16:00:00.000", rrule: "FREQ=DAILY"}
---
schedule: {name: Night, start: "2026-01-05T18:00:00.000", end: "2026-01-05T20:00:00.000", rrule: "FREQ=DAILY"}
---
scheduleGroup: {name: Hours, openSchedules: [Day], timeZone: Europe/Copenhagen}
---
ivr:
  name: Sales Line
  dnis: ["+4570100001", "+4570100002"]
  openHoursFlow: Sales
  closedHoursFlow: Closed
  scheduleGroup: Hours
"""


SPECS = {
    "shared/greeter.yaml": module("Greeter"),
    "shared/closer.yaml": module("Closer"),
    "flows/sales.yaml": flow("Sales", modules=("Greeter",)),
    "flows/closed.yaml": flow("Closed").replace("          - disconnect", TRANSFER),
    "flows/aside.yaml": flow("Aside", modules=("Closer",)),
    "flows/lines.yaml": LINES,
}
"""A line with a schedule group, its two flows, of which one holds a module, and a flow that holds another."""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The data of an org to which the specs were applied; made once, since it takes longer than most of the tests."""
    folder = tmp_path_factory.mktemp("applied")
    (folder / "seed.yaml").write_text(SEED, encoding="utf-8")
    made = Repository(folder)
    made.write("environments/test.yaml", "org: {sandbox: {seed: seed.yaml, data: org.sqlite}}\n")
    for path, text in SPECS.items():
        made.write(path, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(["apply", "--env", "test", "--auto-approve"]) == 0
    return folder / "org.sqlite"


@pytest.fixture
def org(tmp_path, data):
    """The org, with the specs applied."""
    for file in data.parent.glob("org.sqlite*"):
        shutil.copyfile(file, tmp_path / file.name)
    with embedded.start(tmp_path / "org.sqlite") as running, connected(running) as made:
        yield made


@pytest.fixture
def applied(repository):
    """The repository whose specs were applied."""
    for path, text in SPECS.items():
        repository.write(path, text)
    return repository


def requests(org, *routes):
    told = org.http.get("/sandbox/requests").json()["routes"]
    return [told.get(route, 0) for route in routes]


def forget_requests(org):
    org.http.delete("/sandbox/requests").raise_for_status()


def journal(repository, event):
    newest = max((repository.root / ".reconciler/runs/test").glob("*"), key=lambda file: file.stat().st_mtime)
    told = map(json.loads, newest.read_text(encoding="utf-8").splitlines())
    return [line for line in told if line["event"] == event]


def not_proven(ran):
    return [
        (check["outcome"], check["address"], check["about"], check["actual"] or check["reason"])
        for check in ran.json["checks"]
        if check["outcome"] != "proven"
    ]


# On demand.


def test_what_is_as_it_should_be_is_proven_by_id(applied, cli, org):
    done = cli("verify", "--format", "json")
    assert done.code == 0, done.err
    assert done.json["summary"] == {"proven": 24, "failed": 0, "unproven": 0}
    checks = {(check["address"], check["about"]): check for check in done.json["checks"]}
    flows = org.flows()
    assert checks["ivr/Sales Line", "openHoursFlow"]["actual_id"] == flows["Sales"]["id"]
    assert checks["ivr/Sales Line", "+4570100001"]["actual_id"] == org.ivrs()["Sales Line"]["id"]
    copy = checks["inboundCall/Sales", "its copy of commonModule/Greeter"]
    assert (copy["expected"], copy["expected_id"]) == ("version 1.0", flows["Greeter"]["id"])
    told = cli("verify").err
    assert "proven    2 copies of common modules are the published ones" in told
    assert "proven    2 phone numbers are routed to their IVR" in told


def test_a_pattern_takes_what_it_uses_and_who_uses_it(applied, cli):
    about = {check["address"] for check in cli("verify", "*/Greeter", "--format", "json").json["checks"]}
    assert about == {"commonModule/Greeter", "inboundCall/Sales", "ivr/Sales Line"}
    about = {check["address"] for check in cli("verify", "ivr/Sales Line", "--format", "json").json["checks"]}
    assert {"commonModule/Greeter", "inboundCall/Closed", "schedule/Day"} < about
    assert not {"inboundCall/Aside", "schedule/Night"} & about
    done = cli("verify", "ivr/Sale Line")
    assert done.code == 1
    assert "no resource of the specs matches" in done.err


def test_nothing_to_verify_is_no_success(repository, cli):
    done = cli("verify")
    assert done.code == 1
    assert "nothing to verify" in done.err


def test_a_consumer_of_an_older_module_is_told_at_once_and_apply_mends_it(applied, cli, org):
    org.publish(module("Greeter"))
    began = time.monotonic()
    done = cli("verify")
    assert time.monotonic() - began < 5, "there is nothing to wait for: the flow is older than the module"
    assert done.code == 1
    assert (
        "failed    inboundCall/Sales: its copy of commonModule/Greeter should be version 2.0, is version 1.0"
        in done.err
    )
    assert "until it is published again: `reconciler plan --env test` shows it, apply does it" in done.err
    assert "24 checks: 23 proven, 1 failed" in done.err
    assert cli("apply", "--auto-approve").code == 0
    assert cli("verify").code == 0


def test_what_was_moved_by_hand_is_told(applied, cli, org):
    flows = org.flows()
    aside, night = {"id": flows["Aside"]["id"]}, org.get("/architect/schedules", name="Night")["entities"][0]
    org.change_ivr("Sales Line", openHoursFlow=aside, dnis=["+4570100001"])
    group = org.get("/architect/schedulegroups", name="Hours")["entities"][0]
    group["openSchedules"].append({"id": night["id"]})
    org.send("PUT", f"/architect/schedulegroups/{group['id']}", group).raise_for_status()
    taker = {"name": "Other Line", "dnis": ["+4570100002"], "openHoursFlow": aside}
    org.send("POST", "/architect/ivrs", taker).raise_for_status()

    done = cli("verify", "--format", "json")

    assert done.code == 1
    assert not_proven(done) == [
        ("failed", "ivr/Sales Line", "openHoursFlow", "inboundCall/Aside"),
        ("failed", "ivr/Sales Line", "+4570100002", "assigned to IVR 'Other Line'"),
        ("failed", "scheduleGroup/Hours", "openSchedules", "schedule/Day, schedule/Night"),
    ]
    told = cli("verify")
    assert "ivr/Sales Line: openHoursFlow should be inboundCall/Sales, is inboundCall/Aside" in told.err
    assert "ivr/Sales Line: +4570100002 should be routed to this IVR, is assigned to IVR 'Other Line'" in told.err
    page = cli("verify", "--format", "markdown")
    assert page.code == 1
    assert "| `ivr/Sales Line` | openHoursFlow | inboundCall/Sales | inboundCall/Aside |" in page.out


def test_another_object_of_the_same_name_is_not_the_right_one(applied, cli, org):
    """The org shows the right name, yet the IVR points at a flow that is gone."""
    ivr = org.ivrs()["Sales Line"]
    stale = {**ivr, "openHoursFlow": {"id": "6f1d5f0e-0000-4000-8000-000000000001", "name": "Sales"}}
    page = {"entities": [stale], "pageNumber": 1, "pageSize": 100, "total": 1, "pageCount": 1}
    for path, body in (("/api/v2/architect/ivrs", page), (f"/api/v2/architect/ivrs/{ivr['id']}", stale)):
        org.fault(
            match={"method": "GET", "path": path}, effect={"body": json.dumps(body), "media_type": "application/json"}
        )
    done = cli("verify")
    assert done.code == 1
    assert "should be inboundCall/Sales, is another object of that name (6f1d5f0e-" in done.err
    assert "Choose it anew where this is edited in Admin, and save." in done.err
    assert "ivr/Sales Line uses what was deleted: Sales (openHoursFlow)" in done.err


def test_a_flow_that_is_off_the_air_or_gone_is_told(applied, cli, org):
    draft = {"name": "Draft", "type": "INBOUNDCALL"}
    draft_id = org.send("POST", "/flows", draft).raise_for_status().json()["id"]
    org.change_ivr("Sales Line", openHoursFlow={"id": draft_id})
    applied.edit("flows/lines.yaml", "openHoursFlow: Sales", "openHoursFlow: Draft")
    org.send("POST", "/flows/actions/deactivate", flow=org.flows()["Sales"]["id"]).raise_for_status()
    org.delete_flow("Aside")
    assert not_proven(cli("verify", "--format", "json")) == [
        ("failed", "inboundCall/Aside", "it", "not in the org"),
        ("failed", "inboundCall/Sales", "it", "not published"),
        ("failed", "ivr/Sales Line", "openHoursFlow", "inboundCall/Draft, not published"),
    ]
    told = cli("verify").err
    assert "failed    inboundCall/Sales should be published, is not published" in told


def test_a_number_outside_of_every_pool_or_with_a_person_is_told(applied, cli, org):
    pool = org.get("/telephony/providers/edges/didpools")["entities"][0]
    org.send("PUT", f"/telephony/providers/edges/didpools/{pool['id']}", {**pool, "startPhoneNumber": "+4570100002"})
    done = cli("verify", "--format", "json")
    assert not_proven(done) == [
        (
            "failed",
            "ivr/Sales Line",
            "+4570100001",
            "on this IVR, but in none of the org's pools of phone numbers (DID pools)",
        )
    ]
    record = org.get("/telephony/providers/edges/dids", phoneNumber="+4570100002")
    record["entities"][0] |= {"owner": {"id": "a1", "name": "Ann Smith"}, "ownerType": "USER"}
    org.fault(match={"route": DIDS}, effect={"body": json.dumps(record), "media_type": "application/json"})
    done = cli("verify", "--timeout", "0.1")
    assert "+4570100002 should be routed to this IVR, is assigned to user 'Ann Smith'" in done.err
    assert "+4570100001 should be routed to this IVR, is assigned to nobody" in done.err


@pytest.mark.parametrize("given", ['["+4570100001"]', "[]", None])
def test_a_number_that_the_spec_does_not_give_is_told(applied, cli, org, given):
    """Its callers reach a line that they should not reach."""
    org.change_ivr("Sales Line", dnis=["+4570100001", "+4570100003"])
    now = f"  dnis: {given}\n" if given else ""
    applied.edit("flows/lines.yaml", '  dnis: ["+4570100001", "+4570100002"]\n', now)
    beyond = {'["+4570100001"]': ["+4570100003"], "[]": ["+4570100001", "+4570100003"], None: []}[given]
    done = cli("verify", "--format", "json")
    assert not_proven(done) == [("failed", "ivr/Sales Line", number, "on it") for number in beyond]
    for number in beyond:
        assert f"ivr/Sales Line: {number} should be anywhere but on this IVR, is on it" in cli("verify").err


@pytest.mark.parametrize("asked", [True, False], ids=["flow-with-module", "flow-without"])
def test_what_was_deleted_and_is_still_used_is_told(applied, cli, org, asked):
    if asked:
        applied.write(
            "flows/sales.yaml", flow("Sales", modules=("Greeter",)).replace("          - disconnect", TRANSFER)
        )
        applied.write("flows/closed.yaml", flow("Closed"))
        assert cli("apply", "--auto-approve").code == 0
    queue = next(each for each in org.get("/routing/queues", pageSize=100)["entities"] if each["name"] == "Sales")
    org.send("DELETE", f"/routing/queues/{queue['id']}", forceDelete="true").raise_for_status()
    done = cli("verify", "--timeout", "0.1")
    assert done.code == 1
    user = "inboundCall/Sales" if asked else "inboundCall/Closed"
    assert f"failed    {user} uses what was deleted: the queue 'Sales'" in done.err
    assert "a call that comes there fails" in done.err
    assert "1 failed" in done.err


# Tracking that cannot tell.


def test_an_answer_in_part_is_waited_for(applied, cli, org):
    org.fault(match={"route": CONSUMED}, times=3, effect={"status": 206})
    forget_requests(org)
    done = cli("verify", "--timeout", "20")
    assert done.code == 0, done.err
    assert done.err.count("Waiting for dependency tracking to catch up") == 1
    # One flow is asked for as long as the answers are not complete, then both.
    assert requests(org, CONSUMED) == [5]


def test_an_answer_that_stays_in_part_is_no_yes(applied, cli, org):
    org.settings(tracking_complete=False, tracking_status="OPERATIONAL")
    done = cli("verify", "--timeout", "0.3", "--format", "json")
    assert done.code == 1
    assert done.json["summary"]["failed"] == 0
    reasons = {(what[1], what[3]) for what in not_proven(done)}
    part = "dependency tracking answers in part only (HTTP 206), also after 0.3 seconds"
    assert {("inboundCall/Sales", part), ("inboundCall/Aside", part)} < reasons
    assert any(address == "inboundCall/Closed" for address, _ in reasons)
    assert (
        "unproven  7 checks: dependency tracking answers in part only (HTTP 206)\n"
        in cli("verify", "--timeout", "0").err
    )


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("BUILDINPROGRESS", "status BUILDINPROGRESS, also after 0.3 seconds)"),
        ("OPERATIONALNEEDSREBUILD", "status OPERATIONALNEEDSREBUILD)"),
    ],
)
def test_tracking_that_is_not_up_to_date_proves_nothing(applied, cli, org, status, told):
    org.settings(tracking_status=status)
    forget_requests(org)
    done = cli("verify", "--timeout", "0.3")
    assert done.code == 1
    assert told in done.err
    assert "Dependency Search in Architect" in done.err
    assert "copies of common modules" not in done.err
    assert requests(org, CONSUMED) == [0]


def test_a_rebuild_that_ends_in_time_is_waited_for(applied, cli, org):
    org.settings(tracking_status="BUILDQUEUED")
    org.fault(match={"route": BUILD}, after=2, times=1, effect={"settings": {"tracking_status": "OPERATIONAL"}})
    done = cli("verify", "--timeout", "20")
    assert done.code == 0, done.err
    assert "Waiting for dependency tracking to be rebuilt" in done.err


def test_a_missing_permission_is_named_and_asked_for_once(applied, cli, org):
    org.fault(preset="forbidden", match={"route": CONSUMED})
    org.fault(preset="forbidden", match={"route": DIDS})
    forget_requests(org)
    done = cli("verify")
    assert done.code == 1
    assert "unproven  2 checks: The org refused" in done.err
    assert "Give the OAuth client a role with architect:dependencyTracking:view" in done.err
    assert "Give the OAuth client a role with telephony:plugin:all" in done.err
    assert "proven    4 fields point at what the specs name" in done.err
    assert requests(org, CONSUMED) == [1]


# After an apply.


def test_apply_verifies_what_it_changed_and_who_uses_it_with_few_requests(applied, cli, org):
    applied.edit("shared/greeter.yaml", "One moment.", "One moment, please.")
    forget_requests(org)
    done = cli("apply", "--auto-approve")
    assert done.code == 0
    assert "Verified in the org: " in done.err
    assert "all proven" in done.err
    (ended,) = journal(applied, "verify-ended")
    assert (ended["proven"], ended["failed"], ended["unproven"]) == (11, 0, 0)
    assert requests(org, BUILD, CONSUMED, DIDS) == [1, 1, 1]
    forget_requests(org)
    again = cli("apply", "--auto-approve")
    assert "Verified" not in again.err
    assert requests(org, BUILD, CONSUMED, DIDS, LOOKUP) == [0, 0, 0, 0]


@pytest.mark.parametrize(("how", "told"), [("all", "24 checks, all proven"), ("off", None)])
def test_the_environment_says_what_is_verified(applied, cli, how, told):
    environment(applied, f"verify: {{after_apply: {how}}}")
    applied.edit("flows/aside.yaml", "Hello.", "Good day.")
    done = cli("apply", "--auto-approve")
    assert done.code == 0
    assert told in done.err if told else "Verified" not in done.err


def test_an_adoption_is_verified_too(applied, cli, org):
    org.publish(module("Closer"))
    org.publish(flow("Aside", modules=("Closer",)))
    table = org.get("/flows/datatables", name="Reconciler ledger test")["entities"][0]
    org.send("DELETE", f"/flows/datatables/{table['id']}", force="true").raise_for_status()
    done = cli("apply", "--auto-approve")
    assert done.code == 0
    assert "9 applied" in done.err
    assert "Verified in the org: 21 checks, all proven" in done.err


def test_lists_that_lag_are_not_held_against_the_apply(applied, cli, org):
    numbers = range(4570100010, 4570100016)
    lines = [f'ivr: {{name: Line {n}, dnis: ["+{n}"], openHoursFlow: Sales, description: x}}\n' for n in numbers]
    applied.write("flows/more.yaml", "---\n".join(lines))
    org.fault(match={"route": "POST /api/v2/architect/ivrs"}, effect={"settings": {"list_lag_seconds": 60}})
    org.fault(match={"route": "GET /api/v2/architect/ivrs/{id}"}, effect={"delay": 0.5})
    began = time.monotonic()
    done = cli("apply", "--auto-approve")
    assert done.code == 0, done.err
    assert time.monotonic() - began < 2.5, "while the lock is held, one is not read after the other"
    assert "6 applied" in done.err
    assert "Verified in the org: 24 checks, all proven" in done.err


def test_the_numbers_of_a_whole_company_are_not_read_for_a_few_lines(applied, cli, org):
    mine = range(4570100010, 4570100016)
    lines = [f'ivr: {{name: Line {n}, dnis: ["+{n}"], openHoursFlow: Sales, description: x}}\n' for n in mine]
    applied.write("flows/more.yaml", "---\n".join(lines))
    others = [f"+{n}" for n in range(4570103000, 4570105000)]
    org.settings(max_new_numbers=2000)
    org.send("POST", "/architect/ivrs", {"name": "All others", "dnis": others}).raise_for_status()
    forget_requests(org)
    done = cli("apply", "--auto-approve")
    assert done.code == 0, done.err
    assert "all proven" in done.err
    # One shows how many there are, then one for each line.
    assert requests(org, DIDS) == [7]


def test_tracking_that_lags_behind_the_publish_is_waited_for(applied, cli, org):
    org.settings(tracking_lag_seconds=0.6)
    applied.edit("shared/greeter.yaml", "One moment.", "One moment, please.")
    done = cli("apply", "--auto-approve")
    assert done.code == 0, done.err
    assert "verifying: waiting for dependency tracking to catch up" in done.err


def test_what_is_not_proven_after_an_apply_is_told_kept_and_does_not_undo_it(applied, cli, org):
    org.settings(tracking_lag_seconds=600)
    environment(applied, "verify: {timeout: 0.3}")
    applied.edit("shared/greeter.yaml", "One moment.", "One moment, please.")
    done = cli("apply", "--auto-approve")
    assert done.code == 4
    assert "2 applied" in done.err
    assert "should be version 2.0, is version 1.0 (still so after 0.3 seconds)" in done.err
    assert "All changes were applied, but not all of it is proven." in done.err
    assert "reconciler verify --env test" in done.err
    assert org.module_versions("Closed") == {}
    (failed,) = journal(applied, "check-ended")
    assert (failed["address"], failed["outcome"]) == ("inboundCall/Sales", "failed")
    assert "2 applied (1 republish, 1 update), 1 check not proven in" in cli("history").err
    (shown,) = cli("status", "--env", "test", "--format", "json").json
    assert (shown["exit_code"], shown["not_proven"], shown["pending"]) == (4, 1, 0)
    assert "1 check not proven" in cli("status", "--env", "test").err
    # The work is done and the lock given back.
    org.settings(tracking_lag_seconds=0)
    assert cli("verify").code == 0
    assert cli("apply", "--auto-approve").code == 0


def test_an_apply_whose_proof_is_refused_is_an_apply_all_the_same(applied, cli, org):
    org.fault(preset="forbidden", match={"route": CONSUMED})
    org.fault(preset="forbidden", match={"route": LOOKUP}, after=2)
    applied.edit("shared/greeter.yaml", "One moment.", "One moment, please.")
    done = cli("apply", "--auto-approve")
    assert done.code == 4
    assert "2 applied" in done.err
    assert "unproven" in done.err
    assert "Give the OAuth client a role with architect:flow:view" in done.err
    assert org.version("Sales") == "2.0"


def test_what_a_plan_left_behind_on_purpose_is_not_held_against_the_apply(applied, cli):
    applied.edit("shared/greeter.yaml", "One moment.", "One moment, please.")
    assert cli("apply", "--auto-approve", "--exclude", "inboundCall/Sales").code == 0
    done = cli("verify")
    assert done.code == 1
    assert "inboundCall/Sales: its copy of commonModule/Greeter should be version 2.0" in done.err


def test_a_delete_has_the_org_asked_for_who_still_uses_something_deleted(applied, cli, org):
    queue = next(each for each in org.get("/routing/queues", pageSize=100)["entities"] if each["name"] == "Sales")
    org.send("DELETE", f"/routing/queues/{queue['id']}", forceDelete="true").raise_for_status()
    applied.remove("flows/aside.yaml")
    environment(applied, "verify: {timeout: 0.1}")
    done = cli("apply", "--auto-approve", "--prune")
    assert done.code == 4
    assert "1 applied" in done.err
    assert "inboundCall/Closed uses what was deleted: the queue 'Sales'" in done.err


def test_a_signal_while_tracking_is_waited_for_ends_the_run_in_order(applied, cli, org):
    org.fault(match={"route": CONSUMED}, effect={"status": 206})
    applied.edit("shared/greeter.yaml", "One moment.", "One moment, please.")
    applying = start(applied, "apply", "--auto-approve")
    wait_for_lines(applying, 1, "verifying: waiting")
    applying.send_signal(signal.SIGTERM)
    said = applying.communicate(timeout=20)[1]
    assert applying.returncode == 4
    assert "(HTTP 206), also until the run was stopped" in said
    assert "2 applied" in said
    assert "is not locked" in cli("unlock").err


def test_tracking_that_is_down_is_tried_once_for_all_flows_and_not_for_hours(applied, cli, org, monkeypatch):
    monkeypatch.setattr("reconciler.engine.verify.run.REQUEST_SECONDS", 0.1)
    environment(applied, "verify: {timeout: 0}")
    org.fault(match={"route": CONSUMED}, effect={"status": 503})
    applied.edit("shared/greeter.yaml", "One moment.", "One moment, please.")
    applied.edit("shared/closer.yaml", "One moment.", "One moment, please.")
    began = time.monotonic()
    done = cli("apply", "--auto-approve")
    assert time.monotonic() - began < 10
    assert done.code == 4
    assert "4 applied" in done.err
    assert "unproven  4 checks: The org failed at GET /api/v2/architect/dependencytracking/consumed" in done.err


def test_a_signal_while_a_failing_org_is_asked_again_ends_the_run_in_order(applied, cli, org):
    org.fault(match={"route": CONSUMED}, effect={"status": 503})
    applied.edit("shared/greeter.yaml", "One moment.", "One moment, please.")
    applying = start(applied, "apply", "--auto-approve")
    wait_for_lines(applying, 2, "[1/2]", "[2/2]")
    time.sleep(1)
    applying.send_signal(signal.SIGTERM)
    said = applying.communicate(timeout=20)[1]
    assert applying.returncode == 4, said
    assert "2 checks: The org had not answered when the run was stopped" in said
    assert "is not locked" in cli("unlock").err


def test_promote_says_that_the_last_apply_was_not_proven(applied, cli, org):
    environment(applied, "verify: {timeout: 0}")
    applied.write("environments/prod.yaml", "extends: test\nledger: {type: file}\n")
    applied.write(".gitignore", ".reconciler/\n")
    applied.edit("shared/greeter.yaml", "One moment.", "One moment, please.")
    applied.git("init", "-q", "-b", "main")
    applied.git("add", "-A")
    applied.git("commit", "-qm", "First")
    org.fault(match={"route": CONSUMED}, effect={"status": 206})
    assert cli("apply", "--auto-approve").code == 4
    org.mend()
    promoted = cli("promote", "test", "prod", "--dry-run")
    assert promoted.code == 0, promoted.err
    assert "2 checks not proven after that apply; `reconciler verify --env test` tells" in promoted.err
