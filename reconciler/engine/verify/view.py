"""The org as the checks see it: as lists show it, and read again by id before anything is held against it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.archy.model import Reference
from reconciler.engine.concurrency import together
from reconciler.engine.observe import Org, flow_addresses
from reconciler.kinds.base import Kind, Live
from reconciler.kinds.registry import kind_of
from reconciler.platform import Platform

AT_ONCE = 8


@dataclass
class View:
    """Live objects; lists may lag behind (facts §2), reading by id is the truth."""

    platform: Platform
    org: Org
    _read: set[str] = field(default_factory=set)

    def live(self, address: str) -> Live | None:
        """The object of that address."""
        return self.org.by_address.get(address)

    def target(self, reference: Reference) -> str | None:
        """The address of an existing object that a reference means."""
        return next(iter(flow_addresses(reference, self.org.by_address)), None)

    async def again(self, address: str) -> Live | None:
        """The object as it is, read by id once."""
        live = self.live(address)
        if live is None or live.id in self._read:
            return live
        self._read.add(live.id)
        return await self._put(live, await kind_of(live.kind).read(self.platform, live))

    async def refresh(self, addresses: Iterable[str]) -> None:
        """Reads these objects anew, by few requests; what is missing then, or has another version, by id."""
        of: dict[Kind, int] = defaultdict(int)
        for live in self.org.by_address.values():
            of[kind_of(live.kind)] += 1
        wanted: dict[Kind, list[Live]] = defaultdict(list)
        for address in addresses:
            if (known := self.live(address)) is not None:
                wanted[kind_of(known.kind)].append(known)
        await together(self._refresh(kind, lives, of[kind]) for kind, lives in wanted.items())

    async def _refresh(self, kind: Kind, lives: list[Live], of: int) -> None:
        found = {live.id: live for live in await kind.read_many(self.platform, lives, of)}
        behind = []
        for live in lives:
            now = found.get(live.id)
            if now is None or now.version != live.version:
                behind.append(live.address)
            else:
                await self._put(live, now)
        # Side by side: after a large apply, lists may not show any of it yet.
        gate = asyncio.Semaphore(AT_ONCE)

        async def settle(address: str) -> None:
            async with gate:
                await self.again(address)

        await together(settle(address) for address in behind)

    async def _put(self, before: Live, now: Live | None) -> Live | None:
        if now is None or now.address != before.address:
            self.org.drop(before.address)
        if now is not None:
            self.org.put(now)
        # Under its old address it is gone.
        return self.live(before.address)
