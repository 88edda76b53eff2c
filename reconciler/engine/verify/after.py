"""Verification at the end of an apply, as its environment wants it; whatever goes wrong in it, the apply is done."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.engine.document import Plan
from reconciler.engine.outcome import Outcome, Result
from reconciler.engine.planner import Planning
from reconciler.engine.verify.report import Check, Proof, VerifyReport, What
from reconciler.engine.verify.run import Verification
from reconciler.engine.verify.scope import changed
from reconciler.engine.verify.waiting import Listener
from reconciler.engine.workspace import Workspace
from reconciler.platform import Platform
from reconciler.specs import Masker


async def verified_after(
    workspace: Workspace,
    platform: Platform,
    planning: Planning,
    plan: Plan,
    results: tuple[Result, ...],
    listener: Listener,
    stopping: Callable[[], bool],
) -> VerifyReport | None:
    """What the org shows of the changes; None where nothing was changed, or the environment wants no verification."""
    settings = workspace.environment.verify
    if settings.after_apply == "off" or not any(result.outcome is Outcome.APPLIED for result in results):
        return None
    org = planning.observation.org
    try:
        subjects = changed(workspace.catalog, planning, plan, results, everything=settings.after_apply == "all")
        if not subjects.addresses and not subjects.after_deletes:
            return None
        run = Verification(workspace, platform, listener, settings.timeout, stopping)
        return await run.after(org, subjects)
    except Exception as error:  # noqa: BLE001 - the changes are applied; what befell their proof must not hide that
        unknown = Check(
            address="*",
            what=What.THERE,
            about="everything that was changed",
            expected="as the specs say",
            outcome=Proof.UNPROVEN,
            reason=Masker(workspace.secrets).mask(f"Unexpected: {type(error).__name__}: {error}"),
            remedy=f"Run `reconciler verify --env {workspace.environment.name}`, and report this to the maintainers.",
        )
        return VerifyReport(environment=workspace.environment.name, org=org.identity.name, checks=(unknown,))
