"""What an environment's policy has against a plan, and what naming an object on the command line sets aside.

One rule for all of ``policy``: what it says about an object is set aside by naming exactly that object in full with
``--target``, and in no other way. The change keeps that as a reason, so that a reviewer reads it, a saved plan
carries it on and the journal has it. A name counts for the keys that it was needed for when the plan was made: a
policy that becomes stricter later stops a saved plan all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciler.archy.model import Path
from reconciler.engine.document import Action, Change
from reconciler.globs import matches
from reconciler.problems import Finding, Location, Severity
from reconciler.specs import Environment, Policy, Rule

PROTECT = "protect"
ALLOW = "allow"
MAX_DELETES = "max_deletes"
MAX_CHANGES = "max_changes"
ON_DRIFT = "on_drift"
SET_ASIDE_BY_NAMING = (PROTECT, ALLOW, MAX_DELETES, MAX_CHANGES, ON_DRIFT)

CHANGING = frozenset(Action) - {Action.ADOPT}
"""What counts for ``max_changes``: an adoption writes the ledger and changes no object."""
DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPUBLISH: "republished",
    Action.ADOPT: "adopted",
    Action.DELETE: "deleted",
}
LISTED = 5
"""Addresses and files that one sentence lists."""

Named: TypeAlias = Callable[[str, str], bool]
"""Whether an address was named in full, so that a key of the policy does not count for it: ``(address, key)``."""
Place: TypeAlias = Callable[[Path], Location]


@dataclass
class Judgement:
    """What a policy says about the steps of a plan."""

    findings: list[Finding] = field(default_factory=list)
    """Violations, all errors."""
    set_aside: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Address → keys of the policy that would have stopped it, had it not been named."""


def named_reason(key: str) -> str:
    """The reason of a change that the policy would have stopped."""
    return f"was named on the command line, which sets policy.{key} aside"


def judge(steps: Mapping[str, Action], policy: Policy, named: Named, place: Place) -> Judgement:
    """Holds the final steps of a plan, by address, to the policy; ``place`` tells where a key is written."""
    judgement = Judgement()
    for address, action in steps.items():
        for key, check in ((PROTECT, _protected), (ALLOW, _not_allowed)):
            finding = check(address, action, policy, place)
            if finding is not None and named(address, key):
                judgement.set_aside[address].append(key)
            elif finding is not None:
                judgement.findings.append(finding)
    deletes = [address for address, action in steps.items() if action is Action.DELETE]
    changes = [address for address, action in steps.items() if action in CHANGING]
    _limit(judgement, MAX_DELETES, deletes, policy.max_deletes, _too_many_deletes, named, place)
    _limit(judgement, MAX_CHANGES, changes, policy.max_changes, _too_many_changes, named, place)
    return judgement


def judge_saved(changes: Iterable[Change], outside: Iterable[str], environment: Environment) -> list[Finding]:
    """What today's policy has against a plan as it was made; ``outside`` is republished besides, in no spec."""
    reasons = {change.address: change.reasons for change in changes}
    steps = {change.address: change.action for change in changes}
    outside = [address for address in outside if address not in steps]
    steps |= dict.fromkeys(outside, Action.REPUBLISH)
    findings = judge(
        steps,
        environment.policy,
        lambda address, key: named_reason(key) in reasons.get(address, ()),
        environment.place,
    ).findings
    # What no spec manages cannot be named.
    return [
        finding.model_copy(update={"remedy": "Leave out --republish-unmanaged, or change the policy."})
        if finding.address in outside
        else finding
        for finding in findings
    ]


def set_aside_findings(reasons: Mapping[str, Sequence[str]], place: Place) -> list[Finding]:
    """A warning for each key of the policy that somebody set aside: what a reviewer must not overlook.

    ``reasons`` are those of all changes, by address.
    """
    findings = []
    for key in SET_ASIDE_BY_NAMING:
        named = [address for address, said in reasons.items() if named_reason(key) in said]
        if named:
            verb = "was" if len(named) == 1 else "were"
            message = f"policy.{key} is set aside for {_listed(named)}, which {verb} named on the command line."
            violation = _violation(key, ("policy", key), place, message, None)
            findings.append(violation.model_copy(update={"id": "policy-set-aside", "severity": Severity.WARNING}))
    return findings


