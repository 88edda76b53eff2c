"""Makes a plan: observe, assess, prune, check, order. Writes nothing, neither in the org nor in the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from reconciler.cache import Cache
from reconciler.engine.assess import Assessor, lock_findings
from reconciler.engine.claims import taken_findings, unavailable_findings
from reconciler.engine.dependencies import catalog_graph, change_graph, cycle_findings
from reconciler.engine.document import Action, Change, OrgRef, Plan, SourceRef, Summary
from reconciler.engine.drift import DriftPolicy
from reconciler.engine.exports import Exports
from reconciler.engine.fields import FieldJudge
from reconciler.engine.graph import Graph, execution_order, find_cycles, matches, reference_graph, select
from reconciler.engine.history import History
from reconciler.engine.linkage import Linkage
from reconciler.engine.observe import Observation, observe
from reconciler.engine.propagation import Propagation
from reconciler.engine.prune import Pruning, orphans, point_out, prune
from reconciler.engine.unmanaged import consumers_left_behind, unmanaged_addresses, unmanaged_consumers
from reconciler.engine.verdict import Verdict
from reconciler.engine.versions import VersionJudge
from reconciler.ledger import Ledger, now_utc, stamp
from reconciler.platform import Platform
from reconciler.problems import Finding, ReconcilerError, Severity, SpecError
from reconciler.specs import Catalog, Commit, Environment, Masker, SecretValues
from reconciler.suggest import near
from reconciler.version import VERSION


@dataclass(frozen=True)
class Scope:
    """What a run is asked to look at."""

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    prune: bool = False


@dataclass(frozen=True)
class Workspace:
    """Everything that a run starts from; made once by the command line."""

    root: Path
    environment: Environment
    catalog: Catalog
    commit: Commit
    secrets: SecretValues
    cache: Cache

    def secret_fingerprints(self, org_id: str) -> dict[str, str]:
        """Fingerprints of the secrets that are set on this machine, by name; salted with the org."""
        named = {secret.name for secret in self.environment.secrets}
        found = {name: self.secrets.fingerprint(name, f"{org_id}:{name}") for name in sorted(named)}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def missing_is_made(self) -> bool:
        """The environment is a sandbox that makes missing objects by itself."""
        sandbox = self.environment.org.sandbox
        return sandbox is not None and sandbox.missing_references == "create"


@dataclass
class Planning:
    """A plan together with what it was decided on; only the plan is ever saved."""

    plan: Plan
    observation: Observation
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    history: History | None = None

    @property
    def heals(self) -> list[Verdict]:
        """Rows to renew although nothing changes."""
        return [verdict for verdict in self.verdicts.values() if verdict.heal and verdict.action is None]


def check_order(catalog: Catalog) -> Graph:
    """The graph of references.

    Raises:
        SpecError: references go round in a circle.
    """
    graph = catalog_graph(catalog)
    cycles = cycle_findings(graph, catalog)
    if cycles:
        raise SpecError([*catalog.findings, *cycles])
    return graph


async def make_plan(
    workspace: Workspace, platform: Platform, ledger: Ledger, scope: Scope, *, own_run: str | None = None
) -> Planning:
    """Plans a run; ``own_run`` is the one that holds the lock while it plans.

    Raises:
        SpecError: references go round in a circle.
        WrongOrgError: the credentials belong to another org.
        PlatformError: the org could not be read.
    """
    graph = check_order(workspace.catalog)
    observation = await observe(platform, ledger, workspace.environment.org.id)
    chosen = select(graph, scope.targets, scope.excludes)
    left = _orphans(workspace, observation, scope)
    _refuse_empty_selection(scope, {*graph, *orphans(workspace.catalog, observation)})
    history = History(workspace.root, workspace.environment.name, workspace.cache)
    verdicts = await _assessor(workspace, platform, observation, history, scope).assess(
        address for address in execution_order(graph) if address in chosen
    )
    pruning = await _prune(workspace, platform, observation, verdicts, left, scope)
    if scope.prune and left:
        pruning.findings += _foreign_ledger(workspace, observation)
    changes = {
        address: verdict for address, verdict in {**verdicts, **pruning.verdicts}.items() if verdict.action is not None
    }
    order = change_graph(graph, changes, pruning.users)
    findings = [
        *workspace.catalog.findings,
        *_scope_findings(scope, graph, chosen),
        *_lock_finding(observation, own_run),
        *_duplicates(workspace.catalog, observation),
        *(finding for verdict in verdicts.values() for finding in verdict.findings),
        *lock_findings(verdicts.values()),
        *await _linkage(workspace, platform, observation, _present(chosen, verdicts)).check(verdicts.values()),
        *taken_findings(changes, _all_live(observation)),
        *([] if workspace.missing_is_made else await unavailable_findings(platform, changes.values())),
        *_circles(order),
        *pruning.findings,
        *await unmanaged_consumers(platform, workspace.catalog, verdicts.values()),
        *consumers_left_behind(workspace.catalog, verdicts),
        *_secret_findings(verdicts.values()),
    ]
    _mention_renames(changes, left, history)
    plan = _document(workspace, observation, verdicts, changes, order, findings)
    return Planning(plan, observation, verdicts, history)


def _assessor(
    workspace: Workspace, platform: Platform, observation: Observation, history: History, scope: Scope
) -> Assessor:
    exports = Exports(platform, observation.org, workspace.cache, Masker(workspace.secrets))
    policy = DriftPolicy(workspace.environment.policy.on_drift, scope.targets)
    fingerprints = workspace.secret_fingerprints(observation.org.identity.id)
    return Assessor(
        catalog=workspace.catalog,
        observation=observation,
        history=history,
        versions=VersionJudge(exports, history, policy, observation.ledger.interrupted, fingerprints),
        fields=FieldJudge(history, policy),
        propagation=Propagation(platform, workspace.catalog, observation),
    )


def _orphans(workspace: Workspace, observation: Observation, scope: Scope) -> dict[str, Verdict]:
    left = orphans(workspace.catalog, observation)
    kept = select(reference_graph(dict.fromkeys(left, ())), scope.targets, scope.excludes)
    return {address: verdict for address, verdict in left.items() if address in kept}


async def _prune(
    workspace: Workspace,
    platform: Platform,
    observation: Observation,
    verdicts: Mapping[str, Verdict],
    left: Mapping[str, Verdict],
    scope: Scope,
) -> Pruning:
    if not scope.prune:
        return Pruning(findings=point_out(left))
    policy = workspace.environment.policy
    drift = DriftPolicy(policy.on_drift, scope.targets)
    return await prune(platform, observation, left, verdicts, workspace.catalog, policy, drift)


def _refuse_empty_selection(scope: Scope, known: Iterable[str]) -> None:
    """A pattern that matches nothing is a slip, and with --exclude a dangerous one."""
    known = tuple(known)
    for option, patterns in (("--target", scope.targets), ("--exclude", scope.excludes)):
        for pattern in patterns:
            if not any(matches(address, [pattern]) for address in known):
                raise ReconcilerError(
                    f"{option} {pattern}: no resource matches.",
                    remedy=f"{near(pattern, known)}Addresses look like 'commonModule/Authenticate Caller'; "
                    "globs are allowed.",
                )


def _scope_findings(scope: Scope, graph: Graph, chosen: set[str]) -> list[Finding]:
    """Says that the plan is a part, so that nobody takes it for the whole."""
    left_out = len(graph) - len(chosen)
    if not left_out:
        return []
    options = [f"--target {pattern}" for pattern in scope.targets] + [f"--exclude {p}" for p in scope.excludes]
    return [
        Finding(
            id="partial-plan",
            severity=Severity.WARNING,
            message=f"{left_out} of {len(graph)} resources are left out of this plan by {' '.join(options)}.",
        )
    ]


def _foreign_ledger(workspace: Workspace, observation: Observation) -> list[Finding]:
    """An error where another repository wrote this ledger: what it applied looks as if it had left our specs."""
    theirs, ours = observation.ledger.origin, workspace.commit.origin
    if theirs is None or ours is None or theirs == ours:
        return []
    return [
        Finding(
            id="foreign-ledger",
            message=f"This ledger was last written from the repository {theirs}, not from {ours}; "
            "nothing is pruned, because the objects may be theirs.",
            remedy="Give each repository a table of its own (`ledger: {type: org, table: NAME}`). If the repository "
            "only moved, apply once without --prune.",
        )
    ]


def _lock_finding(observation: Observation, own_run: str | None) -> list[Finding]:
    lock = observation.ledger.lock
    if lock is None or lock.run == own_run:
        return []
    state = "has expired" if lock.expired(now_utc()) else f"holds until {stamp(lock.expires_at)}"
    return [
        Finding(
            id="locked",
            severity=Severity.WARNING,
            message=f"The run {lock.run} of {lock.holder} has the lock since {stamp(lock.acquired_at)}; it {state}. "
            "What that run does may show in this plan.",
            remedy="Wait for it to end; if it is dead, `reconciler unlock` drops its lock.",
        )
    ]


def _present(chosen: set[str], verdicts: Mapping[str, Verdict]) -> set[str]:
    """Addresses that exist after the plan; one that was deleted by hand and is left so does not."""
    return {address for address in chosen if not (verdicts[address].held and verdicts[address].live is None)}


def _linkage(workspace: Workspace, platform: Platform, observation: Observation, chosen: set[str]) -> Linkage:
    return Linkage(platform, observation.org, chosen, workspace.missing_is_made)


def _secret_findings(verdicts: Iterable[Verdict]) -> list[Finding]:
    """Secrets that would change more of a flow than their own place; better known before anything is applied."""
    findings: list[Finding] = []
    for verdict in verdicts:
        if verdict.publishes and verdict.desired is not None and verdict.desired.secrets:
            try:
                _ = verdict.desired.content
            except SpecError as error:
                findings += error.findings
    return findings


def _duplicates(catalog: Catalog, observation: Observation) -> list[Finding]:
    """Two objects of one name in the org: an error for what we manage, else only worth knowing."""
    return [
        finding
        if finding.address in catalog.resources or observation.row(finding.address or "")
        else finding.model_copy(update={"severity": Severity.INFO})
        for finding in observation.org.duplicates
    ]


def _all_live(observation: Observation) -> dict[str, Verdict]:
    return {
        address: Verdict(address, None, live, None)
        for address, live in observation.org.by_address.items()
        if live.fields is not None
    }


def _circles(order: Graph) -> list[Finding]:
    return [
        Finding(
            id="cycle",
            message=f"These changes wait for each other: {' → '.join(path)}.",
            address=path[0],
            remedy="Apply one of them first with --target, in an intermediate form.",
        )
        for path in find_cycles(order)
    ]


def _mention_renames(changes: Mapping[str, Verdict], left: Mapping[str, Verdict], history: History) -> None:
    """A create that equals something that left the specs but for its name is a rename: says so."""
    created = [verdict for verdict in changes.values() if verdict.action is Action.CREATE]
    if not created or not left:
        return
    history.recall(verdict.row for verdict in left.values() if verdict.row)
    for verdict in created:
        assert verdict.desired is not None
        for other in left.values():
            before = history.spec(other.row) if other.row else None
            if (
                before is not None
                and other.kind is verdict.kind
                and _but_name(before) == _but_name(verdict.desired.content.canonical)
            ):
                verdict.reasons.append(
                    f"is {other.address} under a new name; the old one is a separate object "
                    + ("and is deleted" if other.action is Action.DELETE else "and stays until --prune")
                )


def _but_name(spec: object) -> object:
    """A canonical document without the resource's own name; flows have theirs below the root key."""
    if not isinstance(spec, dict):
        return spec
    if len(spec) == 1:
        return {root: _but_name(body) for root, body in spec.items()}
    return {key: value for key, value in spec.items() if key != "name"}


