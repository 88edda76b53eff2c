"""A command in a pseudo-terminal, for what only a person at a keyboard can do: answer, and press Ctrl-C."""

from __future__ import annotations

import errno
import os
import pty
import select
import subprocess
import sys
import time

from support import Ran, Repository

CTRL_C = "\x03"


class Terminal:
    """A command that runs in a pseudo-terminal of its own, with somebody at the keyboard."""

    PATIENCE = 30.0
    """Seconds until a text that does not come fails the test."""
    REACTION = 0.15
    """Seconds that a person needs to press a key."""

    def __init__(self, repository: Repository, *arguments: str, **variables: str) -> None:
        self._master, slave = pty.openpty()
        # The shell, as leader of a session without a terminal, gets the one that it opens: Ctrl-C works.
        on_terminal = ["sh", "-c", 'exec "$@" <>"$0" >&0 2>&0', os.ttyname(slave)]
        inherited = {name: value for name, value in os.environ.items() if name != "CI"}
        self._process = subprocess.Popen(
            [*on_terminal, sys.executable, "-m", "reconciler", *arguments, "--env", "test"],
            cwd=repository.root,
            env={**inherited, "TERM": "dumb", "COLUMNS": "200", **variables},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        self._slave = slave
        self._screen = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._slave)
        os.close(self._master)

    def wait_for(self, text: str) -> None:
        """Reads the screen until the text stands on it."""
        end = time.monotonic() + self.PATIENCE
        while text not in self._screen:
            assert time.monotonic() < end, f"{text!r} did not come: {self._screen}"
            self._read(0.2)

    def type(self, keys: str) -> None:
        """Presses keys, as late after what was read last as even a quick person would.

        A Ctrl-C in the instant between the prompt and the system call that waits for the answer is noticed by
        Python only after that call.
        """
        time.sleep(self.REACTION)
        os.write(self._master, keys.encode())

    def ended(self) -> Ran:
        """Waits for the end; everything that stood on the screen is in ``err``."""
        end = time.monotonic() + self.PATIENCE
        while self._process.poll() is None:
            assert time.monotonic() < end, f"It does not end: {self._screen}"
            self._read(0.05)
        while self._read(0.0):
            pass
        return Ran(self._process.returncode, "", self._screen)

    def _read(self, seconds: float) -> bool:
        """Takes over what was printed, after waiting for it at most so long; whether there was anything."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            printed = os.read(self._master, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return False
        self._screen += printed.decode(errors="replace").replace("\r\n", "\n")
        return bool(printed)
