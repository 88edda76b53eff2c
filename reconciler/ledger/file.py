"""The ledger in a file: for a laptop, or for a pipeline that keeps its own state folder."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, TypeVar

from pydantic import BaseModel, ValidationError

from reconciler.files import parse_json, read_file, replace_file
from reconciler.ledger.base import (
    APPLIED_PLANS_KEPT,
    Ending,
    Ledger,
    LockedError,
    LockInfo,
    LockLostError,
    Row,
    Snapshot,
    check_notes,
    new_lock,
    now_utc,
    open_work,
    prolonged,
)
from reconciler.ledger.runs import RUNS_KEPT, RunRecord
from reconciler.problems import ReconcilerError

_Kept = TypeVar("_Kept", bound=BaseModel)

ALONE_SECONDS = 10.0
"""How long to wait for a process that is writing; a write takes milliseconds."""


class FileLedger(Ledger):
    """Rows in one JSON file that is replaced whole at each write; the lock in a file beside it.

    Whoever changes either holds a third file for that moment, so that nothing comes between the look at the lock
    and the write. The operating system lets go of that file when its holder dies.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_path = path.with_name(path.name + ".lock")
        self._mutex_path = path.with_name(path.name + ".mutex")

    def now(self) -> datetime:
        """This machine's clock."""
        return now_utc()

    async def read(self) -> Snapshot:
        """See ``Ledger.read``."""
        revision = self._revision()
        state = self._load()
        lock = self._read_lock()
        rows = {address: self._row(row) for address, row in state["rows"].items()}
        return Snapshot(
            rows={address: row for address, row in rows.items() if not row.gone},
            gone={address: row for address, row in rows.items() if row.gone},
            lock=lock,
            applied_plans=tuple(state["applied_plans"]),
            interrupted=open_work(state["interrupted"], [lock] if lock else []),
            origin=state.get("origin"),
            revision=revision,
            locked=lock is not None and not lock.expired(self.now()),
            runs=tuple(self._run(run) for run in state["runs"]),
        )

    async def lock(self) -> LockInfo | None:
        """See ``Ledger.lock``."""
        return self._read_lock()

    async def acquire(self, holder: str, run: str) -> LockInfo:
        """See ``Ledger.acquire``."""
        async with self._alone():
            self.revision_at_lock = self._revision()
            held = self._read_lock()
            if held is not None:
                if not held.expired(self.now()):
                    raise LockedError(held)
                self._drop_lock(held)
            lock = new_lock(holder, run, self.now())
            _replace(self._lock_path, lock.model_dump_json())
            return lock

    async def renew(self, lock: LockInfo, inflight: tuple[str, ...] = ()) -> LockInfo:
        """See ``Ledger.renew``."""
        async with self._alone(lock):
            renewed = lock.model_copy(update={"expires_at": prolonged(self.now()), "inflight": inflight})
            _replace(self._lock_path, renewed.model_dump_json())
            return renewed

    async def write(self, lock: LockInfo, row: Row) -> None:
        """See ``Ledger.write``."""
        async with self._alone(lock):
            state = self._load()
            state["rows"][row.address] = row.model_dump(mode="json", exclude_none=True)
            self._save(state)

    async def forget(self, lock: LockInfo, address: str) -> None:
        """See ``Ledger.forget``."""
        async with self._alone(lock):
            state = self._load()
            if state["rows"].pop(address, None) is not None:
                self._save(state)

    async def record(self, lock: LockInfo, run: RunRecord) -> None:
        """See ``Ledger.record``."""
        async with self._alone(lock):
            state = self._load()
            state["runs"] = [*state["runs"], json.loads(run.written())][-RUNS_KEPT:]
            self._save(state)

    async def release(self, lock: LockInfo, ending: Ending) -> None:
        """See ``Ledger.release``."""
        async with self._alone(lock):
            state = self._load()
            if ending.applied_plan:
                state["applied_plans"] = [*state["applied_plans"], ending.applied_plan][-APPLIED_PLANS_KEPT:]
            state["origin"] = ending.origin or state.get("origin")
            state["interrupted"] = ending.interrupted_after(lock, state["interrupted"])
            self._save(state)
            self._lock_path.unlink(missing_ok=True)

    async def break_lock(self, lock: LockInfo) -> bool:
        """See ``Ledger.break_lock``."""
        try:
            async with self._alone(lock):
                # Its holder may have announced more since the caller looked.
                self._drop_lock(self._read_lock() or lock)
        except LockLostError:
            return False
        return True

    @asynccontextmanager
    async def _alone(self, lock: LockInfo | None = None) -> AsyncIterator[None]:
        """Keeps all other processes from writing for the block, which is short.

        Raises:
            LockLostError: the lock given is not the one in force.
            ReconcilerError: another process does not come to an end, or nothing can be written here.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            mutex = self._mutex_path.open("a")
        except OSError as error:
            raise _unwritable(self._path, error) from None
        with mutex:
            await self._wait_for(mutex)
            current = self._read_lock() if lock else None
            if lock is not None and (current is None or current.token != lock.token):
                raise LockLostError
            yield

    async def _wait_for(self, mutex: IO[str]) -> None:
        end = time.monotonic() + ALONE_SECONDS
        while True:
            try:
                fcntl.flock(mutex, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise ReconcilerError(
                        f"{self._path}: another process has been writing the ledger for {ALONE_SECONDS:.0f} seconds.",
                        remedy="Look for a suspended run on this machine; let it go on, or end it.",
                    ) from None
            else:
                return
            await asyncio.sleep(0.02)

    def _revision(self) -> str | None:
        try:
            return hashlib.sha256(read_file(self._path)).hexdigest()
        except FileNotFoundError:
            return None

    def _drop_lock(self, lock: LockInfo) -> None:
        """Drops the lock in force and remembers what its holder was doing."""
        if lock.inflight:
            state = self._load()
            ending = Ending(unsettled=frozenset(lock.inflight))
            state["interrupted"] = ending.interrupted_after(lock, state["interrupted"])
            self._save(state)
        self._lock_path.unlink(missing_ok=True)

    def _read_lock(self) -> LockInfo | None:
        try:
            return LockInfo.model_validate_json(read_file(self._lock_path))
        except FileNotFoundError:
            return None
        except ValidationError:
            raise ReconcilerError(
                f"{self._lock_path}: not a lock file of this tool.",
                remedy="Remove it if no run is under way.",
            ) from None

    def _load(self) -> dict[str, Any]:
        empty: dict[str, Any] = {"rows": {}, "applied_plans": [], "interrupted": [], "runs": []}
        try:
            state = parse_json(read_file(self._path))
        except FileNotFoundError:
            return empty
        except ValueError:
            raise ReconcilerError(
                f"{self._path}: not a ledger (no JSON).",
                remedy="Move it away; the next apply adopts what the org has.",
            ) from None
        if (
            not isinstance(state, dict)
            or not isinstance(state.get("rows"), dict)
            or not isinstance(state.get("runs", []), list)
        ):
            raise ReconcilerError(
                f"{self._path}: not a ledger.", remedy="Move it away; the next apply adopts what the org has."
            )
        try:
            check_notes(state.get("applied_plans", []), state.get("interrupted", []), state.get("origin"))
        except ValueError:
            raise ReconcilerError(
                f"{self._path}: holds notes that are not this tool's.",
                remedy="Move the file away; the next apply adopts what the org has.",
            ) from None
        return empty | state

    def _row(self, row: Any) -> Row:
        return self._ours(Row, row, "a row")

    def _run(self, run: Any) -> RunRecord:
        return self._ours(RunRecord, run, "a run")

    def _ours(self, model: type[_Kept], kept: Any, what: str) -> _Kept:
        try:
            return model.model_validate(kept)
        except ValidationError:
            raise ReconcilerError(
                f"{self._path}: holds {what} that is not one of this tool's.",
                remedy="Move the file away; the next apply adopts what the org has.",
            ) from None

    def _save(self, state: Mapping[str, Any]) -> None:
        _replace(self._path, json.dumps(state, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def _replace(path: Path, text: str) -> None:
    try:
        replace_file(path, text)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> ReconcilerError:
    return ReconcilerError(
        f"{path}: the ledger cannot be written: {error.strerror}.", remedy="Make room, or mend the permissions."
    )
