"""Rollbacks where the ledger, the cache and Git each know a part only, and where not all changes are flows."""

from __future__ import annotations

import json
import time

import pytest
from support import environment, flow, module, start, wait_for_lines


@pytest.fixture(autouse=True)
def _in_git(repository):
    repository.write(".gitignore", ".reconciler/\n")
    repository.git("init", "-q")


@pytest.fixture
def apply(repository, cli):
    """Commits and applies what is written; returns the run."""

    def committed(*more):
        repository.git("add", "-A")
        repository.git("commit", "-qm", "Change")
        done = cli("apply", "--auto-approve", *more)
        assert done.code == 0, done.err
        return runs(cli)[0]

    return committed


def runs(cli):
    """Ids of the runs, newest first."""
    return [run["run"] for run in cli("history", "--format", "json").json]


def back(cli, *arguments):
    done = cli("rollback", *arguments, "--auto-approve")
    assert done.code == 0, done.err
    return done


def says(org, name):
    flow_id, version = org.flows()[name]["id"], org.version(name)
    return json.dumps(org.get(f"/flows/{flow_id}/versions/{version}/configuration"))


def test_a_caller_that_took_to_the_module_after_the_run_follows_it_back(repository, apply, cli, org):
    """Most rows are of a commit in which it did not call the module yet."""
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write("flows/support.yaml", flow("Support"))
    repository.write("flows/others.yaml", "---\n".join(flow(f"Other {number}") for number in range(3)))
    apply()
    repository.edit("shared/greeter.yaml", "One moment.", "Please hold.")
    bad = apply()
    repository.write("flows/support.yaml", flow("Support", modules=("Greeter",)))
    apply()

    back(cli, bad)

    assert org.module_versions("Sales") == org.module_versions("Support") == {"Greeter": "3.0"}


OLD, NEW = "canary-old-token", "canary-new-token"


@pytest.fixture
def secretive(repository, apply, monkeypatch):
    """A module with a secret in it, and its caller."""
    monkeypatch.setenv("TOKEN", OLD)
    environment(repository, "variables: {token: {secret: {env: TOKEN}}}")
    repository.write("shared/greeter.yaml", module("Greeter", says="\"{{ 'Token ' ~ token }}\""))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    apply()
    return repository


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("machine", ["same", "another"])
def test_a_secret_that_the_specs_gave_up_is_not_shown(
    secretive, apply, cli, org, monkeypatch, tmp_path, by_hand, machine
):
    """The version to go back to holds a value that nobody here knows any more."""
    monkeypatch.setenv("TOKEN", NEW)
    if by_hand:
        org.publish(module("Greeter", says=f"My {OLD}"))
    secretive.write("shared/greeter.yaml", module("Greeter", says="Nothing secret."))
    assert cli("apply", "--auto-approve").code == 0
    secretive.write("shared/greeter.yaml", module("Greeter", says="Nothing."))
    apply()
    if machine == "another":
        monkeypatch.setenv("RECONCILER_CACHE_DIR", str(tmp_path / "another"))
        secretive.git("checkout", "-q", "--orphan", "elsewhere")
        secretive.git("branch", "-D", "main" if "main" in secretive.git("branch", "--list") else "master")
        secretive.git("reflog", "expire", "--expire=now", "--all")
        secretive.git("gc", "-q", "--prune=now")
    made = cli("rollback", runs(cli)[1], "--out", str(tmp_path / "back.json"), "--format", "json")
    assert made.code == 0, made.err
    assert "commonModule/Greeter" in made.out
    assert OLD not in made.out + made.err + (tmp_path / "back.json").read_text()


def test_a_version_with_an_old_secret_is_not_taken_for_the_present_one(secretive, apply, cli, org, monkeypatch):
    secretive.edit("shared/greeter.yaml", "Token", "Key")
    monkeypatch.setenv("TOKEN", NEW)
    apply()
    back(cli)
    assert OLD in says(org, "Greeter")
    secretive.git("revert", "--no-edit", "HEAD")
    (update, republish) = cli("plan", "--format", "json").json["changes"]
    assert update["reasons"] == ["the secret token changed"]
    assert republish["address"] == "inboundCall/Sales"


