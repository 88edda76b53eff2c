"""Tells which version an event made: the platform's audit does not say (SDK ``AuditLogMessage`` has no version).

A flow's publishes are held against the times at which its versions were published. Of other objects each creation
and each update makes one version, so they are counted: from the creation on, or back from the version that is live.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from reconciler.engine.audit.deeds import Deed, number_of
from reconciler.platform import AuditEvent

CREATE, UPDATE, DELETE, PUBLISH = "Create", "Update", "Delete", "Publish"
APART = timedelta(seconds=30)
"""How far a version's time of publication may be from its event."""
PLAUSIBLE = timedelta(seconds=60)
"""How far from a deed of ours the event may be that made the same version."""


def succeeded(event: AuditEvent) -> bool:
    """Whether the platform did what the event tells of."""
    return (event.status or "").upper() != "FAILURE"


def by_publication(events: Sequence[AuditEvent], published: Mapping[str, datetime]) -> dict[str, int]:
    """Event → number of the flow's version, each version once; the nearest in time first."""
    publishes = [event for event in events if event.action == PUBLISH and succeeded(event)]
    numbers = [(number, at) for version, at in published.items() if (number := number_of(version)) is not None]
    pairs = sorted(
        (abs(event.at - at), event.at, number, event.id)
        for event in publishes
        for number, at in numbers
        if abs(event.at - at) <= APART
    )
    found: dict[str, int] = {}
    for _apart, _at, number, id in pairs:
        if id not in found and number not in found.values():
            found[id] = number
    return found


def by_counting(events: Sequence[AuditEvent], live: str | None, deeds: Sequence[Deed]) -> dict[str, int]:
    """Event → number of the object's version, for kinds whose versions are counted; empty where that cannot be trusted.

    ``events`` are all of one object, oldest first; ``deeds`` ours on it, which must lie where the counting puts them.
    """
    steps = [event for event in events if event.action in (CREATE, UPDATE) and succeeded(event)]
    if not steps:
        return {}
    if steps[0].action == CREATE:
        first = 1
    elif (last := number_of(live)) is not None:
        first = last - len(steps) + 1
    else:
        return {}
    found = {event.id: number for number, event in enumerate(steps, first)}
    times = {number: event.at for number, event in enumerate(steps, first)}
    for deed in deeds:
        if deed.sure and deed.makes_version and deed.after is not None and deed.end >= steps[0].at:
            at = times.get(deed.after)
            if at is None or not deed.start - PLAUSIBLE <= at <= deed.end + PLAUSIBLE:
                return {}
    return found
