"""``reconciler verify``: asks the org whether callers get what the specs say."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.text import Text

from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, command
from reconciler.cli.output import Format, document, say
from reconciler.cli.planfile import failed_as_json
from reconciler.cli.session import connect, open_workspace
from reconciler.engine.verify.report import VerifyReport
from reconciler.engine.verify.run import Verification
from reconciler.engine.workspace import Workspace
from reconciler.report.verify import verify_json, verify_markdown, verify_text


class VerifyFormat(StrEnum):
    """How the checks are shown."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "verify", verify)


def verify(
    addresses: Annotated[
        list[str] | None,
        typer.Argument(metavar="ADDRESS", help="Only these (globs), what they use and who uses them; all by default."),
    ] = None,
    env: Env = DEFAULT_ENVIRONMENT,
    format: Annotated[
        VerifyFormat, typer.Option("--format", help="text for people; json or markdown on stdout.")
    ] = VerifyFormat.TEXT,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", metavar="SECONDS", min=0, help="How long to wait for an org that is behind."),
    ] = None,
) -> int:
    """Prove that callers get what the specs say: module versions, IVRs, phone numbers. Changes nothing.

    Exits with 1 if a check failed or could not be proven.
    """
    with failed_as_json(Format.JSON if format is VerifyFormat.JSON else Format.TEXT):
        workspace = open_workspace(env)
        seconds = workspace.environment.verify.timeout if timeout is None else timeout
        report = run_interruptible(_run(workspace, addresses or [], seconds))
    match format:
        case VerifyFormat.JSON:
            document(json.dumps(verify_json(report), indent=2, ensure_ascii=False))
        case VerifyFormat.MARKDOWN:
            document(verify_markdown(report))
        case VerifyFormat.TEXT:
            say(verify_text(report))
    return 0 if report.proven else 1


class _Lines:
    """Tells people what is waited for, once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def verify_started(self, count: int) -> None:
        """See ``Listener``."""

    def verify_waits(self, what: str) -> None:
        """See ``Listener``."""
        if what not in self._told:
            self._told.add(what)
            say([Text(f"Waiting for {what} …", style="dim")])

    def verify_ended(self) -> None:
        """See ``Listener``."""


async def _run(workspace: Workspace, patterns: list[str], seconds: float) -> VerifyReport:
    async with connect(workspace) as connected:
        return await Verification(workspace, connected.platform, _Lines(), seconds).on_demand(patterns)
