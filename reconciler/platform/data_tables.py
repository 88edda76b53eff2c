"""Architect data tables and their rows (facts §3.6); the ledger may live in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.platform.errors import BadRequest, Conflict, NotFound
from reconciler.platform.models import DataTable
from reconciler.platform.paging import Page, fetch_pages, list_all, numbered
from reconciler.platform.responses import Reply
from reconciler.platform.session import Session, path_of

_PAGE = 100
"""Page size that the Terraform provider uses for tables."""
_ROWS_PAGE = 500

Row = dict[str, Any]


class DataTablesApi:
    """Data tables, ``/api/v2/flows/datatables``; a row is a flat mapping whose key property is ``key``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find(self, name: str) -> DataTable | None:
        """The table of exactly that name, with its schema; the org's filter ignores case and knows ``*``."""
        tables = await list_all(
            self._session, _tables(), DataTable, size=_PAGE, query={"name": name, "expand": "schema"}
        )
        return next((table for table in tables if table.name == name), None)

    async def create(
        self, name: str, description: str, schema: Mapping[str, Any], *, division_id: str | None = None
    ) -> DataTable:
        """Makes a table.

        Args:
            name: At most 256 characters, unique in the org.
            description: For people who meet the table in Architect.
            schema: JSON Schema of a row, as facts §3.6 shows it.
            division_id: None for the home division.

        Raises:
            Conflict: the name is taken.
        """
        body: dict[str, Any] = {"name": name, "description": description, "schema": dict(schema)}
        if division_id is not None:
            body["division"] = {"id": division_id}
        return (await self._session.request("POST", _tables(), body=body)).read(DataTable)

    async def rows(self, table_id: str) -> list[Row]:
        """All rows with all their fields.

        The largest page that the endpoint takes is not documented: 500 is tried first, 100 where it is refused.
        """
        try:
            pages = await self._row_pages(table_id, _ROWS_PAGE)
        except BadRequest:
            pages = await self._row_pages(table_id, _PAGE)
        return [_row(page.reply, item) for page in pages for item in page.items]

    async def row(self, table_id: str, key: str) -> Row | None:
        """One row, None when there is none with that key."""
        try:
            reply = await self._session.request("GET", _tables(table_id, "rows", key), query={"showbrief": False})
        except NotFound:
            return None
        return _row(reply, reply.json())

    async def create_row(self, table_id: str, row: Mapping[str, Any], *, again: bool = False) -> Row:
        """Adds a row.

        Args:
            table_id: The table.
            row: The row, with its key.
            again: Try again also when it is not known whether it arrived. No row is added twice, but a conflict
                may then be with an attempt of ours whose answer was lost.

        Raises:
            Conflict: a row with that key exists. How the org says so is not known for sure, so that after any
                refusal we look whether it does.
        """
        try:
            reply = await self._session.request("POST", _tables(table_id, "rows"), body=dict(row), harmless=again)
        except BadRequest as refusal:
            if await self.row(table_id, str(row["key"])) is None:
                raise
            raise Conflict(
                f"The data table has a row with the key '{row['key']}' already.",
                method="POST",
                path=refusal.path,
                status=refusal.status,
                code=refusal.code,
                context_id=refusal.context_id,
            ) from refusal
        return _row(reply, reply.json())

    async def update_row(self, table_id: str, key: str, row: Mapping[str, Any]) -> Row:
        """Replaces a row; raises ``NotFound`` when there is none with that key."""
        reply = await self._session.request("PUT", _tables(table_id, "rows", key), body=dict(row))
        return _row(reply, reply.json())

    async def delete_row(self, table_id: str, key: str) -> None:
        """Deletes a row; gone already counts as deleted."""
        try:
            await self._session.request("DELETE", _tables(table_id, "rows", key))
        except NotFound:
            return

    async def _row_pages(self, table_id: str, size: int) -> list[Page]:
        fetch = numbered(self._session, _tables(table_id, "rows"), size=size, query={"showbrief": False})
        return await fetch_pages(fetch, size=size)

    async def list(self) -> Sequence[DataTable]:
        """All tables that the token may see, without their schemas."""
        return await list_all(self._session, _tables(), DataTable, size=_PAGE)


def _tables(*segments: str) -> str:
    return path_of("flows", "datatables", *segments)


def _row(reply: Reply, item: Any) -> Row:
    if not isinstance(item, dict) or not isinstance(item.get("key"), str):
        raise reply.malformed("is not a data table row with a key")
    return item
