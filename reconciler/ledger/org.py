"""The ledger in the org itself: one Architect data table, one row an address, so that pipelines share it.

Three more kinds of rows. ``~run.N`` tells of the run that held the Nth lock. ``~head`` notes how the last run
ended and carries a revision that changes with every apply, so that a reader who has the rows of that revision in
the cache need not read them again.

``~lock.N`` is the Nth lock that was given out. The highest one that the head does not call over is in force.
Creating a row whose key exists is refused, which is what makes it a lock: of all who want the Nth, one gets it,
be it free or run out. A holder only ever writes the row of its own number, and whoever takes a lock over removes
that row; so a renewal that comes too late meets no row instead of the next holder's. Numbers are not used twice.

Assumptions about data tables are registered in docs/fidelity.md (LEDGER-*).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

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
    open_work,
    prolonged,
    stamp,
)
from reconciler.ledger.cells import (
    cells_of,
    head_cells,
    lock_cells,
    lock_of,
    note_of,
    over_of,
    row_of,
    run_cells,
    run_of,
    schema,
)
from reconciler.ledger.runs import RUNS_KEPT, RunRecord
from reconciler.platform import Conflict, DataTable, NotFound, Platform
from reconciler.problems import ReconcilerError

HEAD_KEY = "~head"
LOCK_KEY = "~lock."
"""Its number follows."""
RUN_KEY = "~run."
"""The number of the run's lock follows."""
OTHER_KEYS = "~"
"""Keys that begin so are no addresses'."""
HELD, RELEASED = "held", "released"


