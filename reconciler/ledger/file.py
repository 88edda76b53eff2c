"""The ledger in a file: for a laptop, or for a pipeline that keeps its own state folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reconciler.files import replace_file
from reconciler.ledger.base import (
    APPLIED_PLANS_KEPT,
    Ending,
    Ledger,
    LockedError,
    LockInfo,
    LockLostError,
    Row,
    Snapshot,
    new_lock,
    now_utc,
    open_work,
    prolonged,
)
from reconciler.problems import ReconcilerError


class FileLedger(Ledger):
    """Rows in one JSON file that is replaced whole at each write; the lock in a file beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_path = path.with_name(path.name + ".lock")

    async def read(self) -> Snapshot:
        """See ``Ledger.read``."""
        revision = self._revision()
        state = self._load()
        lock = self._read_lock()
        return Snapshot(
            rows={address: self._row(row) for address, row in state["rows"].items()},
            lock=lock,
            applied_plans=tuple(state["applied_plans"]),
            interrupted=open_work(state["interrupted"], lock),
            origin=state.get("origin"),
            revision=revision,
        )

    async def lock(self) -> LockInfo | None:
        """See ``Ledger.lock``."""
        return self._read_lock()

    async def acquire(self, holder: str, run: str) -> LockInfo:
        """See ``Ledger.acquire``; creating the lock file exclusively is what makes it a lock."""
        self.revision_at_lock = self._revision()
        held = self._read_lock()
        if held is not None:
            if not held.expired(now_utc()):
                raise LockedError(held)
            self._drop_lock(held)
        lock = new_lock(holder, run, now_utc())
        try:
            self._create_lock(lock)
        except FileExistsError:
            other = self._read_lock()
            raise LockedError(other or lock) from None
        except OSError as error:
            raise _unwritable(self._path, error) from None
        return lock

    def _create_lock(self, lock: LockInfo) -> None:
        """Makes the lock file with its content in one step; fails when there is one."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        complete = self._lock_path.with_name(f"{self._lock_path.name}.{lock.token}")
        complete.write_text(lock.model_dump_json(), encoding="utf-8")
        try:
            os.link(complete, self._lock_path)
        finally:
            complete.unlink()

    async def renew(self, lock: LockInfo, inflight: tuple[str, ...] = ()) -> LockInfo:
        """See ``Ledger.renew``."""
        self._check(lock)
        renewed = lock.model_copy(update={"expires_at": prolonged(now_utc()), "inflight": inflight})
        _replace(self._lock_path, renewed.model_dump_json())
        return renewed

    async def write(self, lock: LockInfo, row: Row) -> None:
        """See ``Ledger.write``."""
        self._check(lock)
        state = self._load()
        state["rows"][row.address] = row.model_dump(mode="json", exclude_none=True)
        self._save(state)

    async def forget(self, lock: LockInfo, address: str) -> None:
        """See ``Ledger.forget``."""
        self._check(lock)
        state = self._load()
        if state["rows"].pop(address, None) is not None:
            self._save(state)

    async def release(self, lock: LockInfo, ending: Ending) -> None:
        """See ``Ledger.release``."""
        self._check(lock)
        state = self._load()
        if ending.applied_plan:
            state["applied_plans"] = [*state["applied_plans"], ending.applied_plan][-APPLIED_PLANS_KEPT:]
        state["origin"] = ending.origin or state.get("origin")
        state["interrupted"] = ending.interrupted_after(lock, state["interrupted"])
        self._save(state)
        self._lock_path.unlink(missing_ok=True)

    async def break_lock(self, lock: LockInfo) -> bool:
        """See ``Ledger.break_lock``."""
        return self._drop_lock(lock)

    def _revision(self) -> str | None:
        try:
            return hashlib.sha256(self._path.read_bytes()).hexdigest()
        except FileNotFoundError:
            return None

    def _drop_lock(self, lock: LockInfo) -> bool:
        """Drops exactly this lock; False when it is another's by now.

        The file is taken away by renaming it, so that of two who drop an expired lock only one has it in hand.
        """
        aside = self._lock_path.with_name(f"{self._lock_path.name}.{lock.token}.dropped")
        current = self._read_lock()
        if current is None or current.token != lock.token:
            return False
        try:
            self._lock_path.rename(aside)
        except FileNotFoundError:
            return False
        if LockInfo.model_validate_json(aside.read_bytes()).token != lock.token:
            # Between the look and the rename somebody else took over; the lock goes back to them.
            aside.rename(self._lock_path)
            return False
        if lock.inflight:
            state = self._load()
            ending = Ending(unsettled=frozenset(lock.inflight))
            state["interrupted"] = ending.interrupted_after(lock, state["interrupted"])
            self._save(state)
        aside.unlink()
        return True

    def _check(self, lock: LockInfo) -> None:
        current = self._read_lock()
        if current is None or current.token != lock.token:
            raise LockLostError

    def _read_lock(self) -> LockInfo | None:
        try:
            return LockInfo.model_validate_json(self._lock_path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            raise ReconcilerError(
                f"{self._lock_path}: not a lock file of this tool.",
                remedy="Remove it if no run is under way.",
            ) from None

    def _load(self) -> dict[str, Any]:
        empty: dict[str, Any] = {"rows": {}, "applied_plans": [], "interrupted": []}
        try:
            state = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return empty
        except ValueError:
            raise ReconcilerError(
                f"{self._path}: not a ledger (no JSON).",
                remedy="Move it away; the next apply adopts what the org has.",
            ) from None
        if not isinstance(state, dict) or not isinstance(state.get("rows"), dict):
            raise ReconcilerError(
                f"{self._path}: not a ledger.", remedy="Move it away; the next apply adopts what the org has."
            )
        return empty | state

    def _row(self, row: Any) -> Row:
        try:
            return Row.model_validate(row)
        except ValidationError:
            raise ReconcilerError(
                f"{self._path}: holds a row that is not one of this tool's.",
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
