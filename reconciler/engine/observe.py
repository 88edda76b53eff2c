"""What there is before anything is decided: the live objects, the ledger, the org."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field

from reconciler.archy.model import Reference
from reconciler.engine.concurrency import together
from reconciler.kinds.base import Desired, Live
from reconciler.kinds.registry import all_kinds, kind_of
from reconciler.ledger import Ledger, Row, Snapshot
from reconciler.platform import Organization, Platform
from reconciler.problems import Finding, ReconcilerError


class WrongOrgError(ReconcilerError):
    """The token belongs to another org than the environment names."""


@dataclass
class Org:
    """The live objects of all our kinds, kept up to date while changes are applied."""

    identity: Organization
    by_address: dict[str, Live]
    by_id: dict[str, Live] = field(default_factory=dict)
    duplicates: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        self.by_id = {live.id: live for live in self.by_address.values()}

    def put(self, live: Live) -> None:
        """Notes an object as it is now."""
        self.by_address[live.address] = live
        self.by_id[live.id] = live

    def drop(self, address: str) -> None:
        """Notes that an object is gone."""
        live = self.by_address.pop(address, None)
        if live is not None:
            self.by_id.pop(live.id, None)


@dataclass(frozen=True)
class Observation:
    """The org and the ledger as one plan sees them."""

    org: Org
    ledger: Snapshot

    def row(self, address: str) -> Row | None:
        """The ledger's row of an address."""
        return self.ledger.rows.get(address)


async def observe(platform: Platform, ledger: Ledger, expected_org: str | None) -> Observation:
    """Reads the org by list calls only, and the ledger.

    Raises:
        WrongOrgError: the token belongs to another org than ``expected_org``.
    """
    check_org(await platform.organization(), expected_org)
    snapshot = await ledger.read()
    return Observation(await observe_org(platform, expected_org), snapshot)


async def observe_org(platform: Platform, expected: str | None) -> Org:
    """Reads the org alone, by list calls only.

    Raises:
        WrongOrgError: the token belongs to another org than ``expected``.
    """
    identity = await platform.organization()
    check_org(identity, expected)
    listings = await together(kind.list_live(platform) for kind in all_kinds())
    return _org(identity, [live for listing in listings for live in listing])


def check_org(identity: Organization, expected: str | None) -> None:
    """Refuses an org that is not the environment's."""
    if expected and identity.id.lower() != expected.lower():
        raise WrongOrgError(
            f"The credentials belong to the org {identity.name!r} ({identity.id}), "
            f"but the environment is for {expected}.",
            remedy="Use that org's credentials, or correct `org.id` in the environment file.",
        )


def flow_addresses(reference: Reference, known: Container[str]) -> list[str]:
    """Addresses of the flows that a reference may mean, among ``known`` ones, most likely first."""
    return [address for address in candidate_addresses(reference) if address in known]


def embedded_modules(desired: Desired, known: Container[str]) -> list[str]:
    """Addresses of the common modules, among ``known`` ones, that are copied into a flow when it is published."""
    kind = kind_of(desired.kind)
    found = (flow_addresses(reference, known)[:1] for reference in desired.references if kind.embeds(reference))
    return list(dict.fromkeys(address for addresses in found for address in addresses))


def candidate_addresses(reference: Reference) -> list[str]:
    """Addresses that a reference to one of our own kinds may mean; empty for other org objects."""
    if not reference.name:
        return []
    for kind in all_kinds():
        found = kind.addresses(reference)
        if found:
            return list(found)
    return []


def _org(identity: Organization, lives: Iterable[Live]) -> Org:
    by_address: dict[str, Live] = {}
    duplicates = []
    for live in lives:
        first = by_address.setdefault(live.address, live)
        if first is not live:
            duplicates.append(
                Finding(
                    id="duplicate-in-org",
                    message=f"The org holds two objects named {live.address} ({first.id} and {live.id}).",
                    address=live.address,
                    remedy="Rename or delete one of them; names are how specs find objects.",
                )
            )
    return Org(identity, by_address, duplicates=tuple(duplicates))
