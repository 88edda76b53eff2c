"""One entry for each change of a plan, and for each object that drifted and is left as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import groupby

from reconciler.engine.document import NOT_THERE, Action, Change, Drift, Plan, Reach
from reconciler.problems import Finding, Severity
from reconciler.report.markdown.differences import ToldDifferences
from reconciler.report.markdown.escaping import cut
from reconciler.report.markdown.fitting import Entry
from reconciler.report.markdown.templating import rendered
from reconciler.report.words import moment, plural

SQUARES = {
    Action.CREATE: "🟩",
    Action.UPDATE: "🟨",
    Action.REPUBLISH: "🟦",
    Action.ADOPT: "🟪",
    Action.DELETE: "🟥",
}
"""The colours of the picture, as signs that every site shows."""
DRIFTED = "🟧"
_REASON = 100
_IN_THIS_PLAN = ", which this plan publishes"


def change_entries(plan: Plan) -> list[Entry]:
    """The changes, in the order of execution."""
    numbers = {change.address: number for number, change in enumerate(plan.changes, 1)}
    reach = {one.address: one for one in plan.reach}
    drift = {one.address: one for one in plan.drift}
    findings: dict[str, list[Finding]] = {}
    for finding in plan.findings:
        findings.setdefault(finding.address or "", []).append(finding)
    return [
        _change_entry(
            change, numbers, reach.get(change.address), drift.get(change.address), findings.get(change.address, [])
        )
        for change in plan.changes
    ]


def drift_entries(plan: Plan, *, unless_changed: bool) -> list[Entry]:
    """Objects that drifted; ``unless_changed``: those that no change of the plan speaks of."""
    changed = {change.address for change in plan.changes} if unless_changed else set()
    return [_drift_entry(drift) for drift in plan.drift if drift.address not in changed]


def drift_words(drift: Drift) -> str:
    """Who changed it and when, and which version is live instead of which."""
    who = f"changed by {cut(drift.published_by, _REASON)}" if drift.published_by else "changed"
    when = f" on {moment(drift.published_at)}" if drift.published_at else ""
    return cut(f"{who}{when}{_versions(drift)}", 3 * _REASON)


def _versions(drift: Drift) -> str:
    if drift.live_version is None:
        return f": version {drift.recorded_version} was applied, nothing of it is live"
    if drift.recorded_version in (None, drift.live_version):
        return ""
    return f": version {drift.recorded_version} was applied, {drift.live_version} is live"


def _change_entry(
    change: Change, numbers: dict[str, int], reach: Reach | None, drift: Drift | None, findings: Sequence[Finding]
) -> Entry:
    shown = partial(
        rendered,
        number=numbers[change.address],
        square=SQUARES[change.action],
        change=change,
        words=" · ".join(_words(change, reach, drift, findings)),
        after=[(numbers[address], address) for address in change.depends_on if address in numbers],
        reach=reach,
        drift=drift,
        drift_words=drift_words(drift) if drift else "",
    )
    return Entry(
        detailed=cache(
            lambda level: shown(
                "change",
                level=level,
                findings=[one for one in findings if level.remarks or one.severity is not Severity.INFO],
                differences=ToldDifferences(change.diff, level),
                drift_differences=ToldDifferences(drift.diff if drift else (), level),
            )
        ),
        line=shown("change_line"),
        has_differences=bool(change.diff or (drift and drift.diff)),
    )


def _drift_entry(drift: Drift) -> Entry:
    count = plural(len(drift.diff), "difference") if drift.diff else ""
    shown = partial(
        rendered, square=DRIFTED, drift=drift, words=" · ".join(part for part in (drift_words(drift), count) if part)
    )
    return Entry(
        detailed=cache(lambda level: shown("drifted", differences=ToldDifferences(drift.diff, level))),
        line=shown("drifted_line"),
        has_differences=bool(drift.diff),
    )


def _words(change: Change, reach: Reach | None, drift: Drift | None, findings: Sequence[Finding]) -> Iterator[str]:
    """In a few words, what makes this change worth opening."""
    if change.diff:
        yield plural(len(change.diff), "difference")
    reasons = [reason.removesuffix(_IN_THIS_PLAN) for reason in change.reasons if reason != NOT_THERE]
    if drift:
        yield "drifted"
    elif reasons and not (change.diff and reasons == ["the spec changed"]):
        more = len(reasons) - 1
        yield cut(reasons[0], _REASON) + (f" and {plural(more, 'more reason')}" if more else "")
    numbers = {number for ivr in reach.ivrs for number in ivr.numbers} if reach else ()
    if numbers and change.action is not Action.ADOPT:
        yield f"reaches {plural(len(numbers), 'phone number')}"
    for severity, some in groupby(sorted(findings, key=lambda one: one.severity), key=lambda one: one.severity):
        if severity is not Severity.INFO:
            yield plural(len(list(some)), severity.value)
