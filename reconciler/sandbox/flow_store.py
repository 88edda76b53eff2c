"""Flows and their versions as they are kept.

A version is immutable content (the YAML text) with what was resolved when it was made. What readers
see of a flow may be older than what is kept: operations and jobs take effect at once and become
visible later (``visible_at``), lists lag behind that.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from reconciler.sandbox.objects import Edit


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow without its content."""

    id: str
    name: str
    type: str
    """API type, upper case."""
    description: str
    division_id: str
    created: float
    modified: float
    locked_client: str | None = None
    locked_user: str | None = None
    active: bool = False
    deleted: bool = False
    published_version: int | None = None
    saved_version: int | None = None
    checked_in_version: int | None = None
    operation: dict[str, Any] | None = None
    """The last operation: ``{id, action, done, error_code, error_message, client_id, user_id}``."""

    @property
    def locked(self) -> bool:
        """Checked out by somebody."""
        return bool(self.locked_client or self.locked_user)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a flow's content; shown as ``"<number>.0"``."""

    flow_id: str
    number: int
    type: str
    """SAVE, CHECKIN or PUBLISH."""
    name: str
    traits: dict[str, Any]
    """What the wire shows of the content: languages, compatible flow types, schemas."""
    created: float
    client_id: str | None = None
    user_id: str | None = None
    checked_in: float | None = None
    published: float | None = None
    published_end: float | None = None

    @property
    def id(self) -> str:
        """The version id on the wire."""
        return f"{self.number}.0"


@dataclass(frozen=True, slots=True)
class Content:
    """The heavy part of a version, which never changes."""

    text: str
    """The uploaded YAML."""
    resolved: list[dict[str, str]]
    """Flows that it names, as resolved when it was made: ``{name, id}`` in document order."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """One object that a version of a consumer uses."""

    target_id: str
    target_type: str
    """Dependency tracking's type name."""
    target_version: int | None = None
    """The module version that was copied in; None for what is looked up when a call runs."""


_COLUMNS = (
    "id, name, type, description, division_id, locked_client, locked_user, active, deleted, published_version, "
    "saved_version, checked_in_version, operation, created, modified"
)
_NAMES = _COLUMNS.split(", ")


def _flow(row: sqlite3.Row) -> Flow:
    values = {name: row[name] for name in _NAMES}
    operation = json.loads(values["operation"]) if values["operation"] else None
    flags = {"active": bool(values["active"]), "deleted": bool(values["deleted"])}
    return Flow(**{**values, **flags, "operation": operation})


def _as_seen(row: sqlite3.Row, at: float) -> Flow | None:
    if row["visible_at"] <= at:
        return _flow(row)
    if row["previous"] is None:
        return None
    seen = Flow(**json.loads(row["previous"]))
    # The operation itself is seen while it runs.
    return replace(seen, operation=json.loads(row["operation"]) if row["operation"] else None)


def get(db: sqlite3.Connection, flow_id: str, now: float) -> Flow | None:
    """The flow as it is seen now, deleted ones included."""
    row = db.execute("SELECT * FROM flows WHERE id = ?", (flow_id,)).fetchone()
    return None if row is None else _as_seen(row, now)


def kept(db: sqlite3.Connection, flow_id: str) -> Flow | None:
    """The flow as it is kept, whether visible yet or not."""
    row = db.execute("SELECT * FROM flows WHERE id = ?", (flow_id,)).fetchone()
    return None if row is None else _flow(row)


def listed(db: sqlite3.Connection, at: float, *, named: str | None = None) -> list[Flow]:
    """All flows as lists show them at a time (now less the list lag), by id; deleted ones included.

    ``named`` leaves out flows whose name surely does not hold that text; the caller still has to look.
    """
    if named is not None and named.isascii() and "*" not in named:
        rows = db.execute(
            "SELECT * FROM flows WHERE instr(lower(name), lower(?)) > 0 OR visible_at > ? ORDER BY id", (named, at)
        ).fetchall()
    else:
        rows = db.execute("SELECT * FROM flows ORDER BY id").fetchall()
    return [flow for row in rows if (flow := _as_seen(row, at)) is not None]


def find(db: sqlite3.Connection, name: str, types: Sequence[str], now: float) -> Flow | None:
    """The flow of this name and the first of these types that has one; deleted flows do not count."""
    rows = db.execute("SELECT * FROM flows WHERE name = ? AND deleted = 0", (name,)).fetchall()
    seen = [flow for row in rows if (flow := _as_seen(row, now)) is not None and not flow.deleted]
    for flow_type in types:
        for flow in seen:
            if flow.type == flow_type:
                return flow
    return seen[0] if seen and not types else None


def kept_by_name(db: sqlite3.Connection, name: str, flow_type: str) -> Flow | None:
    """The flow of this name and type as it is kept, whether visible yet or not."""
    row = db.execute("SELECT * FROM flows WHERE name = ? AND type = ? AND deleted = 0", (name, flow_type)).fetchone()
    return None if row is None else _flow(row)


def add(db: sqlite3.Connection, edit: Edit, *, name: str, flow_type: str, description: str, division_id: str) -> Flow:
    """A new flow without versions."""
    flow = Flow(
        id=str(uuid.uuid4()),
        name=name,
        type=flow_type,
        description=description,
        division_id=division_id,
        created=edit.now,
        modified=edit.now,
    )
    placeholders = ",".join("?" * len(_NAMES))
    db.execute(
        f"INSERT INTO flows ({_COLUMNS}, previous, visible_at) VALUES ({placeholders}, NULL, ?)",  # noqa: S608
        (*_row_values(flow), edit.now),
    )
    return flow


