"""Puts a plan, or drift, together to one comment, within what a comment may hold."""

from __future__ import annotations

import shlex

from markupsafe import Markup

from reconciler.engine.document import Plan
from reconciler.report.markdown.entries import change_entries, drift_entries
from reconciler.report.markdown.escaping import cut, marker
from reconciler.report.markdown.fitting import FULL, Fitted, fitted, size
from reconciler.report.markdown.picture import picture
from reconciler.report.markdown.summary import Room, rest, rooms, summary
from reconciler.report.markdown.templating import rendered
from reconciler.report.markdown.verdict import verdict
from reconciler.report.words import plural

LIMIT = 65_536
"""Characters that a comment on GitHub may have; counted here in UTF-8 bytes, which are never fewer."""
LEAST_LIMIT = 8_000
_NOTES = 1_200
"""Bytes kept free for what is said about the cuts, and for headings and blank lines."""


def plan_markdown(plan: Plan, *, limit: int = LIMIT) -> str:
    """The plan as one comment; the same plan gives the same text.

    Args:
        plan: The plan document, of which nothing but itself is needed.
        limit: The text stays below this many UTF-8 bytes. What is cut is said.

    Raises:
        ValueError: the limit leaves no room even for the headline.
    """
    return f"{_Comment(plan, limit).plan()}\n"


def drift_markdown(plan: Plan, *, limit: int = LIMIT) -> str:
    """Drift alone as one comment; see ``plan_markdown``."""
    return f"{_Comment(plan, limit).drift()}\n"


class _Comment:
    def __init__(self, plan: Plan, limit: int) -> None:
        if limit < LEAST_LIMIT:
            raise ValueError(f"limit is {limit}; at least {LEAST_LIMIT} is needed")
        self._plan = plan
        self._limit = limit

    def plan(self) -> Markup:
        plan = self._plan
        head = self._head("plan", "Rollback in" if plan.rollback else "Plan for", verdict(plan))
        changes, drifted = change_entries(plan), drift_entries(plan, unless_changed=True)
        drawing = picture(plan)
        for room in rooms():
            fixed = {"head": head, "summary": summary(plan, room, drawing), "rest": rest(plan, room)}
            left = self._limit - _NOTES - sum(map(size, fixed.values()))
            fit = fitted([*changes, *drifted], left)
            if left >= 0 and _good_enough(room, fit):
                break
        first, second = fit.parted(len(changes))
        see = ("open the plan with", "reconciler show PLANFILE")
        return rendered(
            "plan",
            **fixed,
            changes=_joined(first),
            cut_changes=_left_out(first, "change", *see),
            drifted=_joined(second),
            cut_drifted=_left_out(second, "object", *see),
        )

    def drift(self) -> Markup:
        plan = self._plan
        count = len(plan.drift)
        told = f"{plural(count, 'object')} {'was' if count == 1 else 'were'} changed in the org since the last apply."
        head = self._head("drift", "Drift in", told if count else "No drift: the org is as it was applied last.")
        fit = fitted(drift_entries(plan, unless_changed=False), self._limit - _NOTES - size(head))
        see = ("see all of it with", f"reconciler drift --env {shlex.quote(cut(plan.environment, 100))}")
        return rendered(
            "drift",
            head=head,
            drifted=_joined(fit),
            cut_drifted=_left_out(fit, "object", *see),
            advice=bool(count),
        )

    def _head(self, what: str, title: str, told: str) -> Markup:
        plan = self._plan
        return rendered("head", marker=marker(what, plan.environment), title=title, plan=plan, verdict=told)


def _good_enough(room: Room, fit: Fitted) -> bool:
    """Whether nothing had to be given up that is worth more than what the next room saves."""
    if room.lists:
        return fit.complete
    return not room.picture or not fit.unnamed


def _joined(fit: Fitted) -> Markup:
    """Blocks with a blank line between them; items of a list without."""
    parts = [f"{one.text}\n" if one.level is None else f"{one.text}\n\n" for one in fit.told]
    return Markup("".join(parts).rstrip())  # noqa: S704


def _left_out(fit: Fitted, noun: str, how: str, command: str) -> Markup | None:
    """What was cut, and how to see it."""
    told = [one for one in fit.told if one.entry.has_differences]
    dropped = sum(not one.keeps_differences for one in told)
    parts = []
    if any(one.keeps_differences and one.level != FULL for one in told):
        parts.append("Long differences and lists are shortened here")
    if dropped:
        parts.append(f"The differences of {plural(dropped, noun)} are left out here")
    if fit.unnamed:
        more = plural(fit.unnamed, f"more {noun}" if fit.told else noun)
        parts.append(f"{more} {'is' if fit.unnamed == 1 else 'are'} not even named here")
    return rendered("left_out", sentence=". ".join(parts), how=how, command=command) if parts else None
