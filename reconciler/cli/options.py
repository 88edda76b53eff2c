"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, NoReturn, ParamSpec

import typer

from reconciler.cli.output import Format, Listing

DEFAULT_ENVIRONMENT = "local"

Env = Annotated[str, typer.Option("--env", metavar="E", help="The environment, a file in environments/.")]
OptionalEnv = Annotated[
    str | None, typer.Option("--env", metavar="E", help="The environment; of a saved plan, its own by default.")
]
Targets = Annotated[
    list[str] | None,
    typer.Option("--target", metavar="GLOB", help="Only these addresses, and what they depend on. Repeatable."),
]
Excludes = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="GLOB", help="Not these addresses, nor what depends on them. Repeatable."),
]
Prune = Annotated[bool, typer.Option("--prune", help="Delete what was applied once and is in the specs no longer.")]
PlanFormat = Annotated[Format, typer.Option("--format", help="text, markdown and html for people, json for programs.")]
ListFormat = Annotated[Listing, typer.Option("--format", help="text for people, json for programs.")]
PlanFile = Annotated[Path, typer.Argument(metavar="PLANFILE", help="A plan that `plan --out` saved.")]

Parameters = ParamSpec("Parameters")


def command(app: typer.Typer, name: str, function: Callable[Parameters, int], **settings: bool) -> None:
    """Adds a command whose function returns its exit code; ``settings`` go into its context."""

    @wraps(function)
    def leave(*args: Parameters.args, **kwargs: Parameters.kwargs) -> NoReturn:
        raise typer.Exit(function(*args, **kwargs))

    app.command(name, context_settings=settings)(leave)
