"""How large flows are, against the largest that are known to have been published.

Architect publishes no flow at 98 % of its largest size (facts §3.11), and nobody says how many bytes that are. What
is known: sizes that were published. A common module may be less large than other flows, so that the two are compared
apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.archy.flowtypes import by_root
from reconciler.cache import Cache
from reconciler.kinds.base import Desired
from reconciler.kinds.registry import kind_of
from reconciler.problems import Finding, Severity

MODULE, FLOW = "common module", "flow"
PUBLISHED: Mapping[str, tuple[int, str]] = {
    FLOW: (800_000, "the largest of 153 exports that somebody measured"),
    MODULE: (100_000, "of 153 exports that somebody measured, of all types, 144 are smaller"),
}
"""Bytes of YAML, and what is known of that size (facts archy-yaml §3; docs/fidelity.md, LIMITS-7, LIMITS-8)."""


def sort_of(desired: Desired) -> str | None:
    """Which flows it is compared with; None for what is no flow."""
    if not kind_of(desired.kind).content_in_versions:
        return None
    flow_type = by_root(desired.kind)
    return MODULE if flow_type is not None and flow_type.api_type == "COMMONMODULE" else FLOW


class Sizes:
    """The largest flows that one org has taken from this machine."""

    def __init__(self, cache: Cache, org_id: str | None) -> None:
        """Without an org, as offline, nothing is known of it."""
        self._cache = cache
        self._org = org_id
        self._known: dict[str, int] = {}

    def largest(self, sort: str) -> int:
        """Bytes; 0 where none is known."""
        if sort not in self._known:
            kept = self._cache.get(self._key(sort)) if self._org else None
            self._known[sort] = kept if isinstance(kept, int) else 0
        return self._known[sort]

    def published(self, desired: Desired) -> None:
        """The org has taken it."""
        sort = sort_of(desired)
        if sort is not None and self._org and desired.size > self.largest(sort):
            self._known[sort] = desired.size
            self._cache.set(self._key(sort), desired.size)

    def findings(self, resources: Iterable[Desired]) -> list[Finding]:
        """A warning for each flow that is larger than all that are known to have been published."""
        found = []
        for desired in resources:
            sort = sort_of(desired)
            if sort is None:
                continue
            bound, what = PUBLISHED[sort]
            known = self.largest(sort)
            if desired.size > max(bound, known):
                found.append(_large(desired, sort, f"this org took one of {_kb(known)}" if known > bound else what))
        return found

    def _key(self, sort: str) -> str:
        return f"size:1:{self._org}:{sort}"


def _large(desired: Desired, sort: str, known: str) -> Finding:
    lower = ", and its limit is lower for common modules than for other flows" if sort == MODULE else ""
    return Finding(
        id="flow-large",
        severity=Severity.WARNING,
        message=f"{desired.address} is {_kb(desired.size)} large, larger than what is known to have been published "
        f"({known}). Architect publishes no flow that is too large{lower}.",
        address=desired.address,
        file=desired.file,
        line=desired.line,
        remedy="See in Architect under Insights and Optimizations how full it is; move parts of it into flows of "
        f"their own{'' if sort == MODULE else ' or into common modules'}.",
    )


def _kb(size: int) -> str:
    return f"{size / 1000:,.0f} KB"
