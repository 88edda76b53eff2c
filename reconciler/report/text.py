"""A plan and a run as text for telephony people: counts first, then each change with reasons and effect."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from rich.text import Text

from reconciler.engine.document import NOT_THERE, Action, Change, Difference, Drift, Plan, Reach
from reconciler.engine.outcome import Outcome, Result, Retreat, RunReport
from reconciler.problems import Finding, Severity
from reconciler.report.findings import finding_text, findings_text
from reconciler.report.smoke import smoke_closing
from reconciler.report.verify import verified_text
from reconciler.report.words import MARKED, ivr_text, moment, plan_title, plural, shown_value

STYLES = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.REPUBLISH: "cyan",
    Action.ADOPT: "blue",
    Action.DELETE: "red",
}
OUTCOME_STYLES = {
    Outcome.APPLIED: "green",
    Outcome.FAILED: "bold red",
    Outcome.SKIPPED: "yellow",
    Outcome.NOT_STARTED: "dim",
}
SIGNS = {
    "add": ("+", "green"),
    "remove": ("-", "red"),
    "change": ("~", "yellow"),
    "move": ("»", "cyan"),
    "rename": ("~", "yellow"),
}
SELF_EVIDENT = {NOT_THERE}
"""Reasons that the action itself tells."""
DIFFERENCES_SHOWN = 25
UNMANAGED_SHOWN = 10
REACHED_SHOWN = 5


def plan_text(plan: Plan) -> Iterator[Text]:
    """The plan, line by line: counts, what forbids or endangers it, the changes, the rest."""
    yield Text(f"{plan_title(plan)} · org {plan.org.name}{_release(plan)}", style="bold")
    yield _counts(plan)
    yield from _reached(plan)
    for severity in (Severity.ERROR, Severity.WARNING):
        for finding in _shown(plan.findings, severity):
            yield from finding_text(finding)
    numbers = {change.address: number for number, change in enumerate(plan.changes, 1)}
    width = len(str(len(plan.changes)))
    if plan.changes:
        yield Text()
    reach = {reach.address: reach for reach in plan.reach}
    for change in plan.changes:
        yield from _change(change, numbers, width)
        if change.address in reach and change.action not in (Action.CREATE, Action.ADOPT):
            yield from _reach(reach[change.address], " " * (width + 2))
    yield from _drift_section(plan, numbers)
    notes = list(_shown(plan.findings, Severity.INFO))
    if notes:
        yield Text()
        yield from findings_text(notes)
    yield from _unmanaged_section(plan)
    yield Text()
    yield _closing(plan)


def drift_text(plan: Plan) -> Iterator[Text]:
    """Drift alone, with what to do about it."""
    yield Text(f"Drift in {plan.environment} · org {plan.org.name}{_release(plan)}", style="bold")
    if not plan.drift:
        yield Text("No drift: the org is as it was applied last.", style="green")
        return
    yield Text(f"  {plural(len(plan.drift), 'object')} changed in the org since the last apply", style="yellow")
    for drift in plan.drift:
        yield Text()
        yield from _drift(drift)
    yield Text()
    yield Text("To keep a change, take it over into the spec; `plan` shows what apply would do.", style="dim")


def result_text(result: Result) -> Text:
    """One line on how a change ended."""
    line = Text()
    line.append(f"{result.outcome.value:<11}", style=OUTCOME_STYLES[result.outcome])
    line.append(f" {result.action.value:<9} {result.address}")
    if result.outcome is Outcome.APPLIED:
        line.append(f"  {_versions(result)}{result.seconds:.1f} s", style="dim")
    elif result.message and result.outcome is not Outcome.NOT_STARTED:
        line.append(f"\n            {result.message}")
        if result.remedy:
            line.append(f"\n            {result.remedy}", style="dim")
    return line


def run_text(report: RunReport) -> Iterator[Text]:
    """The summary of a run, with timings."""
    parts = [f"{report.count(outcome)} {outcome.value}" for outcome in Outcome if report.count(outcome)]
    yield Text()
    if not report.results:
        yield Text("Nothing to apply.", style="green")
    else:
        style = "green" if report.complete else "bold red"
        yield Text(f"Run {report.run}: {', '.join(parts)} in {report.seconds:.1f} s.", style=style)
        if report.count(Outcome.APPLIED) > 1:
            yield Text(f"From the first change to the last: {report.publish_seconds:.1f} s.", style="dim")
        done = [result for result in report.results if result.seconds]
        slowest = sorted(done, key=lambda result: -result.seconds)[:3]
        if len(done) > len(slowest) and slowest[0].seconds >= 1:
            yield Text(
                "Slowest: " + ", ".join(f"{result.address} {result.seconds:.1f} s" for result in slowest), style="dim"
            )
    for address in report.healed:
        yield Text(f"{address}: the same content under another version; noted in the ledger.", style="dim")
    if report.stopped and report.count(Outcome.NOT_STARTED):
        yield Text("The run was stopped; what was not started was left alone.", style="yellow")
    if report.lock_lost:
        yield Text(report.lock_lost, style="bold red")
    if report.retreat is not None:
        yield from _retreat(report.retreat)
    elif not report.complete:
        yield _to_go_on(report)
    if report.verification is not None and report.retreat is None:
        yield from verified_text(report.verification, complete=report.complete)
    yield from _proof(report)
    if report.rollback is not None and report.count(Outcome.APPLIED):
        yield Text(
            "The specs do not say so yet: revert the change in Git, or pin `release:` in the environment; "
            "else the next apply brings it back.",
            style="yellow",
        )


def _to_go_on(report: RunReport) -> Text:
    if report.rollback is None:
        return Text("To go on, plan again and apply that: it holds only what is left.", style="dim")
    # A plan from the specs would lead forward again, to what is rolled back.
    again = shlex.join(("reconciler", "rollback", "--env", report.environment, *report.rollback.words))
    return Text(f"To go on, roll back again: {again}", style="dim")


def _retreat(retreat: Retreat) -> Iterator[Text]:
    """What became of taking the run's own changes back."""
    if retreat.complete:
        count = plural(retreat.taken_back, "object")
        yield Text(f"Rolled back, because {retreat.why}: {count} as before this run.", style="bold yellow")
        return
    yield Text(f"Rolled back in part only, because {retreat.why}. Look at the org:", style="bold red")
    for sentence in retreat.left:
        yield Text(f"  {sentence}", style="red")
    for result in retreat.results:
        if result.outcome is not Outcome.APPLIED:
            yield Text(f"  {result.address} is not as before: {result.message}", style="red")


