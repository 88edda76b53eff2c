"""``reconciler apply``: applies a saved plan exactly, or plans and applies."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import DEFAULT_ENVIRONMENT, Excludes, OptionalEnv, Prune, Targets, command
from reconciler.cli.output import interactive, people, say
from reconciler.cli.session import STATE, Connected, connect, holder, open_without_specs, open_workspace
from reconciler.cli.telling import telling
from reconciler.cli.trail import trail_of
from reconciler.engine.apply import Apply
from reconciler.engine.document import Plan, load_plan
from reconciler.engine.journal import Journal
from reconciler.engine.outcome import RunReport
from reconciler.engine.proof import tests_after
from reconciler.engine.refusals import StalePlanError, refuse_unsaved
from reconciler.engine.republish import unmanaged_of
from reconciler.engine.rollback.request import Back
from reconciler.engine.timing import LONGEST_WAIT, Timing, moment_of, zone_of
from reconciler.engine.workspace import Scope, Workspace
from reconciler.problems import ReconcilerError
from reconciler.report.progress import Progress
from reconciler.report.text import plan_text, run_text
from reconciler.specs import EventName

if TYPE_CHECKING:
    from reconciler.notify.telling import Telling


@dataclass(frozen=True)
class Options:
    """How a run is to be carried out."""

    auto_approve: bool = False
    republish_unmanaged: bool = False
    timing: Timing = field(default_factory=Timing)
    back: Back | None = None
    """What to go back to; None makes the org as the specs say."""
    rollback_on_failure: bool = False
    told: Telling | None = None
    """Tells hooks of the run; None where there are none."""


At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="Begin at this time, e.g. 2026-11-21T02:00+01:00.")
]
WaitForWindow = Annotated[
    bool, typer.Option("--wait-for-window", help="Begin when the environment's next window opens.")
]
OverrideWindow = Annotated[
    str | None,
    typer.Option("--override-window", metavar="REASON", help="Begin although no window is open; recorded."),
]
RepublishUnmanaged = Annotated[
    bool,
    typer.Option(
        "--republish-unmanaged",
        help="Publish flows outside the specs again as they are, where they hold a module that changes.",
    ),
]
MaxWait = Annotated[float, typer.Option("--max-wait", metavar="HOURS", min=0, help="Refuse to wait longer than this.")]

EVENTS: tuple[EventName, ...] = ("started", "applied", "failed", "drift", "rolled-back")
"""What a run may have to tell."""
LONGEST_HOURS = LONGEST_WAIT.total_seconds() / 3600
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
    republish_unmanaged: RepublishUnmanaged = False,
    rollback_on_failure: Annotated[
        bool,
        typer.Option("--rollback-on-failure", help="If a change fails, take back what this run has applied."),
    ] = False,
    at: At = None,
    wait_for_window: WaitForWindow = False,
    override_window: OverrideWindow = None,
    max_wait: MaxWait = LONGEST_HOURS,
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
    name = env or (plan.environment if plan else DEFAULT_ENVIRONMENT)
    back = Back.of(plan.rollback) if plan is not None and plan.rollback else None
    workspace = open_workspace(name, tests=None) if back is None else open_without_specs(name)
    if plan is None:
        # Before credentials are looked for, a sandbox is started or a journal is begun.
        refuse_unsaved(workspace)
    options = Options(
        auto_approve=auto_approve,
        republish_unmanaged=republish_unmanaged,
        timing=timing_of(workspace, at, override_window, max_wait, wait_for_window=wait_for_window),
        back=back,
        rollback_on_failure=rollback_on_failure,
    )
    return perform(workspace, plan, scope, options)


def perform(workspace: Workspace, plan: Plan | None, scope: Scope, options: Options) -> int:
    """Carries out one run, says and tells how it ended, and returns its exit code."""
    with telling(workspace, *EVENTS, plan=plan) as told:
        report = run_interruptible(carry_out(workspace, plan, scope, replace(options, told=told)))
        say(run_text(report))
    return report.exit_code


def timing_of(
    workspace: Workspace, at: str | None, override: str | None, max_wait: float, *, wait_for_window: bool
) -> Timing:
    """When the run may begin, as the options say.

    Raises:
        ReconcilerError: a time or a reason is none.
    """
    if override is not None and not override.strip():
        raise ReconcilerError("--override-window needs a reason.", remedy="Say why it cannot wait; it is recorded.")
    return Timing(
        at=moment_of(at, zone_of(workspace.environment)) if at else None,
        wait_for_window=wait_for_window,
        # It is written down, and an argument may hold bytes that are no text.
        override=override.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if override else None,
        longest=timedelta(hours=max_wait),
    )


async def carry_out(workspace: Workspace, plan: Plan | None, scope: Scope, options: Options) -> RunReport:
    """One run, with its journal and live progress; a plan is applied as it is, else one is made of the scope."""
    run = secrets.token_hex(6)
    journal = Journal(workspace.root / STATE / "runs" / workspace.environment.name / f"{run}.jsonl")
    try:
        async with connect(workspace) as connected:
            with Progress(people(), live=interactive()) as progress:
                applying = _applying(workspace, connected, run, journal, progress, options)
                applying.on_locked = lambda: _locked(applying, progress, options.told)
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
    options: Options,
) -> Apply:
    trail = trail_of(workspace, connected, progress.notice)
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
        # The trail first: a run that cannot be put on record is refused, and nobody is told that it began.
        witnesses=tuple(witness for witness in (trail, options.told) if witness),
        audit_head=lambda: trail.head if trail else None,
        back=options.back,
        rollback_on_failure=options.rollback_on_failure,
        secret_env=os.environ,
        confirm=lambda plan: _confirm(workspace, plan, options),
    )


def _confirm(workspace: Workspace, plan: Plan, options: Options) -> bool:
    if options.told is not None:
        options.told.plan = plan
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


def _locked(applying: Apply, progress: Progress, told: Telling | None) -> None:
    """The lock is held: signals let the run end in order, and hooks are told how it ends."""
    if told is not None:
        told.locked(applying.run)
    _stop_on_signals(applying, progress)


def _stop_on_signals(applying: Apply, progress: Progress) -> None:
    """The first signal lets running changes end; a second one ends the process as usual."""
    loop = asyncio.get_running_loop()

    def stop(received: signal.Signals) -> None:
        applying.stop()
        for each in STOP_SIGNALS:
            loop.remove_signal_handler(each)
        # The second one may strike in any task: it ends the process, and its traceback is nobody's business.
        loop.set_exception_handler(_but_for_interrupts)
        progress.notice(f"{received.name}: stopping after the changes that are running; once more stops at once.")

    for received in STOP_SIGNALS:
        loop.add_signal_handler(received, stop, received)


def _but_for_interrupts(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), KeyboardInterrupt):
        loop.default_exception_handler(context)
