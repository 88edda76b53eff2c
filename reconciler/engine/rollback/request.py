"""What is to be taken back: which run, or to which commit, and which addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.engine.document import RollbackRef
from reconciler.globs import matches
from reconciler.ledger import ID_KEPT, Earlier, Row, RunRecord, Snapshot, Was, mark_of, stamp
from reconciler.problems import Finding, ReconcilerError, Severity
from reconciler.suggest import near

SHORTEST = 4
"""Characters of a run's id that may stand for it."""

IN_PART = 4
"""Exit code of a run that could not take all of its changes back; what is left is taken back by undoing it."""


@dataclass(frozen=True)
class Back:
    """A rollback as it is asked for."""

    run: str | None = None
    """The run to undo, also the beginning of its id; with neither run nor commit, the last one."""
    commit: str | None = None
    """The commit to go back to, in full."""
    addresses: tuple[str, ...] = ()
    """Globs; all addresses where there are none."""
    strict: bool = True
    """Whether an object without a way back keeps the others from being taken back."""
    doubtful: frozenset[str] = frozenset()
    """Addresses that the run may have changed without coming to record it."""
    without: frozenset[str] = frozenset()
    """Addresses that stay as they are."""

    @classmethod
    def of(cls, reference: RollbackRef) -> Back:
        """The rollback that a saved plan was made for."""
        return cls(reference.run, reference.commit, reference.addresses)

    def wants(self, address: str) -> bool:
        """Whether the address is meant."""
        return address not in self.without and (not self.addresses or matches(address, self.addresses))


def run_to_undo(snapshot: Snapshot, asked: str | None) -> str:
    """The id of the run that is to be undone.

    Raises:
        ReconcilerError: the ledger knows no such run, or it is not clear which one is meant.
    """
    return _last(snapshot) if asked is None else _named(snapshot, asked)


def _last(snapshot: Snapshot) -> str:
    # What failed may have been published all the same.
    halves = {half.run for half in snapshot.interrupted}
    ran = (run for run in reversed(snapshot.runs) if run.applied or run.rolled_back or run.run in halves)
    last = next(ran, None)
    cut_off = _cut_off_since(snapshot, last)
    if cut_off is not None:
        raise ReconcilerError(
            f"The run {cut_off.run} of {cut_off.applied_by} came last and never reported its end; "
            f"it changed {cut_off.address}, at least.",
            remedy=f"Name the run to undo: reconciler rollback {cut_off.run}"
            + (f", or the one before it, {last.run}." if last else "."),
        )
    if last is None:
        raise ReconcilerError(
            "The ledger remembers no run that applied anything; there is nothing to roll back.",
            remedy="Go back to a commit with --to COMMIT.",
        )
    if last.rollback or (last.rolled_back and last.exit_code != IN_PART):
        what = f"was itself a rollback {last.rollback}" if last.rollback else "was rolled back already"
        raise ReconcilerError(
            f"The last run ({last.run}, {stamp(last.at)}) {what}.",
            remedy="Name the run to undo (`reconciler history` lists them), or a commit with --to.",
        )
    return last.run


def _cut_off_since(snapshot: Snapshot, last: RunRecord | None) -> Row | None:
    """What a run wrote that came after the last one that ended; one that was undoing that one is only to be resumed."""
    known = {record.run for record in snapshot.runs}
    rows = [
        row
        for row in (*snapshot.rows.values(), *snapshot.gone.values())
        if row.run is not None and row.run not in known and row.applied_at is not None
        # Rows are stamped to the second.
        if last is None or row.applied_at >= last.at.replace(microsecond=0)
    ]
    return next((row for row in rows if last is None or not _undoes(row, last)), None)


def _undoes(row: Row, run: RunRecord) -> bool:
    """Whether a row says again what it said before a run."""
    step = next((step for step in row.trail if step.run == run.run), None)
    return step is not None and (row.gone or step.digest == row.spec_digest)


def _named(snapshot: Snapshot, asked: str) -> str:
    known = {record.run for record in snapshot.runs} | {half.run for half in snapshot.interrupted}
    known |= {step.run for trail in snapshot.trails.values() for step in trail}
    if asked in known:
        return asked
    found = [run for run in known if len(asked) >= SHORTEST and run.startswith(asked)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ReconcilerError(
            f"The runs {', '.join(sorted(found))} begin with {asked}.", remedy="Write more of the id."
        )
    raise ReconcilerError(
        f"The ledger remembers no run {asked!r}.",
        remedy=f"{near(asked, known)}`reconciler history` lists the runs; a commit is named with --to COMMIT.",
    )


def doubtful(snapshot: Snapshot, run: str, back: Back) -> dict[str, Earlier]:
    """What the ledger says of objects that the run was changing when it was cut off: as it was before."""
    # Of the run that holds the lock, the ledger only knows what was announced; it knows better itself.
    halves = [half for half in snapshot.interrupted if half.run == run and back.strict]
    return {
        address: Earlier(
            run=run,
            was=Was.OURS,
            object=row.object_id[:ID_KEPT],
            version=row.version,
            digest=row.spec_digest,
            commit=row.commit,
            secrets=mark_of(row.secrets),
        )
        for address, row in snapshot.rows.items()
        if back.wants(address) and (address in back.doubtful or any(half.covers(address) for half in halves))
    }


def steps_of(snapshot: Snapshot, run: str, back: Back) -> dict[str, Earlier]:
    """What each address was before the run, as far as it changed any that is meant.

    Raises:
        ReconcilerError: it changed none of them, or that was too long ago.
    """
    trails = sorted(snapshot.trails.items())
    changed = doubtful(snapshot, run, back)
    changed |= {address: step for address, trail in trails for step in trail if step.run == run}
    meant = {address: step for address, step in changed.items() if back.wants(address)}
    if meant:
        return meant
    if changed:
        raise ReconcilerError(
            f"The run {run} changed none of the objects that are named.",
            remedy=f"It changed {', '.join(list(changed)[:10])}{' and others' if len(changed) > 10 else ''}.",
        )
    raise ReconcilerError(
        f"The ledger knows of nothing that the run {run} changed: it only adopted, or later runs changed it too often.",
        remedy="Go back to a commit with --to COMMIT.",
    )


def forgotten(snapshot: Snapshot, run: str, back: Back) -> list[Finding]:
    """A warning where the run changed more than the ledger remembers."""
    record = next((record for record in snapshot.runs if record.run == run), None)
    if record is None or record.rolled_back or back.addresses:
        return []
    changed = record.applied - record.actions.get("adopt", 0)
    known = sum(1 for trail in snapshot.trails.values() if any(step.run == run for step in trail))
    if known >= changed:
        return []
    return [
        Finding(
            id="rollback-in-part",
            severity=Severity.WARNING,
            message=f"The run {run} changed {changed} objects, but the ledger knows how {known} of them were before; "
            "the others stay as they are. Later runs changed them too often, or no spec manages them.",
            remedy="Go back to a commit with --to COMMIT to take everything along.",
        )
    ]


def later_runs(snapshot: Snapshot, run: str, addresses: Iterable[str]) -> dict[str, list[str]]:
    """Runs after the one to be undone that changed the same objects: run → addresses. They are undone with it."""
    later: dict[str, list[str]] = {}
    for address in addresses:
        trail = snapshot.trails.get(address, ())
        at = next((place for place, step in enumerate(trail) if step.run == run), len(trail))
        for step in trail[at + 1 :]:
            later.setdefault(step.run, []).append(address)
    return later
