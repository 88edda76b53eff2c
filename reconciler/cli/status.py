"""``reconciler status``: where all environments stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import ListFormat, command
from reconciler.cli.output import Listing, document, say
from reconciler.cli.session import connect, open_workspace, repository_root
from reconciler.engine.concurrency import together
from reconciler.engine.planner import make_plan
from reconciler.engine.status import EnvironmentStatus, last_run, status_of
from reconciler.engine.workspace import Scope, Workspace
from reconciler.ledger import now_utc
from reconciler.problems import ReconcilerError
from reconciler.report.status import status_text
from reconciler.specs import WorkingTree, environment_names
from reconciler.specs.git_log import commits_between
from reconciler.specs.loader import DIRECTORIES


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "status", status)


def status(
    env: Annotated[
        list[str] | None, typer.Option("--env", metavar="E", help="Only this environment. Repeatable.")
    ] = None,
    format: ListFormat = Listing.TEXT,
) -> int:
    """Show where the environments stand: applied commit, pending changes, drift, last apply.

    Exits with 1 if one of them could not be looked at.
    """
    root = repository_root()
    found = run_interruptible(_all(root, env or environment_names(WorkingTree(root))))
    if format is Listing.JSON:
        document(json.dumps([one.model_dump(mode="json") for one in found], indent=2, ensure_ascii=False))
    else:
        say(status_text(found, now_utc()))
    return 1 if any(one.problem for one in found) else 0


async def _all(root: Path, names: list[str]) -> list[EnvironmentStatus]:
    return list(await together(_one(root, name) for name in names))


async def _one(root: Path, name: str) -> EnvironmentStatus:
    """What is wrong with one environment does not keep the others from being shown."""
    try:
        return await _look(root, open_workspace(name))
    except ReconcilerError as error:
        first = f"{error.findings[0]} ({error.message})" if error.findings else error.message
        return EnvironmentStatus(environment=name, problem=first, remedy=error.remedy)


async def _look(root: Path, workspace: Workspace) -> EnvironmentStatus:
    async with connect(workspace) as connected:
        planning = await make_plan(workspace, connected.platform, connected.ledger, Scope())
    last = last_run(planning)
    beyond = commits_between(root, last.commit, "HEAD", DIRECTORIES) if last and last.commit else None
    return status_of(planning, None if beyond is None else len(beyond))
