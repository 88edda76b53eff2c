"""Lists of any length: every page, later ones at once, and work of our own side by side within a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from reconciler.platform.responses import Model, Reply
from reconciler.platform.session import Query, Session

PAGES_AT_ONCE = 4
_MOST_PAGES = 1000
"""Half a million flows; whoever speaks of more pages is not paging."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Fetch = Callable[[int], Awaitable[Reply]]


class Page:
    """One page of a listing (SDK ``…EntityListing``)."""

    def __init__(self, reply: Reply, *, key: str = "entities") -> None:
        envelope = reply.json()
        if not isinstance(envelope, dict):
            raise reply.malformed("is not a page of a list")
        items = envelope.get(key)
        if items is not None and not isinstance(items, list):
            raise reply.malformed(f"is not a page of a list: {key}: not a list")
        self.reply = reply
        self.items: list[Any] = items or []
        self.count = _whole(envelope.get("pageCount"))
        """Number of pages; None where the org does not say."""
        self.size = _whole(envelope.get("pageSize"))
        """Page size that the org really used; it may be smaller than the one asked for."""
        self.after = _after(envelope)
        """Cursor of the next page, for listings without page numbers."""

    def read(self, model: type[Model]) -> list[Model]:
        """The items as models."""
        return self.reply.read_list(model, self.items)


async def fetch_pages(fetch: Fetch, *, size: int, first: Page | None = None, key: str = "entities") -> list[Page]:
    """All pages of a numbered listing, in order.

    Follows ``pageCount``; where it is missing, reads on until a page is short or empty.

    Args:
        fetch: Fetches the page of that number, from 1.
        size: The page size that ``fetch`` asks for.
        first: Page 1, where the caller has it already.
        key: Where the items stand.

    Raises:
        MalformedResponse: a page is none, or there is no end to them.
    """
    first = first or Page(await fetch(1), key=key)
    if first.count is not None:
        if first.count > _MOST_PAGES:
            raise first.reply.malformed(f"speaks of {first.count} pages")
        replies = await side_by_side(fetch, range(2, first.count + 1))
        return [first, *(Page(reply, key=key) for reply in replies)]
    pages = [first]
    while pages[-1].items and len(pages[-1].items) >= (pages[-1].size or size):
        if len(pages) >= _MOST_PAGES:
            raise first.reply.malformed(f"goes on for more than {_MOST_PAGES} pages")
        pages.append(Page(await fetch(len(pages) + 1), key=key))
    return pages


async def list_all(
    session: Session, path: str, model: type[Model], *, size: int, query: Query | None = None
) -> list[Model]:
    """Every object of a numbered listing.

    Args:
        session: The org.
        path: Path of the listing.
        model: What each item is read as.
        size: Page size; the largest that the endpoint takes costs the fewest calls.
        query: Further filters.
    """
    pages = await fetch_pages(numbered(session, path, size=size, query=query), size=size)
    return [item for page in pages for item in page.read(model)]


def numbered(session: Session, path: str, *, size: int, query: Query | None = None) -> Fetch:
    """Fetches pages of a GET listing by number."""

    async def fetch(number: int) -> Reply:
        return await session.request("GET", path, query={**(query or {}), "pageSize": size, "pageNumber": number})

    return fetch


async def side_by_side(
    call: Callable[[Item], Awaitable[Result]], items: Iterable[Item], *, at_once: int = PAGES_AT_ONCE
) -> list[Result]:
    """Calls for each item, that many at once, and returns the results in the items' order.

    The first failure cancels the rest and is raised as it is.
    """
    gate = asyncio.Semaphore(at_once)

    async def run(item: Item) -> Result:
        async with gate:
            return await call(item)

    tasks = [asyncio.ensure_future(run(item)) for item in items]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _after(envelope: dict[str, Any]) -> str | None:
    """The cursor stands in ``after`` or in the query of ``nextUri`` (SDK: WorktypeQueryEntityListing,
    KnowledgeBaseListing)."""
    after = envelope.get("after")
    if isinstance(after, str) and after:
        return after
    following = envelope.get("nextUri")
    if not isinstance(following, str):
        return None
    return next(iter(parse_qs(urlsplit(following).query).get("after", [])), None)


def batches(items: Iterable[Item], size: int) -> list[list[Item]]:
    """The items, each once, in groups of at most ``size``."""
    unique = list(dict.fromkeys(items))
    return [unique[start : start + size] for start in range(0, len(unique), size)]
