"""What left the specs is deleted on demand only, consumers first, and never when somebody still uses it."""

from __future__ import annotations

import shutil

import pytest
from support import Repository, environment, flow, module


@pytest.fixture
def applied(repository, cli):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write("flows/keep.yaml", flow("Keep"))
    repository.write(
        "flows/line.yaml",
        """\
        schedule: {name: Weekdays, start: "2026-01-05T08:00:00.000", end: "2026-01-05T17:00:00.000"}
        ---
        scheduleGroup: {name: Hours, timeZone: Europe/Copenhagen, openSchedules: [Weekdays]}
        ---
        ivr:
          name: Line
          dnis: ["+4570100001"]
          openHoursFlow: Sales
          closedHoursFlow: Keep
          scheduleGroup: Hours
        """,
    )
    assert cli("apply", "--auto-approve").code == 0
    return repository


def take_out(repository):
    for path in ("shared/greeter.yaml", "flows/sales.yaml", "flows/line.yaml"):
        repository.remove(path)


def test_without_prune_nothing_is_deleted_but_pointed_out(applied, cli):
    take_out(applied)

    plan = cli("plan", "--format", "json").json

    assert plan["changes"] == []
    assert {f["address"] for f in plan["findings"] if f["id"] == "orphaned"} == {
        "commonModule/Greeter",
        "inboundCall/Sales",
        "ivr/Line",
        "schedule/Weekdays",
        "scheduleGroup/Hours",
    }


def test_consumers_go_before_what_they_use(applied, cli, org):
    take_out(applied)

    plan = cli("plan", "--format", "json", "--prune").json

    order = [change["address"] for change in plan["changes"]]
    assert {change["action"] for change in plan["changes"]} == {"delete"}
    assert order.index("ivr/Line") < order.index("inboundCall/Sales") < order.index("commonModule/Greeter")
    assert order.index("ivr/Line") < order.index("scheduleGroup/Hours") < order.index("schedule/Weekdays")
    assert cli("apply", "--auto-approve", "--prune").code == 0
    assert set(org.flows()) == {"Keep"}
    assert org.ivrs() == {}
    assert cli("plan", "--detailed-exitcode", "--prune").code == 0


def test_something_used_outside_the_repository_is_refused_and_named(applied, cli, org):
    org.publish(flow("By Hand", modules=("Greeter",)))
    take_out(applied)

    planned = cli("plan", "--prune")

    assert planned.code == 1
    assert "commonModule/Greeter cannot be deleted: it is still used by inboundCall/By Hand." in planned.err
    assert cli("apply", "--auto-approve", "--prune").code == 1
    assert "Greeter" in org.flows()
    assert org.ivrs().keys() == {"Line"}


def test_protect_and_max_deletes_hold(applied, cli, org):
    take_out(applied)
    environment = applied.root / "environments/test.yaml"
    before = environment.read_text(encoding="utf-8")

    environment.write_text(before + "policy: {protect: ['ivr/*']}\n", encoding="utf-8")
    protected = cli("apply", "--auto-approve", "--prune")
    assert protected.code == 1
    assert "ivr/Line is protected" in protected.err

    environment.write_text(before + "policy: {max_deletes: 2}\n", encoding="utf-8")
    too_many = cli("apply", "--auto-approve", "--prune")
    assert too_many.code == 1
    assert "would delete 5 objects" in too_many.err
    assert org.ivrs().keys() == {"Line"}


def test_a_module_goes_when_its_last_consumer_lets_go_of_it_in_the_same_plan(applied, cli, org):
    applied.remove("shared/greeter.yaml")
    applied.write("flows/sales.yaml", flow("Sales"))

    plan = cli("plan", "--format", "json", "--prune").json

    assert [(c["action"], c["address"]) for c in plan["changes"]] == [
        ("update", "inboundCall/Sales"),
        ("delete", "commonModule/Greeter"),
    ]
    assert cli("apply", "--auto-approve", "--prune").code == 0
    assert "Greeter" not in org.flows()


def test_a_rename_is_a_delete_and_a_create_and_says_so(applied, cli):
    applied.write("flows/keep.yaml", flow("Kept"))
    applied.edit("flows/line.yaml", "closedHoursFlow: Keep", "closedHoursFlow: Kept")

    plan = cli("plan", "--format", "json", "--prune").json

    created = next(change for change in plan["changes"] if change["address"] == "inboundCall/Kept")
    assert any("inboundCall/Keep under a new name" in reason for reason in created["reasons"])
    order = [change["address"] for change in plan["changes"]]
    assert order == ["inboundCall/Kept", "ivr/Line", "inboundCall/Keep"]


