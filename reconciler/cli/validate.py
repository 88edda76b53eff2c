"""``reconciler validate``: everything that can be checked without an org."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, command
from reconciler.cli.output import document, say
from reconciler.cli.session import open_workspace, repository_root
from reconciler.engine.circles import is_circular
from reconciler.engine.limits.sizes import Sizes
from reconciler.problems import Finding, ReconcilerError, Silenced, SpecError
from reconciler.report.annotations import github_annotations
from reconciler.report.findings import findings_json, findings_text, summary
from reconciler.report.sarif import sarif
from reconciler.specs import Catalog

WORKSPACE = "GITHUB_WORKSPACE"
"""Where GitHub Actions has checked out what is scanned; files are named from there on."""


class ValidateFormat(StrEnum):
    """How findings are shown."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "validate", validate)


def validate(
    env: Env = DEFAULT_ENVIRONMENT,
    format: Annotated[
        ValidateFormat,
        typer.Option("--format", help="text for people, json or sarif for programs, github for annotations."),
    ] = ValidateFormat.TEXT,
) -> int:
    """Check all specs offline: render, parse, references between them, and what callers run into in each flow.

    Exits with 1 if there are errors, in every format; warnings and remarks do not count.
    """
    try:
        workspace = open_workspace(env, offline=True, tests=True)
        if is_circular(workspace.catalog):
            _explain_circle(workspace.catalog)
    except ReconcilerError as error:
        silenced = error.silenced if isinstance(error, SpecError) else ()
        _document(format, error.findings, silenced, error)
        raise
    sizes = Sizes(workspace.cache, workspace.environment.org.id)
    findings = (*workspace.catalog.findings, *sizes.findings(workspace.catalog.resources.values()))
    silenced = workspace.catalog.silenced
    _document(format, findings, silenced)
    if format is ValidateFormat.TEXT:
        say(findings_text(findings))
        count = len(workspace.catalog.resources)
        tests = len(workspace.catalog.smoke_tests)
        and_tests = f" and {tests} smoke test{'' if tests == 1 else 's'}" if tests else ""
        release = workspace.environment.release
        of_release = f" at release {release}" if release else ""
        say(
            [
                Text(
                    f"{count} resources{and_tests} are valid for {env}{of_release}; {summary(findings, silenced)}.",
                    style="green",
                )
            ]
        )
    return 0


def _explain_circle(catalog: Catalog) -> None:
    # Finding the circles takes the planner, which is slow to load.
    from reconciler.engine.planner import check_order

    check_order(catalog)


def _document(
    format: ValidateFormat,
    findings: Sequence[Finding],
    silenced: Sequence[Silenced],
    error: ReconcilerError | None = None,
) -> None:
    """What programs read; also of a run that failed."""
    # A failure without findings would otherwise leave no trace in formats that hold nothing else.
    failure = error if error is not None and not error.findings else None
    match format:
        case ValidateFormat.JSON:
            document(json.dumps(findings_json(findings, silenced, error), indent=2, ensure_ascii=False))
        case ValidateFormat.SARIF:
            log = sarif(findings, silenced, prefix=_prefix(), failure=failure)
            document(json.dumps(log, indent=2, ensure_ascii=False))
        case ValidateFormat.GITHUB:
            for line in github_annotations(findings, prefix=_prefix(), failure=failure):
                document(line)
        case ValidateFormat.TEXT:
            pass


def _prefix() -> str:
    """``specs/`` where the specs lie in that folder of what GitHub scans; else empty."""
    workspace = os.environ.get(WORKSPACE)
    try:
        inside = repository_root().relative_to(Path(workspace).resolve()) if workspace else Path()
    except (ReconcilerError, ValueError):
        return ""
    return "" if inside == Path() else f"{inside.as_posix()}/"
