"""Runs a command of the reconciler as a process of its own, and shows in the log what was run and what it said."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    document: str
    """What it wrote for programs."""
    said: str
    """What it said to people."""

    @property
    def error(self) -> str:
        """The sentence after ``Error:``; empty where there is none."""
        found = re.findall(r"^Error: (.*)$", self.said, re.MULTILINE)
        return found[-1] if found else ""


def reconciler(*arguments: str, quiet: bool = False) -> Ran:
    """Runs ``reconciler ARGUMENTS``; what it says to people is in the log as it says it."""
    if not quiet:
        log(f"$ reconciler {shlex.join(arguments)}")
    with subprocess.Popen(  # noqa: S603 - this program, arguments as a list
        [sys.executable, "-m", "reconciler", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        process_group=0,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        documents: list[str] = []
        # Both at once: who writes much to the one must not wait until the other has been read.
        reader = threading.Thread(target=_read, args=(process.stdout, documents))
        reader.start()
        said = []
        with _handing_on(process), _no_commands() as tell:
            for line in process.stderr:
                tell(line)
                said.append(line)
        reader.join()
    return Ran(process.returncode, "".join(documents), _COLOUR.sub("", "".join(said)))


def log(text: str = "", *, end: str = "\n") -> None:
    """A line in the job's log; GitHub's own commands go the same way, so that the order is kept."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def show(text: str) -> None:
    """A text in the log that GitHub is not to obey, whatever it says."""
    with _no_commands() as tell:
        tell(text if text.endswith("\n") else f"{text}\n")


def _read(stream: IO[str], into: list[str]) -> None:
    into.append(stream.read())


@contextmanager
def _handing_on(process: subprocess.Popen[str]) -> Iterator[None]:
    """Who cancels the job stops the command, which ends what it has begun and says so; we wait for it.

    The command is in a group of its own, so that a signal to ours does not reach it twice, which would kill it.
    """
    before = {
        each: signal.signal(each, lambda received, _frame: process.send_signal(received)) for each in STOP_SIGNALS
    }
    try:
        yield
    finally:
        for received, handler in before.items():
            signal.signal(received, handler)


@contextmanager
def _no_commands() -> Iterator[Callable[[str], None]]:
    """A way to write to the log, in which GitHub obeys no line: specs may say whatever they like."""
    token = secrets.token_hex(16) if os.environ.get("GITHUB_ACTIONS") == "true" else ""
    told = False

    def tell(line: str) -> None:
        nonlocal told
        if token and not told:
            log(f"::stop-commands::{token}")
        told = True
        log(line, end="")

    try:
        yield tell
    finally:
        if token and told:
            log(f"::{token}::")
