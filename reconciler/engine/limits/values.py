"""What the org says its limits are: asked once a day, and never a reason to fail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciler.cache import Cache
from reconciler.platform import Platform, PlatformError

KEPT = timedelta(days=1)


@dataclass
class Values:
    """The limits of one org by namespace and key."""

    platform: Platform
    org_id: str
    cache: Cache
    fresh: bool = False
    """Ask the org whatever the cache holds."""
    problems: dict[str, PlatformError] = field(default_factory=dict)
    """By namespace: why it could not be read."""
    _read: dict[str, dict[str, int]] = field(default_factory=dict)

    async def of(self, namespace: str) -> dict[str, int]:
        """All limits of a namespace; empty where they cannot be read, see ``problems``."""
        if namespace not in self._read:
            self._read[namespace] = await self._find(namespace)
        return self._read[namespace]

    async def _find(self, namespace: str) -> dict[str, int]:
        key = f"limits:1:{self.org_id}:{namespace}"
        known = None if self.fresh else self._kept(self.cache.get(key))
        if known is not None:
            return known
        try:
            values = await self.platform.limits.of(namespace)
        except PlatformError as error:
            self.problems[namespace] = error
            return {}
        self.cache.set(key, {"at": self.platform.now().isoformat(), "values": values})
        return values

    def _kept(self, entry: Any) -> dict[str, int] | None:
        """What the cache holds, unless it is old or not ours."""
        try:
            age = self.platform.now() - datetime.fromisoformat(entry["at"])
            values = {str(key): int(value) for key, value in entry["values"].items()}
        except (AttributeError, KeyError, TypeError, ValueError):
            return None
        return values if timedelta(0) <= age < KEPT else None
