"""``policy:`` forbids changes in plan and apply, saved or not; only what is named in full is let through, on record."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import flow, module

ROOT = Path(__file__).parents[2]
LINE = 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Sales, description: A}\n'


def policy(repository, text):
    """Sets the policy, in place of the one before; a key stands on line 6 and below."""
    file = repository.root / "environments/test.yaml"
    kept = file.read_text(encoding="utf-8").partition("policy:")[0]
    file.write_text(f"{kept}policy:\n  {text}\n" if text else kept, encoding="utf-8")


def findings(ran, id_):
    return [finding for finding in ran.json["findings"] if finding["id"] == id_]


def journalled(repository):
    """Reasons of the changes of the run that wrote last, by address."""
    journal = max((repository.root / ".reconciler/runs/test").glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    events = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    return {event["address"]: event["reasons"] for event in events if event["event"] == "change-started"}


@pytest.fixture
def applied(repository, cli):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write("flows/keep.yaml", flow("Keep"))
    repository.write("flows/line.yaml", LINE)
    assert cli("apply", "--auto-approve").code == 0
    return repository


@dataclass(frozen=True)
class Case:
    """One key of the policy and a change that violates it."""

    key: str
    policy: str
    address: str
    """What violates it."""
    action: str
    line: int
    more: tuple[str, ...] = ()
    """Options of the plan."""

    def prepare(self, repository, org):
        match self.action:
            case "create":
                repository.write("flows/new.yaml", flow("New"))
            case "adopt":
                org.publish(flow("New"))
                repository.write("flows/new.yaml", flow("New"))
            case "republish":
                repository.edit("shared/greeter.yaml", "One moment.", "Just a moment.")
            case "update":
                repository.edit("flows/line.yaml", "description: A", "description: B")
            case "delete":
                repository.remove("flows/keep.yaml")


LATE = 'allow:\n    - {addresses: ["*"], only: [create, update, republish, adopt, delete]}\n    - '
CASES = [
    Case("allow", LATE + '{addresses: ["inboundCall/N*"], only: [update]}', "inboundCall/New", "create", 8),
    Case("allow", 'allow: [{addresses: ["inboundCall/Sales"], only: []}]', "inboundCall/Sales", "republish", 6),
    Case("allow", 'allow: [{addresses: ["*"], only: [update]}]', "inboundCall/New", "adopt", 6),
    Case("protect", 'protect: ["ivr/*", "inboundCall/K*"]', "inboundCall/Keep", "delete", 6, ("--prune",)),
    Case("max_deletes", "max_deletes: 0", "inboundCall/Keep", "delete", 6, ("--prune",)),
    Case("max_changes", "on_drift: report\n  max_changes: 0", "ivr/Line", "update", 7),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.key}-{case.action}")
def test_a_violation_stops_every_apply_until_the_object_is_named(applied, cli, org, case):
    case.prepare(applied, org)
    assert cli("plan", "--out", "before.json", *case.more).code == 0
    policy(applied, case.policy)
    rule = f"policy-{case.key.replace('_', '-')}"
    kind = case.address.partition("/")[0]
    flows, line = org.flows(), org.ivrs()["Line"]

    planned = cli("plan", "--format", "json", *case.more)
    fresh = cli("apply", "--auto-approve", *case.more)
    saved = cli("apply", "before.json")
    by_glob = cli("plan", "--target", f"{case.address[:-1]}?", "--target", f"{kind}/*", *case.more)

    (violation,) = findings(planned, rule)
    assert (violation["severity"], violation["file"], violation["line"]) == (
        "error",
        "environments/test.yaml",
        case.line,
    )
    assert violation["address"] == (None if case.key.startswith("max") else case.address)
    assert [ran.code for ran in (planned, fresh, saved, by_glob)] == [1, 1, 1, 1]
    for ran in (fresh, saved, by_glob):
        assert f"error {rule}: {violation['message']}" in ran.err
        assert f"environments/test.yaml:{case.line}" in ran.err
    assert (org.flows(), org.ivrs()["Line"]) == (flows, line)

    named = cli("plan", "--format", "json", "--out", "named.json", "--target", case.address, *case.more)
    assert named.code == 0, named.err
    (change,) = [change for change in named.json["changes"] if change["address"] == case.address]
    reason = f"was named on the command line, which sets policy.{case.key} aside"
    assert (change["action"], change["reasons"].count(reason)) == (case.action, 1)
    (told,) = findings(named, "policy-set-aside")
    assert (told["severity"], case.address in told["message"]) == ("warning", True)
    assert cli("apply", "named.json").code == 0
    assert reason in journalled(applied)[case.address]


def test_what_is_named_is_not_counted_and_the_rest_of_the_plan_may_stay_in_it(applied, cli, org):
    """The module's consumer is republished, so the plan has three changes, one too many; an adoption is none."""
    policy(applied, "max_changes: 2")
    org.publish(flow("New"))
    applied.write("flows/new.yaml", flow("New"))
    applied.edit("shared/greeter.yaml", "One moment.", "Just a moment.")
    applied.edit("flows/line.yaml", "description: A", "description: B")

    refused = cli("plan", "--format", "json")
    assert [finding["message"] for finding in findings(refused, "policy-max-changes")] == [
        "The plan would change 3 objects, but policy.max_changes allows 2."
    ]
    named = cli("plan", "--format", "json", "--target", "*", "--target", "ivr/Line")

    assert named.code == 0
    assert len(named.json["changes"]) == 4
    assert cli("apply", "--auto-approve", "--target", "*", "--target", "ivr/Line").code == 0
    assert org.ivrs()["Line"]["description"] == "B"


