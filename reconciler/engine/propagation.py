"""Which consumers must be published again because a common module that they hold has moved on.

Architect copies a module into its consumer when the consumer is published; a new version of the module reaches
nobody until then. Which versions a consumer holds is in the ledger, else dependency tracking tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from reconciler.engine.concurrency import together
from reconciler.engine.document import Action
from reconciler.engine.observe import Observation, embedded_modules
from reconciler.engine.verdict import Verdict
from reconciler.platform import Platform
from reconciler.specs import Catalog

TRACKING_CONCURRENCY = 8


@dataclass(frozen=True)
class Propagation:
    """Follows the references from modules to consumers."""

    platform: Platform
    catalog: Catalog
    observation: Observation

    async def judge(self, verdicts: Mapping[str, Verdict]) -> None:
        """Sets ``republish`` on consumers that would stay behind; verdicts come in order of dependency."""
        candidates = [verdict for verdict in verdicts.values() if _stays_as_it_is(verdict) and not verdict.held]
        built = await self._built_with(candidates)
        for verdict in candidates:
            holds = built.get(verdict.address, {})
            found = (self._reason(module, verdicts, holds) for module in self._modules(verdict))
            for reason in filter(None, found):
                verdict.moves_only = False
                verdict.decide(Action.REPUBLISH, reason)

    @cached_property
    def _known(self) -> frozenset[str]:
        """All addresses that a reference may mean; made once, for there are many references."""
        return frozenset((*self.catalog.resources, *self.observation.org.by_address))

    def _modules(self, verdict: Verdict) -> list[str]:
        """Addresses of the modules that are copied into this object when it is published."""
        assert verdict.desired is not None
        return embedded_modules(verdict.desired, self._known)

    def _reason(self, address: str, verdicts: Mapping[str, Verdict], holds: Mapping[str, str]) -> str | None:
        module = verdicts.get(address)
        if module is not None and module.held:
            # Left as it is in the org: to publish its consumers would put somebody's edit on the air.
            return None
        if module is not None and module.publishes:
            return f"holds {address}, which this plan publishes"
        live = self.observation.org.by_address.get(address)
        if live is None or live.version is None or holds.get(live.id) == live.version:
            return None
        if live.id in holds:
            return f"holds version {holds[live.id]} of {address}; {live.version} has been published since"
        return f"was not built with the present {address}"

    async def _built_with(self, verdicts: Iterable[Verdict]) -> dict[str, Mapping[str, str]]:
        """Module versions in each consumer, by address; noted in verdicts whose row does not say them."""
        built: dict[str, Mapping[str, str]] = {}
        unknown = []
        for verdict in verdicts:
            if verdict.row_is_current and verdict.row is not None and verdict.row.modules is not None:
                built[verdict.address] = verdict.row.modules
            elif self._modules(verdict):
                unknown.append(verdict)
            else:
                verdict.modules = {}
        gate = asyncio.Semaphore(TRACKING_CONCURRENCY)

        async def ask(verdict: Verdict) -> None:
            assert verdict.live is not None
            async with gate:
                built[verdict.address] = await verdict.kind.modules_built_with(self.platform, verdict.live)

        await together(ask(verdict) for verdict in unknown)
        for verdict in unknown:
            verdict.modules = built[verdict.address]
        return built


def _stays_as_it_is(verdict: Verdict) -> bool:
    """Live, and not about to be published for a reason of its own."""
    return verdict.live is not None and (verdict.action in (None, Action.ADOPT) or verdict.moves_only)
