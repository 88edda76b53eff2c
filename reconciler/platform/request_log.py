"""What was sent in the last minute, kept where all runs on this machine see it.

Runs that share an OAuth client share its rate. SQLite does the locking: whatever a killed process held is free
at once. Ready-made limiters that keep their state in SQLite count by the wall clock, when a request is let
through, and know nothing of pauses; here a request counts until a minute after its answer, however long that
takes. Times are of the monotonic clock, which all processes of a machine share and nobody sets. Neither client id
nor token is stored, only a digest.
"""

from __future__ import annotations

import hashlib
import platform
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WINDOW = 60.0
"""Seconds over which the platform counts (facts §2: limits are per minute)."""
FILE = "rate-1.sqlite"
"""With the number of its layout."""
_BUSY_SECONDS = 0.05
"""How long one attempt waits for another process; the event loop stands still meanwhile."""
_BUSY_CODES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_LOST = 180.0
"""Seconds after which a request without an answer is one of a run that was killed."""
_LOOK_AGAIN = 0.5
"""Seconds, where it takes an answer to make room."""
_UNREACHED = 100_000
"""Requests a minute that no run gets to; to count up to them would only cost time."""
_LONGEST_PAUSE = 3600.0
_DAY = 86_400
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sent (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL, token INTEGER NOT NULL, under_way INTEGER NOT NULL, at REAL NOT NULL, day INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS sent_by_token ON sent (account, token, under_way, at);
CREATE INDEX IF NOT EXISTS sent_by_account ON sent (account, under_way, at);
CREATE TABLE IF NOT EXISTS pauses (
    account TEXT NOT NULL, token INTEGER NOT NULL, until REAL NOT NULL, PRIMARY KEY (account, token)
);
"""


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

    def __init__(
        self,
        path: Path | None = None,
        account: str = "",
        *,
        clock: Callable[[], float],
        notice: Callable[[str], None] | None = None,
    ) -> None:
        """Opened at first use.

        Args:
            path: The file; None keeps the log in this process.
            account: See ``account_of``.
            clock: Seconds that only ever grow; the same for all processes that share the file.
            notice: Told when the file cannot be used.
        """
        self._path = path
        self._account = account
        self._clock = clock
        self._notice = notice
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
            waits: list[Wait] = []
            for token in range(tokens) if only is None else (only,):
                wait = self._wait(db, now, token, limit)
                if max(wait.seconds, overall) <= 0:
                    return Turn(token, self._note(db, token, now))
                waits.append(wait)
            shortest = min(waits, key=lambda wait: wait.seconds)
            return shortest if shortest.seconds >= overall else Wait(overall, paused=False)

    def answered(self, turn: Turn) -> None:
        """The request counts from now on: at the latest now, the org has counted it.

        Raises:
            Busy: another process is at it.
        """
        with self._transaction() as db:
            now = self._clock()
            if not db.execute("UPDATE sent SET at = ?, under_way = 0 WHERE id = ?", (now, turn.id)).rowcount:
                # It took so long that it was given up for lost.
                self._note(db, turn.token, now, under_way=False)

    def spent(self, limit: int) -> float:
        """Which part of so many requests a minute was sent or is under way, 1 at most.

        Raises:
            Busy: another process is at it.
        """
        if limit >= _UNREACHED:
            return 0.0
        with self._transaction() as db:
            counting = "SELECT count(*) FROM sent WHERE account = ? AND (under_way = 1 OR at > ?)"
            [count] = db.execute(counting, (self._account, self._clock() - WINDOW)).fetchone()
        return min(1.0, float(count) / limit)

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
        if self._notice:
            self._notice(
                f"The request rate is kept for this run alone; runs beside it are not seen: {self._path} cannot be "
                f"used ({why}). RECONCILER_CACHE_DIR can name another folder."
            )
        self._path = None

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _note(self, db: sqlite3.Connection, token: int, now: float, *, under_way: bool = True) -> int:
        row = (self._account, token, under_way, now, int(time.time() / _DAY))
        made = db.execute("INSERT INTO sent (account, token, under_way, at, day) VALUES (?, ?, ?, ?, ?)", row).lastrowid
        assert made is not None
        return made

    def _forget(self, db: sqlite3.Connection, now: float) -> None:
        for under_way, age in ((0, WINDOW + 1), (1, _LOST)):
            # A second more than needed, as rounding must not make room early. What lies ahead is of no clock of ours.
            db.execute(
                "DELETE FROM sent WHERE account = ? AND under_way = ? AND (at < ? OR at > ?)",
                (self._account, under_way, now - age, now + 1),
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
        """Seconds until fewer than ``limit`` requests are under way or in the window; 0 or less: now."""
        if limit >= _UNREACHED:
            return 0.0
        which = "account = ?"
        parameters: list[str | int] = [self._account]
        if token is not None:
            which += " AND token = ?"
            parameters.append(token)
        counting = f"SELECT count(*) FROM sent WHERE {which} AND under_way = 1"  # noqa: S608 - both are constants
        [under_way] = db.execute(counting, parameters).fetchone()
        if under_way >= limit:
            return _LOOK_AGAIN
        latest = f"SELECT at FROM sent WHERE {which} AND under_way = 0 ORDER BY at DESC LIMIT 1 OFFSET ?"  # noqa: S608
        row = db.execute(latest, [*parameters, limit - under_way - 1]).fetchone()
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
