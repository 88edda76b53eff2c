"""Do the phone numbers lead to the IVRs that should have them? The org's own records of numbers tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.engine.verify.report import Check, Proof, What
from reconciler.engine.verify.view import View
from reconciler.engine.verify.waiting import Waiting
from reconciler.kinds.base import Desired, Live, Route
from reconciler.kinds.registry import kind_of

HERE = "routed to this IVR"
ELSEWHERE = "anywhere but on this IVR"


@dataclass(frozen=True)
class NumberChecks:
    """Compares owners of numbers with the specs."""

    view: View
    environment: str
    waiting: Waiting

    def wanted(self, desired: Desired) -> frozenset[str]:
        """The numbers that a resource should have: those of its spec, else those that it has."""
        live, kind = self.view.live(desired.address), kind_of(desired.kind)
        if kind.content_in_versions:
            return frozenset()
        return kind.claims({**((live.fields or {}) if live else {}), **desired.content.canonical})

    def _beyond(self, desired: Desired) -> frozenset[str]:
        """The numbers that a resource has and should not have."""
        live = self.view.live(desired.address)
        return (kind_of(desired.kind).claims((live.fields or {}) if live else {})) - self.wanted(desired)

    def concern(self, desired: Desired) -> bool:
        """Whether a resource has numbers, or should have."""
        return bool(self.wanted(desired) or self._beyond(desired))

    async def of(self, resources: Iterable[Desired]) -> list[Check]:
        """One check a number of these resources, which are of one kind and in the org.

        Raises:
            PlatformError: the org does not tell about numbers.
        """
        resources = tuple(resources)
        claims = {desired.address: self.wanted(desired) for desired in resources}
        done: dict[tuple[str, str], Check] = {
            (check.address, check.about): check for desired in resources for check in await self._too_many(desired)
        }
        pending = {address: numbers for address, numbers in claims.items() if numbers}
        while pending:
            found = await self._look(pending)
            done |= {(check.address, check.about): check for check in found}
            behind: dict[str, frozenset[str]] = {}
            for check in found:
                if check.outcome is not Proof.PROVEN and await self._may_be_behind(check):
                    behind[check.address] = behind.get(check.address, frozenset()) | {check.about}
            pending = behind
            if not pending or not await self.waiting.more("the records of phone numbers to show what was changed"):
                break
        return [done[key] for key in sorted(done)]

    async def _too_many(self, desired: Desired) -> list[Check]:
        """A failed check for each number that the spec does not give: its callers reach this IVR all the same."""
        if self._beyond(desired):
            await self.view.again(desired.address)
        return [
            Check(
                address=desired.address,
                what=What.NUMBER,
                about=number,
                expected=ELSEWHERE,
                actual="on it",
                outcome=Proof.FAILED,
                remedy=f"Its callers reach this IVR, although the spec does not name it. `reconciler apply --env "
                f"{self.environment}` takes it away; to keep it, add it to the spec.",
            )
            for number in sorted(self._beyond(desired))
        ]

    async def _look(self, pending: Mapping[str, frozenset[str]]) -> list[Check]:
        lives = {address: self.view.live(address) for address in pending}
        owners = {live.id: pending[address] for address, live in lives.items() if live is not None}
        kind = kind_of(next(iter(pending)).partition("/")[0])
        routes = await kind.routes(self.view.platform, owners)
        return [
            self._judged(live, number, routes.get(number))
            for address, live in lives.items()
            if live is not None
            for number in sorted(pending[address])
        ]

    def _judged(self, live: Live, number: str, route: Route | None) -> Check:
        check = Check(
            address=live.address,
            what=What.NUMBER,
            about=number,
            expected=HERE,
            expected_id=live.id,
            actual_id=route.owner_id if route else None,
            outcome=Proof.PROVEN,
        )
        if route is not None and route.owner_id == live.id and route.in_pool:
            return check
        if route is None:
            actual = "assigned to nobody"
            remedy = (
                f"Its callers do not reach this IVR. `reconciler apply --env {self.environment}` assigns it, "
                "if it lies in one of the org's DID ranges."
            )
        elif route.owner_id != live.id:
            actual = f"assigned to {route.owner}"
            remedy = (
                "Its callers reach somebody else. Take the number away there (DID Numbers in Admin shows who has it), "
                f"then `reconciler apply --env {self.environment}`; or take it out of the spec."
            )
        else:
            actual = "on this IVR, but in none of the org's pools of phone numbers (DID pools)"
            remedy = "Add a DID range with the number (Admin, DID Numbers): without one, calls to it do not come in."
        return check.model_copy(update={"actual": actual, "outcome": Proof.FAILED, "remedy": remedy})

    async def _may_be_behind(self, check: Check) -> bool:
        """Whether the IVR itself has the number, so that the record of the number may only be late."""
        live = await self.view.again(check.address)
        on_it = live is not None and check.about in kind_of(live.kind).claims(live.fields or {})
        return on_it and check.actual_id != check.expected_id
