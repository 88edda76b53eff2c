"""``reconciler drift``: what somebody changed in the org since it was applied."""

from __future__ import annotations

import json

import typer

from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, PlanFormat, command
from reconciler.cli.output import Format, document, say
from reconciler.cli.planfile import failed_as_json
from reconciler.cli.session import connect, open_workspace
from reconciler.cli.telling import telling
from reconciler.engine.document import Plan
from reconciler.engine.planner import make_plan
from reconciler.engine.workspace import Scope, Workspace
from reconciler.problems import ReconcilerError
from reconciler.report.markdown import drift_markdown
from reconciler.report.text import drift_text


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "drift", drift)


def drift(env: Env = DEFAULT_ENVIRONMENT, format: PlanFormat = Format.TEXT) -> int:
    """Compare the org with what was applied last; exit code 2 when it differs."""
    if format is Format.HTML:
        raise ReconcilerError(
            "There is no page of drift alone.",
            remedy="`plan --format html` has a section on drift; `drift` prints text, JSON or Markdown.",
        )
    with failed_as_json(format):
        workspace = open_workspace(env)
        plan = run_interruptible(_plan(workspace))
    match format:
        case Format.JSON:
            document(_json(plan))
        case Format.MARKDOWN:
            document(drift_markdown(plan))
        case Format.TEXT:
            say(drift_text(plan))
    with telling(workspace, "drift") as told:
        if told is not None:
            told.drift_found(plan)
    return 2 if plan.drift else 0


async def _plan(workspace: Workspace) -> Plan:
    async with connect(workspace) as connected:
        return (await make_plan(workspace, connected.platform, connected.ledger, Scope())).plan


def _json(plan: Plan) -> str:
    return json.dumps(
        {
            "environment": plan.environment,
            "org": plan.org.model_dump(mode="json"),
            "drift": [drift.model_dump(mode="json") for drift in plan.drift],
        },
        indent=2,
        ensure_ascii=False,
    )
