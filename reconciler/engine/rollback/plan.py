"""Makes the plan of a rollback: a plan like any other, for the objects as they were."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.archy.canonical import digest
from reconciler.engine.document import Action, RollbackRef
from reconciler.engine.fields import row_tells
from reconciler.engine.history import History, catalogs_at
from reconciler.engine.observe import Observation, flow_addresses, observe
from reconciler.engine.planner import Aim, Planning, check_order, plan_on
from reconciler.engine.rollback.former import Former, as_applied
from reconciler.engine.rollback.request import Back, doubtful, forgotten, later_runs, run_to_undo, steps_of
from reconciler.engine.verdict import Verdict
from reconciler.engine.workspace import Scope, Workspace
from reconciler.kinds.base import Desired, Live
from reconciler.kinds.registry import kind_of
from reconciler.ledger import Earlier, Ledger, Row, Snapshot, Was, mark_of
from reconciler.platform import Platform
from reconciler.problems import Finding, ReconcilerError, Severity
from reconciler.specs import Catalog, Commit

COMMITS_READ = 5
"""Commits whose specs are read for what is not gone back to; each takes a moment."""


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


async def plan_rollback(
    workspace: Workspace,
    platform: Platform,
    ledger: Ledger,
    back: Back,
    scope: Scope,
    *,
    secret_env: Mapping[str, str] | None,
    own_run: str | None = None,
) -> tuple[Planning, Destination]:
    """Plans a rollback; the specs of the working tree have no part in it.

    Raises:
        ReconcilerError: there is nothing to go back to, or it is not known.
        WrongOrgError: the credentials belong to another org.
        PlatformError: the org could not be read.
    """
    observation = await observe(platform, ledger, workspace.environment.org.id)
    history = History(workspace.root, workspace.environment.name, workspace.cache)
    former = Former(workspace, platform, observation, history, secret_env, back.strict)
    to_commit = _to_commit if back.commit else _before_run
    destination = await to_commit(back, observation.ledger, former)
    there = replace(
        workspace, catalog=_catalog(workspace, observation, destination), commit=_commit(workspace, destination)
    )
    aim = Aim(
        rollback=destination.reference,
        chosen=frozenset((*destination.targets, *_consumers(there.catalog, destination.targets))),
        leaving=destination.made,
        settle=lambda verdicts: _settle(verdicts, destination, observation, scope, back),
    )
    # What a run may have published without recording it is no drift of somebody else's.
    named = replace(scope, targets=(*back.addresses, *destination.doubtful))
    graph = check_order(there.catalog)
    return await plan_on(observation, graph, there, platform, named, own_run=own_run, aim=aim), destination


async def _before_run(back: Back, snapshot: Snapshot, former: Former) -> Destination:
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


async def _to_commit(back: Back, snapshot: Snapshot, former: Former) -> Destination:
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


def _catalog(workspace: Workspace, observation: Observation, destination: Destination) -> Catalog:
    """The targets, and everything else as it was applied last, so that the plan knows who uses what."""
    resources = _applied(workspace, observation, destination)
    resources |= {address: target.desired for address, target in destination.targets.items()}
    ordered = {address: resources[address] for address in sorted(resources)}
    return Catalog(ordered, _digest(destination), ())


def _applied(workspace: Workspace, observation: Observation, destination: Destination) -> dict[str, Desired]:
    rows = {
        address: row
        for address, row in observation.ledger.rows.items()
        if address not in destination.targets and address not in destination.made
    }
    known = _specs_behind(workspace, rows)
    found = {}
    for address, row in rows.items():
        live = observation.org.by_address.get(address)
        if live is not None and live.id == row.object_id:
            found[address] = as_applied(row, live, known.get(address), observation)
    return found


def _specs_behind(workspace: Workspace, rows: Mapping[str, Row]) -> dict[str, Desired]:
    """The specs that were applied, as far as few commits hold them; else what one of those says of the address."""
    commits = Counter(row.commit for row in rows.values() if row.commit).most_common(COMMITS_READ)
    known: dict[str, Desired] = {}
    for commit, _ in commits:
        if all(address in known and known[address].digest == row.spec_digest for address, row in rows.items()):
            break
        catalog = next(catalogs_at(workspace.root, workspace.environment.name, commit), None)
        for address, desired in catalog.resources.items() if catalog else ():
            row = rows.get(address)
            if address not in known or (row is not None and desired.digest == row.spec_digest):
                known[address] = desired
    return known


def _digest(destination: Destination) -> str:
    """Over all that is gone back to: a saved plan fits as long as that is the same."""
    rows = [
        [address, target.desired.digest, target.desired.division, target.version, _restored(target)]
        for address, target in sorted(destination.targets.items())
    ]
    told = [destination.reference.told, rows, sorted(destination.made)]
    return hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()


def _restored(target: Target) -> str | None:
    """Digest of the fields that go back, where they are not those of the spec."""
    return digest(target.desired.content.canonical) if target.declared is not None else None


def _commit(workspace: Workspace, destination: Destination) -> Commit:
    """The commit that most of the targets come from."""
    commits = Counter(target.commit for target in destination.targets.values() if target.commit).most_common(1)
    return Commit(commits[0][0] if commits else None, dirty=False, origin=workspace.commit.origin)


def _consumers(catalog: Catalog, targets: Mapping[str, Target]) -> set[str]:
    """Managed objects that hold a copy of a common module among the targets, also by way of another module."""
    held = {address: _modules(desired, catalog.resources) for address, desired in catalog.resources.items()}
    found: set[str] = set()
    reached = set(targets)
    while reached:
        reached = {address for address, modules in held.items() if not reached.isdisjoint(modules)} - found
        found |= reached
    return found


def _modules(desired: Desired, known: Mapping[str, object]) -> list[str]:
    kind = kind_of(desired.kind)
    embedded = (flow_addresses(r, known)[:1] for r in desired.references if kind.embeds(r))
    return [address for addresses in embedded for address in addresses]


def _settle(
    verdicts: Mapping[str, Verdict], destination: Destination, observation: Observation, scope: Scope, back: Back
) -> list[Finding]:
    """Gives each verdict its reason and its version, and leaves alone what only looks as if it had to change."""
    findings = list(destination.findings)
    publishing: set[str] = set()
    for verdict in verdicts.values():
        target = destination.targets.get(verdict.address)
        if target is not None:
            _settle_target(verdict, target, destination, publishing)
        elif back.strict or not _holds_already(verdict, destination, observation):
            _settle_consumer(verdict, publishing)
        else:
            _leave(verdict)
        if verdict.publishes:
            publishing.add(verdict.address)
    if not scope.prune:
        made = sorted(address for address in destination.made if address in observation.org.by_address)
        findings += [_stays(address, destination) for address in made]
    return findings


def _settle_target(verdict: Verdict, target: Target, destination: Destination, publishing: set[str]) -> None:
    if verdict.held:
        verdict.findings = [_held(finding, verdict.address) for finding in verdict.findings]
        return
    live = verdict.live
    same = live is not None and target.version is not None and live.version == target.version
    if same and target.step is not None and target.step.was is not Was.OURS:
        # What somebody made by hand is what is live: there is nothing to go back to.
        verdict.action, verdict.reasons, verdict.diff = None, [], ()
        return
    if verdict.action is None and not same and _held_other_secrets(verdict, target):
        verdict.action = Action.UPDATE
    if verdict.action is None and (held := _held_among(verdict, publishing)) is not None:
        verdict.decide(Action.REPUBLISH, f"holds {held}, which this plan publishes")
    if verdict.action is None:
        return
    if verdict.kind.content_in_versions and target.version and not same and not verdict.moves_only:
        verdict.publish_version = target.version
    verdict.reasons = [_reason(verdict, target, destination), *_kept(verdict.reasons)]


def _held_other_secrets(verdict: Verdict, target: Target) -> bool:
    """Whether the version that was live then was made of the same spec with other secrets."""
    row = verdict.row if verdict.row_is_current else None
    return target.version is not None and row is not None and mark_of(row.secrets) != target.secrets


def _held_among(verdict: Verdict, publishing: set[str]) -> str | None:
    """The common module that it has a copy of and that this plan publishes."""
    assert verdict.desired is not None
    return next(iter(_modules(verdict.desired, dict.fromkeys(publishing))), None)


def _reason(verdict: Verdict, target: Target, destination: Destination) -> str:
    if verdict.action is Action.CREATE:
        return f"was there {destination.word} and is made again"
    by_hand = target.step is not None and target.step.was in (Was.DRIFTED, Was.FOREIGN)
    what = " (not made by the reconciler)" if by_hand else ""
    if verdict.publish_version:
        return f"goes back to version {verdict.publish_version}{what}, as it was {destination.word}"
    return f"goes back to what it was {destination.word}{what}"


def _kept(reasons: Iterable[str]) -> list[str]:
    return [reason for reason in reasons if reason not in ("the spec changed", "is not in the org")]


def _holds_already(verdict: Verdict, destination: Destination, observation: Observation) -> bool:
    """Whether the modules in it are those that are gone back to: what a failed run did not come to needs nothing."""
    held = verdict.row.modules if verdict.row_is_current and verdict.row is not None else None
    if not held:
        return False
    lives = ((target, observation.org.by_address.get(address)) for address, target in destination.targets.items())
    versions = {live.id: target.version for target, live in lives if live is not None}
    return all(versions[id] == version for id, version in held.items() if id in versions)


def _leave(verdict: Verdict) -> None:
    verdict.action, verdict.reasons = None, []
    verdict.findings, verdict.diff, verdict.basis, verdict.drift = [], (), None, None


def _settle_consumer(verdict: Verdict, publishing: set[str]) -> None:
    """An object that is no target is only ever published again as it is, to take in a module that goes back."""
    if verdict.action is Action.REPUBLISH:
        return
    held = _held_among(verdict, publishing)
    _leave(verdict)
    if held is None or verdict.live is None or verdict.live.version is None:
        return
    verdict.held = False
    verdict.action = Action.REPUBLISH
    verdict.reasons = [f"holds {held}, which this plan publishes; what was changed in it by hand stays"]


def _held(finding: Finding, address: str) -> Finding:
    return finding.model_copy(
        update={"remedy": f"To overwrite it all the same, name it: reconciler rollback … '{address}'."}
    )


def _undone_too(run: str, addresses: list[str]) -> Finding:
    shown = ", ".join(addresses[:5]) + (" and others" if len(addresses) > 5 else "")
    return Finding(
        id="later-run",
        severity=Severity.WARNING,
        message=f"The run {run} came later and changed {shown} too; there, that is undone as well.",
        remedy="Name the addresses that are to go back, if not all.",
    )


def _stays(address: str, destination: Destination) -> Finding:
    return Finding(
        id="rollback-leaves",
        severity=Severity.INFO,
        message=f"{address} was not there {destination.word}; it stays in the org.",
        address=address,
        remedy="`--prune` deletes it.",
    )
