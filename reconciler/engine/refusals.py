"""What keeps a plan from being applied, found out before anything is done: each check raises or lets it pass."""

from __future__ import annotations

from typing import ClassVar

from reconciler.engine.document import Action, Plan
from reconciler.engine.drift import DriftPolicy
from reconciler.engine.planner import Planning
from reconciler.engine.policy import ON_DRIFT, judge_saved, named_reason, uncommitted_finding, unsaved_finding
from reconciler.engine.prune import drifted_deletes, orphans
from reconciler.engine.republish import unmanaged_of
from reconciler.engine.steps import moves_only
from reconciler.engine.workspace import Workspace
from reconciler.platform import Organization
from reconciler.problems import Finding, ReconcilerError, Severity


class StalePlanError(ReconcilerError):
    """A saved plan does not fit any more, or was applied already (exit code 3)."""

    exit_code: ClassVar[int] = 3


class DeclinedError(ReconcilerError):
    """The person at the terminal said no; nothing was done, and that is no error (exit code 0)."""

    exit_code: ClassVar[int] = 0


class UnusablePlanError(ReconcilerError):
    """The plan holds errors, or the environment forbids it; nothing was done."""


def refuse_unsaved(workspace: Workspace) -> None:
    """To be called before an apply that has no plan file; asks nobody.

    Raises:
        UnusablePlanError: the environment takes saved plans only.
    """
    finding = unsaved_finding(workspace.environment)
    _refuse([finding] if finding else [])


def refuse_other_environment(plan: Plan, workspace: Workspace) -> None:
    """Raises ``StalePlanError`` for a plan of another environment."""
    if plan.environment != workspace.environment.name:
        raise StalePlanError(
            f"The plan was made for the environment {plan.environment!r}, not for {workspace.environment.name!r}.",
            remedy=f"Apply it with --env {plan.environment}, or plan again.",
        )


def refuse_other_source(plan: Plan, workspace: Workspace) -> None:
    """Raises ``StalePlanError`` where the specs, or what is gone back to, are not those of the plan."""
    if plan.source.digest == workspace.catalog.digest:
        return
    if plan.rollback:
        raise StalePlanError(
            "Something was applied, or the history of the repository changed, since this rollback was planned.",
            remedy="Plan the rollback again.",
        )
    raise StalePlanError(
        "The specs or the environment changed since the plan was made.",
        remedy="Plan again and have the new plan reviewed.",
    )


def refuse_other_org(plan: Plan, identity: Organization) -> None:
    """Raises ``StalePlanError`` where the credentials belong to another org than the plan's."""
    if identity.id != plan.org.id:
        raise StalePlanError(
            f"The plan was made for the org {plan.org.name!r} ({plan.org.id}), "
            f"but the credentials belong to {identity.name!r} ({identity.id}).",
            remedy="Use that org's credentials, or plan again.",
        )


def refuse_applied(plan: Plan, planning: Planning) -> None:
    """Raises ``StalePlanError`` where the ledger knows that the plan was applied."""
    if plan.id in planning.observation.ledger.applied_plans:
        raise StalePlanError(f"The plan {plan.id} was applied already.", remedy="Plan again to see what is left.")


def refuse_errors(plan: Plan) -> None:
    """Raises ``UnusablePlanError`` for a plan that holds errors."""
    if plan.errors:
        count = len(plan.errors)
        raise UnusablePlanError(
            f"The plan holds {count} error{'s' if count > 1 else ''}; nothing was applied.",
            findings=[finding for finding in plan.findings if finding.severity is Severity.ERROR],
        )


def refuse_by_policy(plan: Plan, workspace: Workspace, *, republish_unmanaged: bool) -> None:
    """Raises ``UnusablePlanError`` for what the policy of today forbids, whatever it said when the plan was made."""
    environment, made, now = workspace.environment, plan.source, workspace.commit
    outside = [consumer.address for consumer in unmanaged_of(plan)] if republish_unmanaged else []
    findings = judge_saved(plan.changes, outside, environment)
    if plan.changes and not plan.rollback:
        uncommitted = uncommitted_finding(environment, now.commit, now.dirty, now.changed)
        uncommitted = uncommitted or uncommitted_finding(environment, made.commit, made.dirty, then=True)
        findings += [uncommitted] if uncommitted else []
    _refuse(findings)


def refuse_drift(plan: Plan, planning: Planning, workspace: Workspace) -> None:
    """Drift that today's policy leaves as it is stays so, unless the plan was made by naming the object.

    Raises:
        UnusablePlanError: the plan would put something over it.
    """
    unnamed = [change for change in plan.changes if named_reason(ON_DRIFT) not in change.reasons]
    verdicts = [planning.verdicts.get(change.address) for change in unnamed]
    left = orphans(workspace.catalog, planning.observation)
    deletes = [change.address for change in unnamed if change.action is Action.DELETE]
    policy = DriftPolicy(workspace.environment.policy.on_drift)
    _refuse(
        [
            *(finding for verdict in verdicts if verdict and verdict.held for finding in verdict.findings),
            *drifted_deletes(deletes, left, policy),
        ]
    )


def refuse_missing_secrets(plan: Plan, workspace: Workspace) -> None:
    """A flow must not be published with a placeholder in it; better to know before anything is done.

    Raises:
        UnusablePlanError: a secret that the plan publishes is not set on this machine.
    """
    publishing = [
        workspace.catalog.resources.get(change.address)
        for change in plan.changes
        if change.action is not Action.ADOPT and not moves_only(change) and change.publish_version is None
    ]
    used = {name for desired in publishing if desired is not None for name in desired.secrets}
    findings = workspace.missing_secrets(used)
    if findings:
        raise UnusablePlanError("Secrets that this plan publishes are not set here.", findings=findings)


def _refuse(findings: list[Finding]) -> None:
    if findings:
        raise UnusablePlanError("The policy of the environment forbids this; nothing was applied.", findings=findings)