def _proof(report: RunReport) -> Iterator[Text]:
    """What came of the smoke tests after the run."""
    smoke = report.smoke
    if smoke is None or not (report.results or smoke.results):
        return
    yield smoke_closing(smoke)
    if not smoke.passed:
        names = ", ".join(f"'{result.name}'" for result in smoke.not_passed)
        if report.retreat is None:
            applied = "All changes were applied" if report.complete else "What was applied stays applied"
            yield Text(
                f"{applied}, but not every smoke test was passed: {names}. "
                "Nothing was taken back (smoke.on_failure: report).",
                style="bold red",
            )
        yield Text(f"To run the tests again: reconciler smoke --env {report.environment}", style="dim")


def _release(plan: Plan) -> str:
    """Which revision the specs come from, where that is not what lies in the working tree."""
    release, commit = plan.source.release, plan.source.commit or ""
    if release is None:
        return ""
    return f" · release {commit[:12]}" if commit.startswith(release) else f" · release {release} ({commit[:12]})"


def _counts(plan: Plan) -> Text:
    summary = plan.summary
    line = Text("  ")
    for action in Action:
        count = getattr(summary, action.value)
        line.append(f"{count} to {action.value}", style=STYLES[action] if count else "dim")
        line.append(" · ", style="dim")
    line.append(f"{summary.unchanged} unchanged", style="dim")
    if plan.drift:
        line.append(f" · {len(plan.drift)} drifted", style="bold yellow")
    return line


def _reached(plan: Plan) -> Iterator[Text]:
    """Which lines and numbers the whole plan touches: what a reviewer wants to know first."""
    ivrs = list(plan.reached_ivrs.values())
    if ivrs:
        numbers = len({number for ivr in ivrs for number in ivr.numbers})
        line = Text(f"  reaches {plural(len(ivrs), 'IVR')} with {plural(numbers, 'phone number')}: ")
        yield line.append(_listed(map(ivr_text, ivrs)))


def _reach(reach: Reach, indent: str) -> Iterator[Text]:
    if reach.ivrs:
        yield Text(f"{indent}reaches {_listed(map(ivr_text, reach.ivrs))}", style="dim")
    if reach.unmanaged:
        left = _listed(consumer.address for consumer in reach.unmanaged)
        yield Text(f"{indent}leaves the old copy in {left}, which no spec manages", style="yellow")


