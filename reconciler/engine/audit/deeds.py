"""What we did, as a list of deeds that events of the platform's audit can be held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from reconciler.engine.audit.comparison import BY_LEDGER, BY_RECORD
from reconciler.engine.audit.reading import TrailRun
from reconciler.engine.audit.record import AuditRecord
from reconciler.engine.document import Action
from reconciler.engine.outcome import Outcome
from reconciler.ledger import Row, RunRecord
from reconciler.ledger.base import LOCK_SECONDS

ROW_SPAN = timedelta(seconds=120)
"""How long before its row a publish may be, where the ledger has forgotten the run."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One change that a run of ours made, tried, or may have made; or all that a run may have done."""

    run: str
    client: str | None
    """The OAuth client, or the beginning of its id; None where that is not known, and any will do."""
    address: str | None
    """None stands for every object: of the run, nothing but its time is known."""
    action: str
    object_id: str | None
    before: int | None
    after: int | None
    start: datetime
    end: datetime
    sure: bool
    """It was applied, and which version it made is known."""
    basis: Literal["record", "ledger"]
    version: str | None = None
    """As it was recorded."""
    moves: bool = False
    """It may move the object to a division, which is an update of its own for a flow."""
    newest: Mapping[str, int] = field(default_factory=dict)
    """Object → the highest version that any run of ours left it with, where the ledger surely has it."""

    @property
    def deletes(self) -> bool:
        """Whether it took the object away."""
        return self.action == Action.DELETE

    @property
    def makes_version(self) -> bool:
        """Whether the object has a version afterwards that it did not have before."""
        return not self.deletes and self.after is not None and self.after != self.before


def number_of(version: str | None) -> int | None:
    """A version as a number: ``3.0`` and ``3`` are the same."""
    whole = (version or "").partition(".")[0]
    return int(whole) if whole.isdecimal() and len(whole) < 10 else None


def recorded(runs: Iterable[TrailRun]) -> list[Deed]:
    """Deeds out of the trail; what a killed run had planned and has no record of, it may have done."""
    runs = sorted(runs, key=lambda run: run.begin)
    following = [*(run.begin for run in runs[1:]), None]
    return [deed for run, after in zip(runs, following, strict=False) for deed in (*_changes(run), *_open(run, after))]


def remembered(
    rows: Mapping[str, Row], runs: Sequence[RunRecord], known: Iterable[str], client: str | None
) -> list[Deed]:
    """Deeds out of the ledger, of runs whose trail is not here (``known`` are those that are)."""
    there = set(known)
    spans = {run.run: run for run in runs if run.run not in there}
    newest = dict(_newest(rows.values()))
    deeds = [
        Deed(
            run=run.run,
            client=run.client or client,
            address=None,
            action="",
            object_id=None,
            before=None,
            after=None,
            start=run.at - timedelta(seconds=run.seconds),
            end=run.at,
            sure=False,
            basis=BY_LEDGER,
            # What a change that failed made all the same is in no row.
            newest={} if run.failed else newest,
        )
        for run in spans.values()
        if run.applied or run.failed
    ]
    for address, row in rows.items():
        if row.run in spans or row.run is None or row.run in there or row.applied_at is None:
            continue
        deeds.append(
            Deed(
                run=row.run,
                client=client,
                address=address,
                action="",
                object_id=row.object_id,
                before=None,
                after=number_of(row.version),
                start=row.applied_at - ROW_SPAN,
                end=row.applied_at,
                sure=True,
                basis=BY_LEDGER,
                version=row.version,
            )
        )
    return deeds


def _newest(rows: Iterable[Row]) -> Iterator[tuple[str, int]]:
    """Of each object whose row tells: also before somebody went back to an earlier version."""
    for row in rows:
        told = [row.version, *(step.recorded or step.version for step in row.trail)]
        known = [number for version in told if (number := number_of(version)) is not None]
        if row.version is not None and known:
            yield row.object_id, max(known)


def _changes(run: TrailRun) -> Iterator[Deed]:
    client = run.started.client if run.started else None
    for change in run.changes:
        touched = change.outcome in (Outcome.APPLIED, Outcome.FAILED) and not change.refused
        if not touched or change.action == Action.ADOPT or change.address is None:
            # An adoption writes the ledger and nothing else.
            continue
        yield Deed(
            run=run.run,
            client=client,
            address=change.address,
            action=change.action or "",
            object_id=change.object_id,
            before=number_of(change.version_before),
            after=number_of(change.version_after),
            start=change.at - timedelta(milliseconds=change.ms),
            end=change.at,
            sure=change.outcome == Outcome.APPLIED,
            basis=BY_RECORD,
            version=change.version_after,
            moves=_moves(change),
        )


def _moves(change: AuditRecord) -> bool:
    unpublished = change.version_after is not None and change.version_before == change.version_after
    return unpublished or change.action == Action.CREATE or any("division" in reason for reason in change.reasons)


def _open(run: TrailRun, next_begins: datetime | None) -> Iterator[Deed]:
    """What a run without an end may have done, until its lock ran out or another run had it."""
    if run.ended is not None or run.started is None:
        return
    end = run.end + timedelta(seconds=LOCK_SECONDS)
    end = min(end, next_begins) if next_begins is not None else end
    done = {change.address for change in run.changes}
    for address, action in run.started.planned.items():
        if address not in done and action != Action.ADOPT:
            yield Deed(
                run=run.run,
                client=run.started.client,
                address=address,
                action=action,
                object_id=None,
                before=None,
                after=None,
                start=run.begin,
                end=end,
                sure=False,
                basis=BY_RECORD,
            )
