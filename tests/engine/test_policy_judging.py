"""Properties of judging by policy, whatever the plan and the policy."""

from __future__ import annotations

from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine.document import Action, Change, Precondition
from reconciler.engine.policy import CHANGING, Judgement, judge, judge_saved, named_reason
from reconciler.globs import matches
from reconciler.problems import Location
from reconciler.specs import ActionName, Environment, Org, Policy
from reconciler.specs.environment_files import Layer, Layers

ADDRESSES = ["ivr/Line", "ivr/Line 2", "inboundCall/Sales", "inboundCall/Sales [DK]", "commonModule/Greeter"]
GLOBS = [
    "*",
    "ivr/*",
    "inboundCall/S*",
    "*/*e*",
    "ivr/Line ?",
    "inboundCall/Sales [DK]",
    "commonModule/Other",
    *ADDRESSES,
]
PER_OBJECT = {"policy-protect", "policy-allow"}

globs = st.lists(st.sampled_from(GLOBS), max_size=3)
rules = st.lists(
    st.fixed_dictionaries(
        {
            "addresses": st.lists(st.sampled_from(GLOBS), min_size=1, max_size=2),
            "only": st.lists(st.sampled_from(get_args(ActionName)), max_size=5, unique=True),
        }
    ),
    max_size=4,
)
limits = st.none() | st.integers(0, 5)
policies = st.fixed_dictionaries({"protect": globs, "allow": rules, "max_deletes": limits, "max_changes": limits})
plans = st.dictionaries(st.sampled_from(ADDRESSES), st.sampled_from(list(Action)))
targets = st.sets(st.sampled_from([*ADDRESSES, "*", "ivr/*"]))


def judged(steps, policy, named=()) -> Judgement:
    made = Policy.model_validate(policy)
    return judge(steps, made, lambda address, _key: address in named, lambda _path: Location(file="e"))


def violations(judgement: Judgement) -> set[tuple[str, str | None]]:
    return {(finding.id, finding.address) for finding in judgement.findings}


def expected(steps, policy, named) -> set[tuple[str, str | None]]:
    """The two sentences of the documentation, written down once more."""
    found: set[tuple[str, str | None]] = set()
    for address, action in steps.items():
        if address in named:
            continue
        if action is Action.DELETE and matches(address, policy["protect"]):
            found.add(("policy-protect", address))
        if not all(action in rule["only"] for rule in policy["allow"] if matches(address, rule["addresses"])):
            found.add(("policy-allow", address))
    for key, counted in (("max_deletes", {Action.DELETE}), ("max_changes", CHANGING)):
        count = sum(1 for address, action in steps.items() if action in counted and address not in named)
        if policy[key] is not None and count > policy[key]:
            found.add((f"policy-{key.replace('_', '-')}", None))
    return found


def test_the_policy_knows_exactly_the_actions_of_a_plan() -> None:
    assert set(get_args(ActionName)) == {action.value for action in Action}
    assert {action.value for action in CHANGING} == {"create", "update", "republish", "delete"}


@given(plans, policies, targets)
def test_it_says_what_the_documentation_says(steps, policy, named) -> None:
    assert violations(judged(steps, policy, named)) == expected(steps, policy, named)


@given(plans, policies, targets, st.randoms())
def test_the_order_of_rules_and_globs_does_not_matter(steps, policy, named, random) -> None:
    shuffled = {**policy, "allow": random.sample(policy["allow"], len(policy["allow"]))}
    shuffled["protect"] = random.sample(policy["protect"], len(policy["protect"]))

    one, other = judged(steps, policy, named), judged(steps, shuffled, named)

    assert violations(one) == violations(other)
    assert one.set_aside == other.set_aside


@given(plans, policies)
def test_naming_what_violates_clears_exactly_that(steps, policy) -> None:
    before = judged(steps, policy)
    named = {finding.address for finding in before.findings if finding.address is not None}

    after = judged(steps, policy, named)

    cleared = {pair for pair in violations(before) if pair[0] in PER_OBJECT}
    assert violations(after) <= violations(before) - cleared
    on_record = {(f"policy-{key}", address) for address, keys in after.set_aside.items() for key in keys}
    assert {pair for pair in on_record if pair[0] in PER_OBJECT} == cleared


@given(plans, policies, targets)
def test_on_record_is_only_what_would_have_been_stopped(steps, policy, named) -> None:
    stopped = violations(judged(steps, policy))
    for address, keys in judged(steps, policy, named).set_aside.items():
        ids = [f"policy-{key.replace('_', '-')}" for key in keys]
        assert address in named
        assert all((id_, address if id_ in PER_OBJECT else None) in stopped for id_ in ids)


@given(plans, policies, rules)
def test_another_rule_never_permits_more(steps, policy, more) -> None:
    tightened = {**policy, "allow": [*policy["allow"], *more]}
    assert violations(judged(steps, policy)) <= violations(judged(steps, tightened))


@settings(max_examples=50)
@given(plans, policies, policies, targets)
def test_a_saved_plan_passes_under_its_own_policy_and_names_help_against_no_other(steps, policy, later, named) -> None:
    made = judged(steps, policy, named)
    changes = [change(address, action, made.set_aside[address]) for address, action in steps.items()]

    assert len(judge_saved(changes, (), environment(policy))) == len(made.findings)

    unnamed = {(id_, address) for id_, address in expected(steps, later, ()) if id_ in PER_OBJECT}
    saved = {(finding.id, finding.address) for finding in judge_saved(changes, (), environment(later))}
    helped = {(f"policy-{key}", address) for address, keys in made.set_aside.items() for key in keys}
    assert {pair for pair in saved if pair[0] in PER_OBJECT} == unnamed - helped


def change(address: str, action: Action, keys: list[str]) -> Change:
    kind, _, name = address.partition("/")
    reasons = tuple(named_reason(key) for key in keys)
    return Change(address=address, kind=kind, name=name, action=action, reasons=reasons, precondition=Precondition())


def environment(policy) -> Environment:
    layers = Layers({}, (Layer("environments/e.yaml", "policy: {}\n", {"policy": {}}),))
    made = Policy.model_validate(policy)
    return Environment(name="e", files=layers.files, layers=layers, org=Org(region="a"), policy=made)
