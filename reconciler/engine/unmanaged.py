"""What the org has and no spec wants: listed, never touched; and who of it runs our common modules."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.engine.document import Action
from reconciler.engine.observe import Observation
from reconciler.engine.verdict import Verdict
from reconciler.platform import Platform
from reconciler.problems import Finding, Severity
from reconciler.specs import Catalog


def unmanaged_addresses(catalog: Catalog, observation: Observation) -> list[str]:
    """Addresses of live objects that are neither in the specs nor in the ledger, sorted."""
    return sorted(
        address
        for address, live in observation.org.by_address.items()
        if not live.system and address not in catalog.resources and observation.row(address) is None
    )


async def unmanaged_consumers(platform: Platform, catalog: Catalog, verdicts: Iterable[Verdict]) -> list[Finding]:
    """Warnings on consumers outside the repository that keep the old snapshot of a changing module."""
    findings = []
    for verdict in verdicts:
        live = verdict.live
        if live is None or verdict.action not in (Action.UPDATE, Action.REPUBLISH) or verdict.moves_only:
            continue
        if not verdict.kind.embeds(verdict.kind.reference(live)):
            continue
        findings += [
            Finding(
                id="unmanaged-consumer",
                severity=Severity.WARNING,
                message=f"{consumer.address} holds {verdict.address} but is not in the specs; "
                "it keeps the old version until somebody publishes it.",
                address=consumer.address,
                remedy="Publish it in Architect afterwards, or bring it into the specs.",
            )
            for consumer in await verdict.kind.consumers(platform, live)
            if consumer.address not in catalog.resources
        ]
    return findings
