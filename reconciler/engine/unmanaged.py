"""What the org has and no spec wants: listed, never touched; and who of it runs our common modules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.engine.document import UnmanagedConsumer
from reconciler.engine.observe import Observation, embedded_modules
from reconciler.engine.verdict import Verdict
from reconciler.kinds.base import Live
from reconciler.problems import Finding, Severity
from reconciler.specs import Catalog


def unmanaged_addresses(catalog: Catalog, observation: Observation) -> list[str]:
    """Addresses of live objects that are neither in the specs nor in the ledger, sorted."""
    return sorted(
        address
        for address, live in observation.org.by_address.items()
        if not live.system and address not in catalog.resources and not _ours(observation, address, live)
    )


def consumers_left_behind(catalog: Catalog, verdicts: Mapping[str, Verdict]) -> list[Finding]:
    """Warnings on consumers in the specs that are left out, or left as they are, although their module changes."""
    publishing = {address for address, verdict in verdicts.items() if verdict.publishes}
    return [
        Finding(
            id="consumer-left-behind",
            severity=Severity.WARNING,
            message=f"{address} holds {module}, which this plan publishes, but is not published itself; "
            "it keeps the old version until it is.",
            address=address,
            file=desired.file,
            line=desired.line,
            remedy="Bring it into the plan (--target, --exclude), or settle its drift.",
        )
        for address, desired in catalog.resources.items()
        if address not in verdicts or verdicts[address].held
        for module in embedded_modules(desired, catalog.resources)
        if module in publishing
    ]


def _ours(observation: Observation, address: str, live: Live) -> bool:
    row = observation.row(address)
    return row is not None and row.object_id == live.id


def unmanaged_findings(consumers: Mapping[str, Iterable[UnmanagedConsumer]]) -> list[Finding]:
    """Warnings on consumers outside the repository that keep the old snapshot of a changing module."""
    return [
        Finding(
            id="unmanaged-consumer",
            severity=Severity.WARNING,
            message=f"{consumer.address} holds {consumer.holds} but is not in the specs; "
            "it keeps the old version until it is published again.",
            address=consumer.address,
            remedy="Apply with --republish-unmanaged, publish it in Architect, or bring it into the specs.",
        )
        for consumer in {consumer.id: consumer for found in consumers.values() for consumer in found}.values()
    ]
