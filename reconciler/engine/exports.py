"""Exports of published versions in canonical form, each read from the org once in its life."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.archy.canonical import canonical
from reconciler.archy.yaml import YamlError, load
from reconciler.cache import Cache
from reconciler.engine.observe import Org
from reconciler.kinds.base import Kind, Live
from reconciler.kinds.registry import kind_of
from reconciler.platform import JobFailed, MalformedResponse, NotFound, Platform
from reconciler.specs import Masker

Key = tuple[str, str]
"""Id and version."""
Hide = Callable[[Any], Any]
"""Hides what may be secret in a canonical export."""


@dataclass(frozen=True)
class Wanted:
    """One export that somebody needs."""

    live: Live
    version: str
    hide: Hide | None = None
    """Given for flows that hold secrets; their exports are never cached."""
    optional: bool = False
    """The org may have this version no longer; then ``canonical`` is None."""

    @property
    def key(self) -> Key:
        """What identifies the export."""
        return self.live.id, self.version


class Exports:
    """Canonical exports by (id, version), from the cache or the org; secrets are masked on arrival."""

    def __init__(self, platform: Platform, org: Org, cache: Cache, masker: Masker) -> None:
        self._platform = platform
        self._org = org
        self._cache = cache
        self._masker = masker
        self._known: dict[Key, Any] = {}

    async def fetch(self, wanted: Iterable[Wanted]) -> None:
        """Makes the exports of these versions known, with as few jobs as possible."""
        missing = {want.key: want for want in wanted if want.key not in self._known}
        for key, want in tuple(missing.items()):
            cached = None if want.hide else self._cache.get(self._cache_key(key))
            if cached is not None:
                self._known[key] = cached
                del missing[key]
        await self._read([want for want in missing.values() if not want.optional])
        optional = [want for want in missing.values() if want.optional]
        try:
            await self._read(optional)
        except (JobFailed, NotFound):
            for want in optional:
                await self._try(want)

    async def _try(self, want: Wanted) -> None:
        try:
            await self._read([want])
        except (JobFailed, NotFound):
            # An old version that the org keeps no longer; whoever asked compares with the spec instead.
            self._known[want.key] = None

    async def _read(self, wanted: Iterable[Wanted]) -> None:
        by_kind: dict[Kind, dict[Key, Wanted]] = defaultdict(dict)
        for want in wanted:
            by_kind[kind_of(want.live.kind)][want.key] = want
        for kind, wants in by_kind.items():
            entries = [(want.live, want.version) for want in wants.values()]
            for key, text in (await kind.exports(self._platform, entries)).items():
                self._keep(wants[key], text)

    def canonical(self, live: Live, version: str) -> Any:
        """The export of a version that was fetched before; None when the org had none."""
        return self._known.get((live.id, version))

    def _keep(self, want: Wanted, text: str) -> None:
        masked = self._masker.mask(text)
        try:
            ((root, body),) = load(masked).items()
        except (YamlError, ValueError, AttributeError):
            raise MalformedResponse(
                f"The export of {want.live.address}, version {want.version}, is not a flow."
            ) from None
        form = canonical(root, body)
        if want.hide:
            self._known[want.key] = want.hide(form)
            return
        self._known[want.key] = form
        if masked == text:
            self._cache.set(self._cache_key(want.key), form)

    def _cache_key(self, key: Key) -> str:
        return f"export:1:{self._org.identity.id}:{key[0]}:{key[1]}"
