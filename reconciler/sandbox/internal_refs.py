"""References inside a flow: ``startUpRef``, ``targetTaskRef`` and the like (facts archy-yaml §2).

A reference is a path whose last segment, ``kind[refId]``, says what is meant. A refId may hold any
character, brackets and slashes too, so a path can be read in more than one way.
"""

from __future__ import annotations

import re
from collections.abc import Container

_SEGMENT = re.compile(r"(?:^|/)([A-Za-z]+)\[")

Target = tuple[str, str]
"""(kind of element, refId)."""


def target_of(reference: str, known: Container[Target]) -> Target | None:
    """The element that a reference means, given those that there are; None when it leads nowhere."""
    if not reference.endswith("]"):
        return None
    for match in reversed(list(_SEGMENT.finditer(reference))):
        target = (match.group(1), reference[match.end() : -1])
        if target in known:
            return target
    return None
