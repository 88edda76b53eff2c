"""``policy:`` of an environment: what nobody can mean is an error with its line, a slip in a name a warning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from specs_support import Tree, flow

from reconciler.kinds.registry import all_kinds
from reconciler.problems import Severity, SpecError

IVR = "ivr: {name: Household Line, openHoursFlow: Sales}\n"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture
def estate(tree: Tree) -> Tree:
    tree.write("flows/sales.yaml", flow("Sales"))
    tree.write("flows/line.yaml", IVR)
    return tree


def write(tree: Tree, policy: str, base: str = "org: {region: a}\n") -> None:
    tree.write("environments/_base.yaml", base)
    tree.write("environments/prod.yaml", f"extends: _base\npolicy:\n{policy}")


def errors(tree: Tree) -> dict[str, str]:
    with pytest.raises(SpecError) as caught:
        tree.environment()
    return {
        f"{finding.file}:{finding.line}:{finding.column}": str(finding.message) for finding in caught.value.findings
    }


def test_what_is_no_policy_is_told_with_its_place(tree: Tree) -> None:
    write(
        tree,
        """\
  protect: [ivr, "ivrs/*", "IVR/Household Line"]
  require_saved_plan: 1
  max_changes: -1
  allow:
    - {addresses: [], only: [deploy]}
    - addresses: ["?vr/x", "*", "commonModules*"]
      actions: [update]
""",
    )
    told = errors(tree)
    file = "environments/prod.yaml"
    assert told[f"{file}:3:13"] == "policy.protect 'ivr' can match no address: it names a kind and no object."
    assert told[f"{file}:3:18"] == "policy.protect 'ivrs/*' can match no address: there is no such kind."
    assert told[f"{file}:3:28"] == "policy.protect 'IVR/Household Line' can match no address: there is no such kind."
    assert told[f"{file}:4:3"] == "policy.require_saved_plan must be true or false, not 1."
    assert told[f"{file}:5:3"] == "policy.max_changes must be at least 0, not -1."
    assert told[f"{file}:7:8"] == "policy.allow.0.addresses must not be empty."
    assert told[f"{file}:7:30"] == (
        "policy.allow.0.only.0 must be create, update, republish, adopt or delete, not deploy."
    )
    assert told[f"{file}:8:33"] == "policy.allow 'commonModules*' can match no address: there is no such kind."
    assert told[f"{file}:9:7"] == "There is no key 'policy.allow.1.actions'."
    assert len(told) == 10  # and the key that is missing in the second rule


def test_every_kind_can_be_named(tree: Tree) -> None:
    kinds = sorted({name for kind in all_kinds() for name in kind.kinds})
    forms = ["{0}/*", "{0}/A Name", "{1}*", "{1}?/A*", "[{2}]*", "*"]
    globs = [form.format(kind, kind[:-1], kind[0]) for kind in kinds for form in forms]
    write(tree, f"  protect: {json.dumps(globs)}\n")
    assert len(tree.environment().policy.protect) == len(globs)


def test_a_name_that_matches_nothing_is_a_warning_where_it_is_written(estate: Tree) -> None:
    write(
        estate,
        """\
  allow:
    - {addresses: ["ivr/*", "inboundCall/S*"], only: [update]}
    - {addresses: ["inboundCall/Sales", "ivr/Houshold Line"], only: []}
    - {addresses: ["workflow/*", "*", "commonMod*"], only: [update]}
""",
        "org: {region: a}\npolicy:\n  protect:\n    - ivr/Household*\n    - inboundCall/Nothing*\n",
    )
    warnings = estate.load().findings

    assert {finding.id for finding in warnings} == {"policy-matches-nothing"}
    assert {finding.severity for finding in warnings} == {Severity.WARNING}
    assert [f"{finding.file}:{finding.line}:{finding.column}: {finding.message}" for finding in warnings] == [
        "environments/_base.yaml:5:7: policy.protect 'inboundCall/Nothing*' matches nothing in the specs.",
        "environments/prod.yaml:5:41: policy.allow 'ivr/Houshold Line' matches nothing in the specs.",
    ]
    assert "Did you mean `ivr/Household Line`?" in (warnings[1].remedy or "")


def test_a_policy_does_not_make_saved_plans_stale(estate: Tree) -> None:
    write(estate, "  max_changes: 3\n")
    before = estate.load().digest
    write(estate, "  require_clean_git: true\n  allow: [{addresses: ['*'], only: []}]\n")
    assert estate.load().digest == before
