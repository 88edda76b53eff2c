"""What a change reaches: who uses the changed object, which IVRs lead to it, and which phone numbers.

Managed objects are followed through the references of the specs; objects outside the repository through
dependency tracking (flows that hold a common module) and through the fields of live IVRs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import networkx as nx

from reconciler.engine.document import Action, Reach, ReachedIvr, UnmanagedConsumer
from reconciler.engine.graph import Graph
from reconciler.engine.observe import Observation
from reconciler.engine.verdict import Verdict
from reconciler.kinds.base import Live
from reconciler.kinds.registry import kind_of
from reconciler.platform import Platform
from reconciler.specs import Catalog


@dataclass
class Reaching:
    """Follows changes to the numbers that callers dial."""

    catalog: Catalog
    graph: Graph
    """References between managed resources."""
    observation: Observation
    verdicts: Mapping[str, Verdict]

    def of(self, changes: Iterable[Verdict], unmanaged: Mapping[str, list[UnmanagedConsumer]]) -> tuple[Reach, ...]:
        """The reach of each change, in the order given; changes that reach nobody else are left out.

        Args:
            changes: What the plan does.
            unmanaged: Consumers outside the repository, by the address of the changed module.
        """
        found = (self._of(verdict, unmanaged.get(verdict.address, [])) for verdict in changes)
        return tuple(reach for reach in found if reach.consumers or reach.ivrs or reach.unmanaged)

    def _of(self, verdict: Verdict, unmanaged: list[UnmanagedConsumer]) -> Reach:
        above = nx.ancestors(self.graph, verdict.address) if verdict.address in self.graph else set()
        ivrs = [ivr for address in sorted({*above, verdict.address}) if (ivr := self._named(address))]
        ids = {self._id(address) for address in (*above, verdict.address)} | {consumer.id for consumer in unmanaged}
        ivrs += self._others(ids, {ivr.address for ivr in ivrs})
        numbered = {ivr.address for ivr in ivrs}
        return Reach(
            address=verdict.address,
            consumers=tuple(sorted(above - numbered)),
            ivrs=tuple(ivrs),
            unmanaged=tuple(unmanaged),
        )

    def _named(self, address: str) -> ReachedIvr | None:
        """The numbers of a managed IVR: those it has, and those it will have."""
        verdict = self.verdicts.get(address)
        desired = self.catalog.resources.get(address)
        live = self.observation.org.by_address.get(address)
        if desired is None and (verdict is None or verdict.action is not Action.DELETE):
            return None
        kind = kind_of(address.partition("/")[0])
        wanted = kind.claims(desired.content.canonical) if desired is not None and not kind.content_in_versions else ()
        has = kind.claims(live.fields) if live is not None and live.fields is not None else ()
        numbers = sorted({*wanted, *has})
        return ReachedIvr(address=address, numbers=tuple(numbers), managed=True) if numbers else None

    def _others(self, ids: set[str | None], known: set[str]) -> list[ReachedIvr]:
        """Live IVRs that use one of these objects without the specs saying so."""
        found = {live.address: live for id in ids if id is not None for live in self._users_of.get(id, ())}
        return [
            ReachedIvr(
                address=address, numbers=tuple(sorted(_numbers(live))), managed=address in self.catalog.resources
            )
            for address, live in sorted(found.items())
            if address not in known
        ]

    @cached_property
    def _users_of(self) -> dict[str, list[Live]]:
        """Id of an object → live IVRs with numbers that use it."""
        users: dict[str, list[Live]] = {}
        for live in self.observation.org.by_address.values():
            if not live.system and _numbers(live):
                for id in live.uses:
                    users.setdefault(id, []).append(live)
        return users

    def _id(self, address: str) -> str | None:
        live = self.observation.org.by_address.get(address)
        return live.id if live else None


def _numbers(live: Live) -> frozenset[str]:
    return kind_of(live.kind).claims(live.fields) if live.fields is not None else frozenset()


async def consumers_outside(
    platform: Platform, catalog: Catalog, observation: Observation, verdicts: Iterable[Verdict]
) -> dict[str, list[UnmanagedConsumer]]:
    """Flows outside the repository that hold a common module which this plan publishes, by the module's address.

    A common module among them passes the change on, so its own consumers are asked for too.

    Raises:
        TrackingIncomplete: the org cannot tell them all.
    """
    found: dict[str, list[UnmanagedConsumer]] = {}
    for verdict in verdicts:
        live = verdict.live
        if live is None or verdict.action not in (Action.UPDATE, Action.REPUBLISH) or verdict.moves_only:
            continue
        if verdict.kind.embeds(verdict.kind.reference(live)):
            found[verdict.address] = await _outside(platform, catalog, observation, live)
    return {address: consumers for address, consumers in found.items() if consumers}


async def _outside(
    platform: Platform, catalog: Catalog, observation: Observation, module: Live
) -> list[UnmanagedConsumer]:
    found: dict[str, UnmanagedConsumer] = {}
    pending: list[tuple[Live, str]] = [(module, module.address)]
    asked = {module.id}
    while pending:
        live, address = pending.pop(0)
        kind = kind_of(live.kind)
        for consumer in await kind.consumers(platform, live):
            if consumer.address in catalog.resources or consumer.id in found:
                continue
            known = observation.org.by_id.get(consumer.id)
            found[consumer.id] = UnmanagedConsumer(
                address=consumer.address,
                id=consumer.id,
                version=known.version if known else consumer.version,
                holds=address,
            )
            if known is not None and kind.embeds(kind.reference(known)) and known.id not in asked:
                asked.add(known.id)
                pending.append((known, known.address))
    return list(found.values())
