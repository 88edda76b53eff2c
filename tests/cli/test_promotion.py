"""A change moves from environment to environment because it has been proven in the one before."""

from __future__ import annotations

import asyncio

import pytest
from support import SEED, connected, flow, module

from reconciler.ledger import FileLedger
from reconciler.sandbox import embedded

PROD = """\
# Production. Ask Jane before you change anything here.
extends: _base   # what all share
org:
  api_url: {url}   # the org of the call centre
  login_url: {url}
  requests_per_minute: 1000000
credentials:
  client_id: {{env: PROD_ID}}
  client_secret: {{env: PROD_SECRET}}
variables: {{greeting: Welcome}}
"""


@pytest.fixture
def prod(tmp_path, monkeypatch):
    """The org of the environment ``prod``."""
    seed = tmp_path / "prod-seed.yaml"
    seed.write_text(SEED.replace("3b7d1c52", "99999999").replace("Test Org", "Live Org"), encoding="utf-8")
    with embedded.start(tmp_path / "prod.sqlite", seed=seed) as running, connected(running) as made:
        monkeypatch.setenv("PROD_ID", made.client_id)
        monkeypatch.setenv("PROD_SECRET", made.client_secret)
        yield made


@pytest.fixture
def released(repository, prod, cli):
    """Two environments; the first commit is applied to ``test``."""
    repository.write("environments/_base.yaml", "variables: {greeting: Hello}\n")
    repository.edit("environments/test.yaml", "org:", "extends: _base\norg:")
    repository.write("environments/prod.yaml", PROD.format(url=prod.url))
    repository.write("shared/hold.yaml", module("Hold"))
    repository.write("flows/sales.yaml", flow("Sales", says="{{ greeting }} to Sales.", modules=("Hold",)))
    repository.write(".gitignore", ".reconciler/\n")
    repository.git("init", "-q", "-b", "main")
    commit(repository, "First release")
    assert cli("apply", "--auto-approve").code == 0
    return repository


def commit(repository, subject):
    repository.git("add", "-A")
    repository.git("commit", "-qm", subject)
    return repository.git("rev-parse", "HEAD")


def pin(repository):
    text = (repository.root / "environments/prod.yaml").read_text(encoding="utf-8")
    return next((line.removeprefix("release: ") for line in text.split("\n") if line.startswith("release:")), None)


def test_a_proven_commit_is_pinned_with_one_line_and_planned(released, prod, cli):
    head = released.git("rev-parse", "HEAD")
    before = (released.root / "environments/prod.yaml").read_text(encoding="utf-8")

    ran = cli("promote", "test", "prod")

    assert ran.code == 0, ran.err
    after = (released.root / "environments/prod.yaml").read_text(encoding="utf-8")
    assert after == before.replace("# what all share\n", f"# what all share\nrelease: {head}\n")
    assert f"test runs commit {head[:12]} 'First release', Test" in ran.err
    assert "no pending changes, no drift, 2 resources; last applied" in ran.err
    assert f"Plan for prod · org Live Org · release {head[:12]}" in ran.err
    assert "2 to create" in ran.err
    assert prod.flows() == {}
    assert cli("apply", "--env", "prod", "--auto-approve").code == 0
    assert cli("plan", "--env", "prod", "--format", "json").json["source"] | {"digest": ""} == {
        "commit": head,
        "dirty": True,
        "digest": "",
        "release": head,
    }


def test_specs_come_from_the_release_and_variables_from_the_working_tree(released, prod, cli):
    cli("promote", "test", "prod")
    cli("apply", "--env", "prod", "--auto-approve")
    released.edit("flows/sales.yaml", "to Sales", "to the sales desk")
    released.write("flows/broken.yaml", "inboundCall: [")
    assert cli("plan", "--env", "prod").err.count("No changes. 2 resources are as the specs want them.") == 1

    released.edit("environments/prod.yaml", "greeting: Welcome", "greeting: Good day")

    (change,) = cli("plan", "--env", "prod", "--format", "json").json["changes"]
    assert [(one["before"], one["after"]) for one in change["diff"]] == [("Welcome to Sales.", "Good day to Sales.")]


def test_pending_changes_keep_a_commit_from_being_promoted(released, cli):
    released.edit("shared/hold.yaml", "One moment", "Just a moment")
    second = commit(released, "Say it otherwise")

    ran = cli("promote", "test", "prod")

    assert ran.code == 1
    assert f"test does not run commit {second[:12]} as it stands: 2 changes pending." in ran.err
    assert "commonModule/Hold: update is pending in test (the spec changed)." in ran.err
    assert "inboundCall/Sales: republish is pending in test" in ran.err
    assert pin(released) is None
    assert cli("apply", "--auto-approve").code == 0
    assert cli("promote", "test", "prod").code == 0
    assert pin(released) == second


