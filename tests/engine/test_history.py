"""What people see as the change is what the specs said before and say now, taken from the cache or from Git."""

from __future__ import annotations

import shutil

import pytest
from support import flow


@pytest.fixture
def committed(repository, cli):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.git("init", "-q", "-b", "main")
    repository.git("add", "-A")
    repository.git("commit", "-qm", "First")
    assert cli("apply", "--auto-approve").code == 0
    return repository


def the_change(cli):
    (change,) = cli("plan", "--format", "json").json["changes"]
    return change


def forget_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("RECONCILER_CACHE_DIR", str(tmp_path / "another-machine"))


def test_on_another_machine_git_tells_what_was_applied(committed, cli, monkeypatch, tmp_path):
    forget_cache(monkeypatch, tmp_path)
    committed.edit("flows/sales.yaml", "Hello.", "Good day.")
    committed.git("commit", "-qam", "Second")

    change = the_change(cli)

    assert change["diff_basis"] == "last applied spec"
    assert [(d["before"], d["after"]) for d in change["diff"]] == [("Hello.", "Good day.")]


def test_without_git_and_cache_the_live_export_tells_it_approximately(committed, cli, monkeypatch, tmp_path):
    forget_cache(monkeypatch, tmp_path)
    shutil.rmtree(committed.root / ".git")
    committed.edit("flows/sales.yaml", "Hello.", "Good day.")

    change = the_change(cli)

    assert change["diff_basis"] == "live export"
    assert [(d["before"], d["after"]) for d in change["diff"]] == [("Hello.", "Good day.")]


def test_a_commit_that_does_not_hold_what_was_applied_is_not_believed(repository, cli, monkeypatch, tmp_path):
    repository.write("flows/sales.yaml", flow("Sales", says="Committed."))
    repository.git("init", "-q", "-b", "main")
    repository.git("add", "-A")
    repository.git("commit", "-qm", "First")
    repository.edit("flows/sales.yaml", "Committed.", "Applied from a dirty tree.")
    assert cli("apply", "--auto-approve").code == 0
    forget_cache(monkeypatch, tmp_path)
    repository.edit("flows/sales.yaml", "Applied from a dirty tree.", "Next.")

    change = the_change(cli)

    assert change["diff_basis"] == "live export"
    assert [(d["before"], d["after"]) for d in change["diff"]] == [("Applied from a dirty tree.", "Next.")]


def test_the_plan_names_commit_and_dirt(committed, cli):
    commit = committed.git("rev-parse", "HEAD")
    clean = cli("plan", "--format", "json").json["source"]
    assert (clean["commit"], clean["dirty"]) == (commit, False)
    committed.edit("flows/sales.yaml", "Hello.", "Good day.")
    dirty = cli("plan", "--format", "json").json["source"]
    assert (dirty["commit"], dirty["dirty"]) == (commit, True)
    assert dirty["digest"] != clean["digest"]


def test_a_field_that_left_the_spec_is_cleared(repository, cli, org):
    repository.write("flows/open.yaml", flow("Open"))
    line = 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Open, holidayHoursFlow: Open, description: Ours}\n'
    repository.write("flows/line.yaml", line)
    assert cli("apply", "--auto-approve").code == 0
    repository.write("flows/line.yaml", line.replace(", holidayHoursFlow: Open", ""))

    (change,) = cli("plan", "--format", "json").json["changes"]

    assert change["diff"] == [{"path": "holidayHoursFlow", "op": "remove", "before": "Open", "after": None}]
    assert cli("apply", "--auto-approve").code == 0
    live = org.ivrs()["Line"]
    assert "holidayHoursFlow" not in live or live["holidayHoursFlow"] is None
    assert live["description"] == "Ours"
    assert live["dnis"] == ["+4570100001"]
    assert cli("plan", "--detailed-exitcode").code == 0


def test_what_a_spec_never_mentioned_is_left_alone(repository, cli, org):
    repository.write("flows/open.yaml", flow("Open"))
    repository.write("flows/line.yaml", 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Open}\n')
    assert cli("apply", "--auto-approve").code == 0
    live = org.ivrs()["Line"]
    org.send("PUT", f"/architect/ivrs/{live['id']}", live | {"description": "By hand."}).raise_for_status()
    assert cli("plan", "--detailed-exitcode").code == 0
    repository.write("flows/line.yaml", 'ivr: {name: Line, dnis: ["+4570100002"], openHoursFlow: Open}\n')

    assert cli("apply", "--auto-approve").code == 0

    assert org.ivrs()["Line"]["description"] == "By hand."
    assert org.ivrs()["Line"]["dnis"] == ["+4570100002"]
