"""Makes a plan: observe, assess, prune, check, order. Writes nothing, neither in the org nor in the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from reconciler.cache import Cache
from reconciler.engine.assess import Assessor, lock_findings
from reconciler.engine.dependencies import catalog_graph, change_graph, claim_findings, cycle_findings
from reconciler.engine.document import Action, Change, OrgRef, Plan, SourceRef, Summary
from reconciler.engine.drift import DriftPolicy
from reconciler.engine.exports import Exports
from reconciler.engine.fields import FieldJudge
from reconciler.engine.graph import Graph, execution_order, find_cycles, reference_graph, select
from reconciler.engine.history import History
from reconciler.engine.linkage import Linkage
from reconciler.engine.observe import Observation, observe
from reconciler.engine.propagation import Propagation
from reconciler.engine.prune import Pruning, orphans, point_out, prune
from reconciler.engine.unmanaged import consumers_left_behind, unmanaged_addresses, unmanaged_consumers
from reconciler.engine.verdict import Verdict
from reconciler.engine.versions import VersionJudge
from reconciler.ledger import Ledger
from reconciler.platform import Platform
from reconciler.problems import Finding, SpecError
from reconciler.specs import Catalog, Commit, Environment, Masker, SecretValues
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


async def make_plan(workspace: Workspace, platform: Platform, ledger: Ledger, scope: Scope) -> Planning:
    """Plans a run.

    Raises:
        SpecError: references go round in a circle.
        WrongOrgError: the credentials belong to another org.
        PlatformError: the org could not be read.
    """
    graph = check_order(workspace.catalog)
    observation = await observe(platform, ledger, workspace.environment.org.id)
    chosen = select(graph, scope.targets, scope.excludes)
    left = _orphans(workspace, observation, scope)
    _refuse_empty_selection(scope, chosen, left)
    history = History(workspace.root, workspace.environment.name, workspace.cache)
    verdicts = await _assessor(workspace, platform, observation, history, scope).assess(
        address for address in execution_order(graph) if address in chosen
    )
    pruning = await _prune(workspace, platform, observation, verdicts, left, scope)
    changes = {
        address: verdict for address, verdict in {**verdicts, **pruning.verdicts}.items() if verdict.action is not None
    }
    order = change_graph(graph, changes, pruning.users)
    findings = [
        *workspace.catalog.findings,
        *observation.org.duplicates,
        *(finding for verdict in verdicts.values() for finding in verdict.findings),
        *lock_findings(verdicts.values()),
        *await _linkage(workspace, platform, observation, chosen).check(verdicts.values()),
        *claim_findings(changes, _all_live(observation)),
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


def _refuse_empty_selection(scope: Scope, chosen: Iterable[str], left: Iterable[str]) -> None:
    if scope.targets and not [*chosen, *left]:
        raise SpecError(
            [
                Finding(
                    id="nothing-selected",
                    message=f"No resource matches {' '.join(scope.targets)}.",
                    remedy="Addresses look like `commonModule/Authenticate Caller`; globs are allowed.",
                )
            ]
        )


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
        summary=Summary(**counts, unchanged=sum(1 for verdict in verdicts.values() if verdict.action is None)),
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
