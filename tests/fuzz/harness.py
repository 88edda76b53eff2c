"""Runs one input through one target and says whether the tool behaved: no traceback, no hang, bounded memory.

A target calls the tool as a command does. It may end well, or with an error of the ``ReconcilerError`` family
that is shown to the user exactly as the command line would show it; everything else is a ``Crash``.
"""

from __future__ import annotations

import faulthandler
import io
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from unittest import mock

from fuzz.choices import Choices
from fuzz.materials import CANARY

from reconciler.cli import main
from reconciler.cli.output import Format, explain
from reconciler.problems import ReconcilerError

MAX_CPU = 8.0
"""Seconds of CPU that one input may take, with room for a machine that is busy and an instrumented build."""
MAX_GROWTH = 400 * 2**20
"""Bytes by which one input may raise the largest size that the process ever had."""
MOST_SHOWN = 4_000_000 * len(Format)
"""Characters; a plan is shown in all formats, and JSON holds each value of the org in full."""
HANGS = 120
"""Seconds after which a run that does not come back is ended with the stack of every thread."""


class Crash(AssertionError):
    """The tool did what it must never do; ``__cause__`` is the exception where there was one."""


@dataclass(frozen=True)
class Target:
    """One way into the tool."""

    name: str
    call: Callable[[Choices], None]


@dataclass
class Seen:
    """What a run of many inputs saw."""

    inputs: int = 0
    crashes: int = 0
    slowest: float = 0.0
    slowest_input: bytes = b""
    refused: int = 0
    """Inputs that ended in an error message."""
    kinds: set[str] = field(default_factory=set)


TARGETS: dict[str, Target] = {}
seen = Seen()


def target(call: Callable[[Choices], None]) -> Callable[[Choices], None]:
    """Registers a target under the name of its function."""
    TARGETS[call.__name__] = Target(call.__name__, call)
    return call


def run_one(chosen: Target, data: bytes) -> None:
    """One input.

    Raises:
        Crash: a traceback, an unusable message, a leaked secret, or too much time or memory.
    """
    before, started = peak_memory(), time.process_time()
    faulthandler.dump_traceback_later(HANGS, exit=True, file=_real_stderr())
    try:
        with as_a_command() as output:
            try:
                chosen.call(Choices(data))
            except ReconcilerError as error:
                seen.refused += 1
                explain(error)
        printed = output()
    except Crash:
        raise
    except (Exception, SystemExit) as error:  # whatever the tool lets out is what we look for
        raise Crash(f"{chosen.name}: {type(error).__name__}: {error}") from error
    finally:
        faulthandler.cancel_dump_traceback_later()
    spent, growth = time.process_time() - started, peak_memory() - before
    seen.inputs += 1
    if spent > seen.slowest:
        seen.slowest, seen.slowest_input = spent, data
    check_printed(printed)
    if spent > MAX_CPU:
        raise Crash(f"{chosen.name}: {spent:.1f} s of CPU for one input")
    if growth > MAX_GROWTH and seen.inputs > 1:
        raise Crash(f"{chosen.name}: one input took {growth / 2**20:.0f} MB")


def command(*arguments: str) -> int:
    """Runs a command of the tool as its users do; an internal error is a crash."""
    return main.run(arguments)


@contextmanager
def as_a_command() -> Iterator[Callable[[], str]]:
    """Stdout and stderr as a pipeline has them; gives a function that returns what was printed."""
    out, err = io.BytesIO(), io.BytesIO()
    streams = (
        io.TextIOWrapper(out, "utf-8", errors="strict", write_through=True),
        io.TextIOWrapper(err, "utf-8", errors="backslashreplace", write_through=True),
    )
    with (
        mock.patch.object(sys, "stdout", streams[0]),
        mock.patch.object(sys, "stderr", streams[1]),
        mock.patch.object(main, "_keep_traceback", _crash),
    ):
        # The streams close what is behind them as soon as nobody holds them.
        yield lambda: out.getvalue().decode() + "\n" * len(streams) + err.getvalue().decode()


def check_printed(text: str) -> None:
    """What people read holds no secret, no traceback, no control characters, and is not without end."""
    if CANARY in text:
        raise Crash(f"The secret is shown: …{text[max(0, text.index(CANARY) - 200) :][:300]}")
    if "Traceback (most recent" in text or "Internal error" in text:
        raise Crash(f"A traceback is shown: {text[-2000:]}")
    control = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    if control:
        raise Crash(f"A control character is shown: {text[max(0, control.start() - 200) :][:300]!r}")
    if len(text) > MOST_SHOWN:
        raise Crash(f"{len(text)} characters are shown")


def peak_memory() -> int:
    """Bytes: the largest size that this process ever had."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _crash() -> str:
    error = sys.exception()
    raise Crash(f"{type(error).__name__}: {error}") from error


@cache
def _real_stderr() -> io.TextIOWrapper:
    return os.fdopen(os.dup(2), "w")
