"""A flow's adoption in the words of telephony people; every format says the same sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.archy.flowtypes import by_root
from reconciler.engine.adoption.document import Counts, FlowAdoption, Move
from reconciler.engine.adoption.proportions import ENOUGH_FOR_PEACE, Comparison, Verdict
from reconciler.report.adoption.figures import counted, listed, moment, percent, points

DISCONNECTS, ERRORS = "disconnects", "flow errors"
ENDS = {
    "DISCONNECT": "the caller hung up",
    "FLOW_DISCONNECT": "the flow hung up",
    "FLOW_ERROR_DISCONNECT": "an error cut the caller off",
}
"""Ways to be disconnected (SDK ``ViewFilter.flowDisconnectReasons``); the words are ANALYTICS-6."""


def calls(flow: FlowAdoption) -> str:
    """What goes through this type of flow, in the plural."""
    flow_type = by_root(flow.address.partition("/")[0])
    return "calls" if flow_type is not None and flow_type.media == "call" else "conversations"


def calls_of(flows: Iterable[FlowAdoption]) -> str:
    """The same for several flows."""
    nouns = {calls(flow) for flow in flows}
    return nouns.pop() if len(nouns) == 1 else "conversations"


def versions(flow: FlowAdoption) -> str:
    """``2.0 → 3.0``, as far as the versions before are known."""
    return f"{flow.previous[0]} → {flow.version}" if flow.previous else flow.version


def moved(flow: FlowAdoption, zone: str) -> str:
    """How far the callers of a flow have come."""
    noun, version, since = calls(flow), flow.version, flow.after.conversations
    match flow.move:
        case Move.LATER:
            when = f" at {moment(flow.applied_at, zone)}" if flow.applied_at else ""
            return f"{version} was applied{when}, after the time that is compared"
        case Move.NO_TRAFFIC if flow.before.conversations:
            return f"no {noun} since"
        case Move.NO_TRAFFIC if flow.address.startswith("workflow/"):
            return f"no {noun} before nor since; runs of workflows may not be counted as conversations"
        case Move.NO_TRAFFIC:
            return f"no {noun} before nor since"
        case Move.UNCHANGED:
            return f"no new version: {version} answered before as well, and all {counted(since, noun)} since"
        case Move.NOT_MOVED:
            return f"not moved: all {counted(since, noun)} since are on {_others(flow)}, none on {version}"
        case Move.SUPERSEDED:
            newest, latest = flow.versions[0].version, percent(flow.latest_share) if flow.latest_share else "none"
            return (
                f"somebody else has published {newest}: {latest} of the latest {noun} are on {version}, "
                f"{percent(flow.share)} of {counted(since, noun)} since"
            )
        case Move.MOVING:
            return (
                f"still moving: of the latest {noun}, {percent(flow.latest_share)} are on {version} "
                f"({percent(flow.share)} of {counted(since, noun)} since), the others on {_others(flow)}"
            )
        case Move.MOVED if not flow.before.conversations and flow.share == 1:
            return f"all {counted(since, noun)} since are on {version}; there were none before"
        case Move.MOVED if flow.share == 1:
            return f"moved: all {counted(since, noun)} since are on {version}"
        case Move.MOVED:
            return (
                f"moved: the latest {noun} are all on {version}, {percent(flow.share)} of {counted(since, noun)} since"
            )


def advice(flow: FlowAdoption) -> str | None:
    """What to make of a flow that has not moved."""
    if flow.move is Move.SUPERSEDED:
        return "`reconciler drift` shows what the newer version does otherwise."
    if flow.move is Move.MOVING:
        return (
            f"{calls(flow).capitalize()} in progress end on the version that they began with. If it stays like this, "
            "look in Architect which version is published."
        )
    if flow.move is Move.NOT_MOVED:
        return "Look in Architect which version is published."
    return None


def compared(flow: FlowAdoption) -> Iterator[tuple[str, Verdict]]:
    """Both comparisons of a flow in words; none where nobody called since."""
    if flow.on_new.ended:
        how = _ends(flow)
        disconnects = comparison(DISCONNECTS, flow.disconnects, calls(flow))
        yield f"{disconnects}: {how}" if how else disconnects, flow.disconnects.verdict
        yield comparison(ERRORS, flow.errors, calls(flow)), flow.errors.verdict


def comparison(what: str, found: Comparison, noun: str) -> str:
    """What can be said about two shares, with the shares."""
    shares = f"{percent(found.before_share)} → {percent(found.after_share)}"
    if not found.before_of:
        return f"{what}: {percent(found.after_share)}; no {noun} before to compare with"
    if found.verdict is Verdict.SAME and not found.before and not found.after:
        return f"{what}: none before or since"
    match found.verdict:
        case Verdict.MORE:
            return f"clearly more {what}: {shares} ({points(found.low)} to {points(found.high)} points more)"
        case Verdict.FEWER:
            return f"clearly fewer {what}: {shares} ({points(found.high)} to {points(found.low)} points fewer)"
        case Verdict.SAME:
            return f"{what}: no clear difference, {shares} (at most {points(found.high)} points more)"
        case Verdict.TOO_FEW:
            sides = f"{found.before:,} of {found.before_of:,} before and {found.after:,} of {found.after_of:,} since"
            return f"{what}: too few {noun} to tell, {sides} ({ENOUGH_FOR_PEACE} on each side are enough)"


def brief(found: Comparison) -> str:
    """A comparison in a cell of a table."""
    if not found.before_of:
        return percent(found.after_share)
    if found.verdict is Verdict.TOO_FEW:
        return "too few to tell"
    shares = f"{percent(found.before_share)} → {percent(found.after_share)}"
    return {Verdict.MORE: f"{shares}, more", Verdict.FEWER: f"{shares}, fewer"}.get(found.verdict, shares)


def open_calls(flow: FlowAdoption) -> str | None:
    """Conversations that are under way."""
    left = flow.after.conversations - flow.after.ended
    return f"{counted(left, calls(flow))} of them {'has' if left == 1 else 'have'} not ended yet" if left > 0 else None


def rows(flow: FlowAdoption) -> Iterator[tuple[str, str, Counts]]:
    """Version, when, and counts: before, then the new version since, then what else answered since."""
    for one in flow.versions:
        if one.before.conversations:
            yield one.version, "before", one.before
    for one in sorted(flow.versions, key=lambda one: one.version != flow.version):
        if one.after.conversations:
            yield one.version, "since", one.after


def _of(counts: Counts, reason: str) -> str:
    return percent(counts.exits.get(reason, 0) / counts.ended if counts.ended else None)


def _others(flow: FlowAdoption) -> str:
    return listed(one.version for one in flow.versions if one.version != flow.version and one.after.conversations)


def _ends(flow: FlowAdoption) -> str | None:
    """How those disconnects came about, where they are clearly more or fewer."""
    if flow.disconnects.verdict not in (Verdict.MORE, Verdict.FEWER):
        return None
    parts = [
        f"{words} {_of(flow.baseline, reason)} → {_of(flow.on_new, reason)}"
        for reason, words in ENDS.items()
        if flow.baseline.exits.get(reason) or flow.on_new.exits.get(reason)
    ]
    return "; ".join(parts) or None
