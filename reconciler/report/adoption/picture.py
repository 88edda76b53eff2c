"""Geometry of the page's charts: numbers only, the template draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.engine.adoption.document import FlowAdoption, Step
from reconciler.engine.adoption.proportions import Comparison, wilson
from reconciler.report.adoption.figures import percent, short_moment
from reconciler.report.adoption.sparks import an_hour, most_an_hour
from reconciler.report.adoption.words import calls

WIDTH, HEIGHT = 720, 120
GAP = 12
"""Between the two windows; the apply stands in its middle."""
_FULL = 99.0
"""Percent that the longest interval takes, so that its end is seen."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch: conversations on older versions above those on the new one."""

    x: float
    width: float
    other_y: float
    other_height: float
    new_y: float
    new_height: float
    title: str


@dataclass(frozen=True, slots=True)
class Share:
    """One side of a comparison, its interval around it; in percent of the longest that is drawn."""

    when: str
    told: str
    length: float
    low: float
    high: float


def bars(flow: FlowAdoption, zone: str) -> Iterator[Bar]:
    """Conversations an hour over time, by version; a short stretch is a narrow bar."""
    most = most_an_hour(flow) or 1.0
    side = (WIDTH - GAP) / 2
    for left, steps in ((0.0, flow.steps_before), (side + GAP, flow.steps_after)):
        start, whole = steps[0].start, steps[-1].end - steps[0].start
        for step in steps:
            height = HEIGHT * an_hour(step) / most
            new = height * step.on_new / step.conversations if step.conversations else 0.0
            yield Bar(
                x=round(left + side * ((step.start - start) / whole), 2),
                width=round(max(side * ((step.end - step.start) / whole) - 1, 0.5), 2),
                other_y=round(HEIGHT - height, 2),
                other_height=round(height - new, 2),
                new_y=round(HEIGHT - new, 2),
                new_height=round(new, 2),
                title=_title(step, flow, zone),
            )


def shares(found: Comparison) -> list[Share]:
    """Both sides of a comparison, as far as there was anything."""
    sides = [("before", found.before, found.before_of), ("since", found.after, found.after_of)]
    known = [(when, count, of, *wilson(count, of)) for when, count, of in sides if of]
    longest = max((high for *_, high in known), default=1.0)
    return [
        Share(
            when,
            f"{percent(count / of)} ({count:,} of {of:,})",
            *(round(_FULL * end / longest, 2) for end in (count / of, low, high)),
        )
        for when, count, of, low, high in known
    ]


def _title(step: Step, flow: FlowAdoption, zone: str) -> str:
    on_it = f", {percent(step.on_new / step.conversations)} on {flow.version}" if step.conversations else ""
    return f"{short_moment(step.start, zone)}: {step.conversations:,} {calls(flow)}{on_it}"