def test_a_run_that_brought_a_new_secret_is_undone(secretive, apply, cli, org, monkeypatch):
    monkeypatch.setenv("TOKEN", NEW)
    assert cli("apply", "--auto-approve").code == 0
    assert NEW in says(org, "Greeter")
    back(cli)
    assert OLD in says(org, "Greeter")
    assert org.module_versions("Sales") == {"Greeter": "3.0"}


def test_callers_outside_the_specs_are_taken_back_with_the_module_that_the_run_put_into_them(
    repository, apply, cli, org
):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/support.yaml", flow("Support"))
    apply()
    org.publish(flow("Outside", modules=("Greeter",)))
    repository.edit("shared/greeter.yaml", "One moment.", "Please hold.")
    repository.edit("flows/support.yaml", "Hello.", "Good day.")
    org.fault(match={"job_flow": "Support"}, effect={"job": {"status": "Failure", "messages": ["No such queue."]}})
    done = cli("apply", "--auto-approve", "--rollback-on-failure", "--republish-unmanaged")
    assert done.code == 1, done.err
    assert org.module_versions("Outside") == {"Greeter": "3.0"}
    org.mend()
    apply("--republish-unmanaged")
    back(cli, "--republish-unmanaged")
    assert org.module_versions("Outside") == {"Greeter": org.version("Greeter")} == {"Greeter": "5.0"}


def test_what_somebody_deleted_by_hand_is_not_forgotten(repository, apply, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/closed.yaml", flow("Closed"))
    environment(repository, "policy: {on_drift: report}")
    apply()
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")
    apply()
    org.delete_flow("Closed")
    back(cli)
    assert cli("drift").code == 2
    assert cli("apply", "--auto-approve").code == 0
    assert "Closed" not in org.flows()


def test_a_caller_of_a_module_that_holds_the_module_follows_too(repository, apply, cli, org):
    call = "startUpTaskActions:\n    - callCommonModule: {name: Call, commonModule: {Inner: {ver_latestPublished: "
    outer = module("Outer").replace("startUpTaskActions:\n", call + "{none: true}}}}\n")
    repository.write("shared/inner.yaml", module("Inner"))
    repository.write("shared/outer.yaml", outer)
    repository.write("flows/sales.yaml", flow("Sales", modules=("Outer",)))
    apply()
    repository.edit("shared/inner.yaml", "One moment.", "Please hold.")
    apply()
    back(cli, "commonModule/Inner")
    assert org.module_versions("Sales") == {"Outer": "3.0"}


def test_what_a_run_could_not_take_back_is_undone_as_the_last_run(repository, apply, cli, org):
    environment(repository, "concurrency: 1")
    repository.write("flows/all.yaml", "---\n".join(flow(f"Flow {number}") for number in range(3)))
    apply()
    repository.edit("flows/all.yaml", "Hello.", "Good day.")
    org.fault(match={"job_flow": "Flow 2"}, effect={"job": {"status": "Failure", "messages": ["No such queue."]}})
    org.fault(
        match={"method": "POST", "path": "/api/v2/flows/actions/publish"}, after=1, times=1, effect={"status": 403}
    )
    assert cli("apply", "--auto-approve", "--rollback-on-failure").code == 4
    org.mend()
    assert "Good day." in says(org, "Flow 0") + says(org, "Flow 1")
    back(cli)
    assert "Good day." not in says(org, "Flow 0") + says(org, "Flow 1")


@pytest.mark.parametrize("way", ["run", "commit"])
def test_fields_that_the_specs_had_left_alone_get_what_stood_in_them(repository, apply, cli, org, way):
    repository.write("flows/flows.yaml", "---\n".join(flow(name) for name in ("Sales", "Closed", "Night")))
    line = 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Sales}\n'
    repository.write("flows/line.yaml", line)
    apply()
    org.change_ivr("Line", closedHoursFlow={"id": org.flows()["Closed"]["id"]}, description="By hand")
    repository.write("flows/line.yaml", line.replace("}", ", closedHoursFlow: Night, description: Ours}"))
    apply()
    back(cli, *(["--to", "HEAD~1"] if way == "commit" else []))
    assert org.ivrs()["Line"]["closedHoursFlow"]["name"] == "Closed"
    assert org.ivrs()["Line"]["description"] == "By hand"
    # The specs of that time leave them alone, as they did then.
    repository.write("flows/line.yaml", line.replace("0001", "0002"))
    apply()
    assert org.ivrs()["Line"]["dnis"] == ["+4570100002"]
    assert org.ivrs()["Line"]["closedHoursFlow"]["name"] == "Closed"


