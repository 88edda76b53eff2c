"""Contracts of common modules across the border of the repository.

A module that only the org has shows its contract in the export of its published version; a flow outside the
specs shows in its export how it calls our modules. Exports of versions are read once and cached for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.archy.contracts import MODULE_ROOT, Contract, contract_of, interface_of
from reconciler.archy.findings.modules import check_call
from reconciler.engine.document import UnmanagedConsumer
from reconciler.engine.exports import Exports, Wanted
from reconciler.engine.history import History
from reconciler.engine.observe import Org
from reconciler.engine.verdict import Verdict
from reconciler.kinds.base import Desired, Live
from reconciler.problems import Finding, Severity
from reconciler.specs import Catalog, call_finding


@dataclass(frozen=True)
class Contracts:
    """Checks calls that cross the border of the repository, in one direction and the other."""

    catalog: Catalog
    org: Org
    exports: Exports
    history: History

    async def calls_of_foreign_modules(self, verdicts: Iterable[Verdict]) -> list[Finding]:
        """Calls of modules that only the org has, in flows that this plan publishes."""
        calling = [verdict.desired for verdict in verdicts if verdict.desired is not None and verdict.publishes]
        modules = {live.id: live for desired in calling for live in self._foreign(desired)}
        await self._fetch(modules.values())
        return [
            call_finding(desired, problem, f" The module is in the org only, version {module.version}.")
            for desired in calling
            for call in desired.interface.calls
            if (module := self.org.by_address.get(f"{MODULE_ROOT}/{call.module}")) is not None
            if module.id in modules
            for problem in check_call(desired.root, call, contract_of(self._body(module)))
        ]

    async def broken_outside(
        self, verdicts: Mapping[str, Verdict], outside: Mapping[str, Iterable[UnmanagedConsumer]]
    ) -> list[Finding]:
        """Consumers outside the specs that no longer fit a module whose contract this plan changes."""
        changing = {
            address: contract
            for address in outside
            if (contract := self._changed_contract(verdicts[address])) is not None
        }
        lives = {
            consumer.id: live
            for address in changing
            for consumer in outside[address]
            if (live := self.org.by_id.get(consumer.id)) is not None
        }
        await self._fetch(lives.values())
        return [
            _broken(lives[consumer.id], verdicts[address], found.message)
            for address, contract in changing.items()
            for consumer in outside[address]
            if consumer.id in lives and consumer.holds == address
            for call in interface_of(lives[consumer.id].kind, self._body(lives[consumer.id])).calls
            if call.module == verdicts[address].name
            for found in check_call(lives[consumer.id].kind, call, contract)
            if found.severity == Severity.ERROR
        ]

    def _foreign(self, desired: Desired) -> list[Live]:
        """Published modules that a flow calls and that no spec describes."""
        addresses = (f"{MODULE_ROOT}/{call.module}" for call in desired.interface.calls)
        found = (self.org.by_address.get(address) for address in addresses if address not in self.catalog.resources)
        return [live for live in found if live is not None and live.version is not None]

    def _changed_contract(self, verdict: Verdict) -> Contract | None:
        """The new contract of a module; None where it is as callers know it."""
        desired = verdict.desired
        contract = desired.interface.contract if desired is not None else None
        if contract is None:
            return None
        previous = self.history.spec(verdict.row) if verdict.row is not None else None
        if previous is not None and contract_of(next(iter(previous.values()), None)).promises() == contract.promises():
            return None
        return contract

    async def _fetch(self, lives: Iterable[Live]) -> None:
        await self.exports.fetch(Wanted(live, live.version, optional=True) for live in lives if live.version)

    def _body(self, live: Live) -> Any:
        form = self.exports.canonical(live, live.version or "")
        return next(iter(form.values()), None) if isinstance(form, dict) else None


def _broken(live: Live, module: Verdict, message: str) -> Finding:
    return Finding(
        id="breaks-unmanaged-consumer",
        severity=Severity.WARNING,
        message=f"{live.address}, which no spec manages, does not fit the new {module.address}: {message}",
        address=live.address,
        file=module.desired.file if module.desired else None,
        line=module.desired.line if module.desired else None,
        remedy="It keeps its copy of the old version and cannot be published again before somebody changes its call.",
    )
