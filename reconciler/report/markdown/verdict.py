"""What a plan comes to, in one or two plain sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reconciler.engine.document import Action, Plan, Reach, ReachedIvr
from reconciler.report.words import plural


def verdict(plan: Plan) -> str:
    """``4 changes: 1 update, 3 republish. Callers of 3 phone numbers are affected.``"""
    return " ".join(_sentences(plan))


def affecting(plan: Plan) -> Iterator[Reach]:
    """The reach of the changes that callers may notice: an adoption changes nothing in the org."""
    adopted = {change.address for change in plan.changes if change.action is Action.ADOPT}
    return (reach for reach in plan.reach if reach.address not in adopted)


def affected_ivrs(plan: Plan) -> list[ReachedIvr]:
    """The IVRs whose callers may notice, each once, by address."""
    found = {ivr.address: ivr for reach in affecting(plan) for ivr in reach.ivrs}
    return [found[address] for address in sorted(found)]


def _sentences(plan: Plan) -> Iterator[str]:
    if plan.errors:
        yield f"This plan cannot be applied: {plural(len(plan.errors), 'error')}."
    if plan.changes:
        counted = Counter(change.action for change in plan.changes)
        counts = [f"{counted[action]} {action.value}" for action in Action if counted[action]]
        held = f"It holds {plural(len(plan.changes), 'change')}" if plan.errors else plural(len(plan.changes), "change")
        yield f"{held}: {', '.join(counts)}."
        yield _callers(plan)
    elif not plan.errors:
        yield "No changes."
        yield from _at_rest(plan)


def _callers(plan: Plan) -> str:
    if all(change.action is Action.ADOPT for change in plan.changes):
        return "Nothing is published; callers notice nothing."
    numbers = {number for ivr in affected_ivrs(plan) for number in ivr.numbers}
    if not numbers:
        return "No phone number is reached."
    return f"Callers of {plural(len(numbers), 'phone number')} are affected."


def _at_rest(plan: Plan) -> Iterator[str]:
    count = plan.summary.unchanged
    if count:
        verb = "is as the specs want it" if count == 1 else "are as the specs want them"
        yield f"{plural(count, 'resource')} {verb}."
    if plan.drift:
        left = "and is left as it is" if len(plan.drift) == 1 else "and are left as they are"
        yield f"{plural(len(plan.drift), 'object')} drifted {left}."
