"""Pools of phone numbers (facts §3.9, SDK ``DIDPool``): a number on an IVR must lie in one of them."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.platform.models import TelephonyObject
from reconciler.platform.paging import list_all
from reconciler.platform.session import Session, path_of

_PAGE = 100


class DidPool(TelephonyObject):
    """Numbers from one to another, both included, in E.164."""

    name: str = ""
    start_phone_number: str
    end_phone_number: str

    def holds(self, number: str) -> bool:
        """Whether the number lies in the pool; numbers of another length never do."""
        return len(number) == len(self.start_phone_number) and (
            self.start_phone_number <= number <= self.end_phone_number
        )


class DidPoolsApi:
    """Pools of phone numbers, ``/api/v2/telephony/providers/edges/didpools``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self) -> list[DidPool]:
        """All pools that are not deleted."""
        path = path_of("telephony", "providers", "edges", "didpools")
        pools = await list_all(self._session, path, DidPool, size=_PAGE)
        return [pool for pool in pools if not pool.deleted]

    async def outside(self, numbers: Collection[str]) -> set[str]:
        """Those of the numbers that lie in no pool."""
        pools = await self.list()
        return {number for number in numbers if not any(pool.holds(number) for pool in pools)}
