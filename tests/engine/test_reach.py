"""Which phone numbers a change reaches, and who keeps an old copy of a module."""

from __future__ import annotations

import pytest
from support import flow, module


def line(name, number, target):
    return f'ivr: {{name: {name}, dnis: ["{number}"], openHoursFlow: {target}}}\n'


@pytest.fixture
def applied(repository, cli):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write("flows/support.yaml", flow("Support", modules=("Greeter",)))
    repository.write("flows/alone.yaml", flow("Alone"))
    repository.write("flows/sales-line.yaml", line("Sales Line", "+4570100001", "Sales"))
    repository.write("flows/support-line.yaml", line("Support Line", "+4570100002", "Support"))
    repository.write("flows/other-line.yaml", line("Other Line", "+4570100003", "Alone"))
    assert cli("apply", "--auto-approve").code == 0
    return repository


def reach_of(plan, address):
    return next(reach for reach in plan["reach"] if reach["address"] == address)


def test_a_change_of_a_module_reaches_the_numbers_of_every_line_behind_its_consumers(applied, cli):
    applied.edit("shared/greeter.yaml", "One moment.", "Just a moment.")

    plan = cli("plan", "--format", "json").json

    reach = reach_of(plan, "commonModule/Greeter")
    assert reach["consumers"] == ["inboundCall/Sales", "inboundCall/Support"]
    assert reach["ivrs"] == [
        {"address": "ivr/Sales Line", "numbers": ["+4570100001"], "managed": True},
        {"address": "ivr/Support Line", "numbers": ["+4570100002"], "managed": True},
    ]
    said = cli("plan").err
    assert "reaches 2 IVRs with 2 phone numbers: ivr/Sales Line (+4570100001); ivr/Support Line (+4570100002)" in said


def test_a_changed_number_is_reached_before_and_after(applied, cli):
    applied.edit("flows/other-line.yaml", "+4570100003", "+4570100004")

    plan = cli("plan", "--format", "json").json

    assert reach_of(plan, "ivr/Other Line")["ivrs"][0]["numbers"] == ["+4570100003", "+4570100004"]


def test_lines_outside_the_specs_are_reached_too(applied, cli, org):
    by_hand = org.publish(flow("By Hand", modules=("Greeter",)))
    org.send(
        "POST", "/architect/ivrs", {"name": "Hand Line", "dnis": ["+4570100009"], "openHoursFlow": {"id": by_hand}}
    ).raise_for_status()
    applied.edit("shared/greeter.yaml", "One moment.", "Just a moment.")

    reach = reach_of(cli("plan", "--format", "json").json, "commonModule/Greeter")

    assert {"address": "ivr/Hand Line", "numbers": ["+4570100009"], "managed": False} in reach["ivrs"]
    (left,) = reach["unmanaged"]
    assert (left["address"], left["holds"], left["version"]) == ("inboundCall/By Hand", "commonModule/Greeter", "1.0")


def test_a_plan_without_changes_reaches_nobody(applied, cli):
    assert cli("plan", "--format", "json").json["reach"] == []
