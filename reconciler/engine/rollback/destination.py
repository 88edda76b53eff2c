"""Where a rollback goes: what each address was before a run, or at a commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.engine.document import RollbackRef
from reconciler.engine.fields import row_tells
from reconciler.engine.history import catalogs_at
from reconciler.engine.rollback.former import Former
from reconciler.engine.rollback.request import Back, doubtful, forgotten, later_runs, run_to_undo, steps_of
from reconciler.kinds.base import Desired, Live
from reconciler.ledger import Earlier, Snapshot, Was, mark_of
from reconciler.problems import Finding, ReconcilerError, Severity


@dataclass(frozen=True)
class Target:
    """One address that is to be as it was."""

    address: str
    desired: Desired
    commit: str | None
    """The commit with its spec."""
    version: str | None = None
    """The version that was live then, of the object that is still there."""
    secrets: str | None = None
    """Mark of the secrets in that version."""
    step: Earlier | None = None
    """What the ledger remembers; None where a commit and not a run is gone back to."""
    declared: tuple[str, ...] | None = None
    """The fields that its spec declared, where more than those go back."""


@dataclass(frozen=True)
class Destination:
    """All that a rollback goes back to."""

    reference: RollbackRef
    targets: Mapping[str, Target] = field(default_factory=dict)
    made: frozenset[str] = frozenset()
    """What was not there then."""
    doubtful: frozenset[str] = frozenset()
    """Targets that the run may have changed or not."""
    findings: tuple[Finding, ...] = ()

    @property
    def word(self) -> str:
        """As reasons name it."""
        if self.reference.run:
            return f"before run {self.reference.run}"
        return f"at commit {(self.reference.commit or '')[:12]}"


async def before_run(back: Back, snapshot: Snapshot, former: Former) -> Destination:
    """What the run found, as far as it changed anything that is meant.

    Raises:
        ReconcilerError: the ledger knows no such run, or of nothing that it changed.
    """
    run = run_to_undo(snapshot, back.run)
    org = former.observation.org.by_address
    steps = {
        address: step
        for address, step in steps_of(snapshot, run, back).items()
        if step in snapshot.trails.get(address, ()) or _moved(org.get(address), step)
    }
    found = await former.find(steps)
    targets = {}
    for address, desired in found.items():
        step, live = steps[address], org.get(address)
        version = step.version if live is not None and step.is_of(live.id) else None
        targets[address] = Target(
            address, desired, step.commit, version, step.secrets, step, former.declared.get(address)
        )
    later = later_runs(snapshot, run, steps)
    for half in snapshot.interrupted:
        if half.run != run and (cut_off := [a for a in steps if half.covers(a) and _published(org, snapshot, a)]):
            later.setdefault(half.run, []).extend(cut_off)
    return Destination(
        RollbackRef(run=run, addresses=back.addresses),
        targets,
        frozenset(address for address, step in steps.items() if step.was is Was.ABSENT),
        frozenset(doubtful(snapshot, run, back)),
        (
            *former.findings,
            *forgotten(snapshot, run, back),
            *(_undone_too(other, addresses) for other, addresses in later.items()),
        ),
    )


def _moved(live: Live | None, step: Earlier) -> bool:
    """Whether a run that was cut off came to change the object."""
    return live is not None and live.version != step.version


def _published(org: Mapping[str, Live], snapshot: Snapshot, address: str) -> bool:
    """Whether something else is live than the ledger knows."""
    live, row = org.get(address), snapshot.rows.get(address)
    return live is not None and row is not None and live.version != row.version


async def at_commit(back: Back, snapshot: Snapshot, former: Former) -> Destination:
    """What the specs of a commit wanted, of all that is not so now.

    Raises:
        ReconcilerError: the commit's specs cannot be read, or hold nothing that is meant.
    """
    commit = back.commit or ""
    catalog = next(
        catalogs_at(former.workspace.root, former.workspace.environment.name, commit, former.secret_env), None
    )
    if catalog is None:
        raise ReconcilerError(
            f"The specs of commit {commit[:12]} cannot be read for {former.workspace.environment.name}.",
            remedy="Fetch the whole history (git fetch --unshallow), and see what is wrong with them: "
            f"git worktree add ../then {commit[:12]}, and `reconciler validate` in it.",
        )
    known = {**snapshot.gone, **snapshot.rows}
    meant = {a: desired for a, desired in catalog.resources.items() if back.wants(a)}
    if not meant and not any(back.wants(address) for address in known):
        raise ReconcilerError(f"Commit {commit[:12]} holds none of the objects that are named.")
    org = former.observation.org.by_address
    targets = {}
    for address, desired in meant.items():
        row, live = snapshot.rows.get(address), org.get(address)
        ours = row is not None and live is not None and row.object_id == live.id
        if row is not None and row.spec_digest == desired.digest:
            if live is not None and ours and row_tells(live, row):
                continue
            # Somebody changed it since, or deleted it.
            version = row.version if ours else None
            targets[address] = Target(address, desired, commit, version, mark_of(row.secrets))
            continue
        trail = reversed(snapshot.trails.get(address, ()))
        steps = (step for step in trail if step.was is Was.OURS and step.digest == desired.digest)
        step = next((step for step in steps if live is not None and step.is_of(live.id)), None)
        if step is None:
            targets[address] = Target(address, desired, commit)
            continue
        stood = former.as_it_stood(desired, step)
        declared = former.declared.get(address)
        targets[address] = Target(address, stood, commit, step.version, step.secrets, declared=declared)
    made = {address for address in snapshot.rows if back.wants(address) and address not in catalog.resources}
    reference = RollbackRef(commit=commit, addresses=back.addresses)
    return Destination(reference, targets, frozenset(made), findings=tuple(former.findings))


def _undone_too(run: str, addresses: list[str]) -> Finding:
    shown = ", ".join(addresses[:5]) + (" and others" if len(addresses) > 5 else "")
    return Finding(
        id="later-run",
        severity=Severity.WARNING,
        message=f"The run {run} came later and changed {shown} too; there, that is undone as well.",
        remedy="Name the addresses that are to go back, if not all.",
    )
