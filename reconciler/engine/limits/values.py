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
    _remembered: set[str] = field(default_factory=set)
    """Namespaces that the org was not asked for now."""

    async def of(self, namespace: str) -> dict[str, int]:
        """All limits of a namespace; empty where they cannot be read, see ``problems``."""
        if namespace not in self._read:
            self._read[namespace] = await self._find(namespace)
        return self._read[namespace]

    async def afresh(self, namespace: str) -> dict[str, int]:
        """The same as the org tells it at this moment: a limit may have been raised since it was asked."""
        if namespace in self._remembered:
            self._remembered.discard(namespace)
            told = await self._ask(namespace)
            if self.problems.pop(namespace, None) is None:
                self._read[namespace] = told
        return self._read[namespace]

    async def _find(self, namespace: str) -> dict[str, int]:
        known = None if self.fresh else self._kept(self.cache.get(self._key(namespace)))
        if known is not None:
            self._remembered.add(namespace)
            return known
        return await self._ask(namespace)

    async def _ask(self, namespace: str) -> dict[str, int]:
        try:
            values = await self.platform.limits.of(namespace)
        except PlatformError as error:
            self.problems[namespace] = error
            return {}
        self.cache.set(self._key(namespace), {"at": self.platform.now().isoformat(), "values": values})
        return values

    def _key(self, namespace: str) -> str:
        return f"limits:1:{self.org_id}:{namespace}"

    def _kept(self, entry: Any) -> dict[str, int] | None:
        """What the cache holds, unless it is old or not ours."""
        try:
            age = self.platform.now() - datetime.fromisoformat(entry["at"])
            values = {str(key): int(value) for key, value in entry["values"].items()}
        except (AttributeError, KeyError, TypeError, ValueError):
            return None
        return values if timedelta(0) <= age < KEPT else None
