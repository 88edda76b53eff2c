"""``reconciler graph``: the estate, or one flow of it, as a picture."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reconciler.cli.graphviz import svg
from reconciler.cli.options import DEFAULT_ENVIRONMENT, OptionalEnv, command
from reconciler.cli.output import document, say
from reconciler.cli.session import open_workspace
from reconciler.engine.document import Plan, load_plan
from reconciler.engine.estate import estate_of
from reconciler.files import replace_file
from reconciler.kinds.registry import kind_of
from reconciler.problems import ReconcilerError
from reconciler.report.charts import Chart, beyond_mermaid, dot, mermaid
from reconciler.report.charts.estate import Marks, estate_chart
from reconciler.report.charts.flow import flow_chart
from reconciler.specs import Catalog
from reconciler.suggest import near


class GraphFormat(StrEnum):
    """Languages for pictures."""

    MERMAID = "mermaid"
    DOT = "dot"
    SVG = "svg"


_ENDINGS = {".svg": GraphFormat.SVG, ".dot": GraphFormat.DOT, ".gv": GraphFormat.DOT}

Address = Annotated[
    str | None,
    typer.Argument(metavar="ADDRESS", help="Draw this one: a flow as a call-flow chart, others with what they need."),
]
ChosenFormat = Annotated[
    GraphFormat | None,
    typer.Option("--format", help="mermaid, dot, or svg (needs Graphviz). By the ending of --out, else mermaid."),
]
PlanOption = Annotated[
    Path | None,
    typer.Option("--plan", metavar="PLANFILE", help="Colour what this saved plan changes, and mark what that reaches."),
]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the picture to this file.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "graph", graph)


def graph(
    address: Address = None,
    env: OptionalEnv = None,
    format: ChosenFormat = None,
    plan: PlanOption = None,
    out: Out = None,
) -> int:
    """Draw the estate, or one flow as a call-flow chart; arrows of the estate point at what is needed."""
    saved = load_plan(plan) if plan else None
    environment = _environment(env, saved)
    catalog = open_workspace(environment, offline=True).catalog
    if saved is not None and saved.source.digest != catalog.digest:
        say([Text("The specs have changed since the plan was made; the picture shows them as they are now.")])
    chosen = format or (_ENDINGS.get(out.suffix.lower()) if out else None) or GraphFormat.MERMAID
    chart = _chart(catalog, address, environment, saved)
    text = _written(chart, chosen)
    if out is None:
        document(text)
    else:
        _write(out, text)
    return 0


def _environment(named: str | None, plan: Plan | None) -> str:
    if plan is None:
        return named or DEFAULT_ENVIRONMENT
    if named not in (None, plan.environment):
        raise ReconcilerError(
            f"The plan is for the environment {plan.environment}, not {named}.",
            remedy=f"Leave --env out, or make a plan with `plan --env {named} --out FILE`.",
        )
    return plan.environment


def _chart(catalog: Catalog, address: str | None, environment: str, plan: Plan | None) -> Chart:
    marks = Marks({change.address: change.action for change in plan.changes}) if plan else None
    of_plan = f", plan {plan.id}" if plan else ""
    estate = estate_of(catalog, marks.actions if marks else ())
    if address is None:
        return estate_chart(estate, f"Environment {environment}{of_plan}", marks)
    if address not in estate.resources or (desired := catalog.resources.get(address)) is None:
        raise ReconcilerError(
            f"There is no {address} in the specs of the environment {environment}.",
            remedy=f"{near(address, catalog.resources)}`reconciler plan` and `reconciler graph` name all addresses.",
        )
    if not kind_of(desired.kind).content_in_versions:
        return estate_chart(estate.around(address), f"{address} in {environment}{of_plan}", marks)
    if plan is not None:
        raise ReconcilerError(
            "A plan is drawn on the estate, not on one flow.",
            remedy="Leave the address or --plan out; `reconciler show` tells what the plan changes inside a flow.",
        )
    return flow_chart(desired.root, desired.content.body)


def _written(chart: Chart, chosen: GraphFormat) -> str:
    if chosen is not GraphFormat.MERMAID:
        return dot(chart) if chosen is GraphFormat.DOT else svg(dot(chart))
    if beyond_mermaid(chart):
        say([Text("The picture is too large for Mermaid as GitHub and GitLab set it up; --format svg has no limit.")])
    return mermaid(chart)


def _write(path: Path, text: str) -> None:
    if path.is_dir() or not path.name:
        raise ReconcilerError(f"{path}: a folder, not a file.", remedy="Name a file for the picture.")
    try:
        replace_file(path, text)
    except OSError as error:
        raise ReconcilerError(f"{path}: the picture cannot be written there: {error.strerror}.") from None
