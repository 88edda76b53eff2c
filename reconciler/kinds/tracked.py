"""Who uses an object, according to the org's dependency tracking (facts §3.10)."""

from __future__ import annotations

from reconciler.archy.flowtypes import by_tracking_type
from reconciler.kinds.base import Consumer
from reconciler.platform import Platform

OWN_TRACKING_TYPES = {"IVRCONFIGURATION": "ivr", "SCHEDULE": "schedule", "SCHEDULEGROUP": "scheduleGroup"}
"""Dependency tracking's names of our kinds that are no flows (SDK ``Dependency.type``)."""


async def tracked_consumers(platform: Platform, object_id: str, tracking_type: str) -> list[Consumer]:
    """What uses an object now; of flows, their published versions only."""
    return [
        Consumer(found.id, found.name, found.type, found.version, _kind(found.type))
        for found in await platform.tracking.consuming(object_id, tracking_type)
        if not found.deleted
    ]


def _kind(tracking_type: str) -> str | None:
    flow_type = by_tracking_type(tracking_type)
    return flow_type.root if flow_type else OWN_TRACKING_TYPES.get(tracking_type)
