"""``reconciler sandbox serve``: a sandbox org for other clients."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.options import command
from reconciler.problems import ReconcilerError


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="A Genesys Cloud org on this machine, for trying things out.", no_args_is_help=True)
    command(group, "serve", serve)
    app.add_typer(group, name="sandbox")


def serve(
    port: Annotated[int, typer.Option("--port", metavar="P", min=0, max=65535, help="0 takes a free one.")] = 0,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FILE", help="SQLite file that keeps the org; else a temporary one."),
    ] = None,
    seed: Annotated[
        Path | None, typer.Option("--seed", metavar="FILE", help="YAML file of what the org holds at first.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Enforce rate limits and refuse unknown query parameters.")
    ] = False,
    faults: Annotated[
        Path | None, typer.Option("--faults", metavar="FILE", help="YAML file of what is to go wrong.")
    ] = None,
) -> int:
    """Serve a sandbox org on loopback; prints one JSON line with addresses and credentials when ready."""
    from reconciler.sandbox.server import serve as serve_sandbox  # only this command pays for a web server

    try:
        serve_sandbox(port=port, data=data, seed=seed, strict=strict, faults=faults)
    except (OSError, sqlite3.Error) as error:
        raise ReconcilerError(
            f"The sandbox cannot be served: {error}.", remedy="Take another --port, or check the --data file."
        ) from None
    return 0
