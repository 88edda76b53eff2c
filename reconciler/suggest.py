"""Near matches for names that do not exist; specs, environments and kinds all offer them in the same words."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def near(name: str, known: Iterable[str]) -> str:
    """``Did you mean `…`? `` with up to three names alike, upper and lower case taken as equal; else empty."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.casefold(), by_folded, n=3)
    if not matches:
        return ""
    return f"Did you mean {' or '.join(f'`{by_folded[match]}`' for match in matches)}? "
