"""The way back: a run is undone, or a commit is gone back to, with the versions that the org still has."""

from __future__ import annotations

import json

import pytest
from support import SEED, connected, environment, flow, module, start, wait_for_lines

from reconciler.sandbox import embedded

UPLOADS = "PUT /uploads/flows/jobs/{jobId}"


@pytest.fixture
def org(tmp_path):
    """As usual, with a person in it."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED + "users: [{name: Ann, email: ann@example.com}]\n", encoding="utf-8")
    with embedded.start(tmp_path / "org.sqlite", seed=seed) as running, connected(running) as made:
        yield made


@pytest.fixture
def estate(repository, cli):
    """A module, two callers of it, an IVR with a schedule, in Git and applied; then changed, in Git and applied."""
    repository.write(".gitignore", ".reconciler/\n")
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write("flows/support.yaml", flow("Support", modules=("Greeter",)))
    repository.write("flows/closed.yaml", flow("Closed"))
    repository.write("flows/line.yaml", 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Sales}\n')
    repository.write(
        "shared/hours.yaml",
        "schedule: {name: Office, start: 2026-01-05T08:00, end: 2026-01-05T17:00, "
        "rrule: 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR'}\n",
    )
    repository.git("init", "-q")
    commit(repository, "First")
    assert cli("apply", "--auto-approve").code == 0
    return repository


@pytest.fixture
def changed(estate, cli):
    """The second run: a sentence of the module, the hours, and the IVR's flow."""
    estate.edit("shared/greeter.yaml", "One moment.", "Please hold.")
    estate.edit("shared/hours.yaml", "17:00", "15:00")
    estate.edit("flows/line.yaml", "Sales", "Closed")
    commit(estate, "Second")
    assert cli("apply", "--auto-approve").code == 0
    return estate


def commit(repository, message):
    repository.git("add", "-A")
    repository.git("commit", "-qm", message)
    return repository.git("rev-parse", "HEAD")


def runs(cli):
    """Ids of the runs, newest first."""
    return [run["run"] for run in cli("history", "--format", "json").json]


def uploads_of(org):
    """How many flows were uploaded so far; some were, for the estate."""
    count = org.http.get("/sandbox/requests").json()["routes"][UPLOADS]
    assert count
    return count


def export(org, name):
    """The text of the published version of a flow."""
    flow_id, version = org.flows()[name]["id"], org.version(name)
    return json.dumps(org.get(f"/flows/{flow_id}/versions/{version}/configuration"))


def planned(cli, tmp_path, *arguments):
    """The plan of a rollback."""
    saved = tmp_path / "back.json"
    done = cli("rollback", *arguments, "--out", str(saved), "--format", "json")
    assert done.code == 0, done.err
    return done.json


def test_the_last_run_is_undone_in_order_without_an_upload(changed, cli, org):
    uploads = uploads_of(org)

    done = cli("rollback", "--auto-approve")

    assert done.code == 0, done.err
    assert uploads_of(org) == uploads
    assert "One moment." in export(org, "Greeter")
    assert org.module_versions("Sales") == org.module_versions("Support") == {"Greeter": "3.0"}
    assert org.ivrs()["Line"]["openHoursFlow"]["name"] == "Sales"
    (office,) = org.get("/architect/schedules", pageSize=100)["entities"]
    assert office["end"].startswith("2026-01-05T17:00")
    assert org.version("Closed") == "1.0"
    assert "goes back to version 1.0, as it was before run" in done.err
    assert "the next apply brings it back" in done.err
    lines = [line for line in done.err.splitlines() if "] applied" in line]
    assert "commonModule/Greeter" in lines[0] or "schedule/Office" in lines[0]


def test_the_ledger_goes_back_too_so_that_the_specs_of_that_time_mean_no_change(changed, cli):
    assert cli("rollback", "--auto-approve").code == 0
    ahead = cli("plan", "--format", "json").json["summary"]
    assert (ahead["update"], ahead["republish"], ahead["unchanged"]) == (3, 2, 1)
    changed.git("revert", "--no-edit", "HEAD")
    assert cli("plan", "--detailed-exitcode").code == 0
    assert cli("drift").code == 0


