"""How the org lists the objects that flows name: the shapes of listing endpoints, and what their items hold.

Filters match prefixes, parts or patterns, depending on the endpoint; callers compare names themselves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from reconciler.platform.models import Wire
from reconciler.platform.paging import Fetch, Page, batches, fetch_pages, numbered, side_by_side
from reconciler.platform.responses import Reply
from reconciler.platform.session import Query, Session, path_of

Key = str | tuple[str, str]
Pairs = list[tuple[Key, str]]
"""(key, id) of each object, in the org's order."""

_PAGE = 100


class Entity(Wire):
    """What all listed objects have in common, and the few fields by which some are named."""

    id: str
    name: str = ""
    state: str | None = None
    email: str | None = None
    category: str | None = None
    integration_id: str | None = None


class Listing(ABC):
    """Lists one kind of object."""

    @property
    def list_first(self) -> bool:
        """Whether the first page of the full list is read even for a single name."""
        return False

    def key(self, name: Key) -> Key:
        """The form in which names are compared."""
        return name

    @abstractmethod
    async def everything(self, session: Session, limit: int) -> tuple[Pairs, bool]:
        """All objects and True; where that takes more than ``limit`` requests, the first page and False."""

    @abstractmethod
    async def named(self, session: Session, keys: Sequence[Key]) -> Pairs:
        """Objects among which all of those names are, if they exist."""


@dataclass(frozen=True)
class Numbered(Listing):
    """A GET listing with page numbers and a filter for the name."""

    path: str
    size: int = _PAGE
    names_at_once: int = 1
    """How many names one filter takes."""
    query: Query = field(default_factory=dict)

    async def everything(self, session: Session, limit: int) -> tuple[Pairs, bool]:
        """See ``Listing.everything``."""
        fetch = numbered(session, self.path, size=self.size, query=self.query)
        pages, complete = await _up_to(fetch, self.size, limit)
        return self.pairs(pages), complete

    async def named(self, session: Session, keys: Sequence[Key]) -> Pairs:
        """See ``Listing.named``."""

        async def look_up(names: list[Key]) -> Pairs:
            query = {**self.query, "name": [str(name) for name in names]}
            fetch = numbered(session, self.path, size=self.size, query=query)
            return self.pairs(await fetch_pages(fetch, size=self.size))

        return await _each(look_up, batches(keys, self.names_at_once))

    def pairs(self, pages: Sequence[Page]) -> Pairs:
        """Keys and ids of the objects of these pages."""
        return by_name(pages)


@dataclass(frozen=True)
class Searched(Numbered):
    """A GET listing without a filter; a POST search beside it finds objects by exact values of one field.

    Source: SDK ``UserSearchRequest``, ``GroupSearchRequest``; answers hold ``results``, not ``entities``.
    """

    names_at_once: int = 50
    search_field: str = "name"

    @property
    def list_first(self) -> bool:
        """True: the list shows the org as it is, the search reads an index of it; only large orgs need that."""
        return True

    async def named(self, session: Session, keys: Sequence[Key]) -> Pairs:
        """See ``Listing.named``."""

        async def look_up(names: list[Key]) -> Pairs:
            criterion = {"fields": [self.search_field], "values": names, "type": "EXACT"}

            async def fetch(number: int) -> Reply:
                body = {"pageSize": self.size, "pageNumber": number, "query": [criterion]}
                return await session.request("POST", f"{self.path}/search", body=body, harmless=True)

            return self.pairs(await fetch_pages(fetch, size=self.size, key="results"))

        return await _each(look_up, batches(keys, self.names_at_once))


@dataclass(frozen=True)
class Users(Searched):
    """Users go by their e-mail address, in any case."""

    search_field: str = "email"

    def key(self, name: Key) -> Key:
        """See ``Listing.key``."""
        return str(name).casefold()

    def pairs(self, pages: Sequence[Page]) -> Pairs:
        """See ``Numbered.pairs``."""
        return [(entity.email.casefold(), entity.id) for entity in entities(pages) if entity.email]


