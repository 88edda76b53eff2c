"""Makes objects that a flow names and the org lacks.

Two callers want this: ``missing_references: create`` (to try flows of one's own at once) makes
anything; ``createStubs`` of a deploy job makes inbound and secure call flows only (facts archy-yaml §7).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from reconciler.archy.flowtypes import by_api_type
from reconciler.archy.model import Reference
from reconciler.sandbox import objects
from reconciler.sandbox.objects import Edit
from reconciler.sandbox.shapes import SHAPES

STUB_TYPES = ("INBOUNDCALL", "SECURECALL")

StubMaker = Callable[[str, str], None]
"""Publishes a stub flow: (name, API type)."""


def nothing(_reference: Reference) -> bool:
    """Supplies nothing: what is missing stays missing."""
    return False


def stubs(make_flow: StubMaker) -> Callable[[Reference], bool]:
    """Supplies stub flows for missing inbound and secure call targets."""

    def supply(reference: Reference) -> bool:
        wanted = [flow_type for flow_type in reference.flow_types if flow_type in STUB_TYPES]
        if reference.kind != "flow" or not wanted:
            return False
        make_flow(reference.name, wanted[0])
        return True

    return supply


def anything(db: sqlite3.Connection, edit: Edit, make_flow: StubMaker) -> Callable[[Reference], bool]:
    """Supplies whatever is missing."""

    def supply(reference: Reference) -> bool:
        if reference.kind == "flow":
            if not reference.flow_types:
                return False
            make_flow(reference.name, reference.flow_types[0])
            return True
        if reference.kind not in SHAPES:
            return False
        make_object(db, edit, reference.kind, reference.name, category=reference.category)
        return True

    return supply


def make_object(
    db: sqlite3.Connection, edit: Edit, kind: str, name: str, *, category: str | None = None
) -> objects.Stored:
    """An object of a kind with the least that its wire shape needs."""
    division = None if "division" not in SHAPES[kind].fields else objects.home_division(db).id
    body: dict[str, Any] = dict(DEFAULT_BODIES.get(kind, {}))
    if kind == "user":
        body |= {"email": name, "username": name}
    if kind == "dataAction":
        body |= _action_body(db, edit, category or name)
    return objects.insert(db, edit, kind, name, division_id=division, body=body)


def _action_body(db: sqlite3.Connection, edit: Edit, category: str) -> dict[str, Any]:
    """A data action lies in the integration that its category names."""
    wanted = category.casefold()
    for integration in objects.all_active(db, "integration"):
        if integration.name.casefold() == wanted:
            return {"category": integration.name, "integrationId": integration.id, "secure": False}
    made = objects.insert(db, edit, "integration", category, body=dict(DEFAULT_BODIES["integration"]))
    return {"category": category, "integrationId": made.id, "secure": False}


DEFAULT_BODIES: dict[str, dict[str, Any]] = {
    "queue": {"memberCount": 0, "userMemberCount": 0, "joinedMemberCount": 0},
    "contactList": {"columnNames": [], "phoneColumns": []},
    "integration": {"integrationType": {"id": "custom-rest-actions"}, "intendedState": "ENABLED"},
    "dataAction": {"secure": False},
    "group": {"type": "official", "visibility": "public", "memberCount": 0},
    "surveyForm": {"published": True, "disabled": False},
    "knowledgeBase": {"coreLanguage": "en-US", "published": True},
    "ttsEngine": {"isDefault": False, "isSecure": False, "languages": [], "voices": []},
    "dataTable": {
        "schema": {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "type": "object",
            "required": ["key"],
            "properties": {"key": {"$id": "/properties/key", "type": "string", "title": "key", "displayOrder": 0}},
            "additionalProperties": False,
        }
    },
    "schedule": {"start": "2026-01-01T00:00:00.000", "end": "2026-01-02T00:00:00.000"},
    "scheduleGroup": {"timeZone": "UTC", "openSchedules": [], "closedSchedules": [], "holidaySchedules": []},
    "emergencyGroup": {"enabled": False, "emergencyCallFlows": []},
}
"""What a kind shows besides its name when nobody said more."""


def stub_text(name: str, api_type: str) -> str:
    """YAML of a flow of a type that does nothing but end."""
    flow_type = by_api_type(api_type)
    if flow_type is None:
        raise ValueError(f"{api_type} flows cannot be written as YAML")
    title = json.dumps(name, ensure_ascii=False)
    head = f"{flow_type.root}:\n  name: {title}\n"
    if flow_type.containers[0] == "startUpTaskActions":
        return f"{head}  startUpTaskActions:\n    - disconnect:\n        name: Disconnect\n"
    container = flow_type.containers[0]
    if container == "menus":
        return (
            f'{head}  defaultLanguage: en-us\n  startUpRef: "./tasks/task[Stub]"\n  tasks:\n    - task:\n'
            "        name: Stub\n        refId: Stub\n        actions:\n          - disconnect:\n"
            "              name: Disconnect\n"
        )
    item = container.removesuffix("s")
    return (
        f'{head}  startUpRef: "./{container}/{item}[Stub]"\n  {container}:\n    - {item}:\n'
        "        name: Stub\n        refId: Stub\n"
    )
