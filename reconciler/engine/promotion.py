"""Whether an environment proves a commit: a plan from exactly that commit has nothing left to do there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.engine.document import Change, Drift, Plan
from reconciler.engine.planner import Planning
from reconciler.ledger import stamp
from reconciler.problems import Finding, ReconcilerError


class NotProvenError(ReconcilerError):
    """The environment does not run the commit as it stands; the findings name every reason."""


def require_committed(environment: str, changed: Iterable[str]) -> None:
    """Refuses specs that are in no commit: nobody could promote them.

    Raises:
        NotProvenError: some are; ``changed`` names the files.
    """
    findings = [
        Finding(id="promotion-uncommitted", message=f"{file} has changes that are in no commit.", file=file)
        for file in changed
    ]
    if findings:
        raise NotProvenError(
            f"What {environment} is planned from is in no commit, so nothing can be promoted from it.",
            remedy="Commit the changes and apply them there, or take them back.",
            findings=findings,
        )


def require_proven(planning: Planning) -> None:
    """Refuses to promote what the plan does not prove.

    Raises:
        NotProvenError: changes are pending, something drifted, the plan holds errors, or a run is under way.
    """
    plan = planning.plan
    findings = [*plan.errors, *_pending(plan), *_drifted(plan), *_locked(planning)]
    if not findings:
        return
    commit = (plan.source.commit or "")[:12]
    raise NotProvenError(
        f"{plan.environment} does not run commit {commit} as it stands: {_counted(planning)}. Nothing was promoted.",
        remedy=f"Bring {plan.environment} to this commit (`reconciler apply --env {plan.environment}`), "
        "see that it works, and promote again.",
        findings=findings,
    )


def _pending(plan: Plan) -> Iterator[Finding]:
    for change in plan.changes:
        yield Finding(
            id="promotion-pending",
            message=f"{change.address}: {change.action.value} is pending in {plan.environment}{_reason(change)}.",
            address=change.address,
        )


def _reason(change: Change) -> str:
    return f" ({change.reasons[0]})" if change.reasons else ""


def _drifted(plan: Plan) -> Iterator[Finding]:
    for drift in plan.drift:
        yield Finding(
            id="promotion-drift",
            message=f"{drift.address} was changed in {plan.environment} since it was applied{_by(drift)}.",
            address=drift.address,
        )


def _by(drift: Drift) -> str:
    versions = f" (version {drift.recorded_version} was applied, {drift.live_version} is live)"
    by = f", by {drift.published_by}" if drift.published_by else ""
    return f"{by}{versions if drift.recorded_version != drift.live_version else ''}"


def _locked(planning: Planning) -> Iterator[Finding]:
    ledger = planning.observation.ledger
    if ledger.locked and ledger.lock is not None:
        yield Finding(
            id="promotion-locked",
            message=f"{ledger.lock.holder} is applying something to {planning.plan.environment} "
            f"since {stamp(ledger.lock.acquired_at)}.",
        )


def _counted(planning: Planning) -> str:
    plan = planning.plan
    counted = [
        (len(plan.changes), "change pending", "changes pending"),
        (len(plan.drift), "object drifted", "objects drifted"),
        (len(plan.errors), "error", "errors"),
        (sum(1 for _ in _locked(planning)), "run under way", "runs under way"),
    ]
    return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counted if count)
