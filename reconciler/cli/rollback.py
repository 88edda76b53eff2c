"""``reconciler rollback``: undoes a run, or goes back to a commit, as a plan like any other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.apply import (
    LONGEST_HOURS,
    At,
    MaxWait,
    Options,
    OverrideWindow,
    RepublishUnmanaged,
    WaitForWindow,
    perform,
    timing_of,
)
from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, PlanFormat, command
from reconciler.cli.output import Format
from reconciler.cli.plan import deliver
from reconciler.cli.planfile import failed_as_json
from reconciler.cli.session import connect, open_without_specs
from reconciler.engine.document import Plan
from reconciler.engine.refusals import refuse_unsaved
from reconciler.engine.rollback.plan import plan_rollback
from reconciler.engine.rollback.request import Back
from reconciler.engine.workspace import Scope, Workspace
from reconciler.problems import ReconcilerError
from reconciler.specs.git import resolve


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "rollback", rollback)


def rollback(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="The run to undo (`history` lists them); the last one if left out."),
    ] = None,
    address: Annotated[
        list[str] | None, typer.Argument(metavar="[ADDRESS]", help="Only these addresses or globs. Repeatable.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="COMMIT", help="Go back to this commit instead.")] = None,
    env: Env = DEFAULT_ENVIRONMENT,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Only plan, and save the plan for apply.")
    ] = None,
    format: PlanFormat = Format.TEXT,
    auto_approve: Annotated[bool, typer.Option("--auto-approve", help="Do not ask before applying.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete what was not there then.")] = False,
    republish_unmanaged: RepublishUnmanaged = False,
    at: At = None,
    wait_for_window: WaitForWindow = False,
    override_window: OverrideWindow = None,
    max_wait: MaxWait = LONGEST_HOURS,
) -> int:
    """Publish what was live before: undo a run, or go back to a commit.

    Earlier versions are published again without an upload where the org still has them, else from Git. It shows
    the plan and asks before it does anything; with --out it only plans.
    """
    workspace = open_without_specs(env)
    back = _asked(workspace, tuple(filter(None, (run, *(address or ())))), to)
    scope = Scope(prune=prune)
    if out is not None:
        return _plan(workspace, back, scope, out, format)
    if format is not Format.TEXT:
        raise ReconcilerError(
            f"--format {format.value} belongs to a plan that is only made, not to one that is carried out.",
            remedy="Add --out FILE; `reconciler apply FILE` carries it out.",
        )
    refuse_unsaved(workspace)
    timing = timing_of(workspace, at, override_window, max_wait, wait_for_window=wait_for_window)
    options = Options(auto_approve, republish_unmanaged=republish_unmanaged, timing=timing, back=back)
    return perform(workspace, None, scope, options)


def _asked(workspace: Workspace, what: tuple[str, ...], to: str | None) -> Back:
    runs = [word for word in what if "/" not in word and "*" not in word]
    addresses = tuple(word for word in what if word not in runs)
    if len(runs) > 1:
        raise ReconcilerError(
            f"Only one run can be undone at a time, not {' and '.join(runs)}.",
            remedy="An address looks like 'inboundCall/Sales'; a run is named before the addresses.",
        )
    if to is not None and runs:
        raise ReconcilerError(f"Either a run ({runs[0]}) or a commit (--to {to}), not both.", remedy="Leave one out.")
    commit = resolve(workspace.root, to) if to is not None else None
    return Back(run=runs[0] if runs else None, commit=commit, addresses=addresses)


def _plan(workspace: Workspace, back: Back, scope: Scope, out: Path, format: Format) -> int:
    with failed_as_json(format):
        made = run_interruptible(_planned(workspace, back, scope))
    deliver(made, workspace, out, format)
    return 1 if made.errors else 0


async def _planned(workspace: Workspace, back: Back, scope: Scope) -> Plan:
    async with connect(workspace) as connected:
        planning, _ = await plan_rollback(
            workspace, connected.platform, connected.ledger, back, scope, secret_env=os.environ
        )
    return planning.plan
