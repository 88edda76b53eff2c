"""What was applied once and is in the specs no longer: deleted with ``--prune``, else pointed out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.archy.model import Reference
from reconciler.engine.concurrency import together
from reconciler.engine.document import Action
from reconciler.engine.drift import DriftPolicy, by_whom
from reconciler.engine.fields import row_tells
from reconciler.engine.observe import Observation, candidate_addresses, flow_addresses
from reconciler.engine.verdict import Verdict
from reconciler.kinds.base import Consumer, Live
from reconciler.platform import Platform
from reconciler.problems import Finding, Severity
from reconciler.specs import Catalog


@dataclass
class Pruning:
    """Verdicts on addresses that left the specs, and who uses them."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    users: dict[str, frozenset[str]] = field(default_factory=dict)
    """Address → addresses of what uses it in the org now."""
    findings: list[Finding] = field(default_factory=list)


def orphans(catalog: Catalog, observation: Observation) -> dict[str, Verdict]:
    """Objects that we applied, that are still there, and that no spec wants any more."""
    found = {}
    for address, row in observation.ledger.rows.items():
        live = observation.org.by_address.get(address)
        if address not in catalog.resources and live is not None and live.id == row.object_id:
            found[address] = Verdict(address, None, live, row)
    return found


def point_out(left: Mapping[str, Verdict]) -> list[Finding]:
    """Says which objects stay behind when nothing is pruned."""
    return [
        Finding(
            id="orphaned",
            severity=Severity.INFO,
            message=f"{address} was applied from specs that hold it no longer; it stays in the org.",
            address=address,
            remedy="`--prune` deletes it (make plan ARGS=--prune).",
        )
        for address in left
    ]


async def prune(
    platform: Platform,
    observation: Observation,
    left: Mapping[str, Verdict],
    wanted: Mapping[str, Verdict],
    catalog: Catalog,
    drift: DriftPolicy,
) -> Pruning:
    """Decides which orphans go. ``wanted`` are the verdicts on what the specs want."""
    pruning = Pruning()
    listings = await together(_users(platform, observation, verdict) for verdict in left.values())
    named = _named(catalog, left)
    for (address, verdict), users in zip(left.items(), listings, strict=True):
        verdict.decide(Action.DELETE, "is in the specs no longer")
        pruning.verdicts[address] = verdict
        pruning.users[address] = frozenset(user.address for user in users)
        blockers = {user.address for user in users if not _lets_go(user, address, left, wanted)}
        blockers |= named.get(address, set())
        if blockers:
            pruning.findings.append(_in_use(address, blockers))
        if _drifted(verdict) and drift.overwrites(address):
            drift.say_if_named(verdict)
    pruning.findings += drifted_deletes(left, left, drift)
    return pruning


def drifted_deletes(deletes: Iterable[str], left: Mapping[str, Verdict], drift: DriftPolicy) -> list[Finding]:
    """Errors for deletes that would lose what somebody changed by hand, which the policy leaves as it is."""
    verdicts = (left[address] for address in deletes if address in left)
    return [
        _changed_by_hand(verdict) for verdict in verdicts if _drifted(verdict) and not drift.overwrites(verdict.address)
    ]


def _drifted(verdict: Verdict) -> bool:
    live, row = verdict.live, verdict.row
    assert live is not None
    assert row is not None
    return not row_tells(live, row)


def _changed_by_hand(verdict: Verdict) -> Finding:
    return Finding(
        id="drift",
        message=f"{verdict.address} is in the specs no longer, but was changed in the org{by_whom(verdict.live)} "
        "since it was applied; deleting it would lose that.",
        address=verdict.address,
        remedy=f"Keep it in the specs, or delete it with --prune --target '{verdict.address}'.",
    )


def _named(catalog: Catalog, left: Mapping[str, Verdict]) -> dict[str, set[str]]:
    """Orphans that specs still name: orphan → addresses that name it."""
    known = {**dict.fromkeys(left), **catalog.resources}
    named: dict[str, set[str]] = defaultdict(set)
    for address, desired in catalog.resources.items():
        for reference in desired.references:
            for target in flow_addresses(reference, known)[:1]:
                if target in left:
                    named[target].add(address)
    return named


async def _users(platform: Platform, observation: Observation, verdict: Verdict) -> list[Consumer]:
    live = verdict.live
    assert live is not None
    listed = [_consumer(other) for other in observation.org.by_id.values() if live.id in other.uses]
    tracked = await verdict.kind.consumers(platform, live)
    return list({user.id: user for user in [*listed, *tracked] if user.id != live.id}.values())


def _consumer(live: Live) -> Consumer:
    return Consumer(live.id, live.name, live.kind, live.version, live.kind)


def _lets_go(user: Consumer, address: str, left: Mapping[str, Verdict], wanted: Mapping[str, Verdict]) -> bool:
    """Whether this plan deletes the user as well, or leaves it without the orphan."""
    if user.address in left:
        return True
    verdict = wanted.get(user.address)
    if verdict is None or verdict.desired is None or verdict.action in (None, Action.ADOPT):
        return False
    if verdict.kind.content_in_versions:
        return verdict.publishes and not _names(verdict.desired.references, address)
    return not _names(verdict.kind.field_references(verdict.fields_after), address)


def _names(references: Iterable[Reference], address: str) -> bool:
    return any(address in candidate_addresses(reference) for reference in references)


def _in_use(address: str, blockers: Iterable[str]) -> Finding:
    return Finding(
        id="delete-in-use",
        message=f"{address} cannot be deleted: it is still used by {', '.join(sorted(blockers))}.",
        address=address,
        remedy="Change or delete what uses it first, or keep it in the specs.",
    )
