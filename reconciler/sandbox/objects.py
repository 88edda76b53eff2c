"""Everything of the org that is not a flow: kept alike, whatever its kind.

An object has what all kinds share (id, name, division, version counter, state, dates) in columns and
the rest in ``body``, under wire names. References inside a body are ``{"id": …}``; names are looked
up when the object is shown, so that a renamed target shows its current name.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from reconciler.sandbox import audit_trail

ACTIVE = "active"
DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Stored:
    """One object as it is kept."""

    id: str
    kind: str
    name: str
    division_id: str | None
    version: int
    state: str
    created: float
    modified: float
    created_by: str | None
    modified_by: str | None
    body: dict[str, Any] = field(default_factory=dict)


_COLUMNS = "id, kind, name, division_id, version, state, created, modified, created_by, modified_by, body"


def _stored(row: sqlite3.Row) -> Stored:
    values = {name: row[name] for name in _COLUMNS.split(", ")}
    return Stored(**{**values, "body": json.loads(row["body"])})


@dataclass(frozen=True, slots=True)
class Edit:
    """Who changes something, and when; ``lag`` is the list lag in force (seconds)."""

    now: float
    author: str | None = None
    lag: float = 0.0
    client: str | None = None
    """The OAuth client that the change came through."""

    @property
    def user(self) -> str | None:
        """The person who made the change; None when a client did on its own behalf."""
        return self.author if self.author != self.client else None


def insert(
    db: sqlite3.Connection,
    edit: Edit,
    kind: str,
    name: str,
    *,
    division_id: str | None = None,
    body: dict[str, Any] | None = None,
    object_id: str | None = None,
) -> Stored:
    """Adds an active object with version 1."""
    now, author = edit.now, edit.author
    made = Stored(
        id=object_id or str(uuid.uuid4()),
        kind=kind,
        name=name,
        division_id=division_id,
        version=1,
        state=ACTIVE,
        created=now,
        modified=now,
        created_by=author,
        modified_by=author,
        body=body or {},
    )
    db.execute(
        f"INSERT INTO objects ({_COLUMNS}, previous, visible_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,NULL,?)",  # noqa: S608
        (
            made.id,
            kind,
            name,
            division_id,
            1,
            ACTIVE,
            now,
            now,
            author,
            author,
            json.dumps(made.body),
            now,
        ),
    )
    audit_trail.record_object(db, edit, None, made)
    return made


def change(
    db: sqlite3.Connection,
    edit: Edit,
    before: Stored,
    *,
    name: str | None = None,
    division_id: str | None = None,
    body: dict[str, Any] | None = None,
    state: str | None = None,
) -> Stored:
    """Keeps a changed object; its version counter goes up by one."""
    after = replace(
        before,
        name=before.name if name is None else name,
        division_id=before.division_id if division_id is None else division_id,
        body=before.body if body is None else body,
        state=before.state if state is None else state,
        version=before.version + 1,
        modified=edit.now,
        modified_by=edit.author,
    )
    # Lists may not have caught up with an earlier change yet: then they go on showing what was before it.
    caught_up = "visible_at <= :horizon"
    db.execute(
        f"UPDATE objects SET previous = CASE WHEN {caught_up} THEN :previous ELSE previous END, "  # noqa: S608
        "name=:name, division_id=:division_id, version=:version, state=:state, modified=:modified, "
        "modified_by=:modified_by, body=:body, visible_at=:modified WHERE id=:id",
        {
            "horizon": edit.now - edit.lag,
            "previous": json.dumps(asdict(before)),
            "name": after.name,
            "division_id": after.division_id,
            "version": after.version,
            "state": after.state,
            "modified": edit.now,
            "modified_by": edit.author,
            "body": json.dumps(after.body),
            "id": after.id,
        },
    )
    audit_trail.record_object(db, edit, before, after)
    return after


def get(db: sqlite3.Connection, object_id: str, *kinds: str) -> Stored | None:
    """The object with this id, deleted ones included; None when absent or of another kind."""
    row = db.execute("SELECT * FROM objects WHERE id = ?", (object_id,)).fetchone()
    if row is None or (kinds and row["kind"] not in kinds):
        return None
    return _stored(row)


def get_active(db: sqlite3.Connection, object_id: str, *kinds: str) -> Stored | None:
    """Like ``get``, without deleted ones."""
    found = get(db, object_id, *kinds)
    return None if found is None or found.state == DELETED else found


def all_active(db: sqlite3.Connection, kind: str) -> list[Stored]:
    """All objects of a kind as they are now, by name; deleted ones left out."""
    rows = db.execute(
        "SELECT * FROM objects WHERE kind = ? AND state <> ? ORDER BY name, id", (kind, DELETED)
    ).fetchall()
    return [_stored(row) for row in rows]


def listed(db: sqlite3.Connection, kind: str, *, now: float, lag: float) -> list[Stored]:
    """All objects of a kind as lists show them: changes of the last ``lag`` seconds are not seen yet."""
    rows = db.execute("SELECT * FROM objects WHERE kind = ? ORDER BY name, id", (kind,)).fetchall()
    seen: list[Stored] = []
    for row in rows:
        if row["visible_at"] + lag > now:
            if row["previous"] is not None:
                seen.append(Stored(**json.loads(row["previous"])))
        else:
            seen.append(_stored(row))
    return [item for item in seen if item.state != DELETED]


def find_by_name(db: sqlite3.Connection, kind: str, name: str) -> list[Stored]:
    """Active objects of a kind with exactly this name."""
    rows = db.execute(
        "SELECT * FROM objects WHERE kind = ? AND name = ? AND state <> ?", (kind, name, DELETED)
    ).fetchall()
    return [_stored(row) for row in rows]


def home_division(db: sqlite3.Connection) -> Stored:
    """The org's home division, which always exists."""
    row = db.execute(
        "SELECT * FROM objects WHERE kind = 'division' AND json_extract(body, '$.homeDivision') = 1"
    ).fetchone()
    return _stored(row)


def names_of(db: sqlite3.Connection, ids: Iterable[str]) -> dict[str, str]:
    """Current names of objects and flows by id; unknown ids are left out."""
    names: dict[str, str] = {}
    for object_id in set(ids):
        row = db.execute(
            "SELECT name FROM objects WHERE id = ? UNION ALL SELECT name FROM flows WHERE id = ?",
            (object_id, object_id),
        ).fetchone()
        if row is not None:
            names[object_id] = row["name"]
    return names
