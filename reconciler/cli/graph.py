"""``reconciler graph``: who needs whom, as a picture in text form."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, command
from reconciler.cli.output import document
from reconciler.cli.session import open_workspace
from reconciler.engine.dependencies import catalog_graph
from reconciler.report.pictures import dot, mermaid


class GraphFormat(StrEnum):
    """Languages for graphs."""

    MERMAID = "mermaid"
    DOT = "dot"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "graph", graph)


def graph(
    env: Env = DEFAULT_ENVIRONMENT,
    format: Annotated[GraphFormat, typer.Option("--format", help="mermaid or dot.")] = GraphFormat.MERMAID,
) -> int:
    """Draw which resource needs which; arrows point at what is needed."""
    made = catalog_graph(open_workspace(env, offline=True).catalog)
    document(mermaid(made) if format is GraphFormat.MERMAID else dot(made))
    return 0