def test_a_rollback_is_a_plan_that_is_saved_shown_and_applied(changed, cli, org, tmp_path):
    saved = str(tmp_path / "back.json")
    made = cli("rollback", "--out", saved)
    assert made.code == 0, made.err
    assert org.version("Greeter") == "2.0"
    shown = cli("show", saved).err
    assert shown.splitlines()[0].startswith(f"Rollback of run {runs(cli)[0]} in test")
    plan = json.loads((tmp_path / "back.json").read_text())
    by_address = {change["address"]: change for change in plan["changes"]}
    assert by_address["commonModule/Greeter"]["publish_version"] == "1.0"
    assert by_address["inboundCall/Sales"]["action"] == "republish"
    assert by_address["inboundCall/Sales"]["depends_on"] == ["commonModule/Greeter"]
    assert "publish_version" not in by_address["ivr/Line"]
    assert set(by_address) == {
        "commonModule/Greeter",
        "inboundCall/Sales",
        "inboundCall/Support",
        "ivr/Line",
        "schedule/Office",
    }
    # The specs of today may be broken: they have no part in it.
    changed.write("flows/broken.yaml", "inboundCall: [\n")
    assert cli("apply", saved).code == 0
    assert "One moment." in export(org, "Greeter")
    again = cli("apply", saved)
    assert (again.code, "applied already" in again.err) == (3, True)


def test_a_saved_rollback_is_refused_after_another_run(changed, cli, org, tmp_path):
    saved = str(tmp_path / "back.json")
    assert cli("rollback", "--out", saved).code == 0
    for number in range(5):
        changed.edit("shared/greeter.yaml", "Please", f"Please {number},")
        assert cli("apply", "--auto-approve").code == 0
    done = cli("apply", saved)
    assert done.code in (1, 3)
    assert org.version("Greeter") == "7.0"


def test_only_named_addresses_go_back(changed, cli, org):
    done = cli("rollback", "--auto-approve", runs(cli)[0][:6], "ivr/*")
    assert done.code == 0, done.err
    assert org.ivrs()["Line"]["openHoursFlow"]["name"] == "Sales"
    assert org.version("Greeter") == "2.0"


def test_consumers_follow_a_module_that_goes_back_alone(changed, cli, org):
    done = cli("rollback", "--auto-approve", "commonModule/Greeter")
    assert done.code == 0, done.err
    assert org.module_versions("Sales") == org.module_versions("Support") == {"Greeter": "3.0"}
    assert org.ivrs()["Line"]["openHoursFlow"]["name"] == "Closed"
    assert cli("drift").code == 0


def test_an_earlier_run_is_undone_with_what_came_after_it(changed, cli, org):
    first = runs(cli)[0]
    changed.edit("shared/greeter.yaml", "Please hold.", "Stay with us.")
    assert cli("apply", "--auto-approve").code == 0

    done = cli("rollback", first, "commonModule/Greeter", "--auto-approve")

    assert done.code == 0, done.err
    assert "came later and changed commonModule/Greeter too" in done.err
    assert "One moment." in export(org, "Greeter")


def test_going_back_to_a_commit(changed, cli, org):
    first = changed.git("rev-parse", "HEAD~1")
    changed.edit("shared/greeter.yaml", "Please hold.", "Stay with us.")
    commit(changed, "Third")
    assert cli("apply", "--auto-approve").code == 0
    uploads = uploads_of(org)

    done = cli("rollback", "--to", "HEAD~2", "--auto-approve")

    assert done.code == 0, done.err
    assert "One moment." in export(org, "Greeter")
    assert org.ivrs()["Line"]["openHoursFlow"]["name"] == "Sales"
    assert uploads_of(org) == uploads
    (shown,) = cli("status", "--env", "test", "--format", "json").json
    assert shown["commit"] == first
    assert "nothing to take back" in cli("rollback", "--to", first, "--auto-approve").err


