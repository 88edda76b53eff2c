"""Keeps notifications on disk until they are delivered: below ``.reconciler/notify/<environment>/``, one file each.

A file is there before the first attempt and goes after the last one, so that a process that is killed loses nothing.
It holds the hook's name and the document, never an address or a key. Whoever sends holds the hook's lock for the time
of the attempt, which the operating system lets go of when its holder dies: two processes send nothing twice.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from reconciler.files import lock_file, read_file, replace_file
from reconciler.notify.document import Notification

PATIENCE = 15.0
"""Seconds to wait for another process that sends to the same hook; an attempt at a webhook takes less."""
UNDER_WAY = "an attempt was under way when the process ended; it may have arrived"
_COUNTER = count()


class Kept(BaseModel):
    """What a file holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hook: str
    attempts: int = 0
    problem: str | None = None
    """How the last attempt ended."""
    notification: Notification


@dataclass(frozen=True)
class Entry:
    """A notification for one hook that is not delivered yet."""

    path: Path
    kept: Kept

    @property
    def hook(self) -> str:
        """Name of the hook."""
        return self.kept.hook


class Outbox:
    """The undelivered notifications of one environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def keep(self, hook: str, told: Notification) -> Entry:
        """Writes one down.

        Raises:
            OSError: it cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # By name, files are in the order in which they were made, also those of one microsecond.
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        with self._lock:
            number = next(_COUNTER)
        path = self.folder / f"{moment}-{os.getpid()}-{number:06d}-{hook}.json"
        entry = Entry(path, Kept(hook=hook, notification=told))
        _write(path, entry.kept)
        return entry

    def note(self, entry: Entry, attempts: int, problem: str) -> Entry:
        """Writes down how it went; where that cannot be written, the entry stays as it was."""
        kept = entry.kept.model_copy(update={"attempts": attempts, "problem": problem})
        with suppress(OSError):
            if entry.path.exists():
                _write(entry.path, kept)
        return Entry(entry.path, kept)

    def drop(self, entry: Entry) -> None:
        """Forgets one."""
        with suppress(OSError):
            entry.path.unlink(missing_ok=True)

    def read(self, entry: Entry) -> Entry | None:
        """The entry as it is now; None where another process has delivered or dropped it."""
        return _read(entry.path) if entry.path.exists() else None

    def entries(self) -> tuple[list[Entry], list[Path]]:
        """All of them, in the order in which they were made; and the files that cannot be read as such."""
        found = [(path, _read(path)) for path in sorted(self.folder.glob("*.json"))]
        unreadable = [path for path, entry in found if entry is None and path.exists()]
        return [entry for _, entry in found if entry is not None], unreadable

    @contextmanager
    def turn(self, hook: str) -> Iterator[bool]:
        """Holds the hook's lock for the block; False where another process kept it for too long.

        Raises:
            OSError: the folder cannot be written to.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(self.folder / f"{hook}.lock", os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
            yield lock_file(file, PATIENCE)


def _read(path: Path) -> Entry | None:
    try:
        return Entry(path, Kept.model_validate_json(read_file(path)))
    except (OSError, ValidationError):
        # Delivered in this moment; or damaged, or written by another version of the tool.
        return None


def _write(path: Path, kept: Kept) -> None:
    replace_file(path, kept.model_dump_json(indent=1), private=True)