def test_a_name_counts_for_the_policy_that_it_was_given_against(applied, cli, org):
    policy(applied, 'protect: ["inboundCall/*"]')
    applied.remove("flows/keep.yaml")
    assert cli("plan", "--prune", "--target", "inboundCall/Keep", "--out", "plan.json").code == 0
    policy(applied, 'protect: ["inboundCall/*"]\n  max_deletes: 0')

    refused = cli("apply", "plan.json")

    assert refused.code == 1
    assert "error policy-max-deletes:" in refused.err
    assert "error policy-protect:" not in refused.err
    assert "Keep" in org.flows()
    policy(applied, 'protect: ["*"]')
    assert cli("apply", "plan.json").code == 0
    assert "Keep" not in org.flows()


def test_naming_a_delete_sets_all_of_the_policy_aside_and_each_key_is_on_record(applied, cli, org):
    policy(applied, 'protect: ["*"]\n  max_deletes: 0\n  max_changes: 0\n  allow: [{addresses: ["*"], only: []}]')
    applied.write("flows/keep.yaml", flow("Other"))
    options = ("--prune", "--target", "inboundCall/Keep")
    assert len(cli("plan", "--prune", "--format", "json").json["findings"]) == 5

    planned = cli("plan", "--format", "json", *options)

    assert planned.code == 0
    (change,) = planned.json["changes"]
    keys = [reason.split("policy.")[1].split()[0] for reason in change["reasons"][1:]]
    assert keys == ["protect", "allow", "max_deletes", "max_changes"]
    assert cli("apply", "--auto-approve", *options).code == 0
    assert journalled(applied) == {"inboundCall/Keep": change["reasons"]}


def test_a_delete_of_what_was_changed_by_hand_is_on_record_too(applied, cli, org):
    org.publish(flow("Keep", says="By hand."))
    applied.remove("flows/keep.yaml")
    assert cli("plan", "--prune", "--out", "before.json").code == 0
    policy(applied, "on_drift: fail")

    assert cli("plan", "--prune").code == 1
    assert cli("apply", "before.json").code == 1
    assert "Keep" in org.flows()
    assert cli("apply", "--auto-approve", "--prune", "--target", "inboundCall/Keep").code == 0
    assert "was named on the command line, which sets policy.on_drift aside" in journalled(applied)["inboundCall/Keep"]


