"""``reconciler smoke``: runs workflows in the org and compares how they end with what the tests expect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, command
from reconciler.cli.output import document, say
from reconciler.cli.session import connect, open_workspace
from reconciler.engine.smoke import SmokeRun, chosen_tests
from reconciler.engine.smoke_report import SmokeReport, SmokeResult
from reconciler.engine.workspace import Workspace
from reconciler.problems import ReconcilerError
from reconciler.report.findings import findings_json
from reconciler.report.junit import junit, junit_failure
from reconciler.report.smoke import SmokeLines, smoke_closing, smoke_head, smoke_json
from reconciler.specs import SmokeTest


class SmokeFormat(StrEnum):
    """What goes to stdout beside the lines for people."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "smoke", smoke)


def smoke(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Only tests of these names (globs); all by default.")
    ] = None,
    env: Env = DEFAULT_ENVIRONMENT,
    format: Annotated[
        SmokeFormat, typer.Option("--format", help="text for people; json or junit on stdout as well, for programs.")
    ] = SmokeFormat.TEXT,
) -> int:
    """Run the smoke tests: workflows are really executed in the org of the environment.

    Exits with 1 if a test is not passed or could not be run.
    """
    with _told_as(format, env):
        workspace = open_workspace(env, tests=True)
        tests = chosen_tests(workspace, names or ())
        report = run_interruptible(_run(workspace, tests))
    say([smoke_closing(report)])
    match format:
        case SmokeFormat.JSON:
            document(json.dumps(smoke_json(report), indent=2, ensure_ascii=False))
        case SmokeFormat.JUNIT:
            document(junit(report))
        case SmokeFormat.TEXT:
            pass
    return 0 if report.passed else 1


class _Lines:
    """Tells people what happens, line by line."""

    def __init__(self) -> None:
        self._lines = SmokeLines()

    def smoke_started(self, org: str, count: int, of: int) -> None:
        """See ``Listener``."""
        say([smoke_head(org, count, of)])

    def smoke_ended(self, result: SmokeResult) -> None:
        """See ``Listener``."""
        say(self._lines.of(result))


async def _run(workspace: Workspace, tests: tuple[SmokeTest, ...]) -> SmokeReport:
    async with connect(workspace) as connected:
        return await SmokeRun(workspace, connected.platform, tests, _Lines()).run()


@contextmanager
def _told_as(format: SmokeFormat, environment: str) -> Iterator[None]:
    """Also a run that does not come to its tests leaves one document; the error goes on."""
    try:
        yield
    except ReconcilerError as error:
        match format:
            case SmokeFormat.JSON:
                document(json.dumps(findings_json(error.findings, (), error), indent=2, ensure_ascii=False))
            case SmokeFormat.JUNIT:
                document(junit_failure(environment, error))
            case SmokeFormat.TEXT:
                pass
        raise
