"""Makes a plan: observe, assess, prune, check, order. Writes nothing, neither in the org nor in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.engine.assembly import assemble
from reconciler.engine.assess import Assessor, edit_lock_findings
from reconciler.engine.claims import taken_findings, unavailable_findings
from reconciler.engine.contracts import Contracts
from reconciler.engine.dependencies import catalog_graph, change_graph, cycle_findings
from reconciler.engine.document import Action, Plan, RollbackRef
from reconciler.engine.drift import DriftPolicy
from reconciler.engine.exports import Exports
from reconciler.engine.fields import FieldJudge
from reconciler.engine.graph import Graph, execution_order, reference_graph, select
from reconciler.engine.history import History
from reconciler.engine.limits.findings import limit_findings
from reconciler.engine.limits.sizes import Sizes
from reconciler.engine.linkage import Linkage
from reconciler.engine.notices import (
    circle_findings,
    duplicate_findings,
    foreign_ledger_findings,
    lock_findings,
    mention_renames,
    refuse_empty_selection,
    scope_findings,
    secret_findings,
)
from reconciler.engine.observe import Observation, observe
from reconciler.engine.policy import judge, named_reason, set_aside_findings, uncommitted_finding
from reconciler.engine.propagation import Propagation
from reconciler.engine.prune import Pruning, orphans, point_out, prune
from reconciler.engine.reach import Reaching, consumers_outside
from reconciler.engine.unmanaged import consumers_left_behind, unmanaged_findings
from reconciler.engine.verdict import Verdict
from reconciler.engine.versions import VersionJudge
from reconciler.engine.workspace import Scope, Workspace
from reconciler.ledger import Ledger
from reconciler.platform import Platform
from reconciler.problems import Finding, SpecError
from reconciler.specs import Catalog, Masker


@dataclass
class Planning:
    """A plan together with what it was decided on; only the plan is ever saved."""

    plan: Plan
    observation: Observation
    workspace: Workspace
    """With the catalog that the plan is for."""
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    history: History | None = None

    @property
    def heals(self) -> list[Verdict]:
        """Rows to renew although nothing changes."""
        healing = (verdict for verdict in self.verdicts.values() if verdict.heal and verdict.action is None)
        return [verdict for verdict in healing if not verdict.held]


@dataclass(frozen=True)
class Aim:
    """What a plan looks at and does, where that is not simply all that the specs want."""

    rollback: RollbackRef
    chosen: frozenset[str]
    """Addresses that it may create, change or publish."""
    leaving: frozenset[str]
    """Addresses that it may delete."""
    settle: Callable[[Mapping[str, Verdict]], list[Finding]]
    """Has the last word on the verdicts on what is chosen; what it says goes into the plan."""


def check_order(catalog: Catalog) -> Graph:
    """The graph of references.

    Raises:
        SpecError: references go round in a circle.
    """
    graph = catalog_graph(catalog)
    cycles = cycle_findings(graph, catalog)
    if cycles:
        raise SpecError([*catalog.findings, *cycles], catalog.silenced)
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
    return await plan_on(observation, graph, workspace, platform, scope, own_run=own_run)


async def plan_on(
    observation: Observation,
    graph: Graph,
    workspace: Workspace,
    platform: Platform,
    scope: Scope,
    *,
    own_run: str | None = None,
    aim: Aim | None = None,
) -> Planning:
    """Plans on what was observed; ``graph`` is that of ``check_order``. Raises as ``make_plan`` does."""
    chosen = set(aim.chosen) if aim else select(graph, scope.targets, scope.excludes)
    left = _orphans(workspace, observation, scope)
    if aim:
        left = {address: verdict for address, verdict in left.items() if address in aim.leaving}
    else:
        refuse_empty_selection(scope, {*graph, *orphans(workspace.catalog, observation)})
    history = History(workspace.root, workspace.environment.name, workspace.cache)
    verdicts = await _assessor(workspace, platform, observation, history, scope).assess(
        address for address in execution_order(graph) if address in chosen
    )
    settled = aim.settle(verdicts) if aim else scope_findings(scope, graph, chosen)
    pruning = await _prune(workspace, platform, observation, verdicts, left, scope)
    if scope.prune and left:
        pruning.findings += foreign_ledger_findings(workspace, observation)
    changes = {
        address: verdict for address, verdict in {**verdicts, **pruning.verdicts}.items() if verdict.action is not None
    }
    order = change_graph(graph, changes, pruning.users)
    outside = await consumers_outside(platform, workspace.catalog, observation, verdicts.values())
    exports = Exports(platform, observation.org, workspace.cache, Masker(workspace.secrets))
    contracts = Contracts(workspace.catalog, observation.org, exports, history)
    findings = [
        *workspace.catalog.findings,
        *settled,
        *lock_findings(observation, own_run),
        *duplicate_findings(workspace.catalog, observation),
        *(finding for verdict in verdicts.values() for finding in verdict.findings),
        *edit_lock_findings(verdicts.values()),
        *await _linkage(workspace, platform, observation, _present(chosen, verdicts)).check(verdicts.values()),
        *taken_findings(changes, _all_live(observation)),
        *([] if workspace.missing_is_made else await unavailable_findings(platform, changes.values())),
        *circle_findings(order),
        *pruning.findings,
        *await _limits(workspace, platform, observation, changes),
        *_hold_to_policy(workspace, changes, scope),
        *(_uncommitted(workspace) if changes and not aim else ()),
        *unmanaged_findings(outside),
        *await contracts.broken_outside(verdicts, outside),
        *await contracts.calls_of_foreign_modules(verdicts.values()),
        *consumers_left_behind(workspace.catalog, verdicts),
        *secret_findings(verdicts.values()),
    ]
    mention_renames(changes, left, history)
    reaching = Reaching(workspace.catalog, graph, observation, {**verdicts, **pruning.verdicts})
    if aim:
        # Known when it was applied; in a hurry, it would only hide what counts.
        findings = [_said_of_rollback(finding) for finding in findings if finding.id != "not-checkable"]
        for verdict in pruning.verdicts.values():
            verdict.reasons[0] = "was not there then"
    reach = reaching.of(changes.values(), outside)
    rollback = aim.rollback if aim else None
    plan = assemble(workspace, observation, verdicts, changes, order, findings, reach, rollback)
    return Planning(plan, observation, workspace, verdicts, history)


async def _limits(
    workspace: Workspace, platform: Platform, observation: Observation, changes: Mapping[str, Verdict]
) -> list[Finding]:
    """What the changes come to in numbers and sizes, against what the org takes."""
    actions = {address: verdict.action for address, verdict in changes.items() if verdict.action is not None}
    publishing = [
        verdict.desired
        for verdict in changes.values()
        if verdict.desired is not None and verdict.action is not Action.ADOPT
    ]
    sizes = Sizes(workspace.cache, observation.org.identity.id)
    return [*await limit_findings(workspace, platform, observation, actions), *sizes.findings(publishing)]


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
    drift = DriftPolicy(workspace.environment.policy.on_drift, scope.targets)
    return await prune(platform, observation, left, verdicts, workspace.catalog, drift)


def _hold_to_policy(workspace: Workspace, changes: Mapping[str, Verdict], scope: Scope) -> list[Finding]:
    """Judges the final changes; those that the policy lets pass because they were named get that as a reason."""
    environment = workspace.environment
    steps = {address: verdict.action for address, verdict in changes.items() if verdict.action is not None}
    judgement = judge(steps, environment.policy, lambda address, _key: address in scope.targets, environment.place)
    for address, keys in judgement.set_aside.items():
        changes[address].reasons += map(named_reason, keys)
    return [
        *judgement.findings,
        *set_aside_findings({address: verdict.reasons for address, verdict in changes.items()}, environment.place),
    ]


def _said_of_rollback(finding: Finding) -> Finding:
    """With a remedy that there is: a rollback has no --target and no --exclude, it takes addresses."""
    if not finding.remedy or not any(option in finding.remedy for option in ("--target", "--exclude")):
        return finding
    named = f"'{finding.address}'" if finding.address else "what is meant"
    remedy = f"Name all that is to go back in full, {named} as well: reconciler rollback … ADDRESS…"
    return finding.model_copy(update={"remedy": remedy})


def _uncommitted(workspace: Workspace) -> list[Finding]:
    commit = workspace.commit
    finding = uncommitted_finding(workspace.environment, commit.commit, commit.dirty, commit.changed)
    return [finding] if finding else []


def _present(chosen: set[str], verdicts: Mapping[str, Verdict]) -> set[str]:
    """Addresses that exist after the plan; one that was deleted by hand and is left so does not."""
    return {address for address in chosen if not (verdicts[address].held and not verdicts[address].on_air)}


def _linkage(workspace: Workspace, platform: Platform, observation: Observation, chosen: set[str]) -> Linkage:
    return Linkage(platform, observation.org, chosen, workspace.missing_is_made)


def _all_live(observation: Observation) -> dict[str, Verdict]:
    return {
        address: Verdict(address, None, live, None)
        for address, live in observation.org.by_address.items()
        if live.fields is not None
    }