def test_a_module_that_a_new_flow_calls_is_not_deleted(repository, cli, org):
    repository.write("shared/greeter.yaml", module("Greeter"))
    assert cli("apply", "--auto-approve").code == 0
    repository.remove("shared/greeter.yaml")
    repository.write("flows/another.yaml", flow("Another", modules=("Greeter",)))

    assert cli("plan", "--prune").code == 1
    assert cli("apply", "--prune", "--auto-approve").code == 1
    assert set(org.flows()) == {"Greeter"}


def test_a_flow_that_a_new_ivr_names_is_not_deleted(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    repository.remove("flows/sales.yaml")
    repository.write("flows/line.yaml", 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Sales}\n')

    assert cli("plan", "--prune").code == 1
    assert cli("apply", "--prune", "--auto-approve").code == 1
    assert set(org.flows()) == {"Sales"}
    assert org.ivrs() == {}


def test_a_flow_that_somebody_put_on_one_of_our_ivrs_is_not_deleted(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/holiday.yaml", flow("Holiday"))
    repository.write("flows/line.yaml", 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Sales}\n')
    assert cli("apply", "--auto-approve").code == 0
    org.change_ivr("Line", holidayHoursFlow={"id": org.flows()["Holiday"]["id"]})
    repository.remove("flows/holiday.yaml")
    repository.edit("flows/line.yaml", "openHoursFlow: Sales", "openHoursFlow: Sales, description: Main line")

    assert cli("plan", "--prune").code == 1
    assert cli("apply", "--prune", "--auto-approve").code == 1
    assert "Holiday" in org.flows()
    assert org.ivrs()["Line"]["holidayHoursFlow"]["name"] == "Holiday"


def test_a_target_may_be_something_that_left_the_specs(repository, cli):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/old.yaml", flow("Old"))
    assert cli("apply", "--auto-approve").code == 0
    repository.remove("flows/old.yaml")

    plan = cli("plan", "--format", "json", "--prune", "--target", "inboundCall/Old")

    assert plan.code == 0, plan.err
    assert [(change["action"], change["address"]) for change in plan.json["changes"]] == [("delete", "inboundCall/Old")]


def test_protect_knows_a_name_with_brackets(repository, cli, org):
    repository.write("flows/sales.yaml", flow('"Sales [DK]"'))
    repository.write("flows/keep.yaml", flow("Keep"))
    environment(repository, 'policy: {protect: ["inboundCall/Sales [DK]"]}')
    assert cli("apply", "--auto-approve").code == 0
    repository.remove("flows/sales.yaml")

    refused = cli("plan", "--prune")

    assert refused.code == 1
    assert "inboundCall/Sales [DK] is protected" in refused.err
    assert "Sales [DK]" in org.flows()


def test_what_was_made_again_by_hand_is_not_forgotten(repository, cli, org):
    """Our row is of an object that is gone; the one that has its name now is somebody's and is listed."""
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/keep.yaml", flow("Keep"))
    assert cli("apply", "--auto-approve").code == 0
    org.delete_flow("Sales")
    org.publish(flow("Sales", says="Somebody's."))
    repository.remove("flows/sales.yaml")
    assert cli("apply", "--auto-approve").code == 0

    plan = cli("plan", "--format", "json").json

    assert "inboundCall/Sales" in {*plan["unmanaged"], *(finding["address"] for finding in plan["findings"])}


def test_two_repositories_on_one_ledger_do_not_delete_each_others_flows(repository, cli, org, tmp_path, monkeypatch):
    repository.write("flows/ours.yaml", flow("Ours"))
    of_remote(repository, "https://x:canary-token@git.example.com/team-a/flows.git")
    assert cli("apply", "--auto-approve").code == 0
    other = Repository(tmp_path / "other")
    other.write("flows/theirs.yaml", flow("Theirs"))
    shutil.copytree(repository.root / "environments", other.root / "environments")
    of_remote(other, "git@git.example.com:team-b/flows.git")
    monkeypatch.chdir(other.root)

    refused = cli("plan", "--prune", "--format", "json")

    assert refused.code == 1
    assert "foreign-ledger" in [finding["id"] for finding in refused.json["findings"]]
    assert "canary-token" not in refused.out + refused.err
    assert cli("apply", "--prune", "--auto-approve").code == 1
    assert set(org.flows()) == {"Ours"}


def of_remote(repository, url):
    repository.git("init", "-q")
    repository.git("remote", "add", "origin", url)
