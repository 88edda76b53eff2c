"""What was applied, and the lock: in the org or in a file."""

from reconciler.ledger.base import (
    Ending,
    Interrupted,
    Ledger,
    LockedError,
    LockInfo,
    LockLostError,
    Row,
    Snapshot,
    now_utc,
    short_hash,
    stamp,
)
from reconciler.ledger.file import FileLedger
from reconciler.ledger.org import OrgLedger
from reconciler.ledger.runs import LOST_AUDIT, RunRecord

__all__ = [
    "LOST_AUDIT",
    "Ending",
    "FileLedger",
    "Interrupted",
    "Ledger",
    "LockInfo",
    "LockLostError",
    "LockedError",
    "OrgLedger",
    "Row",
    "RunRecord",
    "Snapshot",
    "now_utc",
    "short_hash",
    "stamp",
]
