"""The ledger: what was applied, and the lock. One interface, kept in the org or in a file.

The ledger is a cache of facts that can be read again. A lost or stale row costs an export and heals; it
never leads to a wrong action. Rows are short because the platform's limits on rows are not known: they hold
digests and numbers, never documents.
"""

from __future__ import annotations

import hashlib
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, field_serializer, field_validator

from reconciler.ledger.runs import RunRecord
from reconciler.ledger.trail import Earlier
from reconciler.problems import ReconcilerError

LOCK_SECONDS = 900
"""How long a lock lives unless its holder renews it."""
APPLIED_PLANS_KEPT = 20
HASH_LENGTH = 8
"""Hexadecimal characters that stand for an address where room is short."""


class Row(BaseModel):
    """What is known of one address since it was last applied, adopted or healed."""

    model_config = ConfigDict(frozen=True)

    address: str
    object_id: str
    version: str | None = None
    """The version that the apply made (flows: published version)."""
    division: str | None = None
    """The division that the object was in."""
    spec_digest: str
    """Digest of the canonical spec, secrets as placeholders."""
    fields: tuple[str, ...] = ()
    """Names of the declared fields, for kinds whose fields a list shows; one that leaves the spec is cleared."""
    state_digest: str | None = None
    """Digest of those fields as the org had them after the apply; of a version's normalised export, where known."""
    modules: Mapping[str, str] | None = None
    """Common modules (id → version) that the version was built with; None where that is not known."""
    secrets: Mapping[str, str] = {}
    """Short fingerprints of the secrets in the text, so that a rotated secret is noticed."""
    commit: str | None = None
    applied_by: str | None = None
    applied_at: AwareDatetime | None = None
    run: str | None = None
    trail: tuple[Earlier, ...] = ()
    """What it was before the last runs that changed it, oldest first."""
    gone: bool = False
    """A run of ours deleted it, or gave it back to whoever had made it; the row stays for the way back."""


class LockInfo(BaseModel):
    """Who holds the lock, and until when."""

    model_config = ConfigDict(frozen=True)

    token: str
    """Random; says whether a lock is still one's own."""
    holder: str
    """A person or pipeline, for people to read."""
    run: str
    acquired_at: AwareDatetime
    expires_at: AwareDatetime
    inflight: tuple[str, ...] = ()
    """Short hashes of the addresses that the holder is publishing; tells an interrupted run from drift."""
    number: int = 0
    """In an org: how many locks were given out before it, and it. Whoever holds the highest number holds the lock."""

    @field_serializer("inflight", when_used="json")
    def _joined(self, inflight: tuple[str, ...]) -> str:
        """Without quotes and commas: many changes may be in flight, and a cell of the ledger is short."""
        return "".join(inflight)

    @field_validator("inflight", mode="before")
    @classmethod
    def _apart(cls, inflight: Any) -> Any:
        if not isinstance(inflight, str):
            return inflight
        return tuple(inflight[start : start + HASH_LENGTH] for start in range(0, len(inflight), HASH_LENGTH))

    def expired(self, now: datetime) -> bool:
        """Whether the holder let it run out."""
        return now >= self.expires_at


class LockedError(ReconcilerError):
    """Another run holds the lock (exit code 3)."""

    exit_code: ClassVar[int] = 3

    def __init__(self, lock: LockInfo) -> None:
        super().__init__(
            f"The environment is locked by {lock.holder} (run {lock.run}) since "
            f"{stamp(lock.acquired_at)}, until {stamp(lock.expires_at)} unless that run prolongs it.",
            remedy="Wait for that run to end. If it is dead, `reconciler unlock` drops its lock.",
        )
        self.lock = lock


