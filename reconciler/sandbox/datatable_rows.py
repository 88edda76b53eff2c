"""Rows of data tables: flat JSON checked against the table's schema (facts §3.6)."""

from __future__ import annotations

import json
from typing import Any

from reconciler.sandbox import audit_trail, crud
from reconciler.sandbox.call import Call, Endpoint, Reply
from reconciler.sandbox.errors import bad_request, conflict, invalid_value, not_found
from reconciler.sandbox.objects import Stored
from reconciler.sandbox.shapes import SHAPES
from reconciler.sandbox.wire import page

_TYPES: dict[str, tuple[type, ...]] = {"boolean": (bool,), "string": (str,), "integer": (int,), "number": (int, float)}
_EMPTY: dict[str, Any] = {"boolean": False, "string": "", "integer": 0, "number": 0}


def complete_row(schema: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """A row with absent fields at their defaults; raises 400 for what the schema does not allow."""
    properties = schema["properties"]
    for name, value in row.items():
        definition = properties.get(name)
        if definition is None:
            raise invalid_value(f"The table has no field '{name}'.")
        kind = definition["type"]
        if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
            raise invalid_value(f"The field '{name}' must be of type {kind}.")
    if not row.get("key"):
        raise invalid_value("The field 'key' is required and cannot be empty.")
    defaults = {name: item.get("default", _EMPTY[item["type"]]) for name, item in properties.items() if name != "key"}
    return {**defaults, **row}


def _table(call: Call) -> Stored:
    return crud.object_of(call, "dataTable", call.params["id"])


def _row(call: Call, table: Stored, key: str) -> dict[str, Any] | None:
    found = call.db.execute("SELECT body FROM table_rows WHERE table_id = ? AND key = ?", (table.id, key)).fetchone()
    return None if found is None else json.loads(found["body"])


def _existing(call: Call, table: Stored) -> dict[str, Any]:
    row = _row(call, table, call.params["key"])
    if row is None:
        raise not_found(f"The table '{table.name}' has no row with the key '{call.params['key']}'.")
    return row


def list_rows(call: Call) -> dict[str, Any]:
    """``GET …/rows``: keys only unless ``showbrief=false``."""
    table = _table(call)
    brief = call.flag("showbrief", default=True)
    descending = (call.one("sortOrder") or "asc").lower().startswith("desc")
    found = call.db.execute(
        f"SELECT key, body FROM table_rows WHERE table_id = ? ORDER BY key {'DESC' if descending else 'ASC'}",  # noqa: S608
        (table.id,),
    ).fetchall()
    return page(call, found, lambda item: {"key": item["key"]} if brief else json.loads(item["body"]))


def get_row(call: Call) -> dict[str, Any]:
    """``GET …/rows/{key}``."""
    row = _existing(call, _table(call))
    return {"key": row["key"]} if call.flag("showbrief", default=True) else row


def create_row(call: Call) -> dict[str, Any]:
    """``POST …/rows``; 409 when the key is there already."""
    table = _table(call)
    row = complete_row(table.body["schema"], call.object())
    if _row(call, table, row["key"]) is not None:
        raise conflict(f"The table '{table.name}' already has a row with the key '{row['key']}'.")
    call.db.execute("INSERT INTO table_rows VALUES (?, ?, ?)", (table.id, row["key"], json.dumps(row)))
    audit_trail.record_row(call.db, call.edit, table, row["key"], "Create")
    return row


def update_row(call: Call) -> dict[str, Any]:
    """``PUT …/rows/{key}``; the body's key, where given, must be the one in the address."""
    table = _table(call)
    _existing(call, table)
    key = call.params["key"]
    body = {"key": key, **call.object()}
    if body["key"] != key:
        raise bad_request(f"The key '{body['key']}' of the row does not match the key '{key}' of the address.")
    row = complete_row(table.body["schema"], body)
    call.db.execute("UPDATE table_rows SET body = ? WHERE table_id = ? AND key = ?", (json.dumps(row), table.id, key))
    audit_trail.record_row(call.db, call.edit, table, key, "Update")
    return row


def delete_row(call: Call) -> Reply:
    """``DELETE …/rows/{key}``."""
    table = _table(call)
    _existing(call, table)
    call.db.execute("DELETE FROM table_rows WHERE table_id = ? AND key = ?", (table.id, call.params["key"]))
    audit_trail.record_row(call.db, call.edit, table, call.params["key"], "Delete")
    return Reply(status=204)


_ROWS = f"{SHAPES['dataTable'].path}/{{id}}/rows"
_ONE = f"{_ROWS}/{{key:path}}"

ENDPOINTS = (
    Endpoint("GET", _ROWS, list_rows, query=("pageNumber", "pageSize", "showbrief", "sortOrder")),
    Endpoint("POST", _ROWS, create_row),
    Endpoint("GET", _ONE, get_row, query=("showbrief",)),
    Endpoint("PUT", _ONE, update_row),
    Endpoint("DELETE", _ONE, delete_row),
)
