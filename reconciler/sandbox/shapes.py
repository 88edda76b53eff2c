"""How each kind of object looks on the wire: path, common fields, dependency tracking type.

Field sets follow the SDK's models; a kind shows a common field only where its model has it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from reconciler.sandbox import objects
from reconciler.sandbox.call import API, Call
from reconciler.sandbox.errors import invalid_value
from reconciler.sandbox.objects import Stored
from reconciler.sandbox.wire import iso, without_none

_DATES = frozenset({"dateCreated", "dateModified"})
_AUTHORS = frozenset({"createdBy", "modifiedBy"})
_TELEPHONY = _DATES | _AUTHORS | {"division", "description", "version", "state"}


@dataclass(frozen=True, slots=True)
class Shape:
    """The wire shape of a kind."""

    kind: str
    path: str
    """Collection path."""
    fields: frozenset[str]
    tracking_type: str | None = None
    """Name in dependency tracking (SDK ``Dependency.type``); None where flows cannot use the kind."""
    text_version: bool = False
    """``version`` is a string for some kinds (SDK ``RoutingSkill``, ``Language``)."""


SHAPES: dict[str, Shape] = {
    shape.kind: shape
    for shape in (
        Shape("division", f"{API}/authorization/divisions", frozenset({"description"})),
        Shape("queue", f"{API}/routing/queues", _DATES | _AUTHORS | {"division", "description"}, "QUEUE"),
        Shape(
            "skill",
            f"{API}/routing/skills",
            frozenset({"division", "dateModified", "state", "version"}),
            "ACDSKILL",
            text_version=True,
        ),
        Shape(
            "languageSkill",
            f"{API}/routing/languages",
            frozenset({"dateModified", "state", "version"}),
            "ACDLANGUAGE",
            text_version=True,
        ),
        Shape(
            "wrapupCode",
            f"{API}/routing/wrapupcodes",
            _DATES | _AUTHORS | {"division", "description"},
            "ACDWRAPUPCODE",
        ),
        Shape("contactList", f"{API}/outbound/contactlists", _DATES | {"division", "version"}, "CONTACTLIST"),
        Shape("integration", f"{API}/integrations", frozenset()),
        Shape("dataAction", f"{API}/integrations/actions", frozenset({"version"}), "DATAACTION"),
        Shape("group", f"{API}/groups", frozenset({"description", "dateModified", "state", "version"}), "GROUP"),
        Shape("user", f"{API}/users", frozenset({"division", "state", "version"}), "USER"),
        Shape("script", f"{API}/scripts", frozenset({"division"}), "COMPOSERSCRIPT"),
        Shape("surveyForm", f"{API}/quality/forms/surveys", frozenset({"division"}), "SURVEYFORM"),
        Shape("knowledgeBase", f"{API}/knowledge/knowledgebases", _DATES | {"description"}, "KNOWLEDGEBASE"),
        Shape("worktype", f"{API}/taskmanagement/worktypes", _DATES | {"division", "description"}, "WORKTYPE"),
        Shape("ttsEngine", f"{API}/integrations/speech/tts/engines", frozenset(), "TTSENGINE"),
        Shape("sttEngine", f"{API}/integrations/speech/stt/engines", frozenset(), "STTENGINE"),
        Shape("agenticVirtualAgent", f"{API}/agentic/virtualagents", _DATES, "AGENTICVIRTUALAGENT"),
        Shape("flowOutcome", f"{API}/flows/outcomes", frozenset({"division", "description"}), "FLOWOUTCOME"),
        Shape("flowMilestone", f"{API}/flows/milestones", frozenset({"division", "description"}), "FLOWMILESTONE"),
        Shape("dataTable", f"{API}/flows/datatables", frozenset({"division", "description"}), "DATATABLE"),
        Shape("prompt", f"{API}/architect/prompts", frozenset({"division", "description"}), "USERPROMPT"),
        Shape("schedule", f"{API}/architect/schedules", _TELEPHONY, "SCHEDULE"),
        Shape("scheduleGroup", f"{API}/architect/schedulegroups", _TELEPHONY, "SCHEDULEGROUP"),
        Shape("emergencyGroup", f"{API}/architect/emergencygroups", _TELEPHONY, "EMERGENCYGROUP"),
        Shape("ivr", f"{API}/architect/ivrs", _TELEPHONY, "IVRCONFIGURATION"),
        Shape("didPool", f"{API}/telephony/providers/edges/didpools", _TELEPHONY - {"division"}),
    )
}

BY_TRACKING_TYPE: dict[str, Shape] = {
    shape.tracking_type: shape for shape in SHAPES.values() if shape.tracking_type is not None
}


def division_ref(db: sqlite3.Connection, division_id: str | None) -> dict[str, str] | None:
    """``{id, name, selfUri}`` of a division; the starred one stands for all divisions."""
    if division_id is None:
        return None
    if division_id == "*":
        return {"id": "*", "name": "*"}
    found = objects.get(db, division_id, "division")
    if found is None:
        return {"id": division_id}
    return {"id": found.id, "name": found.name, "selfUri": f"{SHAPES['division'].path}/{found.id}"}


def show(db: sqlite3.Connection, item: Stored) -> dict[str, Any]:
    """The object in its wire shape."""
    shape = SHAPES[item.kind]
    common: dict[str, Any] = {
        "division": division_ref(db, item.division_id),
        "version": str(item.version) if shape.text_version else item.version,
        "state": item.state,
        "dateCreated": iso(item.created),
        "dateModified": iso(item.modified),
        "createdBy": item.created_by,
        "modifiedBy": item.modified_by,
        "description": item.body.get("description") or None,
    }
    body = {key: value for key, value in item.body.items() if key != "description"}
    return without_none(
        {
            "id": item.id,
            "name": item.name,
            **{key: value for key, value in common.items() if key in shape.fields},
            **body,
            "selfUri": f"{shape.path}/{item.id}",
        }
    )


def reference(db: sqlite3.Connection, kind: str, object_id: str) -> dict[str, str]:
    """``{id, name, selfUri}`` of an object as other objects show it, under its current name."""
    path = f"{API}/flows" if kind == "flow" else SHAPES[kind].path
    names = objects.names_of(db, [object_id])
    shown = {"id": object_id, "selfUri": f"{path}/{object_id}"}
    return {**shown, "name": names[object_id]} if object_id in names else shown


def division_of_body(call: Call, body: dict[str, Any], *, starred: bool = False) -> str | None:
    """The division that a body asks for; None when it names none. Raises 400 for one that is not there."""
    given = body.get("division")
    if given is None:
        return None
    division_id = given.get("id") if isinstance(given, dict) else None
    if starred and division_id == "*":
        return "*"
    if not isinstance(division_id, str) or objects.get_active(call.db, division_id, "division") is None:
        raise invalid_value(f"The division '{division_id}' does not exist.")
    return division_id