def test_what_was_made_stays_unless_pruned(changed, cli, org):
    changed.write("flows/new.yaml", flow("New"))
    commit(changed, "New")
    assert cli("apply", "--auto-approve").code == 0
    run = runs(cli)[0]
    left = cli("rollback", run, "--auto-approve")
    assert left.code == 0
    assert "inboundCall/New was not there before run" in left.err
    assert "New" in org.flows()
    assert cli("rollback", run, "--prune", "--auto-approve").code == 0
    assert "New" not in org.flows()


def test_what_was_deleted_is_made_again_from_git(changed, cli, org):
    changed.remove("flows/support.yaml")
    commit(changed, "Without support")
    assert cli("apply", "--auto-approve", "--prune").code == 0
    assert "Support" not in org.flows()
    done = cli("rollback", "--auto-approve")
    assert done.code == 0, done.err
    assert "was there before run" in done.err
    assert org.module_versions("Support") == {"Greeter": "2.0"}
    changed.git("revert", "--no-edit", "HEAD")
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_version_that_the_org_lost_is_uploaded_from_git(changed, cli, org):
    org.fault(match={"method": "POST", "path": "/api/v2/flows/actions/publish"}, effect={"status": 404})
    done = cli("rollback", "--auto-approve", "commonModule/Greeter")
    assert "no longer in the org; uploading from Git" in done.err
    assert "One moment." in export(org, "Greeter")


def test_without_git_the_org_itself_knows_what_was_published(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")
    assert cli("apply", "--auto-approve").code == 0
    done = cli("rollback", "--auto-approve")
    assert done.code == 0, done.err
    assert '"Hello."' in export(org, "Sales")
    repository.edit("flows/sales.yaml", "Good day.", "Hello.")
    assert cli("plan", "--detailed-exitcode").code == 0


def test_what_was_made_by_hand_before_a_run_is_put_back_and_shows_as_drift_again(estate, cli, org):
    org.publish(flow("Closed", says="Changed by hand."))
    assert cli("apply", "--auto-approve").code == 0
    assert "Hello." in export(org, "Closed")
    done = cli("rollback", "--auto-approve")
    assert done.code == 0, done.err
    assert "goes back to version 2.0 (not made by the reconciler)" in done.err
    assert "Changed by hand." in export(org, "Closed")
    drifted = cli("drift")
    assert drifted.code == 2
    assert "Changed by hand." in drifted.err


def test_an_adopted_flow_and_ivr_that_were_overwritten_come_back(repository, cli, org):
    """The first apply to an org that people have clicked together: the most dangerous one."""
    org.publish(flow("Sales", says="From before."))
    sales = org.flows()["Sales"]["id"]
    body = {"name": "Line", "dnis": ["+4570100001"], "openHoursFlow": {"id": sales}, "description": "By hand"}
    org.send("POST", "/architect/ivrs", body).raise_for_status()
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write(
        "flows/line.yaml", 'ivr: {name: Line, dnis: ["+4570100002"], openHoursFlow: Sales, description: Ours}\n'
    )
    assert cli("apply", "--auto-approve").code == 0
    assert org.ivrs()["Line"]["dnis"] == ["+4570100002"]

    done = cli("rollback", "--auto-approve")

    assert done.code == 0, done.err
    assert "From before." in export(org, "Sales")
    assert (org.ivrs()["Line"]["dnis"], org.ivrs()["Line"]["description"]) == (["+4570100001"], "By hand")
    assert cli("plan", "--format", "json").json["summary"]["update"] == 2


def test_an_object_without_a_way_back_is_told_and_nothing_is_done(changed, cli, org, monkeypatch, tmp_path):
    changed.edit("flows/line.yaml", "Closed", "Support")
    assert cli("apply", "--auto-approve").code == 0
    changed.edit("flows/line.yaml", "Support", "Sales")
    commit(changed, "Sales again")
    assert cli("apply", "--auto-approve").code == 0
    # Another machine: what was applied with uncommitted changes is known nowhere.
    monkeypatch.setenv("RECONCILER_CACHE_DIR", str(tmp_path / "another"))
    done = cli("rollback", "--auto-approve")
    assert done.code == 1
    assert "ivr/Line cannot be taken back: commit" in done.err
    assert org.ivrs()["Line"]["openHoursFlow"]["name"] == "Sales"


def test_drift_since_the_run_is_left_alone_unless_it_is_named(changed, cli, org):
    environment(changed, "policy: {on_drift: report}")
    org.publish(module("Greeter", says="By hand."))
    left = cli("rollback", "--auto-approve")
    assert left.code == 0, left.err
    assert "By hand." in export(org, "Greeter")
    assert org.ivrs()["Line"]["openHoursFlow"]["name"] == "Sales"
    assert "To overwrite it all the same, name it" in left.err
    named = cli("rollback", runs(cli)[1], "commonModule/Greeter", "--auto-approve")
    assert named.code == 0, named.err
    assert "One moment." in export(org, "Greeter")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("abc123",), "The ledger remembers no run 'abc123'"),
        (("abcd", "efgh"), "Only one run can be undone at a time"),
        (("abcd", "--to", "HEAD"), "Either a run (abcd) or a commit"),
        (("--to", "nowhere"), "Git does not know the revision 'nowhere' here"),
        (("ivr/Nobody",), "changed none of the objects that are named"),
        (("--format", "json"), "Add --out FILE"),
    ],
)
def test_a_slip_is_told_and_nothing_is_done(changed, cli, org, arguments, told):
    done = cli("rollback", *arguments, "--auto-approve")
    assert done.code == 1
    assert told in done.err
    assert org.version("Greeter") == "2.0"


