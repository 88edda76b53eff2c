"""What was applied once and is in the specs no longer: deleted with ``--prune``, else pointed out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.engine.document import Action
from reconciler.engine.graph import matches
from reconciler.engine.observe import Observation
from reconciler.engine.verdict import Verdict
from reconciler.kinds.base import Consumer, Live
from reconciler.platform import Platform
from reconciler.problems import Finding, Severity
from reconciler.specs import Catalog, Policy


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
            remedy="`--prune` deletes it.",
        )
        for address in left
    ]


async def prune(
    platform: Platform,
    observation: Observation,
    left: Mapping[str, Verdict],
    changing: Mapping[str, Verdict],
    policy: Policy,
) -> Pruning:
    """Decides which orphans go. ``changing`` are the verdicts on what the specs want."""
    pruning = Pruning()
    listings = await asyncio.gather(*(_users(platform, observation, verdict) for verdict in left.values()))
    for (address, verdict), users in zip(left.items(), listings, strict=True):
        verdict.decide(Action.DELETE, "is in the specs no longer")
        pruning.verdicts[address] = verdict
        pruning.users[address] = frozenset(user.address for user in users)
        blockers = [user for user in users if not _lets_go(user, address, left, changing)]
        if blockers:
            pruning.findings.append(_in_use(address, blockers))
        if matches(address, policy.protect):
            pruning.findings.append(_protected(address))
    if policy.max_deletes is not None and len(left) > policy.max_deletes:
        pruning.findings.append(_too_many(list(left), policy.max_deletes))
    return pruning


async def _users(platform: Platform, observation: Observation, verdict: Verdict) -> list[Consumer]:
    live = verdict.live
    assert live is not None
    listed = [_consumer(other) for other in observation.org.by_id.values() if live.id in other.uses]
    tracked = await verdict.kind.consumers(platform, live)
    return list({user.id: user for user in [*listed, *tracked] if user.id != live.id}.values())


def _consumer(live: Live) -> Consumer:
    return Consumer(live.id, live.name, live.kind, live.version, live.kind)


def _lets_go(user: Consumer, address: str, left: Mapping[str, Verdict], changing: Mapping[str, Verdict]) -> bool:
    """Whether this plan deletes the user as well, or publishes it without naming the orphan."""
    if user.address in left:
        return True
    verdict = changing.get(user.address)
    if verdict is None or verdict.desired is None or verdict.action in (None, Action.ADOPT):
        return False
    kind, _, name = address.partition("/")
    return not any(
        reference.name == name and (reference.kind in (kind, "flow")) for reference in verdict.desired.references
    )


def _in_use(address: str, blockers: list[Consumer]) -> Finding:
    names = ", ".join(sorted(user.address for user in blockers))
    return Finding(
        id="delete-in-use",
        message=f"{address} cannot be deleted: it is still used by {names}.",
        address=address,
        remedy="Change or delete what uses it first, or keep it in the specs.",
    )


def _protected(address: str) -> Finding:
    return Finding(
        id="protected",
        message=f"{address} is protected in this environment and is not deleted.",
        address=address,
        remedy="Put it back into the specs, or take it out of `policy.protect`.",
    )


def _too_many(addresses: list[str], limit: int) -> Finding:
    return Finding(
        id="too-many-deletes",
        message=f"The plan would delete {len(addresses)} objects ({', '.join(addresses)}); "
        f"`policy.max_deletes` allows {limit}.",
        remedy="Leave some out with --exclude, or raise the limit.",
    )
