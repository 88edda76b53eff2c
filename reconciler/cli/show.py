"""``reconciler show``: a saved plan, rendered again."""

from __future__ import annotations

import typer

from reconciler.cli.options import PlanFile, PlanFormat, command
from reconciler.cli.output import Format
from reconciler.cli.planfile import show_plan
from reconciler.engine.document import load_plan


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "show", show)


def show(planfile: PlanFile, format: PlanFormat = Format.TEXT) -> int:
    """Show a saved plan; no org is asked."""
    show_plan(load_plan(planfile), format)
    return 0
