"""Every kind keeps the same promises: create, nothing to do, update, drift, delete. A new kind adds one fixture."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from support import flow, module

from reconciler.archy.flowtypes import FLOW_TYPES
from reconciler.kinds.registry import all_kinds, kind_of, kind_of_root, known_roots

HOURS = 'schedule: {name: Weekdays, start: "2026-01-05T08:00:00.000", end: "2026-01-05T17:00:00.000"}\n'


@dataclass(frozen=True)
class Life:
    """A resource's life: its document, one that differs, what it needs, and how another client changes it."""

    address: str
    spec: str
    changed: str
    needs: str = ""
    path: str = ""
    """Where the org keeps it, for kinds whose fields a list shows."""
    by_hand: tuple[str, object] = ("description", "By hand.")


def task_flow(kind: str) -> Life:
    return Life(f"{kind}/Thing", flow("Thing", kind=kind), flow("Thing", kind=kind, says="Changed."))


def state_flow(kind: str) -> Life:
    def text(reason: str) -> str:
        return f"""\
{kind}:
  name: Thing
  description: {reason}
  startUpRef: "/{kind}/states/state[Initial State_10]"
  defaultLanguage: en-us
  states:
    - state:
        name: Initial State
        refId: Initial State_10
        actions:
          - disconnect:
              name: Disconnect
"""

    return Life(f"{kind}/Thing", text("First."), text("Second."))


def bot(kind: str) -> Life:
    def text(reason: str) -> str:
        return f"""\
{kind}:
  name: Thing
  description: {reason}
  startUpRef: "/{kind}/bots/bot[Bot_10]"
  defaultLanguage: en-us
  bots:
    - bot:
        name: Bot
        refId: Bot_10
        actions:
          - exitBotFlow:
              name: Exit
"""

    return Life(f"{kind}/Thing", text("First."), text("Second."))


def in_queue(kind: str) -> Life:
    def text(seconds: int) -> str:
        return f"""\
{kind}:
  name: Thing
  defaultLanguage: en-us
  startUpTaskActions:
    - wait:
        name: Wait
        duration:
          lit:
            seconds: {seconds}
"""

    return Life(f"{kind}/Thing", text(5), text(6))


LIVES = {
    "commonModule": Life("commonModule/Thing", module("Thing"), module("Thing", says="Changed.")),
    "ivr": Life(
        "ivr/Thing",
        'ivr: {name: Thing, dnis: ["+4570100001"], openHoursFlow: Open}\n',
        'ivr: {name: Thing, dnis: ["+4570100002"], openHoursFlow: Open}\n',
        needs=flow("Open"),
        path="/architect/ivrs",
        by_hand=("dnis", ["+4570100003"]),
    ),
    "schedule": Life(
        "schedule/Thing",
        'schedule: {name: Thing, start: "2026-01-05T08:00:00.000", end: "2026-01-05T17:00:00.000"}\n',
        'schedule: {name: Thing, start: "2026-01-05T08:00:00.000", end: "2026-01-05T18:00:00.000"}\n',
        path="/architect/schedules",
        by_hand=("end", "2026-01-05T19:00:00.000"),
    ),
    "scheduleGroup": Life(
        "scheduleGroup/Thing",
        "scheduleGroup: {name: Thing, timeZone: Europe/Copenhagen, openSchedules: [Weekdays]}\n",
        "scheduleGroup: {name: Thing, timeZone: Europe/London, openSchedules: [Weekdays]}\n",
        needs=HOURS,
        path="/architect/schedulegroups",
        by_hand=("timeZone", "Europe/Paris"),
    ),
}
for flow_type in FLOW_TYPES:
    if flow_type.root in LIVES:
        continue
    if flow_type.root == "inqueueCall":
        LIVES[flow_type.root] = in_queue(flow_type.root)
    elif flow_type.root in ("botFlow", "digitalBot"):
        LIVES[flow_type.root] = bot(flow_type.root)
    elif "Call" in flow_type.root or flow_type.root in ("voicemail",):
        LIVES[flow_type.root] = task_flow(flow_type.root)
    else:
        LIVES[flow_type.root] = state_flow(flow_type.root)


def test_every_kind_has_a_life_here():
    assert set(LIVES) == {kind for family in all_kinds() for kind in family.kinds}


def test_every_root_leads_to_its_kind():
    for root in known_roots():
        assert root in kind_of_root(root).roots
    for kind in LIVES:
        assert kind in kind_of(kind).kinds
    assert kind_of_root("nonsense") is None


@pytest.mark.parametrize("kind", sorted(LIVES))
def test_create_nothing_update_drift_delete(kind, repository, cli, org):
    life = LIVES[kind]
    if life.needs:
        repository.write("shared/needs.yaml", life.needs)
    repository.write("shared/thing.yaml", life.spec)

    created = cli("plan", "--format", "json").json
    assert ("create", life.address) in steps(created)
    applied(cli)
    assert cli("plan", "--detailed-exitcode").code == 0

    repository.write("shared/thing.yaml", life.changed)
    updated = cli("plan", "--format", "json").json
    assert steps(updated) == [("update", life.address)]
    assert updated["changes"][0]["diff"]
    applied(cli)
    assert cli("plan", "--detailed-exitcode").code == 0

    change_by_hand(life, org)
    drifted = cli("drift", "--format", "json")
    assert drifted.code == 2
    assert [item["address"] for item in drifted.json["drift"]] == [life.address]
    applied(cli)
    assert cli("drift").code == 0

    repository.remove("shared/thing.yaml")
    deleted = cli("plan", "--format", "json", "--prune").json
    assert steps(deleted) == [("delete", life.address)]
    applied(cli, "--prune")
    assert cli("plan", "--detailed-exitcode", "--prune").code == 0


def applied(cli, *arguments):
    ran = cli("apply", "--auto-approve", *arguments)
    assert ran.code == 0, ran.err


def steps(plan):
    return [(change["action"], change["address"]) for change in plan["changes"]]


def change_by_hand(life, org):
    if not life.path:
        org.publish(life.spec)
        return
    entity = next(item for item in org.get(life.path, pageSize=100)["entities"] if item["name"] == "Thing")
    field, value = life.by_hand
    org.send("PUT", f"{life.path}/{entity['id']}", entity | {field: value}).raise_for_status()