@dataclass(frozen=True)
class Cursor(Listing):
    """A GET listing that goes on with ``after``, 100 objects at most a page (SDK)."""

    path: str
    names_at_once: int = 1

    async def everything(self, session: Session, limit: int) -> tuple[Pairs, bool]:
        """See ``Listing.everything``; here the number of pages shows only on the way."""
        return await self._follow(session, (), limit)

    async def named(self, session: Session, keys: Sequence[Key]) -> Pairs:
        """See ``Listing.named``."""

        async def look_up(names: list[Key]) -> Pairs:
            pairs, _ = await self._follow(session, [str(name) for name in names], None)
            return pairs

        return await _each(look_up, batches(keys, self.names_at_once))

    async def fetch(self, session: Session, names: Sequence[str], after: str | None) -> Reply:
        """One page of the objects with these names, of all objects when there are none."""
        query: Query = {"pageSize": _PAGE, "name": names[0] if names else None, "after": after}
        return await session.request("GET", self.path, query=query)

    async def _follow(self, session: Session, names: Sequence[str], limit: int | None) -> tuple[Pairs, bool]:
        pages: list[Page] = []
        cursors: list[str | None] = [None]
        while limit is None or len(pages) < limit:
            page = Page(await self.fetch(session, names, cursors[-1]))
            pages.append(page)
            if not page.after or not page.items:
                return by_name(pages), True
            if page.after in cursors:
                raise page.reply.malformed("leads back to a page that was read before")
            cursors.append(page.after)
        return by_name(pages), False


@dataclass(frozen=True)
class Worktypes(Cursor):
    """Work types have a POST query only (SDK ``WorktypeQueryRequest``, ``WorkitemFilter``)."""

    names_at_once: int = 50

    async def fetch(self, session: Session, names: Sequence[str], after: str | None) -> Reply:
        """See ``Cursor.fetch``."""
        named = {"name": "name", "type": "String", "operator": "IN", "values": list(names)}
        body = {"pageSize": _PAGE, "filters": [named] if names else [], **({"after": after} if after else {})}
        return await session.request("POST", self.path, body=body, harmless=True)


class DataActions(Listing):
    """Data actions go by category and name.

    The category is the integration's name, in any case (facts archy-yaml §4). An action's own ``category``
    may differ from it, so both count.
    """

    def key(self, name: Key) -> Key:
        """See ``Listing.key``."""
        assert isinstance(name, tuple)
        category, action = name
        return category.casefold(), action

    async def everything(self, session: Session, limit: int) -> tuple[Pairs, bool]:
        """See ``Listing.everything``."""
        pages, complete = await _up_to(self._fetch(session, None), _PAGE, limit)
        return await self._pairs(session, entities(pages)), complete

    async def named(self, session: Session, keys: Sequence[Key]) -> Pairs:
        """See ``Listing.named``; the endpoint's filter knows parts of names."""

        async def look_up(name: str) -> list[Entity]:
            found = entities(await fetch_pages(self._fetch(session, name), size=_PAGE))
            return [entity for entity in found if entity.name == name]

        groups = await side_by_side(look_up, dict.fromkeys(key[1] for key in keys))
        return await self._pairs(session, [entity for group in groups for entity in group])

    def _fetch(self, session: Session, name: str | None) -> Fetch:
        return numbered(session, path_of("integrations", "actions"), size=_PAGE, query={"name": name})

    async def _pairs(self, session: Session, actions: Sequence[Entity]) -> Pairs:
        if not actions:
            return []
        fetch = numbered(session, path_of("integrations"), size=_PAGE)
        integrations = {entity.id: entity.name for entity in entities(await fetch_pages(fetch, size=_PAGE))}
        pairs: Pairs = []
        for action in actions:
            names = {integrations.get(action.integration_id or ""), action.category}
            pairs.extend(((name.casefold(), action.name), action.id) for name in names if name)
        return pairs


def entities(pages: Sequence[Page]) -> list[Entity]:
    """The objects of these pages without deleted ones."""
    return [entity for page in pages for entity in page.read(Entity) if entity.state != "deleted"]


def by_name(pages: Sequence[Page]) -> Pairs:
    """Names and ids of the objects of these pages."""
    return [(entity.name, entity.id) for entity in entities(pages)]


async def _up_to(fetch: Fetch, size: int, limit: int) -> tuple[list[Page], bool]:
    first = Page(await fetch(1))
    if first.count is not None and first.count > limit:
        return [first], False
    return await fetch_pages(fetch, size=size, first=first), True


async def _each(look_up: Callable[[list[Key]], Awaitable[Pairs]], groups: Sequence[list[Key]]) -> Pairs:
    found = await side_by_side(look_up, groups)
    return [pair for pairs in found for pair in pairs]
