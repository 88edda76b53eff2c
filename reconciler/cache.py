"""A cache on disk for what never changes once read: rendered specs, exports of published versions, ledger rows.

Everything in it can be read or made again, so an unreadable, locked or full cache is a slower run and no
error. Values are JSON, both ways: a cache folder must not be able to run code. Secrets never go in.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any

import diskcache
import platformdirs

CACHE_DIR_VARIABLE = "RECONCILER_CACHE_DIR"
SIZE_LIMIT = 512_000_000
"""Bytes of one cache; the least recently stored entries go first."""
LOCK_SECONDS = 1.0
_BROKEN = (sqlite3.Error, diskcache.Timeout, OSError, ValueError, KeyError, TypeError, zlib.error)
"""What a damaged, locked or unwritable cache raises."""


class Cache:
    """One named part of the cache folder; keys are strings, values JSON-able. Opened at first use."""

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self._directory = (folder or cache_folder()) / name
        self._opened: Any = None
        self._usable = True

    def get(self, key: str) -> Any:
        """The value, or None when there is none or the cache cannot be read."""
        try:
            return self._open().get(key)
        except _BROKEN:
            return None

    def set(self, key: str, value: Any) -> None:
        """Keeps the value if the cache can be written."""
        self.set_many({key: value})

    def set_many(self, values: Mapping[str, Any]) -> None:
        """Keeps all values in one transaction, or none of them."""
        if not values:
            return
        try:
            opened = self._open()
            with opened.transact():
                for key, value in values.items():
                    opened.set(key, value)
        except _BROKEN:
            self._usable = False

    def close(self) -> None:
        """Closes the files; the next use opens them again."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> Any:
        if not self._usable:
            raise OSError("The cache failed before.")
        if self._opened is None:
            try:
                self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                _check_lock(self._directory / "cache.db")
                self._opened = diskcache.Cache(
                    str(self._directory), timeout=LOCK_SECONDS, disk=_JsonDisk, size_limit=SIZE_LIMIT
                )
            except _BROKEN:
                self._usable = False
                raise
        return self._opened


def cache_folder() -> Path:
    """Where caches live: ``RECONCILER_CACHE_DIR``, else the user's cache folder."""
    chosen = os.environ.get(CACHE_DIR_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("reconciler", appauthor=False))


def _check_lock(database: Path) -> None:
    """Fails soon where somebody holds the database; diskcache itself would try for a minute."""
    if database.exists():
        with closing(sqlite3.connect(database, timeout=LOCK_SECONDS, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")


class _JsonDisk(diskcache.JSONDisk):  # type: ignore[misc]
    """JSON both ways: a row that claims to be pickled is refused, as loading it could run code."""

    def fetch(self, mode: int, filename: str, value: Any, read: bool) -> Any:
        if mode == diskcache.core.MODE_PICKLE:
            raise ValueError("There are no pickled entries in this cache.")
        return super().fetch(mode, filename, value, read)