def test_undoing_twice_needs_a_name(changed, cli, org):
    assert cli("rollback", "--auto-approve").code == 0
    again = cli("rollback", "--auto-approve")
    assert again.code == 1
    assert "was itself a rollback of run" in again.err
    assert org.version("Greeter") == "3.0"
    # The rollback is a run: it can be undone by its name.
    assert cli("rollback", runs(cli)[0], "--auto-approve").code == 0
    assert "Please hold." in export(org, "Greeter")


def test_nothing_was_applied_yet(repository, cli):
    repository.write("flows/sales.yaml", flow("Sales"))
    done = cli("rollback", "--auto-approve")
    assert done.code == 1
    assert "there is nothing to roll back" in done.err


def test_windows_and_saved_plan_policy_hold_for_a_rollback_too(changed, cli, org):
    environment(changed, "policy: {require_saved_plan: true}")
    done = cli("rollback", "--auto-approve")
    assert done.code == 1
    assert org.version("Greeter") == "2.0"


@pytest.mark.parametrize("modules", [0, 5])
def test_fifty_flows_go_back_with_at_most_three_requests_each(repository, cli, org, modules):
    """Verifying afterwards is one more for each caller of a module, as after any apply."""
    repository.write(".gitignore", ".reconciler/\n")
    for number in range(modules):
        repository.write(f"shared/{number}.yaml", module(f"Module {number}", says="One."))
    for number in range(50 - modules):
        held = (f"Module {number % modules}",) if modules else ()
        repository.write(f"flows/{number}.yaml", flow(f"Flow {number}", says="One.", modules=held))
    repository.git("init", "-q")
    commit(repository, "First")
    assert cli("apply", "--auto-approve").code == 0
    for path in [*repository.root.glob("flows/*.yaml"), *repository.root.glob("shared/*.yaml")]:
        path.write_text(path.read_text(encoding="utf-8").replace("One.", "Two."), encoding="utf-8")
    commit(repository, "Second")
    assert cli("apply", "--auto-approve").code == 0
    org.http.delete("/sandbox/requests").raise_for_status()

    done = cli("rollback", "--auto-approve")

    assert done.code == 0, done.err
    assert "50 applied" in done.err
    routes = org.http.get("/sandbox/requests").json()["routes"]
    spent = sum(count for route, count in routes.items() if "dependencytracking" not in route)
    print(f"{spent} requests for 50 flows: {spent / 50:.2f} each, and to verify them {sum(routes.values()) - spent}")
    assert spent <= 150
    assert UPLOADS not in routes
    assert all(flow["publishedVersion"]["id"] == "3.0" for flow in org.flows().values())


