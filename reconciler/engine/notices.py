"""What a plan has to say beside its changes: circumstances that a reader must know, and what forbids an apply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.engine.document import Action
from reconciler.engine.graph import Graph, find_cycles
from reconciler.engine.history import History
from reconciler.engine.observe import Observation
from reconciler.engine.verdict import Verdict
from reconciler.engine.workspace import Scope, Workspace
from reconciler.globs import matches
from reconciler.ledger import stamp
from reconciler.problems import Finding, ReconcilerError, Severity, SpecError
from reconciler.specs import Catalog
from reconciler.suggest import near


def refuse_empty_selection(scope: Scope, known: Iterable[str]) -> None:
    """A pattern that matches nothing is a slip, and with --exclude a dangerous one.

    Raises:
        ReconcilerError: one of the patterns matches no known address.
    """
    known = tuple(known)
    for option, patterns in (("--target", scope.targets), ("--exclude", scope.excludes)):
        for pattern in patterns:
            if not any(matches(address, [pattern]) for address in known):
                raise ReconcilerError(
                    f"{option} {pattern}: no resource matches.",
                    remedy=f"{near(pattern, known)}Addresses look like 'commonModule/Authenticate Caller'; "
                    "globs are allowed.",
                )


def scope_findings(scope: Scope, graph: Graph, chosen: set[str]) -> list[Finding]:
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


def foreign_ledger_findings(workspace: Workspace, observation: Observation) -> list[Finding]:
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


def lock_findings(observation: Observation, own_run: str | None) -> list[Finding]:
    """Warns that another run may be changing the org at this moment."""
    lock = observation.ledger.lock
    if lock is None or lock.run == own_run:
        return []
    state = f"holds until {stamp(lock.expires_at)}" if observation.ledger.locked else "has expired"
    return [
        Finding(
            id="locked",
            severity=Severity.WARNING,
            message=f"The run {lock.run} of {lock.holder} has the lock since {stamp(lock.acquired_at)}; it {state}. "
            "What that run does may show in this plan.",
            remedy="Wait for it to end; if it is dead, `reconciler unlock` drops its lock.",
        )
    ]


def secret_findings(verdicts: Iterable[Verdict]) -> list[Finding]:
    """Secrets that would change more of a flow than their own place; better known before anything is applied."""
    findings: list[Finding] = []
    for verdict in verdicts:
        if verdict.publishes and verdict.desired is not None and verdict.desired.secrets:
            try:
                _ = verdict.desired.content
            except SpecError as error:
                findings += error.findings
    return findings


def duplicate_findings(catalog: Catalog, observation: Observation) -> list[Finding]:
    """Two objects of one name in the org: an error for what we manage, else only worth knowing."""
    return [
        finding
        if finding.address in catalog.resources or observation.row(finding.address or "")
        else finding.model_copy(update={"severity": Severity.INFO})
        for finding in observation.org.duplicates
    ]


def circle_findings(order: Graph) -> list[Finding]:
    """Errors for changes that wait for each other, e.g. two lines that swap their numbers."""
    return [
        Finding(
            id="cycle",
            message=f"These changes wait for each other: {' → '.join(path)}.",
            address=path[0],
            remedy="Apply one of them first with --target, in an intermediate form.",
        )
        for path in find_cycles(order)
    ]


def mention_renames(changes: Mapping[str, Verdict], left: Mapping[str, Verdict], history: History) -> None:
    """A create that equals something that left the specs but for its name is a rename: says so."""
    created = [verdict for verdict in changes.values() if verdict.action is Action.CREATE]
    if not created or not left:
        return
    history.recall(verdict.row for verdict in left.values() if verdict.row)
    for other in left.values():
        before = history.spec(other.row) if other.row else None
        alike = [
            verdict
            for verdict in created
            if before is not None
            and verdict.desired is not None
            and verdict.kind is other.kind
            and _but_name(before) == _but_name(verdict.desired.content.canonical)
        ]
        if len(alike) == 1:
            alike[0].reasons.append(
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
