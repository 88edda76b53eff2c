"""Who uses an object now, and refusing to delete or unpublish what is in use (facts §3.1, §5).

What counts is what is live: published versions of flows that are not deleted, and IVRs, groups and
queues as they are.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from reconciler.archy.flowtypes import by_tracking_type
from reconciler.sandbox import flow_store, objects
from reconciler.sandbox.call import Call
from reconciler.sandbox.errors import conflict
from reconciler.sandbox.flow_store import Flow
from reconciler.sandbox.shapes import BY_TRACKING_TYPE


@dataclass(frozen=True, slots=True)
class User:
    """One object that uses another one."""

    id: str
    name: str
    type: str
    """Dependency tracking's type name."""
    version: int
    target_version: int | None
    """The module version that was copied in."""

    @property
    def is_flow(self) -> bool:
        """A flow, not a telephony or routing object."""
        return by_tracking_type(self.type) is not None


def users_of(db: sqlite3.Connection, target_id: str, now: float) -> list[User]:
    """Everything live that uses an object, flows first."""
    rows = db.execute("SELECT * FROM dependencies WHERE target_id = ?", (target_id,)).fetchall()
    users: list[User] = []
    for row in rows:
        name = _live_name(db, row, now)
        if name is not None:
            users.append(
                User(row["consumer_id"], name, row["consumer_type"], row["consumer_version"], row["target_version"])
            )
    return sorted(users, key=lambda user: (not user.is_flow, user.type, user.name))


def _live_name(db: sqlite3.Connection, row: sqlite3.Row, now: float) -> str | None:
    """The consumer's name when this dependency is in force; None otherwise."""
    if by_tracking_type(row["consumer_type"]) is None:
        found = objects.get_active(db, row["consumer_id"])
        return found.name if found else None
    flow = flow_store.get(db, row["consumer_id"], now)
    if flow is None or flow.deleted or flow.published_version != row["consumer_version"]:
        return None
    return flow.name


_FLOW_USES = {
    "IVRCONFIGURATION": "ivr.configs",
    "QUEUE": "queues",
    "EMERGENCYGROUP": "emergency.groups",
}


def check_flow_unused(call: Call, flow: Flow, verb: str) -> None:
    """Raises 409 with ``architect.flow.cannot.<verb>.used.in.*`` while something live uses the flow."""
    users = [user for user in users_of(call.db, flow.id, call.now) if user.id != flow.id]
    if verb == "deactivate":
        # The list of codes for unpublishing has none for flows (facts §3.1).
        users = [user for user in users if not user.is_flow]
    if users:
        where = "flows" if users[0].is_flow else _FLOW_USES.get(users[0].type, "flows")
        raise conflict(
            f"The flow '{flow.name}' cannot be {verb}d because it is used by {_named(users)}.",
            f"architect.flow.cannot.{verb}.used.in.{where}",
            _details(users),
        )


def check_object_unused(call: Call, item: objects.Stored) -> None:
    """Raises 409 while something live uses the object."""
    users = users_of(call.db, item.id, call.now)
    if users:
        ending = ".by.flow" if users[0].is_flow else _OBJECT_USES.get(users[0].type, "")
        raise conflict(
            f"'{item.name}' cannot be deleted because it is used by {_named(users)}.",
            f"architect.dependency.object.in.use{ending}",
            _details(users),
        )


_OBJECT_USES = {"IVRCONFIGURATION": ".by.ivr.configuration", "QUEUE": ".by.queue"}


def _named(users: list[User]) -> str:
    nouns = {
        "IVRCONFIGURATION": "IVR",
        **{key: shape.kind for key, shape in BY_TRACKING_TYPE.items() if key != "IVRCONFIGURATION"},
    }
    names = [f"{'flow' if user.is_flow else nouns.get(user.type, 'object')} '{user.name}'" for user in users]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _details(users: list[User]) -> list[dict[str, str]]:
    return [
        {"errorCode": "in.use", "fieldName": user.type, "entityId": user.id, "entityName": user.name} for user in users
    ]
