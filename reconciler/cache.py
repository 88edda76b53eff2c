"""A cache on disk for what never changes once read: rendered specs, exports of published versions, ledger rows.

Everything in it can be read or made again, so an unreadable, locked or full cache is a slower run and no
error. Values are JSON (no pickles: a cache folder must not be able to run code). Secrets never go in.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from pathlib import Path
from typing import Any

import diskcache
import platformdirs

CACHE_DIR_VARIABLE = "RECONCILER_CACHE_DIR"
SIZE_LIMIT = 1024 * 1024 * 1024
"""Bytes; the least recently stored entries go first."""

_UNUSABLE = (sqlite3.Error, OSError, diskcache.Timeout, zlib.error, ValueError)


class Cache:
    """One named part of the cache folder; keys are strings, values JSON-able."""

    def __init__(self, name: str, folder: Path | None = None) -> None:
        path = (folder or cache_folder()) / name
        try:
            self._store: diskcache.Cache | None = diskcache.Cache(
                str(path), disk=diskcache.JSONDisk, size_limit=SIZE_LIMIT, timeout=5, statistics=False
            )
        except _UNUSABLE:
            self._store = None

    def get(self, key: str) -> Any:
        """The value, or None when there is none or the cache cannot be read."""
        if self._store is None:
            return None
        try:
            return self._store.get(key)
        except _UNUSABLE:
            return None

    def set(self, key: str, value: Any) -> None:
        """Keeps the value if the cache can be written."""
        if self._store is None:
            return
        try:
            self._store.set(key, value)
        except _UNUSABLE:
            self._store = None

    def close(self) -> None:
        """Lets go of the file."""
        if self._store is not None:
            self._store.close()


def cache_folder() -> Path:
    """Where caches live: ``RECONCILER_CACHE_DIR``, else the user's cache folder."""
    chosen = os.environ.get(CACHE_DIR_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("reconciler", appauthor=False))
