"""``reconciler audit``: the trail of all applies, for people and collectors, checked, and beside the platform's own."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, ListFormat, command
from reconciler.cli.output import Format, Listing, document, say
from reconciler.cli.planfile import failed_as_json
from reconciler.cli.session import STATE, connect, open_workspace, repository_root
from reconciler.engine.audit.checking import Verification, verify
from reconciler.engine.audit.comparing import compare
from reconciler.engine.audit.comparison import Comparison
from reconciler.engine.audit.reading import TrailFile, later, read_trail, runs_of, since_of
from reconciler.engine.audit.trail import trail_path
from reconciler.engine.workspace import Workspace
from reconciler.files import replace_file
from reconciler.ledger import Snapshot
from reconciler.problems import ReconcilerError
from reconciler.report.audit import cef_line, comparison_text, ecs_event, trail_text, verification_text
from reconciler.specs import Environment, WorkingTree, load_environment

RUNS_SHOWN = 20
PLATFORM_BACK = timedelta(days=7)


class ExportFormat(StrEnum):
    """What collects the events."""

    JSONL = "jsonl"
    ECS = "ecs"
    CEF = "cef"


Since = Annotated[
    str | None,
    typer.Option("--since", metavar="WHEN", help="A date and time, a duration such as 2d or 12h, or a run id."),
]
Run = Annotated[str | None, typer.Option("--run", metavar="RUN", help="Only this run.")]
Files = Annotated[
    list[Path] | None, typer.Argument(metavar="FILE", help="Trails, also of other machines; else the environment's.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Show the audit trail: who applied what, when, with which outcome.")
    group.callback(invoke_without_command=True)(show)
    command(group, "export", export)
    command(group, "verify", check)
    command(group, "platform", platform)
    app.add_typer(group, name="audit")


def show(
    context: typer.Context,
    env: Annotated[
        str | None, typer.Option("--env", metavar="E", help="The environment, a file in environments/.")
    ] = None,
    since: Since = None,
    run: Run = None,
    beside: Annotated[
        bool, typer.Option("--platform", help="Set it beside the platform's own audit, and mark what is not ours.")
    ] = False,
    format: ListFormat = Listing.TEXT,
) -> None:
    """Show the audit trail: who applied what, when, with which outcome."""
    if context.invoked_subcommand is not None:
        if env or since or run or beside:
            raise ReconcilerError(
                f"Options of `audit {context.invoked_subcommand}` come after it.",
                remedy=f"Write `reconciler audit {context.invoked_subcommand} --env …`.",
            )
        return
    name = env or DEFAULT_ENVIRONMENT
    if beside:
        if run:
            raise ReconcilerError("--run does not go with --platform.", remedy=f"Write `--since {run}`.")
        raise typer.Exit(platform(None, name, since, format))
    raise typer.Exit(_show(name, since, run, format))


def _show(env: str, since: str | None, run: str | None, format: Listing) -> int:
    file = _own(env)
    runs = runs_of(file.records, env)
    if run is not None and run not in {one.run for one in runs}:
        raise ReconcilerError(f"{file.path} has no run {run!r}.", remedy="`reconciler audit` lists the runs.")
    found = [one for one in later(runs, since, datetime.now(UTC)) if run in (None, one.run)]
    if format is Listing.JSON:
        names = {one.run for one in found}
        document(_json([line.value for line in file.lines if line.record is not None and line.record.run in names]))
        return 0
    left_out = 0 if since or run else max(0, len(found) - RUNS_SHOWN)
    say(trail_text(env, str(file.path), found[left_out:], left_out))
    if file.torn:
        say([Text("The last line is incomplete; `reconciler audit verify` says more.", style="yellow")])
    return 0


def export(
    files: Files = None,
    env: Env = DEFAULT_ENVIRONMENT,
    since: Since = None,
    run: Run = None,
    format: Annotated[
        ExportFormat,
        typer.Option("--format", help="jsonl as it is kept, ecs for Elastic, cef for ArcSight and others."),
    ] = ExportFormat.JSONL,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to a file, not to stdout.")] = None,
) -> int:
    """Write the records in a form that collectors of security events (SIEM) take, one a line."""
    trails = _trails(env, files)
    runs = runs_of(record for trail in trails for record in trail.records)
    wanted = {one.run for one in later(runs, since, datetime.now(UTC))} & ({run} if run else {one.run for one in runs})
    lines = [line for trail in trails for line in _exported(trail, wanted, format)]
    text = "".join(f"{line}\n" for line in lines)
    if not verify(env, trails, None, parts=True).intact:
        say([Text("The trail is not intact; `reconciler audit verify` says why.", style="bold red")])
    if out is not None:
        try:
            replace_file(out, text)
        except OSError as error:
            raise ReconcilerError(f"{out}: cannot be written: {error.strerror}.") from None
        say([Text(f"{len(lines)} records written to {out}.")])
    elif text:
        document(text)
    return 0


def _exported(trail: TrailFile, runs: Collection[str], format: ExportFormat) -> Iterator[str]:
    started = {one.run: one.started for one in runs_of(trail.records)}
    places = [place for place, line in enumerate(trail.lines) if line.record is not None and line.record.run in runs]
    # As a chain it has no gaps: what other runs wrote between comes along.
    whole = range(places[0], places[-1] + 1) if places and format is ExportFormat.JSONL else places
    for line in (trail.lines[place] for place in whole):
        record = line.record
        if record is None or line.value is None:
            continue
        match format:
            case ExportFormat.JSONL:
                yield line.raw.decode("utf-8", "replace")
            case ExportFormat.ECS:
                yield json.dumps(ecs_event(line.value, record, started.get(record.run)))
            case ExportFormat.CEF:
                yield cef_line(record, started.get(record.run))


def check(
    files: Files = None,
    env: Env = DEFAULT_ENVIRONMENT,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the ledger; the end of the trail is not proven then.")
    ] = False,
    format: ListFormat = Listing.TEXT,
) -> int:
    """Check that nothing was changed in the trail, taken out of it, or cut off its end."""
    with failed_as_json(Format.JSON if format is Listing.JSON else Format.TEXT):
        trails = _trails(env, files, needed=offline)
        known = None if offline else run_interruptible(_remembered(open_workspace(env, offline=True)))
        if known and not any(run.audit for run in known.runs):
            # Nobody misses a trail.
            trails = _trails(env, files)
        holder = known.lock.run if known and known.lock else None
        found = verify(env, trails, known.runs if known else None, parts=bool(files), holder=holder)
    _show_check(found, format)
    return 0 if found.intact and found.complete else 1


def _show_check(found: Verification, format: Listing) -> None:
    if format is Listing.JSON:
        document(found.model_dump_json(indent=2))
    else:
        say(verification_text(found))


async def _remembered(workspace: Workspace) -> Snapshot:
    async with connect(workspace) as connected:
        return await connected.ledger.read()


def platform(
    files: Files = None,
    env: Env = DEFAULT_ENVIRONMENT,
    since: Since = None,
    format: ListFormat = Listing.TEXT,
) -> int:
    """Set the trail beside the platform's own audit, and mark what did not come from us; of the last 7 days."""
    with failed_as_json(Format.JSON if format is Listing.JSON else Format.TEXT):
        workspace = open_workspace(env, offline=True)
        trails = _trails(env, files, needed=False)
        found = run_interruptible(_compared(workspace, trails, since))
    if format is Listing.JSON:
        document(found.model_dump_json(indent=2))
    else:
        say(comparison_text(found))
    return found.exit_code


async def _compared(workspace: Workspace, trails: Sequence[TrailFile], since: str | None) -> Comparison:
    runs = runs_of((record for trail in trails for record in trail.records), workspace.environment.name)
    async with connect(workspace) as connected:
        await connected.platform.organization()
        now = connected.platform.now()
        start = since_of(since, now, runs) if since else now - PLATFORM_BACK
        return await compare(workspace, connected.platform, connected.ledger, runs, since=start)


def _trails(env: str, files: Sequence[Path] | None, *, needed: bool = True) -> list[TrailFile]:
    if files:
        return [read_trail(file) for file in files]
    path = _path(env)
    return [_own(env)] if needed or (path is not None and path.exists()) else []


def _own(env: str) -> TrailFile:
    path = _path(env)
    if path is None:
        raise ReconcilerError(
            f"The environment {env} keeps no audit trail.", remedy="Set `audit: {enabled: true}` in its file."
        )
    trail = read_trail(path)
    root = repository_root()
    return replace(trail, path=path.relative_to(root)) if path.is_relative_to(root) else trail


def _path(env: str) -> Path | None:
    root = repository_root()
    environment: Environment = load_environment(WorkingTree(root), env)
    return trail_path(root, environment, STATE)


def _json(values: Sequence[object]) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False)
