"""Charts of one line each: block characters, or plain ASCII where a terminal has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.engine.adoption.document import FlowAdoption, Step
from reconciler.report.adoption.figures import short_moment

SIDE = 24
"""Columns that a window takes at the least."""


@dataclass(frozen=True, slots=True)
class Ink:
    """What charts are drawn with."""

    levels: str
    """From little to all."""
    nothing: str
    """A share of nothing, where there was something to have a share of."""
    apply: str
    """Where the apply was."""
    plain: dict[int, str]
    """What else must be written otherwise."""


BLOCKS = Ink("▂▃▄▅▆▇█", "▁", "│", {})
ASCII = Ink(".:-=+*#", "_", "|", str.maketrans({"→": "->", "·": "-", "–": "-", "…": "...", "│": "|"}))


def share_line(flow: FlowAdoption, ink: Ink) -> str:
    """The share on the new version over time; blank where nobody called."""
    return _line(flow, ink, [[_share(step) for step in side] for side in (flow.steps_before, flow.steps_after)])


def traffic_line(flow: FlowAdoption, ink: Ink) -> tuple[str, float]:
    """Conversations an hour over time, and the most there were."""
    most = most_an_hour(flow)
    sides = (flow.steps_before, flow.steps_after)
    heights = [[an_hour(step) / most if step.conversations else None for step in side] for side in sides]
    return _line(flow, ink, heights), most


def an_hour(step: Step) -> float:
    """Conversations an hour in one stretch; the last one of a window may be short."""
    return step.conversations / ((step.end - step.start).total_seconds() / 3600)


def most_an_hour(flow: FlowAdoption) -> float:
    """The most there were in any stretch."""
    return max((an_hour(step) for step in (*flow.steps_before, *flow.steps_after)), default=0.0)


def axis(flow: FlowAdoption, zone: str) -> str:
    """Moments below the charts: first, apply, last."""
    before, after = (_widened(side) for side in (flow.steps_before, flow.steps_after))
    middle = short_moment(flow.steps_after[0].start, zone)
    first, last = short_moment(flow.steps_before[0].start, zone), short_moment(flow.steps_after[-1].end, zone)
    left = f"{first:<{before - len(middle) // 2}}{middle}"
    return f"{left}{last:>{before + 1 + after - len(left)}}"


def _widened(steps: Sequence[Step]) -> int:
    return len(steps) * _repeats(steps)


def _repeats(steps: Sequence[Step]) -> int:
    return max(1, -(-SIDE // len(steps)))


def _line(flow: FlowAdoption, ink: Ink, heights: Sequence[Sequence[float | None]]) -> str:
    sides = zip((flow.steps_before, flow.steps_after), heights, strict=True)
    drawn = ("".join(_mark(height, ink) * _repeats(steps) for height in side) for steps, side in sides)
    return ink.apply.join(drawn)


def _mark(height: float | None, ink: Ink) -> str:
    if height is None:
        return " "
    if height <= 0:
        return ink.nothing
    # The top is for all of it alone: nearly all is not all.
    top = len(ink.levels) - 1
    return ink.levels[top if height >= 1 else min(int(height * top), top - 1)]


def _share(step: Step) -> float | None:
    return step.on_new / step.conversations if step.conversations else None
