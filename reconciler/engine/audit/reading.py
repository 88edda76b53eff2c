"""Reads trails: lines, records, and the runs that they tell of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from reconciler.engine.adoption.moments import read_since
from reconciler.engine.audit.chain import Head
from reconciler.engine.audit.record import CHANGED, ENDED, STARTED, TORN, AuditRecord, read_line
from reconciler.files import read_file
from reconciler.ledger import RunRecord
from reconciler.problems import ReconcilerError

MOST = 1024 * 1024 * 1024
"""Bytes of one trail: some two million changes."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a trail."""

    number: int
    raw: bytes
    value: dict[str, Any] | None
    """None for a line that is no record."""
    record: AuditRecord | None


@dataclass(frozen=True)
class TrailFile:
    """A whole file."""

    path: Path
    lines: tuple[Line, ...]
    torn: bytes = b""
    """What stands behind the last record and is none: a run was killed while it wrote."""

    @cached_property
    def records(self) -> tuple[AuditRecord, ...]:
        """The records, in the order of the file."""
        return tuple(line.record for line in self.lines if line.record is not None)

    @property
    def head(self) -> Head | None:
        """The last record, None for a file without any."""
        records = self.records
        return Head(records[0].hash, records[-1].seq, records[-1].hash) if records else None


@dataclass
class TrailRun:
    """What the trail tells of one run."""

    run: str
    started: AuditRecord | None = None
    changes: list[AuditRecord] = field(default_factory=list)
    ended: AuditRecord | None = None

    @property
    def records(self) -> list[AuditRecord]:
        """All its records, in order."""
        return [one for one in (self.started, *self.changes, self.ended) if one is not None]

    @property
    def begin(self) -> datetime:
        """When it began, as far as the trail tells."""
        return self.records[0].at

    @property
    def end(self) -> datetime:
        """When it was heard of last."""
        return self.records[-1].at


def read_trail(path: Path) -> TrailFile:
    """A trail as it stands on disk; nothing is checked but that it can be read.

    Raises:
        ReconcilerError: there is no such file, or it cannot be read.
    """
    try:
        content = read_file(path, most=MOST)
    except FileNotFoundError:
        raise ReconcilerError(f"{path}: no such audit trail.", remedy="The first apply begins it.") from None
    except OSError as error:
        raise ReconcilerError(f"{path}: the audit trail cannot be read: {error.strerror}.") from None
    pieces = content.split(b"\n")
    lines = [_line(number, piece) for number, piece in enumerate(pieces, 1)]
    while lines and not lines[-1].raw:
        lines.pop()
    torn: list[bytes] = []
    # A line that was never ended is no line yet.
    if lines and lines[-1].record is None and pieces[-1]:
        while lines and lines[-1].record is None:
            torn.insert(0, lines.pop().raw)
    return TrailFile(path, tuple(lines), b"\n".join(torn))


def _line(number: int, raw: bytes) -> Line:
    value, record = read_line(raw) or (None, None)
    return Line(number, raw, value, record)


def seals(record: AuditRecord, left: Sequence[bytes]) -> bool:
    """Whether a record says that these lines before it are what a killed process left."""
    return record.event == TORN and hashlib.sha256(b"\n".join(left)).hexdigest() == record.sha256


def runs_of(records: Iterable[AuditRecord], environment: str | None = None) -> list[TrailRun]:
    """The runs in the order of the records; of one environment only, where it is named."""
    runs: dict[str, TrailRun] = {}
    for record in records:
        if not record.run or (environment is not None and record.environment != environment):
            continue
        if record.event not in (STARTED, CHANGED, ENDED):
            continue
        run = runs.setdefault(record.run, TrailRun(record.run))
        if record.event == STARTED:
            run.started = run.started or record
        elif record.event == ENDED:
            run.ended = record
        else:
            run.changes.append(record)
    return list(runs.values())


def since_of(text: str, now: datetime, runs: Sequence[TrailRun]) -> datetime:
    """What ``--since`` means: a run of the trail (its beginning), a date and time in UTC, or so long before ``now``.

    Raises:
        ReconcilerError: it is none of these, or lies in the future.
    """
    known = [
        RunRecord(run=run.run, at=run.end, by="", seconds=(run.end - run.begin) / timedelta(seconds=1)) for run in runs
    ]
    return read_since(text, now, UTC, known).start


def later(runs: Sequence[TrailRun], since: str | None, now: datetime) -> list[TrailRun]:
    """Those that were under way at ``since`` or began later; a run that it names, and all after it.

    Raises:
        ReconcilerError: as ``since_of``.
    """
    if since is None:
        return list(runs)
    place = next((number for number, run in enumerate(runs) if run.run == since), None)
    if place is not None:
        return list(runs[place:])
    start = since_of(since, now, runs)
    return [run for run in runs if run.end >= start]
