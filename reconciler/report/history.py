"""The last runs of an environment, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from reconciler.ledger import RunRecord, stamp
from reconciler.report.words import plural
from reconciler.specs.git_log import LoggedCommit

ENDINGS = {0: "", 1: "nothing was applied", 3: "stopped: the lock was lost, or objects had changed", 4: "in part"}


def history_text(
    environment: str, runs: Sequence[RunRecord], commits: Mapping[str, LoggedCommit | None]
) -> Iterator[Text]:
    """Two lines a run: when, who and what; and the commit."""
    if not runs:
        yield Text(f"The ledger of {environment} remembers no run.")
        return
    for run in runs:
        line = Text(stamp(run.at), style="bold")
        line.append(f"  run {run.run} by {run.by}", style="default")
        yield line
        yield Text(f"  {_deeds(run)}", style="green" if run.exit_code == 0 else "yellow")
        if run.rollback:
            yield Text(f"  rollback {run.rollback}", style="yellow")
        if run.override:
            yield Text(f"  outside the windows: {run.override}", style="yellow")
        yield Text(f"  {_commit(run, commits.get(run.commit or ''))}", style="dim")


def _deeds(run: RunRecord) -> str:
    done = [f"{count} {action}" for action, count in run.actions.items()]
    parts = [f"{run.applied} applied ({', '.join(done)})" if done else "no changes"]
    left = ((run.failed, "failed"), (run.skipped, "skipped"), (run.not_started, "not started"), (run.healed, "healed"))
    parts += [f"{count} {what}" for count, what in left if count]
    if run.unproven:
        parts.append(f"{run.unproven} smoke test{'' if run.unproven == 1 else 's'} not passed")
    if run.rolled_back:
        parts.append(f"{run.rolled_back} taken back")
    if run.not_proven:
        parts.append(f"{plural(run.not_proven, 'check')} not proven")
    all_applied = not (run.failed or run.skipped or run.not_started)
    ending = "" if (run.unproven or run.not_proven) and all_applied else ENDINGS.get(run.exit_code, "")
    return f"{', '.join(parts)} in {run.seconds:.1f} s{f'; {ending}' if ending else ''}"


def _commit(run: RunRecord, commit: LoggedCommit | None) -> str:
    if run.commit is None:
        return "not in Git"
    subject = f" {commit.subject}" if commit else ""
    release = f" (release {run.release})" if run.release and not run.commit.startswith(run.release) else ""
    return f"commit {run.commit[:12]}{release}{subject}{' and uncommitted changes' if run.dirty else ''}"
