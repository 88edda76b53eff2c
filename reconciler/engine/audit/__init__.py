"""The audit trail of runs: written as they go by, chained by hashes, checked, and set beside the platform's own."""

from reconciler.engine.audit.chain import Chain, NotATrailError
from reconciler.engine.audit.record import AuditRecord
from reconciler.engine.audit.surroundings import Surroundings, surroundings_of
from reconciler.engine.audit.trail import Trail, trail_path

__all__ = [
    "AuditRecord",
    "Chain",
    "NotATrailError",
    "Surroundings",
    "Trail",
    "surroundings_of",
    "trail_path",
]
