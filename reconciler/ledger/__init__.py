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
from reconciler.ledger.runs import LOST_AUDIT, RUNS_KEPT, RunRecord
from reconciler.ledger.trail import ID_KEPT, TRAIL_KEPT, Earlier, Was, extended, mark_of

__all__ = [
    "ID_KEPT",
    "LOST_AUDIT",
    "RUNS_KEPT",
    "TRAIL_KEPT",
    "Earlier",
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
    "Was",
    "extended",
    "mark_of",
    "now_utc",
    "short_hash",
    "stamp",
]
