"""How long ago something was, in words."""

from __future__ import annotations

from datetime import datetime

_STEPS = ((86400 * 7, "week"), (86400, "day"), (3600, "hour"), (60, "minute"))


def ago(moment: datetime, now: datetime) -> str:
    """``3 hours ago``: one unit, rounded down; the future, by clocks that differ, is ``just now``."""
    seconds = (now - moment).total_seconds()
    for length, name in _STEPS:
        if seconds >= length * (2 if name == "week" else 1):
            count = int(seconds // length)
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return "just now"
