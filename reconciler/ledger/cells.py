"""How the ledger's rows, notes and lock are written in the cells of a data table, and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from pydantic import ValidationError

from reconciler.files import parse_json
from reconciler.ledger.base import LockInfo, Row, check_notes
from reconciler.ledger.runs import RunRecord
from reconciler.ledger.trail import Earlier
from reconciler.problems import ReconcilerError

COLUMNS = {
    "address": "Address",
    "object_id": "Object id",
    "version": "Version",
    "division": "Division",
    "spec_digest": "Spec digest",
    "fields": "Declared fields",
    "state_digest": "State digest",
    "modules": "Modules built in",
    "secrets": "Secret fingerprints",
    "commit": "Git commit",
    "applied_by": "Applied by",
    "applied_at": "Applied at",
    "run": "Run",
    "note": "Note",
}
CELL_LENGTH = 800
"""Characters that a cell surely takes (LEDGER-2)."""
NOTE_CELLS = ("note", "fields", "modules", "secrets")
"""Cells that the notes of head and lock may take."""
UNKNOWN = "?"
"""Stands for modules that are not known; an empty cell means that there are none."""


def schema() -> dict[str, Any]:
    """A data table's schema as Architect writes it (facts §3.6)."""
    columns = {"key": "Key"} | COLUMNS
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "required": ["key"],
        "properties": {
            name: {"$id": f"/properties/{name}", "type": "string", "title": title, "displayOrder": order}
            for order, (name, title) in enumerate(columns.items())
        },
        "additionalProperties": False,
    }


def cells_of(row: Row) -> dict[str, str]:
    """All cells of a ledger row but its key."""
    return {
        "address": row.address,
        "object_id": row.object_id,
        "version": row.version or "",
        "division": row.division or "",
        "spec_digest": row.spec_digest,
        "fields": " ".join(row.fields),
        "state_digest": row.state_digest or "",
        "modules": UNKNOWN if row.modules is None else _pairs(row.modules),
        "secrets": _pairs(row.secrets),
        "commit": row.commit or "",
        "applied_by": row.applied_by or "",
        "applied_at": row.applied_at.isoformat() if row.applied_at else "",
        "run": row.run or "",
        "note": _note(row),
    }


def row_of(cells: Mapping[str, Any]) -> Row:
    """A ledger row; raises ``ReconcilerError`` for a row that somebody else put there."""
    modules = cells.get("modules", UNKNOWN)
    try:
        return Row(
            address=cells["address"],
            object_id=cells["object_id"],
            version=cells.get("version") or None,
            division=cells.get("division") or None,
            spec_digest=cells["spec_digest"],
            fields=tuple(cells.get("fields", "").split()),
            state_digest=cells.get("state_digest") or None,
            modules=None if modules == UNKNOWN else _unpair(modules),
            secrets=_unpair(cells.get("secrets", "")),
            commit=cells.get("commit") or None,
            applied_by=cells.get("applied_by") or None,
            applied_at=cells.get("applied_at") or None,
            run=cells.get("run") or None,
            **_noted(cells.get("note")),
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        raise _foreign() from None


def lock_cells(lock: LockInfo) -> dict[str, str]:
    """All cells of a lock's row but its key; what a great many changes are doing takes several."""
    return {"address": "(lock)", **_spread(lock.model_dump_json())}


def lock_of(cells: Mapping[str, Any] | None) -> LockInfo | None:
    """A lock, None for no row; raises as ``row_of`` does."""
    if cells is None:
        return None
    try:
        return LockInfo.model_validate_json(_together(cells))
    except (KeyError, TypeError, ValidationError):
        raise _foreign() from None


def run_cells(run: RunRecord) -> dict[str, str]:
    """All cells of a run's row but its key."""
    return {"address": "(run)", "note": run.written()}


def run_of(cells: Mapping[str, Any]) -> RunRecord:
    """A run; raises as ``row_of`` does."""
    try:
        return RunRecord.model_validate_json(cells["note"])
    except (KeyError, ValidationError):
        raise _foreign() from None


def head_cells(note: Mapping[str, Any]) -> dict[str, str]:
    """All cells of the head's row but its key; a note that is long, after a run that broke off, takes several."""
    return {"address": "(head)", **_spread(json.dumps(note, separators=(",", ":"), ensure_ascii=False))}


def note_of(cells: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the head of the ledger notes, empty for no row; raises as ``row_of`` does."""
    if cells is None:
        return {}
    try:
        note = parse_json(_together(cells))
        check_notes(
            note.get("plans", []),
            note.get("interrupted", []),
            *(note.get(key) for key in ("origin", "revision", "state")),
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        raise _foreign() from None
    return dict(note)


def over_of(note: Mapping[str, Any]) -> int:
    """Number of the last lock that is over, as the head notes it; raises as ``row_of`` does."""
    over = note.get("over", 0)
    if not isinstance(over, int):
        raise _foreign()
    return over


def _foreign() -> ReconcilerError:
    return ReconcilerError(
        "The ledger table holds a row that is not one of this tool's.",
        remedy="Name another table in the environment (`ledger: {type: org, table: …}`), or delete the row.",
    )


def _spread(text: str) -> dict[str, str]:
    last = len(NOTE_CELLS) - 1
    ends = [(place + 1) * CELL_LENGTH if place < last else None for place in range(len(NOTE_CELLS))]
    return {name: text[place * CELL_LENGTH : ends[place]] for place, name in enumerate(NOTE_CELLS)}


def _together(cells: Mapping[str, Any]) -> str:
    return str(cells["note"] + "".join(cells.get(name, "") for name in NOTE_CELLS[1:]))


def _note(row: Row) -> str:
    """The way back, empty where there is none."""
    note: dict[str, Any] = {"trail": [step.written() for step in row.trail]} if row.trail else {}
    if row.gone:
        note["gone"] = True
    return json.dumps(note, separators=(",", ":"), ensure_ascii=False) if note else ""


def _noted(cell: Any) -> dict[str, Any]:
    note = parse_json(cell) if cell else {}
    return {"trail": tuple(map(Earlier.read, note.get("trail", ()))), "gone": bool(note.get("gone", False))}


def _pairs(values: Mapping[str, str]) -> str:
    return " ".join(f"{quote(key)}={quote(value)}" for key, value in sorted(values.items()))


def _unpair(text: str) -> dict[str, str]:
    pairs = (pair.split("=", 1) for pair in text.split())
    return {unquote(key): unquote(value) for key, value in pairs}
