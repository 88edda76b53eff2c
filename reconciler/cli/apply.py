"""``reconciler apply``: applies a saved plan exactly, or plans and applies."""

from __future__ import annotations

import asyncio
import secrets
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import DEFAULT_ENVIRONMENT, Excludes, OptionalEnv, Prune, Targets, command
from reconciler.cli.output import interactive, people, say
from reconciler.cli.session import STATE, Connected, connect, holder, open_workspace
from reconciler.engine.apply import Apply
from reconciler.engine.document import Plan, load_plan
from reconciler.engine.journal import Journal
from reconciler.engine.outcome import RunReport
from reconciler.engine.proof import tests_after
from reconciler.engine.refusals import StalePlanError, refuse_unsaved
from reconciler.engine.republish import unmanaged_of
from reconciler.engine.timing import LONGEST_WAIT, Timing, moment_of, zone_of
from reconciler.engine.workspace import Scope, Workspace
from reconciler.problems import ReconcilerError
from reconciler.report.progress import Progress
from reconciler.report.text import plan_text, run_text


@dataclass(frozen=True)
class _Options:
    auto_approve: bool
    republish_unmanaged: bool
    timing: Timing


STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "apply", apply)


def apply(
    planfile: Annotated[
        Path | None, typer.Argument(metavar="[PLANFILE]", help="A saved plan; without one, plan and apply.")
    ] = None,
    env: OptionalEnv = None,
    auto_approve: Annotated[bool, typer.Option("--auto-approve", help="Do not ask before applying.")] = False,
    target: Targets = None,
    exclude: Excludes = None,
    prune: Prune = False,
    republish_unmanaged: Annotated[
        bool,
        typer.Option(
            "--republish-unmanaged",
            help="Publish flows outside the specs again as they are, where they hold a module that changes.",
        ),
    ] = False,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Begin at this time, e.g. 2026-11-21T02:00+01:00.")
    ] = None,
    wait_for_window: Annotated[
        bool, typer.Option("--wait-for-window", help="Begin when the environment's next window opens.")
    ] = False,
    override_window: Annotated[
        str | None,
        typer.Option("--override-window", metavar="REASON", help="Begin although no window is open; recorded."),
    ] = None,
    max_wait: Annotated[
        float, typer.Option("--max-wait", metavar="HOURS", min=0, help="Refuse to wait longer than this.")
    ] = LONGEST_WAIT.total_seconds() / 3600,
) -> int:
    """Make the org as the specs say."""
    scope = Scope(tuple(target or ()), tuple(exclude or ()), prune)
    if planfile is not None and scope != Scope():
        raise ReconcilerError(
            "A saved plan is applied as it is; --target, --exclude and --prune belong to `plan`.",
            remedy="Leave them out, or plan again with them.",
        )
    plan = load_plan(planfile) if planfile is not None else None
    if plan is not None and env is not None and env != plan.environment:
        raise StalePlanError(
            f"The plan was made for the environment {plan.environment!r}, not for {env!r}.",
            remedy=f"Apply it with --env {plan.environment}, or plan again.",
        )
    workspace = open_workspace(env or (plan.environment if plan else DEFAULT_ENVIRONMENT), tests=None)
    if plan is None:
        # Before credentials are looked for, a sandbox is started or a journal is begun.
        refuse_unsaved(workspace)
    if override_window is not None and not override_window.strip():
        raise ReconcilerError("--override-window needs a reason.", remedy="Say why it cannot wait; it is recorded.")
    timing = Timing(
        at=moment_of(at, zone_of(workspace.environment)) if at else None,
        wait_for_window=wait_for_window,
        override=override_window,
        longest=timedelta(hours=max_wait),
    )
    report = run_interruptible(_apply(workspace, plan, scope, _Options(auto_approve, republish_unmanaged, timing)))
    say(run_text(report))
    return report.exit_code


async def _apply(workspace: Workspace, plan: Plan | None, scope: Scope, options: _Options) -> RunReport:
    run = secrets.token_hex(6)
    journal = Journal(workspace.root / STATE / "runs" / workspace.environment.name / f"{run}.jsonl")
    try:
        async with connect(workspace) as connected:
            with Progress(people(), live=interactive()) as progress:
                applying = _applying(workspace, connected, run, journal, progress, options)
                applying.on_locked = lambda: _stop_on_signals(applying, progress)
                if plan is None:
                    _, report = await applying.run_fresh(scope)
                else:
                    _, report = await applying.run_saved(plan)
    finally:
        journal.close()
    return report


def _applying(
    workspace: Workspace,
    connected: Connected,
    run: str,
    journal: Journal,
    progress: Progress,
    options: _Options,
) -> Apply:
    return Apply(
        workspace=workspace,
        platform=connected.platform,
        ledger=connected.ledger,
        holder=holder(),
        run=run,
        journal=journal,
        listener=progress,
        mask=connected.mask,
        republish_unmanaged=options.republish_unmanaged,
        timing=options.timing,
        confirm=lambda plan: _confirm(workspace, plan, options),
    )


def _confirm(workspace: Workspace, plan: Plan, options: _Options) -> bool:
    say(plan_text(plan))
    if tests := tests_after(workspace, plan.changes):
        named = ", ".join(f"'{test.name}'" for test in tests)
        say([Text(f"Afterwards these smoke tests run workflows in the org: {named}.", style="dim")])
    if options.republish_unmanaged and (outside := unmanaged_of(plan)):
        named = ", ".join(consumer.address for consumer in outside)
        say([Text(f"Published again as they are, although no spec manages them: {named}.", style="yellow")])
    if options.auto_approve or not plan.changes:
        return True
    if not interactive():
        raise ReconcilerError(
            "There is nobody to ask whether to apply this plan.",
            remedy="Pass --auto-approve, or save a plan, have it reviewed and apply that.",
        )
    # asyncio would swallow the first Ctrl-C while the question waits.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return typer.confirm("Apply this?", err=True)
    except (typer.Abort, KeyboardInterrupt):
        say([Text()])
        return False
    finally:
        signal.signal(signal.SIGINT, before)


def _stop_on_signals(applying: Apply, progress: Progress) -> None:
    """The first signal lets running changes end; a second one ends the process as usual."""
    loop = asyncio.get_running_loop()

    def stop(received: signal.Signals) -> None:
        applying.stop()
        for each in STOP_SIGNALS:
            loop.remove_signal_handler(each)
        progress.notice(f"{received.name}: stopping after the changes that are running; once more stops at once.")

    for received in STOP_SIGNALS:
        loop.add_signal_handler(received, stop, received)
