"""What a plan comes to, in plain words: can it be applied, whom does it reach, what is left to know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from reconciler.engine.document import Action, Plan
from reconciler.problems import Severity

_ERRORS = 3
"""Errors that stand beside the verdict itself."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence beside the verdict, and the section of the page that tells more."""

    text: str
    section: Literal["findings", "drift", "unmanaged", "reach", "changes"]
    heavy: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first thing that a reader sees."""

    state: Literal["blocked", "ready", "nothing"]
    headline: str
    remarks: tuple[Remark, ...]


def verdict_of(plan: Plan) -> Verdict:
    """The verdict on a plan, and everything that a reviewer must know before the details."""
    remarks = tuple(_remarks(plan))
    if plan.errors:
        return Verdict("blocked", f"This plan cannot be applied: {plural(len(plan.errors), 'error')}.", remarks)
    if not plan.changes and plan.drift:
        count = len(plan.drift)
        left = f"{plural(count, 'object')} that {_were(count)} changed by hand {_are(count)} left so"
        return Verdict("nothing", f"This plan changes nothing; {left}.", remarks)
    if not plan.changes:
        unchanged = plan.summary.unchanged
        verb = "is as the specs want it" if unchanged == 1 else "are as the specs want them"
        return Verdict("nothing", f"Nothing to do. {plural(unchanged, 'resource')} {verb}.", remarks)
    return Verdict("ready", f"This plan can be applied. It makes {plural(len(plan.changes), 'change')}.", remarks)


def _remarks(plan: Plan) -> Iterator[Remark]:
    for error in plan.errors[:_ERRORS]:
        yield Remark(error.message, "findings", heavy=True)
    if len(plan.errors) > _ERRORS:
        yield Remark(f"And {plural(len(plan.errors) - _ERRORS, 'more error')}.", "findings", heavy=True)
    ivrs = plan.reached_ivrs
    if ivrs:
        numbers = {number for ivr in ivrs.values() for number in ivr.numbers}
        lines = f"{plural(len(ivrs), 'IVR')} with {plural(len(numbers), 'phone number')}"
        yield Remark(f"Callers meet the changes on {lines}.", "reach")
    elif plan.changes:
        yield Remark("No IVR and no phone number is reached.", "changes")
    if deletes := plan.summary.delete:
        yield Remark(f"{plural(deletes, 'object')} {_are(deletes)} deleted.", "changes", heavy=True)
    yield from _left_behind(plan)
    yield from _drift(plan)
    warnings = sum(finding.severity is Severity.WARNING for finding in plan.findings)
    if warnings:
        yield Remark(f"{plural(warnings, 'warning')} to read before.", "findings", heavy=True)


def _left_behind(plan: Plan) -> Iterator[Remark]:
    left = {consumer.address for reach in plan.reach for consumer in reach.unmanaged}
    if left:
        keep = "keeps" if len(left) == 1 else "keep"
        yield Remark(
            f"{plural(len(left), 'flow')} outside the specs {keep} the old copy of a changed module.",
            "unmanaged",
            heavy=True,
        )


def _drift(plan: Plan) -> Iterator[Remark]:
    if plan.drift:
        count = len(plan.drift)
        changed = {change.address for change in plan.changes if change.action is not Action.ADOPT}
        overwritten = sum(drift.address in changed for drift in plan.drift)
        rest = "" if not overwritten else f"; this plan overwrites {'it' if count == 1 else f'{overwritten} of them'}"
        yield Remark(
            f"Drift: {plural(count, 'object')} {_were(count)} changed in the org by hand{rest}.", "drift", heavy=True
        )


def plural(count: int, noun: str) -> str:
    """``1 flow``, ``2,000 flows``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
