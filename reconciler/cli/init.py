"""``reconciler init``: a repository for a new team, which works at once."""

from __future__ import annotations

import shlex
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reconciler.cli.installed import vcs_requirement
from reconciler.cli.newrepository import write_repository
from reconciler.cli.options import command
from reconciler.cli.output import say
from reconciler.cli.scaffold import Choices, files_of
from reconciler.platform import REGIONS
from reconciler.problems import ReconcilerError
from reconciler.suggest import near

EXAMPLE_NAME = "Example Company"
LONGEST_NAME = 80


class Pipelines(StrEnum):
    """Whose pipelines to write."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "init", init)


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder; it may hold .git.")],
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What callers hear you are called.")
    ] = EXAMPLE_NAME,
    region: Annotated[
        str | None, typer.Option("--region", metavar="REGION", help="AWS region of your orgs, e.g. eu-west-1.")
    ] = None,
    pipelines: Annotated[
        Pipelines, typer.Option("--pipelines", help="Whose pipelines to write; they plan, apply and look for drift.")
    ] = Pipelines.GITHUB,
) -> int:
    """Write a repository for a new team, which works at once.

    It holds a first common module, a flow that calls it and an IVR; four environments, of which one is a sandbox org on
    your own machine; a Makefile, and settings for your editor. Nothing is ever overwritten.
    """
    choices = Choices(_checked_name(name), _checked_region(region), pipelines.value, vcs_requirement())
    files = files_of(choices)
    write_repository(directory, files)
    say([Text(f"Wrote {len(files)} files to {directory}.", style="green")])
    if pipelines is not Pipelines.NONE:
        say([Text(_about_pipelines(list(files), pipelines.value))])
    say([Text(line) for line in ("Next:", *_next(directory, pinned=choices.requirement is not None))])
    return 0


def _checked_name(name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > LONGEST_NAME or not clean.isprintable():
        raise ReconcilerError(
            f"--name takes 1 to {LONGEST_NAME} characters that can be seen.",
            remedy='Give the name that callers know, e.g. --name "Brackenmoor Energy".',
        )
    return clean


def _checked_region(region: str | None) -> str | None:
    if region is not None and region not in REGIONS:
        raise ReconcilerError(
            f"There is no region {region!r} of Genesys Cloud.",
            remedy=f"{near(region, REGIONS)}Known: {', '.join(REGIONS)}. Leave it out to fill it in later.",
        )
    return region


def _about_pipelines(files: list[str], forge: str) -> str:
    written = [path for path in files if path.startswith((".github/", ".gitlab"))]
    if not written:
        return f"This version brings no pipelines for {forge} along."
    return f"Pipelines: {', '.join(written)}. The comment at the top of each says what to set up before its first run."


def _next(directory: Path, *, pinned: bool) -> tuple[str, ...]:
    enter = () if directory.resolve() == Path.cwd() else (f"  cd {shlex.quote(str(directory))}",)
    # Where `make` would not find the tool by itself, it is told where this one is; here only, never in a file.
    known = pinned or shutil.which("reconciler")
    tell = () if known else (f"  export RECONCILER={shlex.quote(_this_command())}",)
    return (
        *enter,
        *tell,
        "  make plan      # what would change in the sandbox org on your own machine",
        "  make apply     # do it",
        "README.md says what is where, and how to go on to your own org.",
    )


def _this_command() -> str:
    own = Path(sys.argv[0])
    if own.name == "reconciler" and own.is_file():
        return str(own.resolve())
    return f"{sys.executable} -m reconciler"
