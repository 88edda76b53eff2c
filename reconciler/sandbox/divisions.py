"""Divisions and moving objects between them (facts §3.9; SDK ``AuthzDivision``)."""

from __future__ import annotations

from typing import Any

from reconciler.sandbox import audit_trail, crud, flow_store, objects
from reconciler.sandbox.call import API, Call, Endpoint, Reply, text_field
from reconciler.sandbox.errors import bad_request, invalid_value, not_found
from reconciler.sandbox.objects import Stored
from reconciler.sandbox.shapes import SHAPES

_PATH = SHAPES["division"].path
MOVABLE = {"QUEUE": "queue", "DATATABLES": "dataTable", "USER": "user"}
"""Object types of ``POST …/objects/{type}`` besides FLOW, and our kinds for them."""


def show_division(_call: Call, item: Stored) -> dict[str, Any]:
    """SDK ``AuthzDivision``."""
    return {
        "id": item.id,
        "name": item.name,
        "description": item.body.get("description", ""),
        "homeDivision": bool(item.body.get("homeDivision")),
        "selfUri": f"{_PATH}/{item.id}",
    }


def list_divisions(call: Call) -> dict[str, Any]:
    """``GET /authorization/divisions``; ``name`` is a search term."""
    return crud.list_objects(call, "division", shape=lambda item: show_division(call, item))


def get_division(call: Call) -> dict[str, Any]:
    """``GET /authorization/divisions/{id}``."""
    return show_division(call, crud.object_of(call, "division", call.params["id"]))


def get_home(call: Call) -> dict[str, Any]:
    """``GET /authorization/divisions/home``."""
    return show_division(call, objects.home_division(call.db))


def create_division(call: Call) -> dict[str, Any]:
    """``POST /authorization/divisions``."""
    body = call.object()
    name = text_field(body, "name", required=True)
    crud.check_name_free(call, "division", name)
    description = {"description": text_field(body, "description")}
    return show_division(call, objects.insert(call.db, call.edit, "division", name, body=description))


def update_division(call: Call) -> dict[str, Any]:
    """``PUT /authorization/divisions/{id}``."""
    item = crud.object_of(call, "division", call.params["id"])
    body = call.object()
    name = text_field(body, "name", required=True)
    crud.check_name_free(call, "division", name, own_id=item.id)
    kept = {**item.body, "description": text_field(body, "description")}
    return show_division(call, objects.change(call.db, call.edit, item, name=name, body=kept))


def delete_division(call: Call) -> Reply:
    """``DELETE /authorization/divisions/{id}``; 400 while it holds objects, unless ``force=true``."""
    item = crud.object_of(call, "division", call.params["id"])
    if item.body.get("homeDivision"):
        raise bad_request("The home division cannot be deleted.")
    held = call.db.execute(
        "SELECT (SELECT count(*) FROM flows WHERE division_id = :id AND deleted = 0) + "
        "(SELECT count(*) FROM objects WHERE division_id = :id AND state <> 'deleted')",
        {"id": item.id},
    ).fetchone()[0]
    if held and not call.flag("force"):
        raise bad_request(f"The division '{item.name}' cannot be deleted: it holds {held} objects.")
    objects.change(call.db, call.edit, item, state=objects.DELETED)
    return Reply(status=204)


def move_objects(call: Call) -> Reply:
    """``POST …/divisions/{id}/objects/{type}`` with a list of ids."""
    division = crud.object_of(call, "division", call.params["id"])
    ids = call.json()
    if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
        raise invalid_value("The request body must be a list of ids.")
    object_type = call.params["objectType"].upper()
    if object_type != "FLOW" and object_type not in MOVABLE:
        raise bad_request(f"Objects of type '{object_type}' cannot be moved between divisions.")
    for object_id in ids:
        if object_type == "FLOW":
            _move_flow(call, object_id, division.id)
        else:
            item = crud.object_of(call, MOVABLE[object_type], object_id)
            objects.change(call.db, call.edit, item, division_id=division.id)
    return Reply(status=204)


def _move_flow(call: Call, flow_id: str, division_id: str) -> None:
    flow = flow_store.kept(call.db, flow_id)
    if flow is None or flow.deleted:
        raise not_found("Could not find flow with specified ID.", "architect.flow.not.found")
    flow_store.move(call.db, call.edit, flow, division_id)
    audit_trail.record_flow(call.db, call.edit, flow, "Update")


_LIST = ("pageSize", "pageNumber", "sortBy", "expand", "nextPage", "previousPage", "objectCount", "id", "name")

ENDPOINTS = (
    Endpoint("GET", _PATH, list_divisions, query=_LIST),
    Endpoint("POST", _PATH, create_division),
    Endpoint("GET", f"{_PATH}/home", get_home),
    Endpoint("GET", f"{API}/authorization/divisions/{{id}}", get_division, query=("objectCount",)),
    Endpoint("PUT", f"{API}/authorization/divisions/{{id}}", update_division),
    Endpoint("DELETE", f"{API}/authorization/divisions/{{id}}", delete_division, query=("force",)),
    Endpoint("POST", f"{API}/authorization/divisions/{{id}}/objects/{{objectType}}", move_objects),
)
