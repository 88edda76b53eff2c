"""The runs of an audit trail, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from reconciler.engine.audit.reading import TrailRun
from reconciler.engine.audit.record import AuditRecord
from reconciler.ledger import stamp
from reconciler.report.words import plural

OUTCOME_STYLES = {"applied": "green", "failed": "bold red", "skipped": "yellow", "not-started": "dim"}


def trail_text(environment: str, file: str, runs: Sequence[TrailRun], left_out: int) -> Iterator[Text]:
    """Each run: who, out of which commit, each change with its versions, and how it ended; oldest first."""
    yield Text(f"Audit trail of {environment} · {file}", style="bold")
    if left_out:
        yield Text(f"  the last {plural(len(runs), 'run')}; {left_out} before them: --since shows more", style="dim")
    if not runs:
        yield Text("  no run")
    for run in runs:
        yield Text()
        yield from _run(run)


def _run(run: TrailRun) -> Iterator[Text]:
    started = run.started
    line = Text(stamp(run.begin), style="bold")
    line.append(f"  run {run.run}" + (f" by {started.holder}" if started and started.holder else ""), style="default")
    yield line
    if started is not None:
        yield from _beginning(started)
    width = max((len(change.address or "") for change in run.changes), default=0)
    for change in run.changes:
        yield from _change(change, width)
    yield _end(run)
    yield from _retreat(run)


def _beginning(started: AuditRecord) -> Iterator[Text]:
    facts = [f"commit {started.commit[:12]}" if started.commit else "no commit"]
    if started.release:
        facts.append(f"release {started.release}")
    if started.dirty:
        facts.append("with changes that are in no commit")
    if started.plan:
        facts.append(f"plan {started.plan}")
    if started.pipeline is not None:
        facts.append(f"{started.pipeline.system} {started.pipeline.run or ''}".strip())
    elif started.machine:
        facts.append(f"on {started.machine}")
    if started.client:
        facts.append(f"OAuth client {started.client}")
    yield Text(f"  {', '.join(facts)}", style="dim")
    if started.rollback:
        yield Text(f"  rollback {started.rollback}", style="cyan")
    if started.override:
        yield Text(f"  outside the windows: {started.override}", style="yellow")
    for policy in started.policies:
        yield Text(f"  {policy}", style="yellow")


def _change(change: AuditRecord, width: int) -> Iterator[Text]:
    outcome = change.outcome or "?"
    line = Text("  ")
    line.append(f"{outcome:<11}", style=OUTCOME_STYLES.get(outcome, "default"))
    line.append(f" {change.action or '?':<9} {change.address or '?':<{width}}  {versions(change)}")
    if change.ms:
        line.append(f"  {change.ms / 1000:.1f} s", style="dim")
    line.rstrip()
    yield line
    if change.message:
        yield Text(f"    {change.message}", style="yellow")


def versions(change: AuditRecord) -> str:
    """The version before and after, as far as there is one."""
    before, after = change.version_before, change.version_after
    if change.outcome != "applied" or before == after:
        return f"at {before}" if before else ""
    return f"{before or 'new'} → {after or 'gone'}"


def _end(run: TrailRun) -> Text:
    ended = run.ended
    if ended is None:
        return Text("  no end: it was killed, or is not over yet", style="bold yellow")
    parts = [f"{count} {outcome}" for outcome, count in ended.counts.items()] or ["no changes"]
    if ended.healed:
        parts.append(f"{len(ended.healed)} healed")
    if ended.verification:
        checks = sum(ended.verification.values())
        bad = [f"{count} {outcome}" for outcome, count in ended.verification.items() if outcome != "proven"]
        parts.append(f"verified: {', '.join(bad) or plural(checks, 'check') + ' proven'}")
    if ended.smoke:
        failed = [name for name, status in ended.smoke.items() if status != "passed"]
        tests = plural(len(ended.smoke), "smoke test")
        parts.append(f"{tests}, not passed: {', '.join(failed)}" if failed else f"{tests} passed")
    if ended.lock_lost:
        parts.append("lock lost")
    if ended.stopped:
        parts.append("stopped")
    told = f"  ended after {ended.ms / 1000:.1f} s with exit code {ended.exit_code or 0}: {', '.join(parts)}"
    return Text(told, style="default" if not ended.exit_code else "yellow")


def _retreat(run: TrailRun) -> Iterator[Text]:
    retreat = run.ended.retreat if run.ended else None
    if retreat is None:
        return
    yield Text(f"  {plural(retreat.taken_back, 'change')} taken back, because {retreat.why}", style="yellow")
    for sentence in retreat.left:
        yield Text(f"    {sentence}", style="yellow")
