"""A page of documentation as something that can be run: its commands, its edits, and what it says they print.

In the page, in this order of reading:

- a fenced block ``sh`` holds commands; they are run as they stand, in one shell, at the root of the repository;
- a block ``text`` behind it holds what they print, all of it: a line ``…`` stands for any lines, ``…`` in a line for
  any text. If it shows an error, the commands must fail, else they must not;
- a block ``diff`` changes the file that was named last (`` `like/this.yaml` ``): lines ``-`` go, lines ``+`` come;
- a block ``yaml`` whose first line is ``# a/path`` makes that file.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w./-]+/[\w.-]+\.\w+)`")
_FAILED = re.compile(r"^(make: \*\*\*|Error: )", re.MULTILINE)

VOLATILE = (
    (re.compile(r"(?<![+\w])[0-9a-f]{12}(?!\w)"), "<id>"),
    (re.compile(r"\d+\.\d s\b"), "<duration>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d\.\d+Z| UTC)"), "<time>"),
    (re.compile(r"by \S+@\S+"), "by <somebody>"),
    (re.compile(r"^make: \*\*\* \[.*\] Error", re.MULTILINE), "make: *** Error"),
)
"""What differs from run to run and from machine to machine, in the page and in what is printed."""


@dataclass(frozen=True)
class Step:
    """One thing that a reader does."""

    line: int
    """Where it stands in the page."""


@dataclass(frozen=True)
class Commands(Step):
    """Commands to type, and what they print; None where the page does not show it."""

    script: str
    printed: str | None

    def do(self, folder: Path, environ: dict[str, str]) -> None:
        """Runs them; a difference from the page fails the test."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.script],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        failed = bool(self.printed and _FAILED.search(self.printed))
        assert (done.returncode != 0) is failed, f"line {self.line}: exit code {done.returncode}\n{done.stdout}"
        if self.printed is not None:
            compare(self.printed, done.stdout, f"line {self.line}: {self.script}")


@dataclass(frozen=True)
class Edit(Step):
    """Lines of a file to be replaced."""

    file: str
    old: str
    new: str

    def do(self, folder: Path, environ: dict[str, str]) -> None:
        """Replaces the first place where the lines stand."""
        path = folder / self.file
        text = path.read_text(encoding="utf-8")
        assert self.old in text, f"line {self.line}: {self.file} has no line\n{self.old}"
        path.write_text(text.replace(self.old, self.new, 1), encoding="utf-8")


@dataclass(frozen=True)
class NewFile(Step):
    """A file to be made."""

    file: str
    text: str

    def do(self, folder: Path, environ: dict[str, str]) -> None:
        """Makes it; it must be a new one."""
        path = folder / self.file
        assert not path.exists(), f"line {self.line}: {self.file} is there already"
        path.write_text(self.text, encoding="utf-8")


def steps(page: str, above: int = 0) -> Iterator[Commands | Edit | NewFile]:
    """What the page, or the part of one that has so many lines above it, tells its reader to do, in order."""
    blocks = list(_BLOCK.finditer(page))
    for number, block in enumerate(blocks):
        line, body = above + page.count("\n", 0, block.start()) + 1, block["body"]
        match block["language"]:
            case "sh":
                behind = blocks[number + 1] if number + 1 < len(blocks) else None
                shown = behind is not None and behind["language"] == "text"
                yield Commands(line, body, behind["body"] if shown and behind else None)
            case "diff":
                file = _FILE.findall(page[: block.start()])[-1]
                yield Edit(line, file, _marked(body, "-"), _marked(body, "+"))
            case "yaml":
                yield NewFile(line, body.partition("\n")[0].removeprefix("# "), body)


def _marked(body: str, mark: str) -> str:
    return "".join(line[1:] for line in body.splitlines(keepends=True) if line.startswith(mark))


def compare(page: str, printed: str, what: str) -> None:
    """Fails the test unless what is printed is what the page shows."""
    expected, actual = _steady(page), _steady(printed)
    lines = [r"(?:.*\n)*?" if line == "…" else _open(line) + r"\n" for line in expected.splitlines()]
    if not re.fullmatch("".join(lines), actual):
        difference = unified_diff(expected.splitlines(), actual.splitlines(), "the page", "printed", lineterm="")
        raise AssertionError(f"{what}\n" + "\n".join(difference))


def _open(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split("…"))


def _steady(text: str) -> str:
    for pattern, name in VOLATILE:
        text = pattern.sub(name, text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
