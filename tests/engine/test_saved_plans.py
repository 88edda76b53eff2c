"""A saved plan is applied as reviewed or refused."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from support import environment, flow, module


@pytest.fixture
def planned(repository, cli):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write("flows/other.yaml", flow("Other"))
    assert cli("apply", "--auto-approve").code == 0
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")
    repository.edit("flows/other.yaml", "Hello.", "Good day.")
    assert cli("plan", "--out", "plan.json").code == 0
    return repository


def test_it_is_applied_and_then_refused(planned, cli, org):
    applied = cli("apply", "plan.json")

    assert applied.code == 0
    assert org.version("Sales") == "2.0"
    again = cli("apply", "plan.json")
    assert again.code == 3
    assert "was applied already" in again.err
    assert cli("plan", "--detailed-exitcode").code == 0


def test_it_is_refused_after_the_specs_changed(planned, cli, org):
    planned.edit("flows/sales.yaml", "Good day.", "Good evening.")

    refused = cli("apply", "plan.json")

    assert refused.code == 3
    assert "changed since the plan was made" in refused.err
    assert org.version("Sales") == "1.0"


def test_it_is_refused_for_another_environment_and_another_org(planned, cli, org):
    planned.write("environments/other.yaml", "extends: test\n")
    assert cli("apply", "plan.json", "--env", "other").code == 3

    plan = json.loads((planned.root / "plan.json").read_text(encoding="utf-8"))
    plan["org"]["id"] = "00000000-0000-4000-8000-000000000000"
    planned.write("elsewhere.json", json.dumps(plan))
    refused = cli("apply", "elsewhere.json")
    assert refused.code == 3
    assert "was made for the org" in refused.err
    assert org.version("Sales") == "1.0"


def test_an_object_that_changed_since_is_refused_and_named_while_the_rest_goes_on(planned, cli, org):
    org.publish(flow("Sales", says="By hand.", modules=("Greeter",)))

    applied = cli("apply", "plan.json")

    assert applied.code == 4
    assert "inboundCall/Sales was changed in the org since the plan was made" in applied.err
    assert "version 2.0 instead of 1.0" in applied.err
    assert org.version("Sales") == "2.0"
    assert org.version("Other") == "2.0"


def test_something_made_meanwhile_is_refused(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/other.yaml", flow("Other"))
    assert cli("plan", "--out", "plan.json").code == 0
    org.publish(flow("Sales", says="By hand."))

    applied = cli("apply", "plan.json")

    assert applied.code == 4
    assert "inboundCall/Sales was made in the org since the plan was made" in applied.err
    assert org.version("Sales") == "1.0"


def test_show_renders_it_without_an_org(planned, cli, monkeypatch):
    monkeypatch.delenv("GENESYSCLOUD_OAUTHCLIENT_ID")
    shown = cli("show", "plan.json")
    assert shown.code == 0
    assert "update    inboundCall/Sales" in shown.err
    assert json.loads(cli("show", "plan.json", "--format", "json").out)["format_version"] == "1"
    assert "update</b> <code>inboundCall/Sales</code>" in cli("show", "plan.json", "--format", "markdown").out


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format_version": "2"}', "null", "\x00"])
def test_a_file_that_is_no_plan_is_explained(planned, cli, text):
    planned.write("broken.json", text)

    shown = cli("show", "broken.json")

    assert shown.code == 1
    assert "not a plan" in shown.err
    assert "Traceback" not in shown.err


def test_it_obeys_a_policy_that_was_tightened_since(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/keep.yaml", flow("Keep"))
    assert cli("apply", "--auto-approve").code == 0
    repository.remove("flows/sales.yaml")
    assert cli("plan", "--prune", "--out", "plan.json").code == 0
    environment(repository, 'policy: {protect: ["*"], max_deletes: 0}')

    refused = cli("apply", "plan.json")

    assert refused.code == 1
    assert "Sales" in org.flows()


def test_a_flow_renamed_since_is_refused_and_not_made_again(planned, cli, org):
    sales = org.get(f"/flows/{org.flows()['Sales']['id']}")
    org.send("PUT", f"/flows/{sales['id']}", {**sales, "name": "Sales before"}).raise_for_status()

    applied = cli("apply", "plan.json")

    assert applied.code == 4
    assert "inboundCall/Sales" in applied.err
    assert set(org.flows()) == {"Greeter", "Sales before", "Other"}
    assert org.version("Sales before") == "1.0"
    assert org.version("Other") == "2.0"


def test_a_plan_all_of_whose_changes_were_refused_was_not_applied(planned, cli, org):
    """Applying it again tells the same reasons; nothing of it was done."""
    for name, modules in (("Sales", ("Greeter",)), ("Other", ())):
        org.publish(flow(name, says="By hand.", modules=modules))

    first = cli("apply", "plan.json")
    second = cli("apply", "plan.json")

    for refused in (first, second):
        assert refused.code == 3
        assert "inboundCall/Sales was changed in the org since the plan was made" in refused.err
        assert "applied already" not in refused.err
    assert org.version("Sales") == "2.0"
    assert org.version("Other") == "2.0"


@pytest.mark.usefixtures("impatient")
def test_what_is_used_by_something_made_since_is_not_deleted(repository, cli, org, impatient):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write(
        "flows/hours.yaml",
        """\
        schedule: {name: Weekdays, start: "2026-01-05T08:00:00.000", end: "2026-01-05T17:00:00.000"}
        ---
        scheduleGroup: {name: Hours, timeZone: Europe/Copenhagen, openSchedules: [Weekdays]}
        """,
    )
    assert cli("apply", "--auto-approve").code == 0
    repository.remove("flows/hours.yaml")
    assert cli("plan", "--prune", "--out", "plan.json").code == 0
    (group,) = org.get("/architect/schedulegroups", pageSize=100)["entities"]
    sales = {"id": org.flows()["Sales"]["id"]}
    line = {"name": "Other", "scheduleGroup": {"id": group["id"]}, "openHoursFlow": sales, "closedHoursFlow": sales}
    org.send("POST", "/architect/ivrs", line).raise_for_status()

    refused = cli("apply", "plan.json")

    assert refused.code == 1
    assert [kept["id"] for kept in org.get("/architect/schedulegroups", pageSize=100)["entities"]] == [group["id"]]
    assert len(org.get("/architect/schedules", pageSize=100)["entities"]) == 1


@pytest.mark.parametrize("name", ["folder", "file/plan.json", "obstructed/plan.json"])
def test_where_it_cannot_be_saved_is_told_and_nothing_is_left_there(repository, cli, name):
    repository.write("flows/sales.yaml", flow("Sales"))
    (repository.root / "folder").mkdir()
    (repository.root / "file").touch()
    # Stops root as well, which permissions do not: the name that the plan is written under first is a folder's.
    (repository.root / "obstructed/plan.json.partial/kept").mkdir(parents=True)
    before = sorted(repository.root.rglob("*"))

    refused = cli("plan", "--out", name)

    assert refused.code == 1
    assert [line for line in refused.err.splitlines() if line.startswith("Error: ")] == [
        line for line in refused.err.splitlines() if name in line
    ]
    assert "Traceback" not in refused.err
    assert sorted(path for path in repository.root.rglob("*") if ".reconciler" not in path.parts) == before


def test_a_half_written_plan_is_not_left_behind(repository, cli, monkeypatch):
    """As on a disk that is full: the file could be begun but not be finished."""
    repository.write("flows/sales.yaml", flow("Sales"))
    replace = Path.replace

    def full(path, target):
        if Path(target).name == "plan.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)

    refused = cli("plan", "--out", "plan.json")

    assert refused.code == 1
    assert "plan.json: the plan cannot be written there: No space left on device." in refused.err
    assert "Traceback" not in refused.err
    assert list(repository.root.glob("plan.json*")) == []


def test_it_obeys_on_drift_that_was_tightened_since(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    org.publish(flow("Sales", says="Emergency."))
    assert cli("plan", "--out", "plan.json").code == 0
    environment(repository, "policy: {on_drift: fail}")

    assert cli("apply", "plan.json", "--auto-approve").code != 0

    assert org.version("Sales") == "2.0"
