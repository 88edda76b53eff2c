"""What a plan reaches, as a picture: changed objects, who uses them, IVRs with their numbers.

Drawn from the plan document alone. It tells whom a change reaches and not on which way, so arrows lead from each
object to the next ones that are known to come after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from reconciler.archy.wording import in_words
from reconciler.engine.document import Action, Plan, ReachedIvr
from reconciler.report.charts import beyond_mermaid, mermaid
from reconciler.report.charts.estate import ACTION_TONES, look
from reconciler.report.charts.model import Chart, Direction, Edge, Line, Node, Tone
from reconciler.report.markdown.verdict import affecting

NODES = 40
"""Boxes that are still looked at with pleasure within a comment."""
NUMBERS = 5

Arrows = Mapping[str, frozenset[str]]
"""Changed object → everything that it reaches."""


def picture(plan: Plan) -> str | None:
    """Mermaid; None where there is too much to draw, or nothing that reaches anything."""
    everything = _arrows(plan)
    changed = {change.address for change in plan.changes}
    ivrs = {ivr.address: ivr for reach in affecting(plan) for ivr in reach.ivrs}
    for kept in (None, changed | ivrs.keys()):
        arrows = {source: targets if kept is None else targets & kept for source, targets in everything.items()}
        drawn = {source for source, targets in arrows.items() if targets}.union(*arrows.values())
        if len(drawn) <= NODES:
            return _drawn(plan, sorted(drawn), arrows, ivrs) if drawn else None
    return None


def reaches_others(plan: Plan) -> bool:
    """Whether there is anything to draw at all."""
    return any(_arrows(plan).values())


def _arrows(plan: Plan) -> dict[str, frozenset[str]]:
    arrows: dict[str, set[str]] = defaultdict(set)
    for reach in affecting(plan):
        arrows[reach.address] |= {*reach.consumers, *(ivr.address for ivr in reach.ivrs)} - {reach.address}
        for left in reach.unmanaged:
            arrows[left.holds].add(left.address)
    return {source: frozenset(targets) for source, targets in arrows.items()}


def _drawn(plan: Plan, addresses: list[str], arrows: Arrows, ivrs: Mapping[str, ReachedIvr]) -> str | None:
    actions = {change.address: change.action for change in plan.changes}
    left_behind = {one.address for reach in affecting(plan) for one in reach.unmanaged}
    ids = {address: f"n{number}" for number, address in enumerate(addresses)}
    nodes = [
        _left_behind(ids[address], address)
        if address in left_behind
        else _node(ids[address], address, actions.get(address), ivrs.get(address))
        for address in addresses
    ]
    edges = tuple(Edge(ids[source], ids[target]) for source, target in _next(plan, arrows))
    chart = Chart("", tuple(nodes), edges, direction=Direction.RIGHT)
    return None if beyond_mermaid(chart) else mermaid(chart)


def _next(plan: Plan, arrows: Arrows) -> Iterator[tuple[str, str]]:
    """Arrows but for those that a longer way shows already; a module has one to each flow that it is copied into."""
    copied = {
        (address, change.address)
        for change in plan.changes
        for address in change.depends_on
        if address.startswith("commonModule/")
    }
    for source in sorted(arrows):
        between = [one for one in arrows[source] if arrows.get(one) and source not in arrows[one]]
        for target in sorted(arrows[source]):
            shown = any(target in arrows[middle] for middle in between if middle != target)
            if not shown or (source, target) in copied:
                yield source, target


def _left_behind(id: str, address: str) -> Node:
    kind, _, name = address.partition("/")
    lines = (
        Line(name or address, strong=True),
        Line(f"{in_words(kind)}, not in the specs"),
        Line("keeps the old copy"),
    )
    return Node(id, lines, look(kind)[0], Tone.QUIET, dashed=True)


def _node(id: str, address: str, action: Action | None, ivr: ReachedIvr | None) -> Node:
    kind, _, name = address.partition("/")
    shape = look(kind)[0]
    words = "IVR" if kind == "ivr" else in_words(kind)
    managed = ivr is None or ivr.managed
    lines = [Line(name or address, strong=True), Line(words if managed else f"{words}, not in the specs")]
    numbers = ivr.numbers if ivr else ()
    lines += [Line(number) for number in numbers[:NUMBERS]]
    if (more := len(numbers) - NUMBERS) > 0:
        lines.append(Line(f"and {more} more numbers" if more > 1 else "and 1 more number"))
    if action is None:
        return Node(id, tuple(lines), shape, Tone.REACHED, dashed=not managed)
    tone, told = ACTION_TONES[action]
    return Node(id, (*lines, Line(told, strong=True)), shape, tone, dashed=action is Action.DELETE, heavy=True)
