"""``reconciler history``: the last runs of an environment, out of its ledger."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, ListFormat, command
from reconciler.cli.output import Listing, document, say
from reconciler.cli.session import connect, open_workspace
from reconciler.engine.workspace import Workspace
from reconciler.ledger import RunRecord
from reconciler.report.history import history_text
from reconciler.specs.git_log import commit_named


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "history", history)


def history(
    env: Env = DEFAULT_ENVIRONMENT,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many, the last ones.")] = 20,
    format: ListFormat = Listing.TEXT,
) -> int:
    """Show the last applies of an environment: when, who, which commit, what was done, newest first."""
    workspace = open_workspace(env, offline=True)
    runs = run_interruptible(_runs(workspace))[::-1][:limit]
    if format is Listing.JSON:
        document(json.dumps([run.model_dump(mode="json") for run in runs], indent=2, ensure_ascii=False))
        return 0
    commits = {run.commit: commit_named(workspace.root, run.commit) for run in runs if run.commit}
    say(history_text(env, runs, commits))
    return 0


async def _runs(workspace: Workspace) -> tuple[RunRecord, ...]:
    async with connect(workspace) as connected:
        return (await connected.ledger.read()).runs