class LockLostError(ReconcilerError):
    """The lock ran out or was dropped while the run was still writing; the run stops (exit code 3)."""

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str = "This run's lock was dropped or taken over; it stops writing.") -> None:
        super().__init__(message, remedy="Plan again to see what was done.")


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What a run that never ended was doing."""

    run: str
    holder: str
    addresses: frozenset[str]
    """Short hashes of addresses, see ``short_hash``."""

    def covers(self, address: str) -> bool:
        """Whether that run was publishing this address when it ended."""
        return short_hash(address) in self.addresses


class _HalfDone(BaseModel):
    run: str
    holder: str
    addresses: list[str]


_PLANS = TypeAdapter(list[str])
_HALF_DONE = TypeAdapter(list[_HalfDone])
_OPTIONAL_TEXT = TypeAdapter(str | None)


def check_notes(plans: Any, interrupted: Any, *texts: Any) -> None:
    """Refuses notes of a ledger that this tool did not write.

    Raises:
        ValueError: the ids of plans are no texts, the interrupted runs are none, or a text is something else.
    """
    _PLANS.validate_python(plans)
    _HALF_DONE.validate_python(interrupted)
    for text in texts:
        _OPTIONAL_TEXT.validate_python(text)


def open_work(kept: Iterable[Mapping[str, Any]], locks: Iterable[LockInfo]) -> tuple[Interrupted, ...]:
    """What runs left half done, out of the ledger's notes, and what holders of a lock are or were doing."""
    found = [Interrupted(item["run"], item["holder"], frozenset(item["addresses"])) for item in kept]
    found += [Interrupted(lock.run, lock.holder, frozenset(lock.inflight)) for lock in locks if lock.inflight]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The ledger as one reader saw it."""

    rows: Mapping[str, Row]
    """By address, of what there is."""
    lock: LockInfo | None
    """Also one that has run out."""
    applied_plans: tuple[str, ...]
    """Ids of the plans applied last, oldest first."""
    interrupted: tuple[Interrupted, ...] = ()
    origin: str | None = None
    """The repository that wrote last, as far as it was known."""
    revision: str | None = None
    """Changes whenever somebody has written; None for a ledger that nobody has written yet."""
    locked: bool = False
    """Whether the lock was in force when this was read."""
    runs: tuple[RunRecord, ...] = ()
    """The last runs, oldest first."""
    gone: Mapping[str, Row] = field(default_factory=dict)
    """By address, of what runs of ours deleted."""

    @property
    def trails(self) -> dict[str, tuple[Earlier, ...]]:
        """What every address was before the last runs that changed it."""
        return {address: row.trail for address, row in {**self.gone, **self.rows}.items()}


@dataclass(frozen=True, slots=True)
class Ending:
    """What a run leaves behind; addresses as short hashes."""

    applied_plan: str | None = None
    origin: str | None = None
    """The repository that the run applied."""
    unsettled: frozenset[str] = frozenset()
    """May have been published without their row written."""
    settled: frozenset[str] = frozenset()
    """Surely as their rows say; whatever an earlier, interrupted run did to them is over."""

    def interrupted_after(self, lock: LockInfo, before: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The interrupted work that is still open after this run, as ledgers keep it; each address once."""
        # Runs that are killed one after the other work at the same addresses, and cells are short (LEDGER-2).
        told = self.settled | self.unsettled
        left = [{**item, "addresses": [known for known in item["addresses"] if known not in told]} for item in before]
        if self.unsettled:
            left.append({"run": lock.run, "holder": lock.holder, "addresses": sorted(self.unsettled)})
        return [item for item in left if item["addresses"]]


class Ledger(ABC):
    """See the module. Writing is for the holder of the lock only."""

    revision_at_lock: str | None = None
    """The revision that ``acquire`` found, before it wrote anything."""

    @abstractmethod
    def now(self) -> datetime:
        """The time by the clock that all runs on this ledger share; locks run out by it."""

    @abstractmethod
    async def read(self) -> Snapshot:
        """Everything, without taking the lock."""

    @abstractmethod
    async def lock(self) -> LockInfo | None:
        """The lock as it is at this moment, also an expired one."""

    @abstractmethod
    async def acquire(self, holder: str, run: str) -> LockInfo:
        """Takes the lock, also an expired one.

        Raises:
            LockedError: somebody else holds it.
        """

    @abstractmethod
    async def renew(self, lock: LockInfo, inflight: tuple[str, ...] = ()) -> LockInfo:
        """Prolongs the lock and says what is being published.

        Raises:
            LockLostError: the lock is no longer the caller's.
        """

    @abstractmethod
    async def write(self, lock: LockInfo, row: Row) -> None:
        """Keeps one row, replacing the former one of its address."""

    @abstractmethod
    async def forget(self, lock: LockInfo, address: str) -> None:
        """Drops the row of an address; no error when there is none."""

    @abstractmethod
    async def record(self, lock: LockInfo, run: RunRecord) -> None:
        """Remembers a run that comes to its end, and lets go of the oldest beyond ``RUNS_KEPT``."""

    @abstractmethod
    async def release(self, lock: LockInfo, ending: Ending) -> None:
        """Gives the lock back and remembers how the run ended.

        Raises:
            LockLostError: the lock is no longer the caller's.
        """

    @abstractmethod
    async def break_lock(self, lock: LockInfo) -> bool:
        """Drops exactly this lock, whoever holds it; False when it is gone or another's by now."""


def new_lock(holder: str, run: str, now: datetime, number: int = 0) -> LockInfo:
    """A fresh lock with a random token."""
    return LockInfo(
        token=secrets.token_hex(8),
        holder=holder,
        run=run,
        acquired_at=now,
        expires_at=prolonged(now),
        number=number,
    )


def prolonged(now: datetime) -> datetime:
    """When a lock runs out that is taken or renewed now."""
    return now + timedelta(seconds=LOCK_SECONDS)


def now_utc() -> datetime:
    """The time, to the second: what rows and locks keep."""
    return datetime.now(UTC).replace(microsecond=0)


def stamp(moment: datetime) -> str:
    """A moment for people: UTC, to the minute."""
    try:
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except OverflowError:
        # The first or last day of the calendar, in another zone.
        return moment.isoformat()


def key_of(address: str) -> str:
    """The key of an address's row: a hash, because names may hold characters that addresses of rows may not."""
    return hashlib.sha256(address.encode()).hexdigest()[:32]


def short_hash(address: str) -> str:
    """Eight hex characters that stand for an address where room is short."""
    return hashlib.sha256(address.encode()).hexdigest()[:HASH_LENGTH]
