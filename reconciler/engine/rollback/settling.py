"""Has the last word on what the plan of a rollback does: reasons, versions, and what is left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.engine.document import Action
from reconciler.engine.observe import Observation, embedded_modules
from reconciler.engine.rollback.destination import Destination, Target
from reconciler.engine.rollback.request import Back
from reconciler.engine.verdict import Verdict
from reconciler.engine.workspace import Scope
from reconciler.ledger import Was, mark_of
from reconciler.problems import Finding, Severity


def settle(
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
    return next(iter(embedded_modules(verdict.desired, publishing)), None)


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


def _stays(address: str, destination: Destination) -> Finding:
    return Finding(
        id="rollback-leaves",
        severity=Severity.INFO,
        message=f"{address} was not there {destination.word}; it stays in the org.",
        address=address,
        remedy="`--prune` deletes it.",
    )
