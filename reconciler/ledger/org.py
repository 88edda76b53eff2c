"""The ledger in the org itself: one Architect data table, one row an address, so that pipelines share it.

Two more rows: ``~lock`` exists while somebody holds the lock – creating a row whose key exists is refused,
which is what makes it a lock – and ``~head`` carries a revision that changes with every apply, so that a
reader who has the rows of that revision in the cache need not read them again.

Assumptions about data tables are registered in docs/fidelity.md (LEDGER-*).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from pydantic import ValidationError

from reconciler.cache import Cache
from reconciler.ledger.base import (
    APPLIED_PLANS_KEPT,
    Ending,
    Ledger,
    LockedError,
    LockInfo,
    LockLostError,
    Row,
    Snapshot,
    key_of,
    new_lock,
    now_utc,
    open_work,
    prolonged,
    stamp,
)
from reconciler.platform import Conflict, DataTable, NotFound, Platform
from reconciler.problems import ReconcilerError

LOCK_KEY = "~lock"
HEAD_KEY = "~head"
HELD, RELEASED = "held", "released"
COLUMNS = {
    "address": "Address",
    "object_id": "Object id",
    "version": "Version",
    "division": "Division",
    "spec_digest": "Spec digest",
    "fields": "Declared fields",
    "state_digest": "State digest",
    "modules": "Modules built in",
    "secrets": "Secret fingerprints",
    "commit": "Git commit",
    "applied_by": "Applied by",
    "applied_at": "Applied at",
    "run": "Run",
    "note": "Note",
}
UNKNOWN = "?"
"""Stands for modules that are not known; an empty cell means that there are none."""


class OrgLedger(Ledger):
    """See the module."""

    def __init__(self, platform: Platform, table: str, cache: Cache) -> None:
        self._platform = platform
        self._name = table
        self._cache = cache
        self._table_id: str | None = None
        self._keys: set[str] = set()
        self._head: dict[str, Any] = {}

    async def read(self) -> Snapshot:
        """See ``Ledger.read``: two requests where the rows of this revision are in the cache."""
        table = await self._platform.data_tables.find(self._name)
        if table is None:
            return Snapshot({}, None, ())
        self._table_id = table.id
        cells = await self._rows(table.id)
        self._head = _note(cells.get(HEAD_KEY))
        self._keys = set(cells)
        lock = _lock(cells.get(LOCK_KEY))
        rows = [_row(cell) for key, cell in cells.items() if key not in (LOCK_KEY, HEAD_KEY)]
        return Snapshot(
            rows={row.address: row for row in rows},
            lock=lock,
            applied_plans=tuple(self._head.get("plans", ())),
            interrupted=open_work(self._head.get("interrupted", ()), lock),
            origin=self._head.get("origin"),
            revision=self._head.get("revision"),
        )

    async def acquire(self, holder: str, run: str) -> LockInfo:
        """See ``Ledger.acquire``."""
        table_id = await self._ensure_table()
        await self._read_head(table_id)
        found = self._head.get("revision")
        lock = new_lock(holder, run, now_utc())
        try:
            taken_over = await self._take(table_id, lock)
            await self._read_head(table_id)
            self.revision_at_lock = found if taken_over else self._head.get("revision")
            await self._write_head(table_id, state=HELD)
        except LockedError:
            raise
        except BaseException as error:
            # Also where it is not known whether the lock was taken: the answer may have been lost.
            await self._give_up(table_id, lock, error)
            raise
        return lock

    async def _take(self, table_id: str, lock: LockInfo) -> bool:
        """Makes the lock's row; True when an expired one had to go first."""
        if await self._try_create_lock(table_id, lock):
            return False
        held = await self.lock()
        if held is not None and not held.expired(now_utc()):
            raise LockedError(held)
        if held is not None:
            await self._drop_lock(table_id, held)
        if not await self._try_create_lock(table_id, lock):
            raise LockedError(await self.lock() or lock)
        await self._check(table_id, lock)
        return True

    async def _give_up(self, table_id: str, lock: LockInfo, cause: BaseException) -> None:
        """Takes the lock away again if it is still ours; where that fails, the cause says so."""
        try:
            current = await self.lock()
            if current is not None and current.token == lock.token:
                await self._platform.data_tables.delete_row(table_id, LOCK_KEY)
        except ReconcilerError:
            if isinstance(cause, ReconcilerError):
                cause.message += (
                    " The lock may have been taken and could not be given back; it expires by itself at "
                    f"{stamp(lock.expires_at)}, and `reconciler unlock` drops it before."
                )

    async def lock(self) -> LockInfo | None:
        """See ``Ledger.lock``."""
        if self._table_id is None:
            table = await self._platform.data_tables.find(self._name)
            if table is None:
                return None
            self._table_id = table.id
        return _lock(await self._platform.data_tables.row(self._table_id, LOCK_KEY))

    async def renew(self, lock: LockInfo, inflight: tuple[str, ...] = ()) -> LockInfo:
        """See ``Ledger.renew``."""
        table_id = await self._ensure_table()
        await self._check(table_id, lock)
        renewed = lock.model_copy(update={"expires_at": prolonged(now_utc()), "inflight": inflight})
        await self._platform.data_tables.update_row(table_id, LOCK_KEY, _lock_cells(renewed))
        return renewed

    async def write(self, lock: LockInfo, row: Row) -> None:
        """See ``Ledger.write``: one request; ownership of the lock is checked at each renewal."""
        table_id = await self._ensure_table()
        await self._put(table_id, key_of(row.address), _cells(row))

    async def forget(self, lock: LockInfo, address: str) -> None:
        """See ``Ledger.forget``."""
        table_id = await self._ensure_table()
        key = key_of(address)
        try:
            await self._platform.data_tables.delete_row(table_id, key)
        except NotFound:
            return
        finally:
            self._keys.discard(key)

    async def release(self, lock: LockInfo, ending: Ending) -> None:
        """See ``Ledger.release``."""
        table_id = await self._ensure_table()
        await self._check(table_id, lock)
        if ending.applied_plan:
            self._head["plans"] = [*self._head.get("plans", ()), ending.applied_plan][-APPLIED_PLANS_KEPT:]
        self._head["origin"] = ending.origin or self._head.get("origin")
        self._head["interrupted"] = ending.interrupted_after(lock, self._head.get("interrupted", ()))
        await self._write_head(table_id, state=RELEASED)
        await self._platform.data_tables.delete_row(table_id, LOCK_KEY)

    async def break_lock(self, lock: LockInfo) -> bool:
        """See ``Ledger.break_lock``."""
        table_id = await self._ensure_table()
        await self._read_head(table_id)
        return await self._drop_lock(table_id, lock)

    async def _rows(self, table_id: str) -> dict[str, dict[str, Any]]:
        """All rows by key; from the cache when nobody has written since they were read."""
        cached = self._cached(table_id)
        if cached is not None:
            head = await self._platform.data_tables.row(table_id, HEAD_KEY)
            if head is not None and _settled_revision(head) == _settled_revision(cached.get(HEAD_KEY)):
                return cached
        listed = await self._platform.data_tables.rows(table_id)
        cells = {str(row.get("key")): dict(row) for row in listed}
        if _settled_revision(cells.get(HEAD_KEY)) and LOCK_KEY not in cells:
            self._cache.set(f"ledger:{table_id}", cells)
        return cells

    def _cached(self, table_id: str) -> dict[str, dict[str, Any]] | None:
        cells = self._cache.get(f"ledger:{table_id}")
        return cells if isinstance(cells, dict) and _settled_revision(cells.get(HEAD_KEY)) else None

    async def _drop_lock(self, table_id: str, lock: LockInfo) -> bool:
        """Drops exactly this lock and remembers what its holder was doing; False when it is another's by now."""
        ending = Ending(unsettled=frozenset(lock.inflight))
        current = await self.lock()
        if current is None or current.token != lock.token:
            return False
        self._head["interrupted"] = ending.interrupted_after(lock, self._head.get("interrupted", ()))
        await self._write_head(table_id, state=HELD)
        try:
            await self._platform.data_tables.delete_row(table_id, LOCK_KEY)
        except NotFound:
            return False
        return True

    async def _try_create_lock(self, table_id: str, lock: LockInfo) -> bool:
        try:
            await self._platform.data_tables.create_row(table_id, {"key": LOCK_KEY} | _lock_cells(lock), again=True)
        except Conflict:
            # An earlier attempt of ours, whose answer was lost, may have made it.
            current = await self.lock()
            return current is not None and current.token == lock.token
        return True

    async def _check(self, table_id: str, lock: LockInfo) -> None:
        current = _lock(await self._platform.data_tables.row(table_id, LOCK_KEY))
        if current is None or current.token != lock.token:
            raise LockLostError

    async def _write_head(self, table_id: str, *, state: str) -> None:
        self._head = {**self._head, "state": state, "revision": secrets.token_hex(8)}
        await self._put(table_id, HEAD_KEY, {"address": "(head)", "note": _compact(self._head)})

    async def _put(self, table_id: str, key: str, cells: Mapping[str, str]) -> None:
        """Writes a row, whether it exists or not: one request when the last reading told which."""
        tables = self._platform.data_tables
        if key in self._keys:
            try:
                await tables.update_row(table_id, key, cells)
                return
            except NotFound:
                self._keys.discard(key)
        try:
            await tables.create_row(table_id, {"key": key} | dict(cells), again=True)
        except Conflict:
            await tables.update_row(table_id, key, cells)
        self._keys.add(key)

    async def _ensure_table(self) -> str:
        if self._table_id is None:
            table = await self._platform.data_tables.find(self._name) or await self._create_table()
            self._table_id = table.id
        return self._table_id

    async def _read_head(self, table_id: str) -> None:
        """The head as it is now; to be read under the lock before it is written."""
        head = await self._platform.data_tables.row(table_id, HEAD_KEY)
        self._head = _note(head)
        if head is not None:
            self._keys.add(HEAD_KEY)

    async def _create_table(self) -> DataTable:
        try:
            return await self._platform.data_tables.create(
                self._name,
                "What the reconciler applied last; kept by the reconciler, do not edit.",
                _schema(),
            )
        except Conflict:
            table = await self._platform.data_tables.find(self._name)
            if table is None:
                raise
            return table


