"""Whether callers have moved to what was applied, and whether they fare worse on it."""

from reconciler.engine.adoption.document import AdoptionReport
from reconciler.engine.adoption.measure import measure_adoption
from reconciler.engine.adoption.moments import read_duration, read_zone

__all__ = ["AdoptionReport", "measure_adoption", "read_duration", "read_zone"]
