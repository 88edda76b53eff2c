"""From what analytics count to what is told of one flow."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from reconciler.engine.adoption.document import Counts, FlowAdoption, Move, Since, Step, VersionCounts, Window, Windows
from reconciler.engine.adoption.moments import STEPS
from reconciler.engine.adoption.proportions import compare
from reconciler.ledger import Row
from reconciler.platform import FlowCount

ERRORS = frozenset({"FLOW_ERROR_DISCONNECT", "FLOW_ERROR_EXIT"})
"""Exit reasons that are errors of the flow (SDK ``FlowEndDetailEventTopicFlowEndEvent.exitReason``)."""
NOT_TOLD = "?"
LATEST = 10
"""Conversations that are looked at to see where callers are by now; more where a stretch holds more."""
_WHOLE = re.compile(r"\d+")


def flow_adoption(
    row: Row, since: Since, windows: Windows, before: Sequence[FlowCount], after: Sequence[FlowCount]
) -> FlowAdoption:
    """One flow, from what was counted of it on both sides."""
    version = version_name(row.version)
    old, new = _by_version(before), _by_version(after)
    step = next(step for step, name in STEPS.items() if name == windows.granularity)
    stretches = _stretches(windows.after, step, after)
    latest = _latest(stretches)
    all_after = _sum(new.values())
    on_new = new.get(version, Counts())
    baseline = _baseline(row, since, windows, old, new)
    so_far = _sum(baseline.values())
    return FlowAdoption(
        address=row.address,
        version=version,
        applied_at=row.applied_at,
        previous=tuple(sorted(baseline.keys() - {version}, key=lambda name: -baseline[name].conversations)),
        move=Move.LATER if _applied_after(row, since, windows.after.end) else _move(version, old, new, latest),
        share=_share(on_new.conversations, all_after.conversations),
        latest_share=_share(latest[version], latest.total()),
        versions=tuple(
            VersionCounts(version=name, before=old.get(name, Counts()), after=new.get(name, Counts()))
            for name in sorted({*old, *new}, key=version_order, reverse=True)
        ),
        before=_sum(old.values()),
        after=all_after,
        baseline=so_far,
        on_new=on_new,
        disconnects=compare(so_far.disconnects, so_far.ended, on_new.disconnects, on_new.ended),
        errors=compare(so_far.errors, so_far.ended, on_new.errors, on_new.ended),
        steps_before=_steps(windows.before, step, _stretches(windows.before, step, before), version),
        steps_after=_steps(windows.after, step, stretches, version),
    )


def version_name(version: str | None) -> str:
    """One spelling for a version that is written ``3`` here and ``3.0`` there (ANALYTICS-1)."""
    if version is None:
        return NOT_TOLD
    return f"{version}.0" if _WHOLE.fullmatch(version) else version


def version_order(version: str) -> tuple[int, ...]:
    """What versions are sorted by; one that is no number comes before all others."""
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(_WHOLE.fullmatch(part) for part in parts) else ()


def _by_version(counts: Iterable[FlowCount]) -> dict[str, Counts]:
    found: dict[str, Counts] = defaultdict(Counts)
    for count in counts:
        found[version_name(count.version)] += Counts(
            conversations=count.entered,
            ended=count.ended,
            # More of them than have ended would make no share.
            disconnects=min(count.disconnected, count.ended),
            errors=count.ended if count.exit_reason in ERRORS else 0,
            exits={count.exit_reason: count.ended} if count.exit_reason else {},
        )
    return {version: total for version, total in found.items() if total.conversations or total.ended}


def _baseline(
    row: Row, since: Since, windows: Windows, old: Mapping[str, Counts], new: Mapping[str, Counts]
) -> dict[str, Counts]:
    """What the new version is held against, by version: what was before.

    Where the flow was applied only in the midst of the time since, that includes the older versions until then.
    """
    found = dict(old)
    if _applied_after(row, since, windows.after.start):
        for name, counts in new.items():
            if version_order(name) < version_order(version_name(row.version)):
                found[name] = found.get(name, Counts()) + counts
    return found


def _sum(counts: Iterable[Counts]) -> Counts:
    total = Counts()
    for one in counts:
        total += one
    return total


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _stretches(window: Window, step: timedelta, counts: Iterable[FlowCount]) -> list[Counter[str]]:
    """Conversations by version in each stretch of a window, also where there are none.

    What the org calls a stretch goes by its middle, so that clocks that are set forward, or an org that cuts at
    full hours, do no harm. The last stretch takes in less than half a one that is left over.
    """
    number = max(1, round((window.end - window.start) / step))
    found: list[Counter[str]] = [Counter() for _ in range(number)]
    for count in counts:
        middle = count.start + (count.end - count.start) / 2
        place = min(max((middle - window.start) // step, 0), number - 1)
        found[place][version_name(count.version)] += count.entered
    return found


def _latest(stretches: Sequence[Counter[str]]) -> Counter[str]:
    seen: Counter[str] = Counter()
    for stretch in reversed(stretches):
        seen += stretch
        if seen.total() >= LATEST:
            break
    return seen


def _move(version: str, old: Mapping[str, Counts], new: Mapping[str, Counts], latest: Counter[str]) -> Move:
    if not latest:
        return Move.NO_TRAFFIC
    if any(version_order(name) > version_order(version) for name in latest):
        return Move.SUPERSEDED
    if version not in new:
        return Move.NOT_MOVED
    if set(old) == {version}:
        return Move.UNCHANGED if set(new) == {version} else Move.MOVING
    return Move.MOVED if set(latest) == {version} else Move.MOVING


def _applied_after(row: Row, since: Since, moment: datetime) -> bool:
    """Whether a flow was applied later than that; by the run itself it was not, whatever clock its row went by."""
    by_the_run = since.run is not None and row.run == since.run
    return not by_the_run and row.applied_at is not None and row.applied_at >= moment


def _steps(window: Window, step: timedelta, stretches: Sequence[Counter[str]], version: str) -> tuple[Step, ...]:
    return tuple(
        Step(
            start=window.start + number * step,
            end=window.start + (number + 1) * step if number + 1 < len(stretches) else window.end,
            conversations=stretch.total(),
            on_new=stretch[version],
        )
        for number, stretch in enumerate(stretches)
    )