def test_flows_outside_the_specs_are_held_to_it_too(applied, cli, org):
    org.publish(flow("By Hand", modules=("Greeter",)))
    applied.edit("shared/greeter.yaml", "One moment.", "Just a moment.")
    policy(applied, 'allow: [{addresses: ["inboundCall/By*"], only: []}]')
    assert cli("plan", "--out", "plan.json").code == 0

    fresh = cli("apply", "--auto-approve", "--republish-unmanaged")
    saved = cli("apply", "plan.json", "--republish-unmanaged")

    for refused in (fresh, saved):
        assert refused.code == 1
        assert "inboundCall/By Hand is not to be republished" in refused.err
        assert "Leave out --republish-unmanaged" in refused.err
    assert org.version("Greeter") == "1.0"
    assert cli("apply", "plan.json").code == 0


def test_only_a_saved_plan_is_applied_and_the_org_is_not_even_asked(applied, cli, org, monkeypatch):
    policy(applied, "max_changes: 1\n  require_saved_plan: true")
    applied.edit("flows/line.yaml", "description: A", "description: B")
    assert cli("plan", "--out", "plan.json").code == 0
    runs = sorted((applied.root / ".reconciler/runs/test").iterdir())

    with monkeypatch.context() as without:
        without.delenv("GENESYSCLOUD_OAUTHCLIENT_ID")
        refused = [cli("apply", "--auto-approve", *more) for more in ((), ("--target", "ivr/Line"))]

    for ran in refused:
        assert ran.code == 1
        assert "error policy-require-saved-plan: In test only a saved plan is applied" in ran.err
        assert "environments/test.yaml:7" in ran.err
        assert "reconciler plan --env test --out FILE" in ran.err
    assert sorted((applied.root / ".reconciler/runs/test").iterdir()) == runs
    assert cli("apply", "plan.json").code == 0


def test_make_apply_without_a_saved_plan_is_refused_in_production(tmp_path):
    """As people run it in this repository."""
    command = ["make", "-o", ".venv/.run", "apply", "ENV=prod", f"STATE={tmp_path}"]
    ran = subprocess.run(
        [*command, f"RECONCILER={sys.executable} -m reconciler"], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert "In prod only a saved plan is applied" in ran.stderr
    assert "make plan ENV=prod" in ran.stderr


def test_only_committed_specs_are_applied(applied, cli, org):
    policy(applied, "require_clean_git: true")
    assert cli("plan").code == 0, "there is nothing to apply"
    applied.edit("flows/line.yaml", "description: A", "description: B")

    outside = cli("plan", "--format", "json")
    assert outside.code == 1
    assert findings(outside, "policy-require-clean-git")[0]["message"].startswith("The specs are in no Git commit")

    applied.git("init", "--quiet")
    applied.git("add", "environments", "shared", "flows/line.yaml", "flows/sales.yaml")
    applied.git("commit", "--quiet", "--message", "specs")
    dirty = cli("plan", "--format", "json", "--target", "ivr/Line", "--out", "dirty.json")
    (violation,) = findings(dirty, "policy-require-clean-git")
    assert (dirty.code, violation["line"]) == (1, 6)
    assert violation["message"].endswith(": flows/keep.yaml.")
    assert [change["address"] for change in dirty.json["changes"]] == ["ivr/Line"]
    for more in (("dirty.json",), ("--auto-approve",)):
        assert "error policy-require-clean-git:" in cli("apply", *more).err

    applied.git("add", "flows")
    applied.git("commit", "--quiet", "--message", "all of them")
    assert cli("plan", "--out", "plan.json").code == 0
    applied.edit("flows/line.yaml", "ivr:", "# not committed\nivr:")
    refused = cli("apply", "plan.json")
    assert (refused.code, org.ivrs()["Line"]["description"]) == (1, "A")
    assert "not committed (policy.require_clean_git): flows/line.yaml." in refused.err
    applied.git("checkout", "--quiet", "flows")
    assert cli("apply", "plan.json").code == 0


def test_a_plan_from_uncommitted_specs_is_refused_when_that_is_forbidden_later(applied, cli):
    applied.edit("flows/line.yaml", "description: A", "description: B")
    assert cli("plan", "--out", "plan.json").code == 0
    policy(applied, "require_clean_git: true")
    applied.git("init", "--quiet")
    applied.git("add", ".")
    applied.git("commit", "--quiet", "--message", "specs")

    refused = cli("apply", "plan.json")

    assert refused.code == 1
    assert "The specs that the plan was made from are in no Git commit" in refused.err
