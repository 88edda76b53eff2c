"""Phone numbers and who has them (facts §3.9, SDK ``DID``): only numbers that are assigned have a record."""

from __future__ import annotations

from reconciler.platform.models import Ref, Wire
from reconciler.platform.paging import list_all
from reconciler.platform.session import Query, Session, path_of

_PAGE = 100


class Did(Wire):
    """One assigned number."""

    id: str
    phone_number: str
    """E.164."""
    state: str | None = None
    """``active``, ``inactive`` or ``deleted``."""
    did_pool: Ref | None = None
    """The pool that it lies in; None where it lies in none."""
    owner: Ref | None = None
    owner_type: str | None = None
    """``IVR_CONFIG``, ``USER``, ``PHONE`` or ``GROUP``."""


class DidsApi:
    """Assigned phone numbers, ``/api/v2/telephony/providers/edges/dids``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of_owner(self, id: str) -> list[Did]:
        """The numbers of one owner."""
        return await self._found({"owner.id": id})

    async def of_number(self, number: str) -> list[Did]:
        """The record of one number; empty where nobody has it."""
        return [did for did in await self._found({"phoneNumber": number}) if did.phone_number == number]

    async def _found(self, query: Query) -> list[Did]:
        path = path_of("telephony", "providers", "edges", "dids")
        found = await list_all(self._session, path, Did, size=_PAGE, query=query)
        return [did for did in found if did.state != "deleted"]

    async def list(self) -> list[Did]:
        """All numbers that somebody has."""
        return await self._found({})
