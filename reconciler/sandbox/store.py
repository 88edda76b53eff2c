"""The one file that holds a sandbox org, and its transactions.

Every request is one transaction, committed before its answer leaves; writers take the write lock at
once (``BEGIN IMMEDIATE``), so that several processes may serve one file and a killed process leaves
either all of a request or nothing of it.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.problems import ReconcilerError
from reconciler.sandbox.schema import SCHEMA_VERSION, TABLES

LOCK_WAIT_SECONDS = 30.0
"""How long a request waits for another process that writes to the same file."""


class StoreError(ReconcilerError):
    """The data file cannot be used as a sandbox org."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The OAuth client (client-credentials grant) that an org is made with."""

    client_id: str
    client_secret: str


class Store:
    """A sandbox org's data file; made on first use, with an OAuth client of its own.

    One connection, to be used by one thread at a time. Raises ``StoreError`` for a file that is not
    a sandbox org or was written by another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            path, timeout=LOCK_WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise StoreError(f"{path} cannot be used as a sandbox org ({error}); name another file.") from error
        except StoreError:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        with self.transaction(write=True) as db:
            found = int(db.execute("PRAGMA user_version").fetchone()[0])
            if found not in (0, SCHEMA_VERSION):
                raise StoreError(
                    f"{self.path} was written by another version of the sandbox (format {found}, this one "
                    f"reads {SCHEMA_VERSION}); delete the file or name another one."
                )
            if found == 0:
                for statement in TABLES.split(";"):
                    if statement.strip():
                        db.execute(statement)
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                db.execute(
                    "INSERT INTO clients (id, secret, name) VALUES (?, ?, 'Sandbox client')",
                    (str(uuid.uuid4()), secrets.token_urlsafe(32)),
                )

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[sqlite3.Connection]:
        """A transaction that commits at the end of the block and rolls back on any exception."""
        self._connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def credentials(self) -> Credentials:
        """The OAuth client that was made with the file."""
        row = self._connection.execute("SELECT id, secret FROM clients ORDER BY position LIMIT 1").fetchone()
        return Credentials(row["id"], row["secret"])

    def close(self) -> None:
        """Closes the file; it stays as it is."""
        self._connection.close()


def get_meta(db: sqlite3.Connection, key: str) -> str | None:
    """A value of the org as a whole, or None."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row["value"])


def set_meta(db: sqlite3.Connection, key: str, value: str) -> None:
    """Keeps a value of the org as a whole."""
    db.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value))


def get_meta_json(db: sqlite3.Connection, key: str) -> Any:
    """Like ``get_meta``, for values kept as JSON; None when there is none."""
    text = get_meta(db, key)
    return None if text is None else json.loads(text)
