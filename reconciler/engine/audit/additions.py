"""What somebody added to a trail, or wrote anew at its end: the ledger knows which runs there were, and their ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.engine.audit.reading import TrailFile, runs_of
from reconciler.engine.audit.record import ENDED, SHORT, TORN
from reconciler.ledger import RunRecord
from reconciler.ledger.runs import RUNS_KEPT


def beyond(run: RunRecord, files: Sequence[TrailFile]) -> Iterator[str]:
    """What is wrong with a run's records behind the one that the ledger knows: there is its end, and nothing else."""
    head = (run.audit or "").rpartition(":")[2]
    for file in files:
        records = file.records
        place = next((number for number, record in enumerate(records) if record.hash[:SHORT] == head), None)
        for record in records[place + 1 :] if place is not None else ():
            if record.run != run.run or record.event == TORN:
                continue
            if record.event != ENDED:
                yield f"was over when record {record.seq} was written, which is about it: put in."
            elif record.lock_lost is None and (record.exit_code or 0) != run.exit_code:
                told = f"{record.exit_code or 0}, the ledger with {run.exit_code}"
                yield f"ended by the trail with exit code {told}: rewritten."


def unknown(environment: str, files: Sequence[TrailFile], runs: Sequence[RunRecord]) -> Iterator[str]:
    """Runs that are in the trail alone, although they should be among those that the ledger still remembers."""
    known = {run.run for run in runs}
    for one in (one for file in files for one in runs_of(file.records, environment)):
        forgotten = len(runs) >= RUNS_KEPT and one.begin <= runs[0].at
        changed = one.ended is not None and one.ended.counts and one.ended.lock_lost is None
        if one.run not in known and changed and not forgotten:
            named = f"The ledger does not know run {one.run}, which the trail has"
            yield f"{named}: it could not note it, or it was put in."
