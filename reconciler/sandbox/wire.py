"""Small shapes that the whole wire shares: dates, references and pages (facts §2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from reconciler.sandbox.call import Call

T = TypeVar("T")

DEFAULT_PAGE_SIZE = 25
MAX_PAGE_SIZE = 500
"""Where no maximum is documented: the largest page that the Terraform provider asks for."""


def iso(seconds: float) -> str:
    """A date-time as most kinds show it: ISO-8601 UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def epoch_ms(seconds: float) -> int:
    """A date-time as flow versions show it: milliseconds since the epoch (SDK ``FlowVersion``)."""
    return round(seconds * 1000)


def without_none(value: dict[str, Any]) -> dict[str, Any]:
    """The mapping without absent values; the platform leaves such fields out."""
    return {key: item for key, item in value.items() if item is not None}


def page(
    call: Call,
    items: Sequence[T],
    shape: Callable[[T], Any],
    *,
    maximum: int = MAX_PAGE_SIZE,
    telephony: bool = False,
) -> dict[str, Any]:
    """One page of a list with all paging fields; telephony kinds repeat the total under another name."""
    size = call.number("pageSize", DEFAULT_PAGE_SIZE, maximum=maximum)
    number = call.number("pageNumber", 1, maximum=1_000_000)
    total = len(items)
    count = -(-total // size)

    def uri(page_number: int) -> str:
        kept = [(key, value) for key, values in call.query.items() for value in values]
        kept = [(key, value) for key, value in kept if key not in ("pageSize", "pageNumber")]
        return f"{quote(call.path)}?" + urlencode([("pageSize", size), ("pageNumber", page_number), *kept])

    start = (number - 1) * size
    return without_none(
        {
            "entities": [shape(item) for item in items[start : start + size]],
            "pageSize": size,
            "pageNumber": number,
            "total": total,
            "totalNumberOfEntities": total if telephony else None,
            "pageCount": count,
            "firstUri": uri(1),
            "lastUri": uri(max(count, 1)),
            "nextUri": uri(number + 1) if number < count else None,
            "previousUri": uri(number - 1) if number > 1 else None,
            "selfUri": uri(number),
        }
    )
