"""Processes by ``fork`` from a warm parent: a sandbox org that survives its client, and commands that may be killed."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from killing.exchanges import Death, Exchanges
from reconciler.cli.main import run
from reconciler.sandbox import embedded
from reconciler.sandbox.settings import Settings


@dataclass(frozen=True)
class Serving:
    """A sandbox org in a process of its own."""

    api_url: str
    client_id: str
    client_secret: str
    pid: int


@dataclass(frozen=True)
class Ended:
    """How a process of commands ended."""

    codes: tuple[int, ...]
    """One for each command; empty when it was killed."""
    killed: bool
    said: str
    exchanges: tuple[str, ...] = ()
    """Empty when it was killed."""


@contextmanager
def serving(data: Path, seed: Path | None = None, settings: Settings | None = None) -> Iterator[Serving]:
    """Serves a data file for as long as the block runs; the file is whole afterwards."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        _in_child(lambda: _serve(data, seed, settings, tell))
    os.close(tell)
    with os.fdopen(ready, encoding="utf-8") as line:
        place = json.loads(line.readline())
    try:
        yield Serving(**place, pid=pid)
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def _serve(data: Path, seed: Path | None, settings: Settings | None, tell: int) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    with embedded.start(data, seed=seed, settings=settings) as running:
        place = {key: getattr(running, key) for key in ("api_url", "client_id", "client_secret")}
        os.write(tell, json.dumps(place).encode() + b"\n")
        os.close(tell)
        signal.sigwait([signal.SIGTERM])


class Commands:
    """A forked process that runs commands one after another in a folder; it may be stopped, resumed and killed."""

    def __init__(
        self,
        folder: Path,
        commands: Sequence[Sequence[str]],
        variables: dict[str, str],
        *,
        death: Death | None = None,
        beforehand: Callable[[], None] = lambda: None,
    ) -> None:
        """Starts at once; ``beforehand`` runs in the new process first."""
        self._log = folder / f"said-{time.monotonic_ns()}.log"
        self._result = self._log.with_suffix(".json")
        self.pid = os.fork()
        if self.pid == 0:
            _in_child(lambda: self._run(folder, commands, variables, death, beforehand))

    def _run(
        self,
        folder: Path,
        commands: Sequence[Sequence[str]],
        variables: dict[str, str],
        death: Death | None,
        beforehand: Callable[[], None],
    ) -> None:
        said = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for standard in (1, 2):
            os.dup2(said, standard)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        # pytest and others may have put objects of their own here.
        sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        os.chdir(folder)
        os.environ.update(variables)
        beforehand()
        exchanges = Exchanges(death)
        exchanges.watch()
        codes = [run([*command, "--env", "test"]) for command in commands]
        self._result.write_text(json.dumps({"codes": codes, "exchanges": exchanges.seen}), encoding="utf-8")

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def wait_until_stopped(self) -> bool:
        """Until it is suspended; False when it ended instead."""
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        return os.WIFSTOPPED(status)

    def go_on(self) -> None:
        """Ends its suspension."""
        os.kill(self.pid, signal.SIGCONT)

    def wait(self) -> Ended:
        """Until it has ended."""
        _, status = os.waitpid(self.pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        result: dict[str, Any] = {"codes": (), "exchanges": ()}
        if not killed:
            assert self._result.exists(), f"the commands ended with status {status}:\n{self.said}"
            result = json.loads(self._result.read_text(encoding="utf-8"))
        return Ended(tuple(result["codes"]), killed, self.said, tuple(result["exchanges"]))


def _in_child(work: Callable[[], None]) -> None:
    """Does the work and leaves without running anything of the parent's."""
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - nothing of the parent may run in the child, whatever happened
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)
