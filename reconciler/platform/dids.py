"""Phone numbers and who has them (facts §3.9, SDK ``DID``): only numbers that are assigned have a record."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.platform.models import Ref, Wire
from reconciler.platform.paging import Page, fetch_pages, list_all, numbered, side_by_side
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

    async def of_owners(self, ids: Iterable[str]) -> list[Did]:
        """The numbers of these owners, by one request each."""
        found = await side_by_side(lambda id: self._found({"owner.id": id}), ids)
        return [did for of_one in found for did in of_one]

    async def of_numbers(self, numbers: Iterable[str]) -> list[Did]:
        """The records of these numbers, by one request each; those that nobody has are missing."""
        wanted = frozenset(numbers)
        found = await side_by_side(lambda number: self._found({"phoneNumber": number}), wanted)
        return [did for of_one in found for did in of_one if did.phone_number in wanted]

    async def _found(self, query: Query) -> list[Did]:
        path = path_of("telephony", "providers", "edges", "dids")
        found = await list_all(self._session, path, Did, size=_PAGE, query=query)
        return [did for did in found if did.state != "deleted"]

    async def everybodys(self, *, most: int) -> list[Did] | None:
        """All numbers that somebody has; None, after one request, where it would take more than ``most``."""
        fetch = numbered(self._session, path_of("telephony", "providers", "edges", "dids"), size=_PAGE)
        first = Page(await fetch(1))
        if (first.count or 0) > most:
            return None
        pages = await fetch_pages(fetch, size=_PAGE, first=first)
        return [did for page in pages for did in page.read(Did) if did.state != "deleted"]