def test_drift_keeps_a_commit_from_being_promoted(released, org, cli):
    org.publish(flow("Sales", says="Made by hand."))

    ran = cli("promote", "test", "prod")

    assert ran.code == 1
    assert "1 object drifted" in ran.err
    assert "inboundCall/Sales was changed in test since it was applied" in ran.err
    assert pin(released) is None


@pytest.mark.parametrize("changed", ["flows/sales.yaml", "environments/_base.yaml", "environments/test.yaml"])
def test_what_is_in_no_commit_is_not_promoted(released, cli, changed):
    (released.root / changed).write_text((released.root / changed).read_text(encoding="utf-8") + "# later\n")

    ran = cli("promote", "test", "prod")

    assert ran.code == 1
    assert f"{changed} has changes that are in no commit." in ran.err
    assert pin(released) is None


def test_a_run_under_way_keeps_a_commit_from_being_promoted(released, cli):
    released.edit("environments/test.yaml", "extends: _base", "extends: _base\nledger: {type: file}")
    commit(released, "Keep the ledger in a file")
    assert cli("apply", "--auto-approve").code == 0
    asyncio.run(FileLedger(released.root / ".reconciler/ledger/test.json").acquire("Ann@desk", "r9"))

    ran = cli("promote", "test", "prod")

    assert ran.code == 1
    assert "Ann@desk is applying something to test since" in ran.err
    assert "as it stands: 1 run under way." in ran.err
    assert pin(released) is None


def test_an_earlier_commit_is_promoted_only_while_it_is_what_runs(released, cli):
    first = released.git("rev-parse", "HEAD")
    released.edit("flows/sales.yaml", "to Sales", "to us")
    commit(released, "Second")
    assert cli("promote", "test", "prod", "--commit", first).code == 0
    assert pin(released) == first
    released.git("commit", "-qam", "Pin")
    assert cli("apply", "--auto-approve").code == 0

    refused = cli("promote", "test", "prod", "--commit", first)

    assert refused.code == 1
    assert f"test does not run commit {first[:12]} as it stands: 1 change pending." in refused.err


def test_the_next_step_names_the_commits_in_between_and_says_when_it_goes_back(released, cli):
    first = released.git("rev-parse", "HEAD")
    cli("promote", "test", "prod")
    released.edit("flows/sales.yaml", "to Sales", "to us")
    second = commit(released, "Second release")
    cli("apply", "--auto-approve")

    forward = cli("promote", "test", "prod")

    assert f"prod goes from {first} to {second[:12]}" in forward.err
    assert "Second release (Test)" in forward.err
    assert "goes back" not in forward.err
    released.edit("flows/sales.yaml", "to us", "to Sales")
    commit(released, "As it was")
    cli("apply", "--auto-approve")
    assert "prod goes back" in cli("promote", "test", "prod", "--commit", first).err


def test_a_dry_run_writes_nothing_and_a_second_promotion_changes_nothing(released, cli, tmp_path):
    assert cli("promote", "test", "prod", "--dry-run").code == 0
    assert pin(released) is None
    saved = tmp_path / "prod.plan.json"
    assert cli("promote", "test", "prod", "--out", str(saved)).code == 0
    text = (released.root / "environments/prod.yaml").read_text(encoding="utf-8")
    again = cli("promote", "test", "prod")
    assert "prod is at this commit already" in again.err
    assert (released.root / "environments/prod.yaml").read_text(encoding="utf-8") == text
    assert cli("apply", str(saved), "--auto-approve", "--env", "prod").code == 0


def test_a_pinned_environment_proves_its_release_whatever_lies_in_the_working_tree(released, prod, cli):
    head = released.git("rev-parse", "HEAD")
    released.edit("environments/test.yaml", "extends: _base", f"extends: _base\nrelease: '{head[:10]}'")
    commit(released, "Pin test")
    released.edit("flows/sales.yaml", "to Sales", "to nobody")

    assert cli("promote", "test", "prod").code == 0
    assert pin(released) == head


def test_specs_that_are_wrong_for_the_next_environment_leave_its_file_alone(released, cli):
    released.edit("flows/sales.yaml", "{{ greeting }}", "{{ only_in_test }}")
    released.edit("environments/test.yaml", "extends: _base", "extends: _base\nvariables: {only_in_test: Hi}")
    commit(released, "Needs a variable")
    cli("apply", "--auto-approve")

    ran = cli("promote", "test", "prod")

    assert ran.code == 1
    assert "only_in_test" in ran.err
    assert "flows/sales.yaml" in ran.err
    assert pin(released) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("test", "test"), "test cannot be promoted to itself"),
        (("test", "pord"), "There is no environment 'pord'"),
        (("test", "prod", "--commit", "no-such-tag"), "Git does not know the revision 'no-such-tag'"),
        (("test", "prod", "--commit=--output=x"), "is not a Git revision"),
    ],
)
def test_mistakes_on_the_command_line_are_named(released, cli, arguments, message):
    ran = cli("promote", *arguments)
    assert ran.code == 1
    assert message in ran.err
    assert pin(released) is None


