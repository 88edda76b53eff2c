"""``reconciler limits``: the org's limits, and how full they are."""

from __future__ import annotations

import json

import typer

from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, ListFormat, command
from reconciler.cli.output import Listing, document, say
from reconciler.cli.session import connect, open_workspace
from reconciler.engine.limits.report import LimitsReport, limits_report
from reconciler.engine.workspace import Workspace
from reconciler.report.limits import limits_text


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "limits", limits)


def limits(env: Env = DEFAULT_ENVIRONMENT, format: ListFormat = Listing.TEXT) -> int:
    """Show the org's limits, what counts against them, and how full they are."""
    report = run_interruptible(_report(open_workspace(env, offline=True)))
    if format is Listing.JSON:
        document(json.dumps(report.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        say(limits_text(report))
    return 0


async def _report(workspace: Workspace) -> LimitsReport:
    async with connect(workspace) as connected:
        return await limits_report(workspace, connected.platform, connected.ledger)
