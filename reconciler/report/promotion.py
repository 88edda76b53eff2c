"""What `promote` tells: the proof in one environment, and the step that another one takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from reconciler.engine.planner import Planning
from reconciler.ledger import stamp
from reconciler.report.words import plural
from reconciler.specs.git_log import LoggedCommit

COMMITS_SHOWN = 15


def proof_text(planning: Planning, commit: LoggedCommit | None) -> Iterator[Text]:
    """That an environment runs a commit, and since when."""
    plan = planning.plan
    named = f"{commit.short} {commit.subject!r}, {commit.author}" if commit else (plan.source.commit or "")[:12]
    line = Text(f"{plan.environment} runs commit ", style="bold")
    yield line.append(named)
    last = next(iter(planning.observation.ledger.runs[::-1]), None)
    applied = f"; last applied {stamp(last.at)} by {last.by}" if last else ""
    yield Text(f"  no pending changes, no drift, {plan.summary.unchanged} resources{applied}", style="green")
    if last is not None and last.not_proven:
        checks = plural(last.not_proven, "check")
        yield Text(
            f"  {checks} not proven after that apply; `reconciler verify --env {plan.environment}` tells",
            style="bold yellow",
        )
    if last is not None and last.unproven:
        count = f"{last.unproven} smoke test{'' if last.unproven == 1 else 's'}"
        yield Text(
            f"  {count} not passed after that apply; `reconciler smoke --env {plan.environment}` tells",
            style="bold yellow",
        )


def step_text(
    environment: str,
    file: str,
    before: str | None,
    commit: str,
    commits: Sequence[LoggedCommit] | None,
    *,
    goes_back: bool,
) -> Iterator[Text]:
    """From which release an environment goes to which, and the commits in between."""
    was = f"from {before} to {commit[:12]}" if before else f"to {commit[:12]}; until now it pinned no release"
    if before == commit:
        yield Text(f"{environment} is at this commit already; {file} stays as it is.")
        return
    yield Text(f"{environment} goes {was}  ({file})", style="bold")
    if goes_back:
        yield Text(
            f"  {commit[:12]} does not hold all that {before} has: {environment} goes back, or to a side branch.",
            style="bold yellow",
        )
    for logged in (commits or [])[:COMMITS_SHOWN]:
        yield Text(f"  + {logged.short} {logged.at:%Y-%m-%d} {logged.subject} ({logged.author})", style="dim")
    more = len(commits or []) - COMMITS_SHOWN
    if more > 0:
        yield Text(f"  + and {more} more commits", style="dim")