def _document(
    workspace: Workspace,
    observation: Observation,
    verdicts: Mapping[str, Verdict],
    changes: Mapping[str, Verdict],
    order: Graph,
    findings: list[Finding],
) -> Plan:
    sequence = list(changes) if find_cycles(order) else execution_order(order)
    counts = dict.fromkeys((action.value for action in Action), 0)
    for verdict in changes.values():
        if verdict.action is not None:
            counts[verdict.action.value] += 1
    identity = observation.org.identity
    return Plan(
        id=secrets.token_hex(6),
        created_at=datetime.now(UTC),
        tool_version=VERSION,
        environment=workspace.environment.name,
        org=OrgRef(id=identity.id, name=identity.name),
        source=SourceRef(
            commit=workspace.commit.commit,
            dirty=workspace.commit.dirty,
            digest=workspace.catalog.digest,
        ),
        summary=Summary(**counts, unchanged=sum(1 for v in verdicts.values() if v.action is None and not v.held)),
        changes=tuple(_change(changes[address], order) for address in sequence),
        drift=tuple(verdict.drift for verdict in verdicts.values() if verdict.drift is not None),
        unmanaged=tuple(unmanaged_addresses(workspace.catalog, observation)),
        findings=tuple(findings),
    )


def _change(verdict: Verdict, order: Graph) -> Change:
    assert verdict.action is not None
    return Change(
        address=verdict.address,
        kind=verdict.address.partition("/")[0],
        name=verdict.name,
        action=verdict.action,
        reasons=tuple(dict.fromkeys(verdict.reasons)),
        depends_on=tuple(sorted(order.successors(verdict.address))),
        precondition=verdict.precondition,
        digest=verdict.desired.digest if verdict.desired else None,
        diff=verdict.diff,
        diff_basis=verdict.basis if verdict.diff else None,
    )
