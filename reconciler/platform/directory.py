"""Ids of the objects that flows name: queues, skills, prompts, users, … from the org's own lists.

A name that stands in a flow must exist in the org, or the publish fails minutes later with a worse message.
The look-ups keep requests few: one name is filtered for; several names are looked for in the full list as
long as it has no more pages than there are names, else those that are not on its first page are filtered for.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TypeVar

from reconciler.platform.directory_kinds import LISTINGS
from reconciler.platform.listings import Key, Listing, Pairs
from reconciler.platform.session import Session

Name = TypeVar("Name", str, tuple[str, str])
"""A name, or (category, action) for ``dataAction``."""


class Directory:
    """Finds objects by name; remembers what it found, and what it did not."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ids: dict[str, dict[Key, str | None]] = defaultdict(dict)
        """Kind → key → id, None for a key that the org does not have."""
        self._complete: set[str] = set()
        """Kinds whose whole list was read."""
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def supports(self, kind: str) -> bool:
        """Whether the org can list objects of this kind.

        Not supported are flows (see ``FlowsApi.list``) and what the API lists only below something else, such
        as voices of an engine or canned responses of a library.
        """
        return kind in LISTINGS

    async def find(self, kind: str, names: Collection[Name]) -> dict[Name, str | None]:
        """Id of each name, None where the org has no object of exactly that name.

        Where several objects share a name, the first one of the org's list counts. Users are found by e-mail
        address and categories of data actions in any case, as Architect finds them.

        Args:
            kind: Object class, as in ``archy.references``: ``queue``, ``skill``, ``dataAction``, …
            names: Names; for ``dataAction`` (category, action), the category being the integration's name.

        Raises:
            KeyError: the kind is not supported.
        """
        listing = LISTINGS[kind]
        keys = {name: listing.key(name) for name in names}
        async with self._turns[kind]:
            unknown = [key for key in dict.fromkeys(keys.values()) if key not in self._ids[kind]]
            if unknown and kind not in self._complete:
                await self._learn(kind, listing, unknown)
            ids = self._ids[kind]
        return {name: ids.get(key) for name, key in keys.items()}

    def forget(self, kind: str) -> None:
        """Forgets what is known of a kind, after objects of it were made or deleted."""
        self._ids.pop(kind, None)
        self._complete.discard(kind)

    async def _learn(self, kind: str, listing: Listing, unknown: Sequence[Key]) -> None:
        left = list(unknown)
        if len(unknown) > 1 or listing.list_first:
            pairs, complete = await listing.everything(self._session, len(unknown) + 1)
            self._remember(kind, pairs)
            if complete:
                self._complete.add(kind)
                return
            left = [key for key in unknown if key not in self._ids[kind]]
        if left:
            self._remember(kind, await listing.named(self._session, left))
        for key in left:
            self._ids[kind].setdefault(key, None)

    def _remember(self, kind: str, pairs: Pairs) -> None:
        for key, id in pairs:
            if self._ids[kind].get(key) is None:
                self._ids[kind][key] = id