def test_a_machine_that_did_not_see_what_stood_there_says_so(repository, apply, cli, org, monkeypatch, tmp_path):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/line.yaml", "ivr: {name: Line, openHoursFlow: Sales}\n")
    apply()
    org.change_ivr("Line", description="By hand")
    repository.write("flows/line.yaml", "ivr: {name: Line, openHoursFlow: Sales, description: Ours}\n")
    apply()
    saved = str(tmp_path / "back.json")
    assert cli("rollback", "--out", saved).code == 0
    monkeypatch.setenv("RECONCILER_CACHE_DIR", str(tmp_path / "another"))
    # It would do something else than was reviewed.
    assert cli("apply", saved).code == 3
    done = back(cli)
    assert "left description of ivr/Line alone, and this machine did not see what stood there" in done.err


def test_a_field_that_left_the_specs_with_the_run_comes_back_as_somebody_had_made_it(repository, apply, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/line.yaml", "ivr: {name: Line, openHoursFlow: Sales, description: Ours}\n")
    apply()
    org.change_ivr("Line", description="By hand")
    repository.write("flows/line.yaml", "ivr: {name: Line, openHoursFlow: Sales}\n")
    apply()
    assert not org.ivrs()["Line"].get("description")
    back(cli)
    assert org.ivrs()["Line"]["description"] == "By hand"
    repository.git("revert", "--no-edit", "HEAD")
    assert cli("drift").code == 2


def test_a_run_that_was_cut_off_is_not_passed_over(repository, apply, cli, org):
    """The last run that ended is not the one that went wrong."""
    environment(repository, "concurrency: 1")
    repository.write("flows/all.yaml", "---\n".join(flow(name) for name in ("Sales", "Support")))
    apply()
    repository.edit("flows/all.yaml", "Hello.", "Good day.")
    good = apply()
    repository.edit("flows/all.yaml", "Good day.", "Go away.")
    org.settings(job_seconds=0.3)
    process = start(repository, "apply", "--auto-approve")
    wait_for_lines(process, 1, "[1/2]")
    process.kill()
    process.communicate()
    org.settings(job_seconds=0)
    assert cli("unlock", "--yes").code == 0

    done = cli("rollback", "--auto-approve")

    assert done.code == 1
    assert "came last and never reported its end" in done.err
    assert good in done.err
    bad = done.err.partition("The run ")[2].partition(" ")[0]
    back(cli, bad)
    assert {"Good day." in says(org, name) for name in ("Sales", "Support")} == {True}


def test_more_changes_than_the_ledger_remembers_are_told(repository, apply, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/support.yaml", flow("Support"))
    apply()
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")
    repository.edit("flows/support.yaml", "Hello.", "Good day.")
    bad = apply()
    for number in range(4):
        repository.write("flows/sales.yaml", flow("Sales", says=f"Number {number}."))
        apply()
    assert "changed 2 objects, but the ledger knows how 1 of them were" in back(cli, bad).err


def test_going_back_to_a_commit_puts_back_what_somebody_changed_since(repository, apply, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/line.yaml", "ivr: {name: Line, openHoursFlow: Sales, description: Ours}\n")
    apply()
    org.publish(flow("Sales", says="By hand."))
    org.change_ivr("Line", description="By hand")
    back(cli, "--to", "HEAD")
    assert "Hello." in says(org, "Sales")
    assert org.ivrs()["Line"]["description"] == "Ours"
    assert cli("drift").code == 0


def test_what_was_given_back_to_whoever_made_it_can_be_taken_again(repository, apply, cli, org):
    """The first apply to an org, where only what is committed may be applied."""
    org.publish(flow("Sales", says="From before."))
    repository.write("flows/sales.yaml", flow("Sales"))
    environment(repository, "policy: {require_clean_git: true}")
    apply()
    back(cli)
    assert "From before." in says(org, "Sales")
    assert cli("drift").code == 0
    back(cli, runs(cli)[0])
    assert "Hello." in says(org, "Sales")
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_flow_goes_back_to_its_division(repository, apply, cli, org):
    org.make_division("North")
    repository.write("flows/sales.yaml", flow("Sales").replace("name: Sales", "name: Sales\n  division: Home"))
    apply()
    repository.edit("flows/sales.yaml", "division: Home", "division: North")
    apply()
    back(cli)
    assert org.flows()["Sales"]["division"]["name"] == "Home"


def test_a_later_change_is_undone_without_a_move_before_it(repository, apply, cli, org):
    org.make_division("North")
    repository.write("flows/sales.yaml", flow("Sales"))
    apply()
    environment(repository, "division: North")
    apply()
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")
    apply()
    back(cli)
    assert "Hello." in says(org, "Sales")
    assert org.flows()["Sales"]["division"]["name"] == "North"


def test_what_the_policy_forbids_is_told_with_a_way_that_a_rollback_has(repository, apply, cli):
    environment(repository, "policy: {max_changes: 1, max_deletes: 1, allow: [{addresses: ['*'], only: [create]}]}")
    repository.write("flows/sales.yaml", flow("Sales"))
    apply()
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")
    repository.write("flows/new.yaml", flow("New"))
    both = ("inboundCall/Sales", "inboundCall/New")
    apply("--target", both[0], "--target", both[1])
    refused = cli("rollback", "--auto-approve", "--prune")
    assert refused.code == 1
    assert "--target" not in refused.err + refused.out
    assert "--exclude" not in refused.err + refused.out
    assert "reconciler rollback … ADDRESS…" in refused.err
    done = back(cli, *both, "--prune")
    assert "is in the specs no longer" not in done.err


def test_a_run_that_failed_but_published_is_the_last_one(repository, apply, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    apply()
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")
    apply()
    repository.edit("flows/sales.yaml", "Good day.", "Go away.")
    org.fault(match={"method": "GET", "path": "/api/v2/flows/jobs/*"}, times=1, effect={"status": 403})
    assert cli("apply", "--auto-approve").code == 1
    assert "Go away." in says(org, "Sales")
    back(cli)
    assert "Good day." in says(org, "Sales")


def test_a_run_that_was_cut_off_before_it_wrote_anything_is_told(repository, apply, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    apply()
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")
    apply()
    repository.edit("flows/sales.yaml", "Good day.", "Go away.")
    org.fault(match={"method": "GET", "path": "/api/v2/flows/jobs/*"}, effect={"delay": 5})
    process = start(repository, "apply", "--auto-approve")
    wait_for_lines(process, 1, "started")
    until = time.monotonic() + 4
    while "Go away." not in says(org, "Sales") and time.monotonic() < until:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    org.mend()
    assert "Go away." in says(org, "Sales")
    assert cli("unlock", "--yes").code == 0
    assert "came later and changed inboundCall/Sales too" in back(cli).err
