"""``reconciler completion``: a script that lets a shell complete commands, options, environments and addresses."""

from __future__ import annotations

import sys
from enum import StrEnum
from importlib.resources import files
from typing import Annotated

import typer

from reconciler.cli.options import command
from reconciler.cli.output import document

FILES = ":files"
"""The line by which a script is told to offer files."""


class Shell(StrEnum):
    """Shells that we write a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


_SCRIPTS = {Shell.BASH: "bash.sh", Shell.ZSH: "zsh.sh", Shell.FISH: "fish.fish"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    # Behind `--` stands what a script hands back; nobody types that, so no help shows it.
    command(app, "completion", completion, allow_extra_args=True)


def completion(
    context: typer.Context,
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> int:
    """Print a script that completes in your shell.

    In ~/.bashrc: eval "$(reconciler completion bash)". In ~/.zshrc, after compinit, the same with zsh. For fish:
    reconciler completion fish > ~/.config/fish/completions/reconciler.fish
    """
    line = context.args
    if not line:
        script = files("reconciler.cli.completing") / "scripts" / _SCRIPTS[shell]
        document(script.read_text(encoding="utf-8"))
        return 0
    try:
        answers = _answers(shell, line)
    except Exception:  # noqa: BLE001 - whatever is wrong here, the person is in the middle of typing
        return 1
    sys.stdout.write("".join(f"{answer}\n" for answer in answers))
    return 0


def _answers(shell: Shell, line: list[str]) -> list[str]:
    from reconciler.cli.completing import bash
    from reconciler.cli.completing.candidates import answer
    from reconciler.cli.completing.repository import values
    from reconciler.cli.completing.table import command_table

    table = command_table()
    if shell is Shell.BASH:
        typed = bash.read_line(*line)
        found = answer(table, typed.words, typed.current, lambda takes, environment: values(table, takes, environment))
        words = [bash.written(candidate.value, typed) for candidate in found.candidates]
        lines = [word for word in words if word is not None]
    else:
        *before, current = line
        found = answer(table, before, current, lambda takes, environment: values(table, takes, environment))
        lines = [f"{each.value}\t{each.help}" if each.help else each.value for each in found.candidates]
    # A name may hold anything but a line break, which no shell could take from a line.
    return [each for each in lines if "\n" not in each] + ([FILES] if found.files else [])
