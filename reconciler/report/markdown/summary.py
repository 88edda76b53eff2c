"""What stands before the changes, counts, reach, warnings and the picture, and what stands behind them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from reconciler.engine.document import Action, Drift, Plan, ReachedIvr, UnmanagedConsumer
from reconciler.problems import Finding, Severity
from reconciler.report.markdown.entries import SQUARES, drift_words
from reconciler.report.markdown.picture import reaches_others
from reconciler.report.markdown.templating import rendered
from reconciler.report.markdown.verdict import affected_ivrs, affecting


@dataclass(frozen=True)
class Room:
    """How much of everything is shown; how much more there is is always said."""

    rows: int = 25
    """Of each list and table: errors, warnings, IVRs, and the like."""
    lists: bool = True
    """Whether remarks and unmanaged objects are listed, and not only counted."""
    picture: bool = True


def rooms() -> Iterator[Room]:
    """From everything to next to nothing; what matters least goes first."""
    yield Room()
    yield Room(lists=False)
    yield Room(lists=False, picture=False)
    rows = Room.rows
    while rows:
        rows //= 2
        yield Room(rows, lists=False, picture=False)


def summary(plan: Plan, room: Room, drawing: str | None) -> Markup:
    """Errors, counts, reach, warnings, and the picture."""
    return rendered(
        "summary",
        plan=plan,
        room=room,
        squares=SQUARES,
        counts=plan.summary.model_dump(),
        errors=plan.errors,
        warnings=_warnings(plan),
        ivrs=_through(plan),
        republished=[change.address for change in plan.changes if change.action is Action.REPUBLISH],
        left_behind=_left_behind(plan),
        drifted=_drifted(plan),
        drawing=drawing.splitlines() if drawing and room.picture else None,
        not_drawn=reaches_others(plan),
    )


def rest(plan: Plan, room: Room) -> Markup:
    """Remarks, and what no spec manages."""
    return rendered("rest", plan=plan, room=room, remarks=_of(plan, Severity.INFO))


def _of(plan: Plan, severity: Severity) -> list[Finding]:
    return [finding for finding in plan.findings if finding.severity is severity]


def _through(plan: Plan) -> list[tuple[ReachedIvr, list[int]]]:
    """Each IVR with the numbers of the changes that reach it."""
    numbers = {change.address: number for number, change in enumerate(plan.changes, 1)}
    through: dict[str, list[int]] = defaultdict(list)
    for reach in affecting(plan):
        for ivr in reach.ivrs:
            if reach.address in numbers:
                through[ivr.address].append(numbers[reach.address])
    return [(ivr, sorted(set(through[ivr.address]))) for ivr in affected_ivrs(plan)]


def _left_behind(plan: Plan) -> list[UnmanagedConsumer]:
    found = {consumer.id: consumer for reach in plan.reach for consumer in reach.unmanaged}
    return sorted(found.values(), key=lambda one: (one.address, one.id))


def _drifted(plan: Plan) -> list[tuple[Drift, str, Finding | None, int | None]]:
    """Each with who changed it, or the warning that tells the same and more, and the change that speaks of it."""
    numbers = {change.address: number for number, change in enumerate(plan.changes, 1)}
    warned = {one.address: one for one in _of(plan, Severity.WARNING) if one.id == "drift"}
    return [(drift, drift_words(drift), warned.get(drift.address), numbers.get(drift.address)) for drift in plan.drift]


def _warnings(plan: Plan) -> list[Finding]:
    """Those that the lists of drift and of flows left behind do not tell already."""
    told = {("drift", drift.address) for drift in plan.drift}
    told |= {("unmanaged-consumer", consumer.address) for consumer in _left_behind(plan)}
    return [one for one in _of(plan, Severity.WARNING) if (one.id, one.address) not in told]
