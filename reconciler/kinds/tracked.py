"""Who uses an object, according to the org's dependency tracking (facts §3.10)."""

from __future__ import annotations

from reconciler.archy.flowtypes import by_tracking_type
from reconciler.kinds.base import Consumer
from reconciler.platform import Platform

OWN_TRACKING_TYPES = {"IVRCONFIGURATION": "ivr", "SCHEDULE": "schedule", "SCHEDULEGROUP": "scheduleGroup"}
"""Dependency tracking's names of our kinds that are no flows (SDK ``Dependency.type``)."""


NOUNS = {
    "ACDLANGUAGE": "language skill",
    "ACDSKILL": "skill",
    "ACDWRAPUPCODE": "wrap-up code",
    "CONTACTLIST": "contact list",
    "DATAACTION": "data action",
    "DATATABLE": "data table",
    "EMERGENCYGROUP": "emergency group",
    "FLOWMILESTONE": "flow milestone",
    "FLOWOUTCOME": "flow outcome",
    "GROUP": "group",
    "KNOWLEDGEBASE": "knowledge base",
    "QUEUE": "queue",
    "SCHEDULE": "schedule",
    "SCHEDULEGROUP": "schedule group",
    "SURVEYFORM": "survey form",
    "SYSTEMPROMPT": "system prompt",
    "USER": "user",
    "USERPROMPT": "prompt",
    "COMMONMODULEFLOW": "common module",
    "COMPOSERSCRIPT": "script",
}
"""Dependency tracking's names (SDK ``Dependency.type``) in words; of the rest, tracking's own."""


def noun_of(tracking_type: str) -> str:
    """What an object of this type is called by people."""
    flow_type = by_tracking_type(tracking_type)
    return NOUNS.get(tracking_type) or (f"{flow_type.root} flow" if flow_type else tracking_type)


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
