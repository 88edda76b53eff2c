"""Divisions, and moving objects between them (facts §3.9)."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.platform.models import Division
from reconciler.platform.paging import list_all
from reconciler.platform.session import Session, path_of

_PAGE = 100


class DivisionsApi:
    """Divisions, ``/api/v2/authorization/divisions``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self) -> list[Division]:
        """All divisions that the token may see."""
        return await list_all(self._session, path_of("authorization", "divisions"), Division, size=_PAGE)

    async def find(self, name: str) -> Division | None:
        """The division of exactly that name."""
        found = await list_all(
            self._session, path_of("authorization", "divisions"), Division, size=_PAGE, query={"name": name}
        )
        return next((division for division in found if division.name == name), None)

    async def move(self, object_type: str, division_id: str, ids: Sequence[str]) -> None:
        """Moves objects into a division; moving twice does no harm.

        Args:
            object_type: ``FLOW``, ``QUEUE``, ``DATATABLES``, … as SDK ``post_authorization_division_object``.
            division_id: Where to.
            ids: The objects.
        """
        path = path_of("authorization", "divisions", division_id, "objects", object_type)
        await self._session.request("POST", path, body=list(ids), harmless=True)
