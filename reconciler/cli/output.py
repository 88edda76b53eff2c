"""Where output goes: JSON and other documents for programs to stdout, everything for people to stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import StrEnum

from rich.console import Console
from rich.text import Text

from reconciler.problems import ReconcilerError
from reconciler.report.text import findings_text


class Format(StrEnum):
    """How a plan is shown."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def people() -> Console:
    """The console for people: stderr; colours only on a terminal and without ``NO_COLOR``."""
    return Console(file=sys.stderr, highlight=False, emoji=False, markup=False)


def say(lines: Iterable[Text]) -> None:
    """Prints lines for people, unwrapped."""
    console = people()
    for line in lines:
        console.print(line, soft_wrap=True)


def document(text: str) -> None:
    """Prints a document for a program."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def explain(error: ReconcilerError) -> None:
    """Says what went wrong and what to do, with every finding behind it."""
    say(findings_text(error.findings))
    line = Text("Error: ", style="bold red")
    line.append(error.message, style="default")
    say([line])
    if error.remedy:
        say([Text(f"       {error.remedy}", style="dim")])