def _schema() -> dict[str, Any]:
    """A data table's schema as Architect writes it (facts §3.6)."""
    columns = {"key": "Key"} | COLUMNS
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "required": ["key"],
        "properties": {
            name: {"$id": f"/properties/{name}", "type": "string", "title": title, "displayOrder": order}
            for order, (name, title) in enumerate(columns.items())
        },
        "additionalProperties": False,
    }


def _cells(row: Row) -> dict[str, str]:
    return {
        "address": row.address,
        "object_id": row.object_id,
        "version": row.version or "",
        "division": row.division or "",
        "spec_digest": row.spec_digest,
        "fields": " ".join(row.fields),
        "state_digest": row.state_digest or "",
        "modules": UNKNOWN if row.modules is None else _pairs(row.modules),
        "secrets": _pairs(row.secrets),
        "commit": row.commit or "",
        "applied_by": row.applied_by or "",
        "applied_at": row.applied_at.isoformat() if row.applied_at else "",
        "run": row.run or "",
        "note": "",
    }


def _row(cells: Mapping[str, Any]) -> Row:
    modules = cells.get("modules", UNKNOWN)
    try:
        return Row(
            address=cells["address"],
            object_id=cells["object_id"],
            version=cells.get("version") or None,
            division=cells.get("division") or None,
            spec_digest=cells["spec_digest"],
            fields=tuple(cells.get("fields", "").split()),
            state_digest=cells.get("state_digest") or None,
            modules=None if modules == UNKNOWN else _unpair(modules),
            secrets=_unpair(cells.get("secrets", "")),
            commit=cells.get("commit") or None,
            applied_by=cells.get("applied_by") or None,
            applied_at=cells.get("applied_at") or None,
            run=cells.get("run") or None,
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        raise _foreign() from None


def _lock_cells(lock: LockInfo) -> dict[str, str]:
    return {"address": "(lock)", "note": lock.model_dump_json()}


def _lock(cells: Mapping[str, Any] | None) -> LockInfo | None:
    if cells is None:
        return None
    try:
        return LockInfo.model_validate_json(cells["note"])
    except (KeyError, ValidationError):
        raise _foreign() from None


def _note(cells: Mapping[str, Any] | None) -> dict[str, Any]:
    if cells is None:
        return {}
    try:
        note = json.loads(cells["note"])
    except (KeyError, ValueError, TypeError):
        raise _foreign() from None
    if not isinstance(note, dict):
        raise _foreign()
    return note


def _settled_revision(head: Mapping[str, Any] | None) -> str | None:
    """The revision of a ledger that nobody is writing; None while somebody may be."""
    note = _note(head)
    return note.get("revision") if note.get("state") == RELEASED else None


def _foreign() -> ReconcilerError:
    return ReconcilerError(
        "The ledger table holds a row that is not one of this tool's.",
        remedy="Name another table in the environment (`ledger: {type: org, table: …}`), or delete the row.",
    )


def _pairs(values: Mapping[str, str]) -> str:
    return " ".join(f"{quote(key)}={quote(value)}" for key, value in sorted(values.items()))


def _unpair(text: str) -> dict[str, str]:
    pairs = (pair.split("=", 1) for pair in text.split())
    return {unquote(key): unquote(value) for key, value in pairs}


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
