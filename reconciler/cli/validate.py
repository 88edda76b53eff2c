"""``reconciler validate``: everything that can be checked without an org."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.text import Text

from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, command
from reconciler.cli.output import Format, document, say
from reconciler.cli.planfile import failed_as_json
from reconciler.cli.session import open_workspace
from reconciler.engine.planner import check_order
from reconciler.report.text import findings_text


class ValidateFormat(StrEnum):
    """How findings are shown."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "validate", validate)


def validate(
    env: Env = DEFAULT_ENVIRONMENT,
    format: Annotated[ValidateFormat, typer.Option("--format", help="text or json.")] = ValidateFormat.TEXT,
) -> int:
    """Check all specs offline: render, parse, references between them."""
    with failed_as_json(Format(format.value)):
        workspace = open_workspace(env, offline=True)
        check_order(workspace.catalog)
    findings = workspace.catalog.findings
    if format is ValidateFormat.JSON:
        document(json.dumps({"findings": [f.model_dump(mode="json") for f in findings]}, indent=2, ensure_ascii=False))
        return 0
    say(findings_text(findings))
    count = len(workspace.catalog.resources)
    say([Text(f"{count} resources are valid for {env}; {len(findings)} findings.", style="green")])
    return 0
