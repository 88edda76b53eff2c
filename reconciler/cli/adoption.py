"""``reconciler adoption``: whether callers have moved to what was applied, and whether they fare worse on it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, command
from reconciler.cli.output import Format, document, people, say
from reconciler.cli.planfile import failed_as_json
from reconciler.cli.session import connect, open_workspace
from reconciler.engine.adoption import AdoptionReport, measure_adoption, read_duration, read_zone
from reconciler.engine.workspace import Workspace
from reconciler.report.adoption import adoption_html, adoption_markdown, adoption_text


class AdoptionFormat(StrEnum):
    """How adoption is shown."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


Addresses = Annotated[
    list[str] | None,
    typer.Argument(metavar="ADDRESS", help="These flows, or the flows that hold these modules; also globs."),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="WHEN",
        help="A date and time, a duration such as 2d or 12h, or a run id from `history`; else the last apply.",
    ),
]
WindowOption = Annotated[
    str | None,
    typer.Option("--window", metavar="DURATION", help="Compare at most so long, such as 1d; else until now, or 28d."),
]
ZoneOption = Annotated[str, typer.Option("--time-zone", metavar="ZONE", help="Such as Europe/Copenhagen.")]
FormatOption = Annotated[
    AdoptionFormat, typer.Option("--format", help="text, markdown and html for people, json for programs.")
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "adoption", adoption)


def adoption(
    addresses: Addresses = None,
    env: Env = DEFAULT_ENVIRONMENT,
    since: SinceOption = None,
    window: WindowOption = None,
    time_zone: ZoneOption = "UTC",
    format: FormatOption = AdoptionFormat.TEXT,
) -> int:
    """Show whether calls have moved to the version applied last, and disconnects and flow errors before and since.

    Only reads. Without an address, shows the flows that were applied since.
    """
    with failed_as_json(Format.JSON if format is AdoptionFormat.JSON else Format.TEXT):
        read_zone(time_zone)
        length = read_duration(window) if window is not None else None
        workspace = open_workspace(env, offline=True)
        report = run_interruptible(_measured(workspace, addresses or [], since, length, time_zone))
    _show(report, format)
    return 0


async def _measured(
    workspace: Workspace, addresses: list[str], since: str | None, length: timedelta | None, time_zone: str
) -> AdoptionReport:
    async with connect(workspace) as connected:
        return await measure_adoption(
            workspace,
            connected.platform,
            connected.ledger,
            addresses=addresses,
            since=since,
            length=length,
            time_zone=time_zone,
        )


def _show(report: AdoptionReport, format: AdoptionFormat) -> None:
    match format:
        case AdoptionFormat.JSON:
            document(report.model_dump_json(indent=2))
        case AdoptionFormat.MARKDOWN:
            document(adoption_markdown(report))
        case AdoptionFormat.HTML:
            document(adoption_html(report))
        case AdoptionFormat.TEXT:
            say(adoption_text(report, blocks=not people().options.ascii_only))
