"""Where output goes: JSON and other documents for programs to stdout, everything for people to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from io import TextIOWrapper

from rich.console import Console
from rich.text import Text

from reconciler.problems import ReconcilerError
from reconciler.report.findings import findings_text
from reconciler.report.visible import PlainConsole, discard, visible

HANGING = 2
"""Columns that the following lines of a wrapped line are set in."""
MIN_WIDTH = 20


class Format(StrEnum):
    """How a plan is shown."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


class Listing(StrEnum):
    """How a list is shown."""

    TEXT = "text"
    JSON = "json"


def people() -> Console:
    """The console for people: stderr; colours only on a terminal and without ``NO_COLOR``."""
    return PlainConsole(file=sys.stderr, highlight=False, emoji=False, markup=False)


def interactive() -> bool:
    """Whether a person sits at a terminal and may be asked; never in a pipeline (``CI``)."""
    return sys.stdin.isatty() and not os.environ.get("CI")


def say(lines: Iterable[Text]) -> None:
    """Prints lines for people; on a terminal long ones are wrapped between words, under their own indent."""
    console = people()
    for line in lines:
        if console.is_terminal and line.cell_len > console.width:
            for part in _wrapped(line, console):
                console.print(part)
        else:
            console.print(line, soft_wrap=True)


def _wrapped(line: Text, console: Console) -> Iterator[Text]:
    indent = len(line.plain) - len(line.plain.lstrip())
    room = max(console.width - indent - HANGING, MIN_WIDTH)
    for number, part in enumerate(line[indent:].wrap(console, room)):
        yield Text(" " * (indent + (HANGING if number else 0))) + part


def document(text: str) -> None:
    """Prints a document for a program; one that stops reading changes nothing."""
    text = visible(text)
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.encoding.lower() != "utf-8":
        # Whatever the locale: programs read JSON and its like as UTF-8.
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)


def explain(error: ReconcilerError) -> None:
    """Says what went wrong and what to do, with every finding behind it."""
    say(findings_text(error.findings))
    line = Text("Error: " if error.exit_code else "", style="bold red")
    line.append(error.message, style="default")
    say([line])
    if error.remedy:
        say([Text(f"       {error.remedy}", style="dim")])
