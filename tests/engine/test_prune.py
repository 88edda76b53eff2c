"""What left the specs is deleted on demand only, consumers first, and never when somebody still uses it."""

from __future__ import annotations

import pytest
from support import flow, module


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
    assert "would delete 5 of our objects" in too_many.err
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