def test_a_release_that_git_does_not_know_is_an_error_at_its_line(released, cli):
    released.edit("environments/prod.yaml", "extends: _base", "extends: _base\nrelease: v99")

    ran = cli("validate", "--env", "prod")

    assert ran.code == 1
    assert "Git does not know the revision 'v99' here" in ran.err
    assert "environments/prod.yaml" in ran.err


def test_outside_of_git_there_is_nothing_to_promote(repository, prod, cli):
    repository.write("environments/_base.yaml", "variables: {}\n")
    repository.write("environments/prod.yaml", PROD.format(url=prod.url))
    repository.write("flows/sales.yaml", flow("Sales"))
    cli("apply", "--auto-approve")

    ran = cli("promote", "test", "prod")

    assert (ran.code, "There is no Git commit here that could be promoted." in ran.err) == (1, True)


def test_on_another_machine_the_change_of_a_pinned_environment_is_told_from_git(
    released, prod, cli, monkeypatch, tmp_path
):
    cli("promote", "test", "prod")
    commit(released, "Pin prod")
    cli("apply", "--env", "prod", "--auto-approve")
    released.edit("flows/sales.yaml", "to Sales", "to us")
    commit(released, "Second release")
    cli("apply", "--auto-approve")
    cli("promote", "test", "prod")
    monkeypatch.setenv("RECONCILER_CACHE_DIR", str(tmp_path / "another-machine"))

    (change,) = cli("plan", "--env", "prod", "--format", "json").json["changes"]

    assert change["diff_basis"] == "last applied spec"
    assert [(one["before"], one["after"]) for one in change["diff"]] == [("Welcome to Sales.", "Welcome to us.")]


def test_status_shows_all_environments_and_history_the_runs(released, org, prod, cli, monkeypatch):
    head = released.git("rev-parse", "HEAD")
    cli("promote", "test", "prod")
    released.edit("flows/sales.yaml", "to Sales", "to us")
    commit(released, "Second release")
    org.publish(flow("Sales", says="Made by hand."))

    both = {one["environment"]: one for one in cli("status", "--format", "json").json}

    assert [(name, one["commit"], one["pending"], one["drift"]) for name, one in both.items()] == [
        ("prod", None, 2, 0),
        ("test", head, 1, 1),
    ]
    assert (both["test"]["behind"], both["test"]["org"], both["prod"]["release"]) == (1, "Test Org", head)
    table = cli("status").err.splitlines()
    assert table[0].split() == ["environment", "commit", "pending", "drift", "last", "apply"]
    assert "never applied" in table[1]
    assert f"{head[:12]}, 1 behind" in table[2]
    assert "1 object" in table[2]

    monkeypatch.delenv("PROD_ID")
    ran = cli("status")
    assert ran.code == 1
    assert "prod         could not be looked at: There are no credentials for the org: PROD_ID is not set." in ran.err
    assert f"test         {head[:12]}" in ran.err
    assert cli("status", "--env", "test").code == 0


def test_history_tells_who_applied_which_commit_and_how_it_ended(released, org, cli):
    first = released.git("rev-parse", "HEAD")
    org.fault(match={"job_flow": "Sales"}, effect={"job": {"status": "Failure", "messages": ["No."]}})
    released.edit("shared/hold.yaml", "One moment", "Just a moment")
    second = commit(released, "Say it otherwise")
    assert cli("apply", "--auto-approve").code == 4
    org.mend()
    released.edit("flows/sales.yaml", "to Sales", "to us")
    assert cli("apply", "--auto-approve").code == 0

    runs = cli("history", "--format", "json").json

    assert [(run["commit"], run["dirty"], run["actions"], run["failed"], run["exit_code"]) for run in runs] == [
        (second, True, {"update": 1}, 0, 0),
        (second, False, {"update": 1}, 1, 4),
        (first, False, {"create": 2}, 0, 0),
    ]
    told = cli("history", "--limit", "2").err
    assert told.count(" run ") == 2
    assert "1 applied (1 update), 1 failed" in told
    assert f"commit {second[:12]} Say it otherwise and uncommitted changes" in told
    assert "in part" in told


def test_a_run_that_changes_nothing_is_remembered_only_where_it_brings_another_commit(released, cli):
    assert cli("apply", "--auto-approve").code == 0
    assert len(cli("history", "--format", "json").json) == 1
    released.edit("flows/sales.yaml", "inboundCall:", "# a remark\ninboundCall:")
    second = commit(released, "Remark")
    assert cli("apply", "--auto-approve").code == 0
    latest = cli("history", "--format", "json").json[0]
    assert (latest["commit"], latest["actions"]) == (second, {})
    assert "no changes" in cli("history").err
