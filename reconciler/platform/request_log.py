"""What was sent in the last minute, kept where all runs on this machine see it.

Runs that share an OAuth client share its rate. SQLite does the locking: whatever a killed process held is free
at once. Ready-made limiters that keep their state in SQLite count by the wall clock, when a request is let
through, and know nothing of pauses; here a request counts until a minute after its answer, so that slow
requests cannot crowd the minute in which they arrive. Times are of the monotonic clock, which all processes of
a machine share and nobody sets. Neither client id nor token is stored, only a digest.
"""

from __future__ import annotations

import hashlib
import logging
import platform
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WINDOW = 60.0
"""Seconds over which the platform counts (facts §2: limits are per minute)."""
FILE = "rate.sqlite"
_BUSY_SECONDS = 0.05
"""How long one attempt waits for another process; the event loop stands still meanwhile."""
_BUSY_CODES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_LONGEST_PAUSE = 3600.0
_DAY = 86_400
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sent (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL, token INTEGER NOT NULL, at REAL NOT NULL, day INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS sent_by_token ON sent (account, token, at);
CREATE INDEX IF NOT EXISTS sent_by_account ON sent (account, at);
CREATE TABLE IF NOT EXISTS pauses (
    account TEXT NOT NULL, token INTEGER NOT NULL, until REAL NOT NULL, PRIMARY KEY (account, token)
);
"""

_logger = logging.getLogger(__name__)


class Busy(Exception):
    """Another process has the file just now; try again."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One request that may be sent, with the token of that number."""

    token: int
    id: int


@dataclass(frozen=True, slots=True)
class Wait:
    """No request may be sent for that many seconds."""

    seconds: float
    paused: bool
    """Whether it is the org that asked for it."""


class RequestLog:
    """The requests and pauses of one account: one OAuth client, or one access token, at one login host."""

    def __init__(self, path: Path | None = None, account: str = "", *, clock: Callable[[], float]) -> None:
        """Opened at first use.

        Args:
            path: The file; None keeps the log in this process.
            account: See ``account_of``.
            clock: Seconds that only ever grow; the same for all processes that share the file.
        """
        self._path = path
        self._account = account
        self._clock = clock
        self._db: sqlite3.Connection | None = None

    def take(self, limit: int, *, tokens: int, total: int, only: int | None = None) -> Turn | Wait:
        """Notes a request on the first token that has room, or says how long none has.

        Args:
            limit: Requests a minute and token.
            tokens: How many tokens there are.
            total: Requests a minute of all tokens together.
            only: The one token to use.

        Raises:
            Busy: another process is at it.
        """
        with self._transaction() as db:
            now = self._clock()
            self._forget(db, now)
            overall = self._until_room(db, now, total) if tokens > 1 else 0.0
            numbers = range(tokens) if only is None else (only,)
            waits = [self._wait(db, now, number, limit) for number in numbers]
            shortest = min(waits, key=lambda wait: wait.seconds)
            if max(overall, shortest.seconds) > 0:
                return shortest if shortest.seconds >= overall else Wait(overall, paused=False)
            token = numbers[waits.index(shortest)]
            return Turn(token, self._note(db, token, now))

    def answered(self, turn: Turn) -> None:
        """The request counts from now on: at the latest now, the org has counted it."""
        try:
            with self._transaction() as db:
                now = self._clock()
                if not db.execute("UPDATE sent SET at = ? WHERE id = ?", (now, turn.id)).rowcount:
                    # It took so long that it was forgotten.
                    self._note(db, turn.token, now)
        except Busy:
            _logger.debug("A request counts from when it was sent, not from when it was answered.")

    def pause(self, token: int, seconds: float) -> None:
        """Lets nothing through on a token for that long; the longest pause asked for counts.

        Raises:
            Busy: another process is at it.
        """
        with self._transaction() as db:
            db.execute(
                "INSERT INTO pauses VALUES (?, ?, ?) "
                "ON CONFLICT (account, token) DO UPDATE SET until = max(until, excluded.until)",
                (self._account, token, self._clock() + min(seconds, _LONGEST_PAUSE)),
            )

    def keep_alone(self, why: object) -> None:
        """Goes on without the others, for the rest of this process."""
        self.close()
        _logger.warning(
            "The request rate is kept for this run alone, runs beside it are not seen: %s cannot be used (%s). "
            "RECONCILER_CACHE_DIR can name another folder.",
            self._path,
            why,
        )
        self._path = None

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _note(self, db: sqlite3.Connection, token: int, now: float) -> int:
        row = (self._account, token, now, int(time.time() / _DAY))
        made = db.execute("INSERT INTO sent (account, token, at, day) VALUES (?, ?, ?, ?)", row).lastrowid
        assert made is not None
        return made

    def _forget(self, db: sqlite3.Connection, now: float) -> None:
        # A second more than needed, as rounding must not make room early. What lies ahead is of no clock of ours.
        db.execute(
            "DELETE FROM sent WHERE account = ? AND (at < ? OR at > ?)", (self._account, now - WINDOW - 1, now + 1)
        )
        db.execute(
            "DELETE FROM pauses WHERE account = ? AND (until <= ? OR until > ?)",
            (self._account, now, now + _LONGEST_PAUSE + 1),
        )

    def _wait(self, db: sqlite3.Connection, now: float, token: int, limit: int) -> Wait:
        row = db.execute("SELECT until FROM pauses WHERE account = ? AND token = ?", (self._account, token)).fetchone()
        pause = row[0] - now if row else 0.0
        full = self._until_room(db, now, limit, token)
        return Wait(pause, paused=True) if pause > full else Wait(full, paused=False)

    def _until_room(self, db: sqlite3.Connection, now: float, limit: int, token: int | None = None) -> float:
        """Seconds until fewer than ``limit`` requests are in the window; 0 or less: now."""
        of_token, parameters = ("AND token = ?", (token,)) if token is not None else ("", ())
        row = db.execute(
            f"SELECT at FROM sent WHERE account = ? {of_token} ORDER BY at DESC LIMIT 1 OFFSET ?",  # noqa: S608
            (self._account, *parameters, limit - 1),
        ).fetchone()
        return row[0] + WINDOW - now if row else 0.0

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._open()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.rollback()
                raise
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY_CODES:
                raise Busy from error
            self._give_up(error)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        if self._path is None:
            raise error
        self.keep_alone(error)
        raise Busy from error

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            if self._path is not None:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            db = sqlite3.connect(self._path or ":memory:", timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = OFF")
                db.executescript(_SCHEMA)
                db.execute("DELETE FROM sent WHERE day < ?", (int(time.time() / _DAY) - 1,))
            except BaseException:
                db.close()
                raise
            self._db = db
        return self._db


def account_of(login_url: str, credential: str) -> str:
    """The name under which requests of a client id or access token are kept: a digest that tells neither.

    Part of it is what tells one start of one machine from all others: only they share a clock.
    """
    try:
        machine = _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        machine = platform.node()
    return hashlib.sha256("\0".join((machine, login_url, credential)).encode()).hexdigest()