def _listed(texts: Iterable[str]) -> str:
    listed = list(texts)
    more = len(listed) - REACHED_SHOWN
    return "; ".join(listed[:REACHED_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _change(change: Change, numbers: dict[str, int], width: int) -> Iterator[Text]:
    head = Text(f"{numbers[change.address]:>{width}}. ")
    head.append(f"{change.action.value:<9}", style=f"bold {STYLES[change.action]}")
    head.append(f" {change.address}", style="bold")
    after = [str(numbers[address]) for address in change.depends_on if address in numbers]
    if after:
        head.append(f"  after {', '.join(sorted(after, key=int))}", style="dim")
    yield head
    indent = " " * (width + 2)
    for reason in change.reasons:
        if reason not in SELF_EVIDENT:
            yield Text(f"{indent}{reason}", style="dim")
    if change.diff_basis == "live export" and change.diff:
        yield Text(f"{indent}(compared with the live flow, as far as the spec says anything)", style="dim")
    yield from _differences(change.diff, indent)


def _differences(differences: Iterable[Difference], indent: str) -> Iterator[Text]:
    listed = list(differences)
    for difference in listed[:DIFFERENCES_SHOWN]:
        sign, style = SIGNS[difference.op]
        yield Text(f"{indent}{sign} {difference.text or difference.path}", style=style)
        if difference.detail:
            yield _words(f"{indent}    ", difference.detail)
        if difference.text:
            continue
        if difference.op != "add":
            yield Text(f"{indent}    was  {shown_value(difference.before)}", style="red")
        if difference.op != "remove":
            yield Text(
                f"{indent}    {'now' if difference.op == 'change' else '   '}  {shown_value(difference.after)}",
                style="green",
            )
    if len(listed) > DIFFERENCES_SHOWN:
        yield Text(f"{indent}… and {len(listed) - DIFFERENCES_SHOWN} more differences", style="dim")


def _words(indent: str, detail: str) -> Text:
    """The words of a text, with those taken out and put in marked."""
    line = Text(indent, style="dim")
    for part in MARKED.split(detail):
        style = "red" if part.startswith("[-") else "green" if part.startswith("{+") else "dim"
        line.append(part, style=style)
    return line


def _drift_section(plan: Plan, numbers: dict[str, int]) -> Iterator[Text]:
    if not plan.drift:
        return
    yield Text()
    yield Text("Changed in the org since it was applied (drift):", style="bold yellow")
    told = {change.address for change in plan.changes if change.diff_basis != "last applied spec"}
    for drift in plan.drift:
        if drift.address in told:
            yield Text(f"  {drift.address}: see {numbers[drift.address]} above")
        else:
            yield from _drift(drift)


def _drift(drift: Drift) -> Iterator[Text]:
    line = Text("  ")
    line.append(drift.address, style="bold")
    if drift.live_version is None:
        line.append(f": version {drift.recorded_version} was applied, nothing of it is live")
    elif drift.recorded_version != drift.live_version:
        line.append(f": version {drift.recorded_version} was applied, {drift.live_version} is live")
    yield line
    if drift.published_by or drift.published_at:
        when = f" at {moment(drift.published_at)}" if drift.published_at else ""
        yield Text(f"    changed by {drift.published_by or 'somebody'}{when}", style="dim")
    yield from _differences(drift.diff, "    ")


def _shown(findings: Iterable[Finding], severity: Severity) -> Iterator[Finding]:
    return (finding for finding in findings if finding.severity is severity)


def _unmanaged_section(plan: Plan) -> Iterator[Text]:
    if not plan.unmanaged:
        return
    yield Text()
    count = len(plan.unmanaged)
    yield Text(f"{count} object{'s' if count > 1 else ''} in the org that no spec manages, left alone:", style="dim")
    for address in plan.unmanaged[:UNMANAGED_SHOWN]:
        yield Text(f"  {address}", style="dim")
    if count > UNMANAGED_SHOWN:
        yield Text(f"  … and {count - UNMANAGED_SHOWN} more (all of them in --format json)", style="dim")


def _closing(plan: Plan) -> Text:
    if plan.errors:
        return Text(f"This plan cannot be applied: {plural(len(plan.errors), 'error')}, see above.", style="bold red")
    if plan.changes:
        counts = [f"{count} to {a.value}" for a in Action if (count := getattr(plan.summary, a.value))]
        return Text(f"{plural(plan.summary.pending, 'change')}: {', '.join(counts)}.", style="bold")
    if plan.rollback:
        return Text(f"No changes: there is nothing to take back (rollback {plan.rollback.told}).", style="green")
    left = len(plan.drift)
    if left:
        return Text(f"No changes; {plural(left, 'object')} drifted and left so (policy on_drift).", style="yellow")
    verb = "is as the specs want it" if plan.summary.unchanged == 1 else "are as the specs want them"
    return Text(f"No changes. {plural(plan.summary.unchanged, 'resource')} {verb}.", style="green")


def _versions(result: Result) -> str:
    if result.version_after is None:
        return ""
    if result.version_before is None or result.version_before == result.version_after:
        return f"version {result.version_after} · "
    return f"version {result.version_before} → {result.version_after} · "
