"""Data tables (facts §3.6; SDK ``DataTable``). Rows are in ``datatable_rows``."""

from __future__ import annotations

from typing import Any

from reconciler.sandbox import crud, objects, usage
from reconciler.sandbox.call import Call, Endpoint, Reply, text_field
from reconciler.sandbox.errors import invalid_value
from reconciler.sandbox.objects import Stored
from reconciler.sandbox.shapes import SHAPES, division_of_body, show

MAX_NAME_LENGTH = 256
FIELD_TYPES = ("boolean", "string", "integer", "number")

_PATH = SHAPES["dataTable"].path


def show_table(call: Call, table: Stored) -> dict[str, Any]:
    """A table; its schema only with ``expand=schema``."""
    shown = show(call.db, table)
    if "schema" not in call.many("expand"):
        shown.pop("schema", None)
    return shown


def check_schema(schema: Any) -> dict[str, Any]:
    """A table's schema: flat, typed properties with a string ``key``; raises 400."""
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        raise invalid_value("The field 'schema' is required and must hold 'properties'.")
    properties = schema["properties"]
    key = properties.get("key")
    if not isinstance(key, dict) or key.get("type") != "string":
        raise invalid_value("The schema must have a property 'key' of type string.")
    for name, definition in properties.items():
        if not isinstance(definition, dict) or definition.get("type") not in FIELD_TYPES:
            raise invalid_value(f"The schema's property '{name}' must have one of the types {', '.join(FIELD_TYPES)}.")
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "required": ["key"],
        "additionalProperties": False,
        **schema,
    }


def _checked_name(call: Call, body: dict[str, Any], own_id: str | None = None) -> str:
    name = text_field(body, "name", required=True)
    if len(name) > MAX_NAME_LENGTH:
        raise invalid_value(f"The field 'name' may have at most {MAX_NAME_LENGTH} characters.")
    crud.check_name_free(call, "dataTable", name, own_id=own_id)
    return name


def _body(body: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    description = text_field(body, "description")
    return {"schema": schema, **({"description": description} if description else {})}


def create_table(call: Call) -> dict[str, Any]:
    """``POST /flows/datatables``."""
    body = call.object()
    name = _checked_name(call, body)
    division = division_of_body(call, body) or objects.home_division(call.db).id
    made = objects.insert(
        call.db,
        call.edit,
        "dataTable",
        name,
        division_id=division,
        body=_body(body, check_schema(body.get("schema"))),
    )
    return show(call.db, made)


def update_table(call: Call) -> dict[str, Any]:
    """``PUT /flows/datatables/{id}``: fields can be added, not removed nor given another type."""
    table = crud.object_of(call, "dataTable", call.params["id"])
    body = call.object()
    name = _checked_name(call, body, table.id)
    schema = check_schema(body.get("schema"))
    for field, definition in table.body["schema"]["properties"].items():
        new = schema["properties"].get(field)
        if new is None or new.get("type") != definition.get("type"):
            raise invalid_value(f"The field '{field}' of the table cannot be removed or given another type.")
    after = objects.change(
        call.db, call.edit, table, name=name, division_id=division_of_body(call, body), body=_body(body, schema)
    )
    return show(call.db, after)


def delete_table(call: Call) -> Reply:
    """``DELETE /flows/datatables/{id}``; 409 while flows use it, unless ``force=true``."""
    table = crud.object_of(call, "dataTable", call.params["id"])
    if not call.flag("force"):
        usage.check_object_unused(call, table)
    objects.change(call.db, call.edit, table, state=objects.DELETED)
    call.db.execute("DELETE FROM table_rows WHERE table_id = ?", (table.id,))
    return Reply(status=204)


def list_tables(call: Call) -> dict[str, Any]:
    """``GET /flows/datatables``; ``name`` is the whole name, any case, ``*`` for anything."""
    return crud.list_objects(call, "dataTable", name_filter=crud.wildcard, shape=lambda table: show_table(call, table))


def get_table(call: Call) -> dict[str, Any]:
    """``GET /flows/datatables/{id}``."""
    return show_table(call, crud.object_of(call, "dataTable", call.params["id"]))


_LIST = ("expand", "pageNumber", "pageSize", "sortBy", "sortOrder", "divisionId", "name")

ENDPOINTS = (
    Endpoint("GET", _PATH, list_tables, query=_LIST),
    Endpoint("POST", _PATH, create_table),
    Endpoint("GET", f"{_PATH}/divisionviews", list_tables, query=_LIST),
    Endpoint("GET", f"{_PATH}/divisionviews/{{id}}", get_table, query=("expand",)),
    Endpoint("GET", f"{_PATH}/{{id}}", get_table, query=("expand",)),
    Endpoint("PUT", f"{_PATH}/{{id}}", update_table, query=("expand",)),
    Endpoint("DELETE", f"{_PATH}/{{id}}", delete_table, query=("force",)),
)