class OrgLedger(Ledger):
    """See the module."""

    def __init__(self, platform: Platform, table: str, cache: Cache) -> None:
        self._platform = platform
        self._name = table
        self._cache = cache
        self._table_id: str | None = None
        self._keys: set[str] = set()
        self._head: dict[str, Any] = {}

    def now(self) -> datetime:
        """The org's clock, so that machines need not agree on the time; to the second."""
        return self._platform.now().replace(microsecond=0)

    async def read(self) -> Snapshot:
        """See ``Ledger.read``: two requests where the rows of this revision are in the cache."""
        table = await self._platform.data_tables.find(self._name)
        if table is None:
            return Snapshot({}, None, ())
        self._table_id = table.id
        cells = await self._rows(table.id)
        self._head = note_of(cells.get(HEAD_KEY))
        self._keys = set(cells)
        locks = _locks_in_force(cells)
        lock = locks[-1] if locks else None
        rows = [row_of(cell) for key, cell in cells.items() if not key.startswith(OTHER_KEYS)]
        return Snapshot(
            rows={row.address: row for row in rows if not row.gone},
            gone={row.address: row for row in rows if row.gone},
            lock=lock,
            applied_plans=tuple(self._head.get("plans", ())),
            interrupted=open_work(self._head.get("interrupted", ()), locks),
            origin=self._head.get("origin"),
            revision=self._head.get("revision"),
            locked=lock is not None and not lock.expired(self.now()),
            runs=tuple(run_of(cells[key]) for key in _run_keys(cells)),
        )

    async def lock(self) -> LockInfo | None:
        """See ``Ledger.lock``."""
        if self._table_id is None:
            table = await self._platform.data_tables.find(self._name)
            if table is None:
                return None
            self._table_id = table.id
        await self._read_head(self._table_id)
        locks = await self._locks(self._table_id)
        return locks[-1] if locks else None

    async def acquire(self, holder: str, run: str) -> LockInfo:
        """See ``Ledger.acquire``."""
        table_id = await self._ensure_table()
        while True:
            lock = await self._next_lock(table_id, holder, run)
            try:
                # Only now that nobody else may write it is the head surely the present one.
                await self._read_head(table_id)
                if self._over < lock.number:
                    self.revision_at_lock = self._head.get("revision")
                    await self._take_over(table_id, lock)
                    return lock
                # Somebody held the lock of this number and gave it back before ours was made.
                await self._delete_lock(table_id, lock)
            except BaseException as error:
                await self._give_up(table_id, lock, error)
                raise

    async def renew(self, lock: LockInfo, inflight: tuple[str, ...] = ()) -> LockInfo:
        """See ``Ledger.renew``: one request, which finds no row once somebody took over."""
        table_id = await self._ensure_table()
        renewed = lock.model_copy(update={"expires_at": prolonged(self.now()), "inflight": inflight})
        try:
            await self._platform.data_tables.update_row(table_id, _key(lock), lock_cells(renewed))
        except NotFound:
            raise LockLostError from None
        return renewed

    async def write(self, lock: LockInfo, row: Row) -> None:
        """See ``Ledger.write``: one request; ownership of the lock is checked at each renewal."""
        table_id = await self._ensure_table()
        await self._put(table_id, key_of(row.address), cells_of(row))

    async def forget(self, lock: LockInfo, address: str) -> None:
        """See ``Ledger.forget``."""
        table_id = await self._ensure_table()
        key = key_of(address)
        await self._platform.data_tables.delete_row(table_id, key)
        self._keys.discard(key)

    async def record(self, lock: LockInfo, run: RunRecord) -> None:
        """See ``Ledger.record``."""
        table_id = await self._ensure_table()
        key = f"{RUN_KEY}{lock.number}"
        await self._put(table_id, key, run_cells(run))
        for old in _run_keys(self._keys)[:-RUNS_KEPT]:
            await self._platform.data_tables.delete_row(table_id, old)
            self._keys.discard(old)

    async def release(self, lock: LockInfo, ending: Ending) -> None:
        """See ``Ledger.release``; the head says that the lock is over before its row goes."""
        table_id = await self._ensure_table()
        if await self._platform.data_tables.row(table_id, _key(lock)) is None:
            raise LockLostError
        if ending.applied_plan:
            self._head["plans"] = [*self._head.get("plans", ()), ending.applied_plan][-APPLIED_PLANS_KEPT:]
        self._head["origin"] = ending.origin or self._head.get("origin")
        self._head["interrupted"] = ending.interrupted_after(lock, self._head.get("interrupted", ()))
        await self._write_head(table_id, state=RELEASED, over=lock.number)
        await self._delete_lock(table_id, lock)

    async def break_lock(self, lock: LockInfo) -> bool:
        """See ``Ledger.break_lock``: takes the lock over and gives it back."""
        table_id = await self._ensure_table()
        current = await self.lock()
        if current is None or current.token != lock.token:
            return False
        ours = new_lock("unlock", lock.run, self.now(), current.number + 1)
        if not await self._create_lock(table_id, ours):
            return False
        await self._read_head(table_id)
        await self._take_over(table_id, ours)
        await self._write_head(table_id, state=HELD, over=ours.number)
        await self._delete_lock(table_id, ours)
        return True

    @property
    def _over(self) -> int:
        """The last lock that is over: given back, dropped or taken over."""
        return over_of(self._head)

    async def _next_lock(self, table_id: str, holder: str, run: str) -> LockInfo:
        """Creates the row of the next lock, which is ours unless its number is over already.

        Raises:
            LockedError: somebody else holds the lock.
        """
        while True:
            await self._read_head(table_id)
            lock = new_lock(holder, run, self.now(), self._over + 1)
            if await self._create_lock(table_id, lock):
                return lock
            locks = await self._locks(table_id)
            if locks and not locks[-1].expired(self.now()):
                raise LockedError(locks[-1])
            if locks:
                lock = new_lock(holder, run, self.now(), locks[-1].number + 1)
                if await self._create_lock(table_id, lock):
                    return lock

    async def _take_over(self, table_id: str, lock: LockInfo) -> None:
        """Notes what dead holders were doing, and removes their locks and what else lies about."""
        for dead in await self._locks(table_id, before=lock.number):
            ending = Ending(unsettled=frozenset(dead.inflight))
            self._head["interrupted"] = ending.interrupted_after(dead, self._head.get("interrupted", ()))
        first = self._over + 1
        await self._write_head(table_id, state=HELD, over=lock.number - 1)
        left = {key for key in self._keys if 0 < _number(key) < lock.number}
        for key in left | {f"{LOCK_KEY}{number}" for number in range(first, lock.number)}:
            await self._platform.data_tables.delete_row(table_id, key)
            self._keys.discard(key)

    async def _locks(self, table_id: str, before: int | None = None) -> list[LockInfo]:
        """The locks that are not over, oldest first: the last one counts, the others' holders are dead."""
        found = []
        number = self._over + 1
        while number != before and (lock := lock_of(await self._platform.data_tables.row(table_id, _key(number)))):
            found.append(lock)
            number += 1
        return found

    async def _create_lock(self, table_id: str, lock: LockInfo) -> bool:
        tables = self._platform.data_tables
        try:
            await tables.create_row(table_id, {"key": _key(lock)} | lock_cells(lock), again=True)
        except Conflict:
            # An earlier attempt of ours, whose answer was lost, may have made it.
            return await self._is_ours(table_id, lock)
        except BaseException as error:
            # It is not known whether the lock was taken.
            await self._give_up(table_id, lock, error)
            raise
        return True

    async def _is_ours(self, table_id: str, lock: LockInfo) -> bool:
        current = lock_of(await self._platform.data_tables.row(table_id, _key(lock)))
        return current is not None and current.token == lock.token

    async def _delete_lock(self, table_id: str, lock: LockInfo) -> None:
        await self._platform.data_tables.delete_row(table_id, _key(lock))

    async def _give_up(self, table_id: str, lock: LockInfo, cause: BaseException) -> None:
        """Takes the lock away again if it is still ours; where that fails, the cause says so."""
        try:
            if await self._is_ours(table_id, lock):
                await self._delete_lock(table_id, lock)
        except ReconcilerError:
            if isinstance(cause, ReconcilerError):
                cause.message += (
                    " The lock may have been taken and could not be given back; it expires by itself at "
                    f"{stamp(lock.expires_at)}, and `reconciler unlock` drops it before."
                )

    async def _rows(self, table_id: str) -> dict[str, dict[str, Any]]:
        """All rows by key; from the cache when nobody has written since they were read."""
        cached = self._cached(table_id)
        if cached is not None:
            head = await self._platform.data_tables.row(table_id, HEAD_KEY)
            if head is not None and _settled_revision(head) == _settled_revision(cached.get(HEAD_KEY)):
                return cached
        listed = await self._platform.data_tables.rows(table_id)
        cells = {str(row.get("key")): dict(row) for row in listed}
        if _settled_revision(cells.get(HEAD_KEY)) and not _locks_in_force(cells):
            self._cache.set(f"ledger:{table_id}", cells)
        return cells

    def _cached(self, table_id: str) -> dict[str, dict[str, Any]] | None:
        cells = self._cache.get(f"ledger:{table_id}")
        return cells if isinstance(cells, dict) and _settled_revision(cells.get(HEAD_KEY)) else None

    async def _read_head(self, table_id: str) -> None:
        """The head as it is now; to be read under the lock before it is written."""
        head = await self._platform.data_tables.row(table_id, HEAD_KEY)
        self._head = note_of(head)
        if head is not None:
            self._keys.add(HEAD_KEY)

    async def _write_head(self, table_id: str, *, state: str, over: int) -> None:
        self._head = {**self._head, "state": state, "over": over, "revision": secrets.token_hex(8)}
        await self._put(table_id, HEAD_KEY, head_cells(self._head))

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

    async def _create_table(self) -> DataTable:
        try:
            return await self._platform.data_tables.create(
                self._name,
                "What the reconciler applied last; kept by the reconciler, do not edit.",
                schema(),
            )
        except Conflict:
            table = await self._platform.data_tables.find(self._name)
            if table is None:
                raise
            return table


def _key(lock: LockInfo | int) -> str:
    return f"{LOCK_KEY}{lock if isinstance(lock, int) else lock.number}"


def _number(key: str, prefix: str = LOCK_KEY) -> int:
    """The number of a lock's row (or of another kind), 0 for any other row."""
    number = key.removeprefix(prefix)
    return int(number) if key.startswith(prefix) and number.isdecimal() else 0


def _run_keys(keys: Iterable[str]) -> list[str]:
    """The keys of runs, oldest first."""
    return sorted((key for key in keys if _number(key, RUN_KEY)), key=lambda key: _number(key, RUN_KEY))


def _locks_in_force(cells: Mapping[str, Mapping[str, Any]]) -> list[LockInfo]:
    """As ``OrgLedger._locks``, out of all rows."""
    over = over_of(note_of(cells.get(HEAD_KEY)))
    found: Iterable[LockInfo | None] = (lock_of(cell) for key, cell in cells.items() if _number(key) > over)
    return sorted(filter(None, found), key=lambda lock: lock.number)


def _settled_revision(head: Mapping[str, Any] | None) -> str | None:
    """The revision of a ledger that nobody is writing; None while somebody may be."""
    note = note_of(head)
    return note.get("revision") if note.get("state") == RELEASED else None
