"""``reconciler plan``: what would change, and why."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, Excludes, PlanFormat, Prune, Targets, command
from reconciler.cli.output import Format, say
from reconciler.cli.planfile import failed_as_json, show_plan
from reconciler.cli.session import connect, open_workspace
from reconciler.cli.telling import telling
from reconciler.engine.document import Plan, save_plan
from reconciler.engine.planner import make_plan
from reconciler.engine.workspace import Scope, Workspace


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "plan", plan)


def plan(
    env: Env = DEFAULT_ENVIRONMENT,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Save the plan for apply.")] = None,
    format: PlanFormat = Format.TEXT,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 when there are changes.")
    ] = False,
    target: Targets = None,
    exclude: Excludes = None,
    prune: Prune = False,
) -> int:
    """Show what would change in the org, and why. Nothing is changed.

    Text is written to stderr; JSON, Markdown and HTML are written to stdout.
    """
    scope = Scope(tuple(target or ()), tuple(exclude or ()), prune)
    with failed_as_json(format):
        workspace = open_workspace(env, tests=None)
        made = run_interruptible(_plan(workspace, scope))
    deliver(made, workspace, out, format)
    if made.errors:
        return 1
    return 2 if detailed_exitcode and made.changes else 0


def deliver(made: Plan, workspace: Workspace, out: Path | None, format: Format) -> None:
    """Saves a plan where it is to be saved, shows it, and tells the hooks of it."""
    try:
        # Before it is shown: whoever pages through it may leave in the middle.
        if out is not None:
            save_plan(made, out)
    finally:
        show_plan(made, format)
    if out is not None:
        say([Text(_saved(made, out), style="dim")])
    with telling(workspace, "planned", "drift") as told:
        if told is not None:
            told.planned(made)


def _saved(plan: Plan, out: Path) -> str:
    """What to do with a plan that was saved, for people."""
    if plan.errors or not plan.changes:
        return f"Saved as {out}."
    command = "make apply" if os.environ.get("MAKELEVEL") else f"reconciler apply {shlex.quote(str(out))}"
    return f"Saved as {out}; `{command}` does exactly this."


async def _plan(workspace: Workspace, scope: Scope) -> Plan:
    async with connect(workspace) as connected:
        planning = await make_plan(workspace, connected.platform, connected.ledger, scope)
    return planning.plan
