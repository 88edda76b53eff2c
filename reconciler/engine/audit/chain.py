"""A file of chained records that only ever grows.

Nothing that stands in the file is changed or taken out, so that it may be append-only for the operating system too
(``chattr +a``). What a killed process left of a line stays; the next record says so and seals it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from reconciler.engine.audit.record import FIRST, SHORT, TORN, canonical, hash_of, read_line, sealed
from reconciler.files import lock_file
from reconciler.problems import ReconcilerError

WAIT = 2.0
"""Seconds to wait for another process that is writing; a write takes milliseconds."""
_BLOCK = 64 * 1024
_FRAGMENT_SHOWN = 4000


class NotATrailError(ReconcilerError):
    """What stands at the end of the file is not what this tool wrote there."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a chain."""

    chain: str
    """The hash of the chain's first record: which chain it is."""
    seq: int
    hash: str

    @property
    def short(self) -> str:
        """As the ledger keeps it: chain, sequence number and hash, cut to what is surely enough."""
        return f"{self.chain[:8]}:{self.seq}:{self.hash[:SHORT]}"


@dataclass(frozen=True, slots=True)
class _Tail:
    seq: int = 0
    hash: str = FIRST
    left: bytes = b""
    """What stands behind the last record and is none."""
    ends: bool = True
    """The last record's line is ended."""


class Chain:
    """One file, to which several processes may append; each append is a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: tuple[int, int, _Tail] | None = None
        """Inode and size of the file after our last append, and the tail that it had then."""
        self._first: str | None = None

    def check(self) -> None:
        """Makes the file where there is none, and sees that records can be appended.

        Raises:
            OSError: it cannot be written, or another process does not let go of it.
            NotATrailError: its end is not what this tool wrote.
        """
        with self._alone(WAIT) as file:
            self._tail(file)

    def append(self, bodies: Sequence[Mapping[str, Any]], *, wait: float = WAIT) -> Head:
        """Appends records and has them on disk when it returns; a kill leaves at most half of the last line.

        ``bodies`` are the records without ``seq``, ``previous`` and ``hash``.

        Raises:
            OSError: the disk is full, the file cannot be written, or another process does not let go of it.
            NotATrailError: somebody changed the end of the file.
        """
        with self._alone(wait) as file:
            tail = self._tail(file)
            lines: list[bytes] = [] if tail.ends and not tail.left else [b""]
            seq, last = tail.seq, tail.hash
            for body in [*_torn(tail, bodies), *bodies]:
                record = sealed(body, seq + 1, last)
                seq, last = record["seq"], record["hash"]
                lines.append(canonical(record).encode("ascii"))
            self._known = None
            _write(file, b"\n".join(lines) + b"\n")
            os.fsync(file.fileno())
            self._first = self._first or _first_hash(file)
            state = os.fstat(file.fileno())
            self._known = (state.st_ino, state.st_size, _Tail(seq, last))
            return Head(self._first or last, seq, last)

    @contextmanager
    def _alone(self, wait: float) -> Iterator[IO[bytes]]:
        """The file, while no other process writes it."""
        new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: what a full disk refuses must not be tried again when the file is closed.
        with self.path.open("a+b", buffering=0) as file:
            if not lock_file(file, wait):
                raise OSError(0, "another process does not let go of it", str(self.path))
            if new:
                _sync_folder(self.path.parent)
            yield file

    def _tail(self, file: IO[bytes]) -> _Tail:
        state = os.fstat(file.fileno())
        if self._known is not None and self._known[:2] == (state.st_ino, state.st_size):
            return self._known[2]
        self._first = None
        block = _BLOCK
        while True:
            start = max(0, state.st_size - block)
            file.seek(start)
            found = _last_record(_read(file, state.st_size - start), whole=start == 0, path=self.path)
            if found is not None:
                return found
            block *= 4


def _read(file: IO[bytes], size: int) -> bytes:
    """Exactly so many bytes, unless the file ends before."""
    data = bytearray()
    while len(data) < size and (piece := file.read(size - len(data))):
        data += piece
    return bytes(data)


def _write(file: IO[bytes], data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _last_record(data: bytes, *, whole: bool, path: Path) -> _Tail | None:
    """The last record in the end of a file, and what stands behind it; None where that takes more of the file."""
    lines = data.split(b"\n")
    # The first piece may be the rest of a line.
    for index in range(len(lines) - 1, -1 if whole else 0, -1):
        if not lines[index]:
            continue
        read = read_line(lines[index])
        if read is None:
            continue
        value, record = read
        if hash_of(value) != record.hash:
            raise NotATrailError(
                f"{path}: the last record does not fit its hash; somebody changed it.",
                remedy="Keep the file as evidence under another name; the next run begins a new one.",
            )
        left = b"\n".join(lines[index + 1 :])
        return _Tail(record.seq, record.hash, left, ends=index + 1 < len(lines))
    if not whole:
        return None
    if data.strip() and b"\n" in data.rstrip(b"\n"):
        raise NotATrailError(
            f"{path}: not an audit trail of this tool.",
            remedy="Name another file in the environment (`audit: {path: …}`), or move this one away.",
        )
    return _Tail(left=data)


def _torn(tail: _Tail, bodies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The record that seals what a killed process left, written by the run that finds it."""
    if not tail.left.strip(b"\n"):
        return []
    told = {key: bodies[0][key] for key in ("at", "environment", "run")}
    text = tail.left.decode("utf-8", "replace")[:_FRAGMENT_SHOWN]
    return [{**told, "event": TORN, "fragment": text, "sha256": hashlib.sha256(tail.left).hexdigest()}]


def _first_hash(file: IO[bytes]) -> str | None:
    """Of the first record in the file."""
    file.seek(0)
    data = b""
    while piece := file.read(_BLOCK):
        data += piece
        *complete, data = data.split(b"\n")
        for line in complete:
            if read := read_line(line):
                return read[1].hash
    return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
