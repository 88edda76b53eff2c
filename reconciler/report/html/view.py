"""What the page's template shows: the plan document, turned round so that each change has all that concerns it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from reconciler.archy.wording import in_words
from reconciler.engine.document import NOT_THERE, Action, Change, Difference, Drift, Plan, Reach, ReachedIvr
from reconciler.problems import Finding, Severity
from reconciler.report.html.values import Sides, side_by_side

SIGNS = {"add": "+", "remove": "−", "change": "~", "move": "»", "rename": "≈"}
OPERATIONS = {"add": "Added", "remove": "Removed", "change": "Changed", "move": "Moved", "rename": "Renamed"}
ACTION_SIGNS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPUBLISH: "↻",
    Action.ADOPT: "=",
    Action.DELETE: "−",
}
_LONG = 14
"""Lines from which a comparison is folded away."""
BASES = {
    "last applied spec": "Compared with the spec as it was applied last.",
    "live export": "Compared with the live flow, as far as the spec says anything; approximate.",
    "live fields": "Compared with the live object.",
}


@dataclass(frozen=True)
class DifferenceView:
    """One difference with its two sides."""

    difference: Difference

    @property
    def sign(self) -> str:
        return SIGNS[self.difference.op]

    @property
    def operation(self) -> str:
        return OPERATIONS[self.difference.op]

    @cached_property
    def sides(self) -> Sides:
        """Before and after."""
        return side_by_side(self.difference.op, self.difference.before, self.difference.after)

    @property
    def lines(self) -> int:
        """Of the longer side; 0 where there is nothing to compare."""
        return max((side.lines for side in self.sides if side is not None), default=0)

    @property
    def long(self) -> bool:
        return self.lines > _LONG


@dataclass(frozen=True)
class ChangeView:
    """One change with everything in the document that concerns it."""

    number: int
    change: Change
    needed_by: tuple[str, ...]
    reach: Reach | None
    findings: tuple[Finding, ...]
    drifted: bool

    @property
    def sign(self) -> str:
        return ACTION_SIGNS[self.change.action]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Without the one that the action itself tells."""
        return tuple(reason for reason in self.change.reasons if reason != NOT_THERE)

    @property
    def differences(self) -> tuple[DifferenceView, ...]:
        return difference_views(self.change.diff)

    @property
    def basis(self) -> str:
        return BASES[self.change.diff_basis] if self.change.diff_basis and self.change.diff else ""

    @property
    def further(self) -> tuple[str, ...]:
        """What uses it besides the changes that wait for it, directly or through others."""
        return tuple(address for address in self.reach.consumers if address not in self.needed_by) if self.reach else ()

    @property
    def numbers(self) -> int:
        """How many phone numbers it reaches."""
        return len({number for ivr in self.reach.ivrs for number in ivr.numbers}) if self.reach else 0

    @property
    def worst(self) -> Severity | None:
        """The heaviest of its findings."""
        return min((f.severity for f in self.findings), key=list(Severity).index, default=None)


@dataclass(frozen=True)
class DriftView:
    """One drifted object, and what the plan does about it."""

    drift: Drift
    number: int | None
    """Of the change that ends the drift."""
    taken_over: bool

    @property
    def differences(self) -> tuple[DifferenceView, ...]:
        return difference_views(self.drift.diff)


@dataclass(frozen=True)
class PageView:
    """The whole plan as the page shows it."""

    plan: Plan

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Address of a change → its place in the order."""
        return {change.address: number for number, change in enumerate(self.plan.changes, 1)}

    @cached_property
    def changes(self) -> tuple[ChangeView, ...]:
        needed_by: dict[str, list[str]] = defaultdict(list)
        findings: dict[str, list[Finding]] = defaultdict(list)
        for change in self.plan.changes:
            for address in change.depends_on:
                needed_by[address].append(change.address)
        for finding in self.plan.findings:
            findings[finding.address or ""].append(finding)
        reach = {one.address: one for one in self.plan.reach}
        drifted = {drift.address for drift in self.plan.drift}
        return tuple(
            ChangeView(
                number=number,
                change=change,
                needed_by=tuple(needed_by[change.address]),
                reach=reach.get(change.address),
                findings=tuple(findings[change.address]),
                drifted=change.address in drifted,
            )
            for number, change in enumerate(self.plan.changes, 1)
        )

    @property
    def kinds(self) -> list[tuple[str, str, int]]:
        """Kinds that the changes are of: key, words, how many."""
        counted = Counter(change.kind for change in self.plan.changes)
        return [(kind, kind_words(kind), count) for kind, count in sorted(counted.items())]

    @property
    def reached(self) -> list[ReachedIvr]:
        """Every IVR that the plan reaches, by name."""
        return sorted(self.plan.reached_ivrs.values(), key=lambda ivr: ivr.address)

    @property
    def with_findings(self) -> int:
        return sum(bool(change.findings) for change in self.changes)

    @property
    def with_drift(self) -> int:
        return sum(change.drifted for change in self.changes)

    @property
    def drift(self) -> tuple[DriftView, ...]:
        adopted = {change.address for change in self.plan.changes if change.action is Action.ADOPT}
        return tuple(
            DriftView(drift, self.numbers.get(drift.address), drift.address in adopted) for drift in self.plan.drift
        )

    def found(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity."""
        return tuple(finding for finding in self.plan.findings if finding.severity is severity)

    @cached_property
    def left_behind(self) -> dict[str, tuple[str, ...]]:
        """Flow outside the specs → what it keeps an old copy of."""
        held: dict[str, dict[str, None]] = defaultdict(dict)
        for reach in self.plan.reach:
            for consumer in reach.unmanaged:
                held[consumer.address][consumer.holds] = None
        return {address: tuple(modules) for address, modules in sorted(held.items())}

    @property
    def unmanaged(self) -> tuple[str, ...]:
        """Other objects that no spec manages."""
        return tuple(address for address in self.plan.unmanaged if address not in self.left_behind)


def kind_words(kind: str) -> str:
    """A kind as people say it."""
    return "IVR" if kind == "ivr" else in_words(kind)


def difference_views(differences: Iterable[Difference]) -> tuple[DifferenceView, ...]:
    """Each difference with what is needed to show it."""
    return tuple(map(DifferenceView, differences))
