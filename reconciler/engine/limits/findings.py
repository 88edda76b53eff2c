"""What a plan says about the org's limits: those that it would cross, or come close to."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.engine.document import Action
from reconciler.engine.limits.counting import Count, counting
from reconciler.engine.limits.known import Known, limits_for
from reconciler.engine.limits.values import Values
from reconciler.engine.observe import Observation
from reconciler.engine.workspace import Workspace
from reconciler.platform import PermissionDenied, Platform, PlatformError
from reconciler.problems import Finding, Severity
from reconciler.specs.limits import LEDGER_ROWS

NEAR = 0.9
"""From this part of a limit on, a plan that adds something says so."""


async def limit_findings(
    workspace: Workspace, platform: Platform, observation: Observation, actions: Mapping[str, Action]
) -> list[Finding]:
    """Findings about the limits of what the plan adds to; the org is asked only where it adds something."""
    if not actions:
        return []
    settings = workspace.environment.limits
    in_org = workspace.environment.ledger.type == "org"
    counts = counting(observation, actions, in_org=in_org)
    values = Values(platform, observation.org.identity.id, workspace.cache)
    findings = []
    for limit in limits_for(settings.counts):
        count = counts.of(limit.globs)
        if count.most <= count.now:
            continue
        told = None
        if limit.namespace and limit.key:
            told = (await values.of(limit.namespace)).get(limit.key)
            if told is not None and count.most > told:
                told = (await values.afresh(limit.namespace)).get(limit.key)
        value = told if told is not None else limit.default
        if value is None or value < 1:
            continue
        blocks = told is not None and settings.on_crossing == "fail"
        findings += _judged(limit, value, count, of_org=told is not None, blocks=blocks)
    return [*findings, *(_unread(namespace, error) for namespace, error in values.problems.items())]


def _judged(limit: Known, value: int, count: Count, *, of_org: bool, blocks: bool) -> list[Finding]:
    crossed = count.after > value
    meanwhile = not crossed and count.most > value
    if not (crossed or meanwhile or (count.after > count.now and count.after >= value * NEAR)):
        return []
    named = f" ({limit.name})" if limit.key else ""
    whose = f"the org's limit is {value:,}{named}" if of_org else f"the documented limit is {value:,}"
    verb = "crosses a limit of the org" if crossed else "comes close to a limit of the org"
    message = f"The plan {verb}: {limit.what}, {count.now:,} now and {count.after:,} after the plan; {whose}."
    if meanwhile:
        message += f" Not all deletes come before all creates, so that there may be up to {count.most:,} at a time."
    ask = "Ask Genesys Cloud Customer Care for a higher limit."
    if not any(glob.startswith(LEDGER_ROWS) for glob in limit.globs):
        ask = f"Delete {limit.what} that nobody needs, or ask Genesys Cloud Customer Care for a higher limit."
    if crossed and blocks:
        ask += " If the limit counts something else, say so in the environment: see docs/limits.md."
    elif not of_org:
        ask += " Your org may have another one: `reconciler limits` lists those that it tells."
    severity = Severity.ERROR if crossed and blocks else Severity.WARNING
    return [Finding(id="limit-crossed" if crossed else "limit-near", severity=severity, message=message, remedy=ask)]


def _unread(namespace: str, error: PlatformError) -> Finding:
    remedy = error.remedy
    if isinstance(error, PermissionDenied):
        remedy = "Give the OAuth client the permission limits:organization:view, or leave it: nothing else needs it."
    return Finding(
        id="limits-unread",
        severity=Severity.INFO,
        message=f"The org's limits of {namespace} could not be read, so the plan was not compared with them: {error}",
        remedy=remedy,
    )