def unsaved_finding(environment: Environment) -> Finding | None:
    """The violation of an apply without a plan file, if it is one."""
    if not environment.policy.require_saved_plan:
        return None
    name = environment.name
    return _violation(
        "require_saved_plan",
        ("policy", "require_saved_plan"),
        environment.place,
        f"In {name} only a saved plan is applied (policy.require_saved_plan).",
        f"Save one with `make plan ENV={name}` or `reconciler plan --env {name} --out FILE`, have it reviewed, "
        "and apply that file.",
    )


def uncommitted_finding(
    environment: Environment, commit: str | None, dirty: bool, files: Sequence[str] = (), *, then: bool = False
) -> Finding | None:
    """The violation of specs that are in no commit, or not as they are in it; ``then``: when the plan was made."""
    if not environment.policy.require_clean_git or (commit is not None and not dirty):
        return None
    subject = "The specs that the plan was made from" if then else "The specs"
    if dirty:
        which = f": {_listed(files)}" if files else ""
        message = f"{subject} hold changes that are not committed (policy.require_clean_git){which}."
    else:
        message = f"{subject} are in no Git commit (policy.require_clean_git)."
    path = ("policy", "require_clean_git")
    return _violation("require_clean_git", path, environment.place, message, "Commit them, and plan again.")


def _limit(
    judgement: Judgement,
    key: str,
    addresses: Sequence[str],
    limit: int | None,
    sentences: Callable[[Sequence[str], int], tuple[str, str]],
    named: Named,
    place: Place,
) -> None:
    """Counts the addresses that were not named; names are set aside only where they make the difference."""
    if limit is None or len(addresses) <= limit:
        return
    counted = [address for address in addresses if not named(address, key)]
    if len(counted) > limit:
        judgement.findings.append(_violation(key, ("policy", key), place, *sentences(counted, limit)))
        return
    for address in addresses:
        if named(address, key):
            judgement.set_aside[address].append(key)


def _protected(address: str, action: Action, policy: Policy, place: Place) -> Finding | None:
    if action is not Action.DELETE:
        return None
    for index, glob in enumerate(policy.protect):
        if matches(address, (glob,)):
            return _violation(
                PROTECT,
                ("policy", PROTECT, index),
                place,
                f"{address} is protected in this environment and is not deleted (policy.protect: {glob!r}).",
                f"Put it back into the specs, or name it to delete it all the same: --prune --target '{address}'.",
                address,
            )
    return None


def _not_allowed(address: str, action: Action, policy: Policy, place: Place) -> Finding | None:
    for index, rule in enumerate(policy.allow):
        if action.value not in rule.only and matches(address, rule.addresses):
            prune = "--prune " if action is Action.DELETE else ""
            return _violation(
                ALLOW,
                ("policy", ALLOW, index),
                place,
                f"{address} is not to be {DONE[action]} in this environment: {_rule(rule)}.",
                f"Leave it out with --exclude '{address}', or name it to do it all the same: "
                f"{prune}--target '{address}'.",
                address,
            )
    return None


def _rule(rule: Rule) -> str:
    *others, last = rule.only or ("nothing",)
    actions = f"{', '.join(others)} and {last}" if others else last
    return f"policy.allow permits {'only ' if rule.only else ''}{actions} at {', '.join(rule.addresses)}"


def _too_many_deletes(counted: Sequence[str], limit: int) -> tuple[str, str]:
    return (
        f"The plan would delete {_objects(len(counted))} ({_listed(counted)}), "
        f"but policy.max_deletes allows {limit or 'none'}.",
        "Leave some out with --exclude, or name those that are meant: what --target names in full is not counted.",
    )


def _too_many_changes(counted: Sequence[str], limit: int) -> tuple[str, str]:
    return (
        f"The plan would change {_objects(len(counted))}, but policy.max_changes allows {limit or 'none'}.",
        "Apply it in parts with --target and --exclude, or name what is meant: what --target names in full is not "
        "counted.",
    )


def _objects(count: int) -> str:
    return f"{count} object{'' if count == 1 else 's'}"


def _listed(items: Sequence[str]) -> str:
    more = len(items) - LISTED
    return ", ".join(items[:LISTED]) + (f" and {more} more" if more > 0 else "")


def _violation(
    key: str, path: Path, place: Place, message: str, remedy: str | None, address: str | None = None
) -> Finding:
    where = place(path)
    return Finding(
        id=f"policy-{key.replace('_', '-')}",
        message=message,
        address=address,
        file=where.file,
        line=where.line,
        column=where.column,
        remedy=remedy,
    )
