"""What was done to the org, by whom and when.

An entry is written with the change itself, in its transaction: there is no change without its entry and
no entry without its change. Flow history and audit queries both read it. What has no author (the seed,
the sandbox's own administration) was not done through the platform and leaves no entry.

Names of services, entity types and actions are values of the SDK's ``AuditTopicAuditLogMessage``, which
lists entity types service by service; it has none for divisions, text-to-speech and the like.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.sandbox.flow_store import Flow
    from reconciler.sandbox.objects import Edit, Stored

FLOW = "Flow"
FLOW_ACTIONS = ("Checkin", "Checkout", "Create", "Deactivate", "Delete", "Publish", "Revert", "Save", "Update")
OBJECT_ACTIONS = ("Create", "Delete", "Update")

ENTITIES: dict[str, tuple[str, str]] = {
    "flow": ("Architect", FLOW),
    "prompt": ("Architect", "Prompt"),
    "flowOutcome": ("Architect", "FlowOutcome"),
    "flowMilestone": ("Architect", "FlowMilestone"),
    "dataTable": ("Datatables", "Schema"),
    "dataTableRow": ("Datatables", "Row"),
    "ivr": ("Telephony", "IVR"),
    "schedule": ("Telephony", "Schedule"),
    "scheduleGroup": ("Telephony", "ScheduleGroup"),
    "emergencyGroup": ("Telephony", "EmergencyGroup"),
    "didPool": ("Telephony", "DIDPool"),
    "queue": ("Routing", "Queue"),
    "skill": ("Routing", "RoutingSkill"),
    "languageSkill": ("Routing", "RoutingLanguage"),
    "wrapupCode": ("Routing", "WrapupCode"),
    "contactList": ("Outbound", "ContactList"),
    "group": ("Groups", "DirectoryGroup"),
    "user": ("Directory", "User"),
    "script": ("Scripter", "ComposerScript"),
    "surveyForm": ("Quality", "SurveyForm"),
    "knowledgeBase": ("Knowledge", "KnowledgeBase"),
    "worktype": ("TaskManagement", "Worktype"),
    "integration": ("Integrations", "Integration"),
    "dataAction": ("Integrations", "Action"),
}
"""Kind → (service, entity type)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done."""

    position: int
    """Order in which things were done."""
    id: str
    at: float
    service: str
    entity_type: str
    entity_id: str
    entity_name: str
    action: str
    user_id: str | None
    client_id: str | None
    version: int | None
    """The version of the flow that it was done to; None where there is none."""
    changes: tuple[Mapping[str, Any], ...]
    """``{property, oldValues, newValues}`` each."""


def record_flow(db: sqlite3.Connection, edit: Edit, flow: Flow, action: str, version: int | None = None) -> None:
    """Enters what was done to a flow (one of ``FLOW_ACTIONS``), and to which version of it."""
    _record(db, edit, "flow", flow.id, flow.name, action, version=version)


def record_object(db: sqlite3.Connection, edit: Edit, before: Stored | None, after: Stored) -> None:
    """Enters that an object was created, changed or deleted."""
    action = "Create" if before is None else "Update"
    if before is not None and before.state != after.state and after.state == "deleted":
        action = "Delete"
    changes = _changes(before, after) if before is not None and action == "Update" else ()
    _record(db, edit, after.kind, after.id, after.name, action, changes=changes)


def record_row(db: sqlite3.Connection, edit: Edit, table: Stored, key: str, action: str) -> None:
    """Enters what was done to a row of a data table."""
    _record(db, edit, "dataTableRow", table.id, key, action)


def _record(
    db: sqlite3.Connection,
    edit: Edit,
    kind: str,
    entity_id: str,
    name: str,
    action: str,
    *,
    version: int | None = None,
    changes: Iterable[Mapping[str, Any]] = (),
) -> None:
    if edit.author is None or kind not in ENTITIES:
        return
    service, entity_type = ENTITIES[kind]
    db.execute(
        "INSERT INTO audits (id, at, service, entity_type, entity_id, entity_name, action, user_id, client_id, "
        "version, changes) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            str(uuid.uuid4()),
            edit.now,
            service,
            entity_type,
            entity_id,
            name,
            action,
            edit.user,
            edit.client,
            version,
            json.dumps(list(changes)),
        ),
    )


def _changes(before: Stored, after: Stored) -> Iterable[Mapping[str, Any]]:
    old = {"name": before.name, "division": before.division_id, **before.body}
    new = {"name": after.name, "division": after.division_id, **after.body}
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield {"property": name, "oldValues": _texts(old.get(name)), "newValues": _texts(new.get(name))}


def _texts(value: Any) -> list[str]:
    """SDK ``PropertyChange`` holds lists of strings."""
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in items]


def last_position(db: sqlite3.Connection) -> int:
    """Position of the newest entry; 0 when nothing was done yet."""
    return int(db.execute("SELECT coalesce(max(position), 0) FROM audits").fetchone()[0])


def read(row: sqlite3.Row) -> Entry:
    """A row of the table ``audits``."""
    names = Entry.__dataclass_fields__
    return Entry(**{**{name: row[name] for name in names}, "changes": tuple(json.loads(row["changes"]))})


def of_flow(db: sqlite3.Connection, flow_id: str, *, until: int) -> list[Entry]:
    """Everything that was done to a flow up to a position, oldest first."""
    rows = db.execute(
        "SELECT * FROM audits WHERE entity_id = ? AND entity_type = ? AND position <= ? ORDER BY position",
        (flow_id, FLOW, until),
    ).fetchall()
    return [read(row) for row in rows]