def _row_values(flow: Flow) -> list[Any]:
    values = {name: getattr(flow, name) for name in _NAMES}
    values["operation"] = json.dumps(flow.operation) if flow.operation else None
    return list(values.values())


def keep(db: sqlite3.Connection, edit: Edit, before: Flow, after: Flow, *, visible_at: float | None = None) -> Flow:
    """Keeps a changed flow; readers see it from ``visible_at`` on (now, when not given)."""
    after = replace(after, modified=edit.now)
    row = db.execute("SELECT previous, visible_at FROM flows WHERE id = ?", (after.id,)).fetchone()
    caught_up = row["visible_at"] <= edit.now - edit.lag
    # A flow made by the same job was never seen before.
    previous = json.dumps(asdict(before)) if caught_up and before.created != edit.now else row["previous"]
    assignments = ", ".join(f"{name} = ?" for name in _NAMES)
    db.execute(
        f"UPDATE flows SET {assignments}, previous = ?, visible_at = ? WHERE id = ?",  # noqa: S608
        (*_row_values(after), previous, max(row["visible_at"], visible_at or edit.now), after.id),
    )
    return after


def next_number(db: sqlite3.Connection, flow_id: str) -> int:
    """The number of the flow's next version."""
    row = db.execute("SELECT max(number) FROM flow_versions WHERE flow_id = ?", (flow_id,)).fetchone()
    return int(row[0] or 0) + 1


_VERSION_COLUMNS = (
    "flow_id, number, type, name, traits, client_id, user_id, created, checked_in, published, published_end"
)
_VERSION_NAMES = _VERSION_COLUMNS.split(", ")


def _version(row: sqlite3.Row) -> Version:
    return Version(**{**{name: row[name] for name in _VERSION_NAMES}, "traits": json.loads(row["traits"])})


def add_version(db: sqlite3.Connection, version: Version, content: Content) -> Version:
    """Keeps a new version with its content."""
    values = {name: getattr(version, name) for name in _VERSION_NAMES} | {"traits": json.dumps(version.traits)}
    placeholders = ",".join("?" * len(_VERSION_NAMES))
    db.execute(
        f"INSERT INTO flow_versions ({_VERSION_COLUMNS}, content, resolved) VALUES ({placeholders}, ?, ?)",  # noqa: S608
        [*values.values(), content.text, json.dumps(content.resolved)],
    )
    return version


def keep_version(db: sqlite3.Connection, version: Version) -> Version:
    """Keeps a version's new state (type and dates)."""
    db.execute(
        "UPDATE flow_versions SET type = ?, checked_in = ?, published = ?, published_end = ? "
        "WHERE flow_id = ? AND number = ?",
        (
            version.type,
            version.checked_in,
            version.published,
            version.published_end,
            version.flow_id,
            version.number,
        ),
    )
    return version


def content_of(db: sqlite3.Connection, flow_id: str, number: int) -> Content:
    """The content of a version that exists."""
    row = db.execute(
        "SELECT content, resolved FROM flow_versions WHERE flow_id = ? AND number = ?", (flow_id, number)
    ).fetchone()
    return Content(row["content"], json.loads(row["resolved"]))


def version_of(db: sqlite3.Connection, flow_id: str, number: int) -> Version | None:
    """One version of a flow, or None."""
    row = db.execute(
        f"SELECT {_VERSION_COLUMNS} FROM flow_versions WHERE flow_id = ? AND number = ?",  # noqa: S608
        (flow_id, number),
    ).fetchone()
    return None if row is None else _version(row)


def versions_of(db: sqlite3.Connection, flow_id: str) -> list[Version]:
    """All versions of a flow, newest first."""
    rows = db.execute(
        f"SELECT {_VERSION_COLUMNS} FROM flow_versions WHERE flow_id = ? ORDER BY number DESC",  # noqa: S608
        (flow_id,),
    ).fetchall()
    return [_version(row) for row in rows]


def version_number(text: str) -> int | None:
    """``"3.0"`` or ``"3"`` as 3; None for anything else."""
    major, _, minor = text.partition(".")
    if not major.isascii() or not major.isdigit() or minor not in ("", "0"):
        return None
    return int(major[:9])


def set_dependencies(
    db: sqlite3.Connection,
    consumer_id: str,
    consumer_version: int,
    consumer_type: str,
    dependencies: Iterable[Dependency],
) -> None:
    """What one version of a consumer uses, in place of what was kept for it."""
    db.execute(
        "DELETE FROM dependencies WHERE consumer_id = ? AND consumer_version = ?", (consumer_id, consumer_version)
    )
    db.executemany(
        "INSERT INTO dependencies VALUES (?, ?, ?, ?, ?, ?)",
        [
            (consumer_id, consumer_version, consumer_type, item.target_id, item.target_type, item.target_version)
            for item in dict.fromkeys(dependencies)
        ],
    )


def drop_dependencies(db: sqlite3.Connection, consumer_id: str) -> None:
    """Forgets what a consumer of one version (an IVR, a group) used."""
    db.execute("DELETE FROM dependencies WHERE consumer_id = ?", (consumer_id,))


def move(db: sqlite3.Connection, edit: Edit, flow: Flow, division_id: str) -> Flow:
    """The flow in another division."""
    return keep(db, edit, flow, replace(flow, division_id=division_id))