def test_an_answer_that_is_lost_does_not_fail_the_way_back(changed, cli, org):
    org.settings(operation_seconds=0.2)
    org.fault(
        match={"method": "POST", "path": "/api/v2/flows/actions/publish"},
        times=1,
        effect={"drop_connection": "after"},
    )
    done = cli("rollback", "commonModule/Greeter", "--auto-approve")
    assert done.code == 0, done.err
    assert "One moment." in export(org, "Greeter")
    assert org.version("Greeter") in ("3.0", "4.0")
    assert cli("drift").code == 0


def test_an_org_that_puts_the_old_version_itself_on_the_air_again(changed, cli, org):
    """The other way in which the platform may understand it (DECIDE-13)."""
    org.settings(earlier_versions="in_place")
    done = cli("rollback", "--auto-approve")
    assert done.code == 0, done.err
    assert {name: each["publishedVersion"]["id"] for name, each in org.flows().items()} == dict.fromkeys(
        ("Greeter", "Sales", "Support", "Closed"), "1.0"
    )
    assert org.module_versions("Sales") == {"Greeter": "1.0"}
    changed.git("revert", "--no-edit", "HEAD")
    assert cli("plan", "--detailed-exitcode").code == 0
    assert cli("drift").code == 0
    # And forward again.
    changed.git("revert", "--no-edit", "HEAD")
    assert cli("apply", "--auto-approve").code == 0
    assert "Please hold." in export(org, "Greeter")
    assert org.module_versions("Sales") == {"Greeter": org.version("Greeter")}


def test_a_flow_that_somebody_edits_stays_and_is_told(changed, cli, org):
    flow_id = org.flows()["Greeter"]["id"]
    org.http.post("/sandbox/flows/Greeter/lock", json={"user": "Ann"}).raise_for_status()
    done = cli("rollback", "--auto-approve")
    assert done.code == 4
    assert "commonModule/Greeter is being edited by Ann" in done.err
    assert "It depends on commonModule/Greeter, which failed." in done.err
    assert org.get(f"/flows/{flow_id}")["publishedVersion"]["id"] == "2.0"
    assert "It depends on inboundCall/Sales, which was skipped." in done.err
    # To plan and apply again would bring the bad version to those that went back.
    assert "To go on, plan again" not in done.err
    assert f"To go on, roll back again: reconciler rollback --env test {runs(cli)[1]}" in done.err
    (office,) = org.get("/architect/schedules", pageSize=100)["entities"]
    assert office["end"].startswith("2026-01-05T17:00")


def test_a_publish_that_architect_refuses_is_told_in_its_words(repository, cli, org):
    queue = "          - transferToAcd: {name: To queue, targetQueue: {lit: {name: Support}}}\n          - disconnect:"
    repository.write("flows/sales.yaml", flow("Sales").replace("          - disconnect:", queue))
    assert cli("apply", "--auto-approve").code == 0
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    (support,) = org.get("/routing/queues", name="Support")["entities"]
    org.send("DELETE", f"/routing/queues/{support['id']}", forceDelete="true").raise_for_status()
    made = cli("rollback", "--auto-approve")
    assert made.code == 1
    assert "queue 'Support', which does not exist" in made.err
    assert org.version("Sales") == "2.0"


def test_killed_in_the_middle_it_is_resumed(changed, cli, org):
    environment(changed, "concurrency: 1")
    org.settings(operation_seconds=0.1)
    process = start(changed, "rollback", "--auto-approve")
    wait_for_lines(process, 3, "started", "[")
    process.kill()
    process.communicate()
    org.settings(operation_seconds=0)
    assert cli("unlock", "--yes").code == 0

    done = cli("rollback", "--auto-approve")

    assert done.code == 0, done.err
    assert "One moment." in export(org, "Greeter")
    assert org.ivrs()["Line"]["openHoursFlow"]["name"] == "Sales"
    changed.git("revert", "--no-edit", "HEAD")
    assert cli("plan", "--detailed-exitcode").code == 0
