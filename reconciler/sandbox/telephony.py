"""What schedules, schedule groups, emergency groups and IVRs do alike (facts §3.4, §3.5).

They are written whole (a PUT replaces), carry a version counter that a PUT must repeat, and refer to
other objects by ``{id}``. What is particular to a kind is its ``read`` function.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.archy.flowtypes import by_api_type
from reconciler.sandbox import crud, flow_store, objects, usage
from reconciler.sandbox.call import Call, Endpoint, Reply, text_field
from reconciler.sandbox.errors import invalid_value
from reconciler.sandbox.flow_store import Dependency
from reconciler.sandbox.objects import Stored
from reconciler.sandbox.shapes import SHAPES, division_of_body, reference, show

PAGING = ("pageNumber", "pageSize", "sortBy", "sortOrder")


@dataclass(frozen=True, slots=True)
class TelephonyKind:
    """One kind: how a body is read and checked, and which of its fields refer to what."""

    kind: str
    read: Callable[[Call, dict[str, Any], Stored | None], dict[str, Any]]
    """(call, request body, object before) → body to keep; raises 400 and 409."""
    references: dict[str, str]
    """Field (``{id}`` or a list of them) → kind."""
    filters: tuple[str, ...] = ()
    keep: Callable[[Call, Stored], bool] = lambda _call, _item: True
    """Filters of its list besides name and division."""
    show: Callable[[Call, Stored], dict[str, Any]] | None = None
    ids_alone: bool = False
    """Whether its division views look at no other filter where there are ids (SDK)."""
    repeats_total: bool = True
    """Whether its list carries ``totalNumberOfEntities`` besides ``total``."""
    uses: Callable[[dict[str, Any]], list[tuple[str, str]]] = lambda _body: []
    """(kind, id) of what a body refers to in other ways than ``references``."""

    def endpoints(self) -> tuple[Endpoint, ...]:
        """List, division views and CRUD."""
        path = SHAPES[self.kind].path
        one = f"{path}/{{id}}"
        return (
            Endpoint("GET", path, self._list, query=(*PAGING, "name", *self.filters)),
            Endpoint("GET", f"{path}/divisionviews", self._views, query=(*PAGING, "id", "name", "divisionId")),
            Endpoint("POST", path, self._create),
            Endpoint("GET", one, self._get),
            Endpoint("PUT", one, self._update),
            Endpoint("DELETE", one, self._delete),
        )

    def shown(self, call: Call, item: Stored) -> dict[str, Any]:
        """The wire shape, references under their current names."""
        if self.show is not None:
            return self.show(call, item)
        shown = show(call.db, item)
        for name, kind in self.references.items():
            value = item.body.get(name)
            if isinstance(value, list):
                shown[name] = [reference(call.db, kind, entry["id"]) for entry in value]
            elif value is not None:
                shown[name] = reference(call.db, kind, value["id"])
        return shown

    def _list(self, call: Call) -> dict[str, Any]:
        return crud.list_objects(
            call,
            self.kind,
            keep=lambda item: self.keep(call, item),
            shape=lambda item: self.shown(call, item),
            telephony=self.repeats_total,
        )

    def _views(self, call: Call) -> dict[str, Any]:
        """SDK ``IVRDivisionView`` and its like: who it is and where, no more."""

        def view(item: Stored) -> dict[str, Any]:
            shown = show(call.db, item)
            return {key: shown[key] for key in ("id", "name", "division", "selfUri")}

        return crud.list_objects(call, self.kind, shape=view, ids_alone=self.ids_alone)

    def _get(self, call: Call) -> dict[str, Any]:
        found = objects.get(call.db, call.params["id"], self.kind)
        if found is None or (found.state == objects.DELETED and call.settings.deleted_objects == "not_found"):
            return self.shown(call, crud.object_of(call, self.kind, call.params["id"]))
        return self.shown(call, found)

    def _create(self, call: Call) -> dict[str, Any]:
        body = call.object()
        name = text_field(body, "name", required=True)
        kept = self._read(call, body, None)
        crud.check_name_free(call, self.kind, name)
        division = division_of_body(call, body) or objects.home_division(call.db).id
        made = objects.insert(call.db, call.edit, self.kind, name, division_id=division, body=kept)
        self._track(call, made)
        return self.shown(call, made)

    def _update(self, call: Call) -> dict[str, Any]:
        before = crud.object_of(call, self.kind, call.params["id"])
        body = call.object()
        crud.checked_version(body, before.version)
        name = text_field(body, "name", required=True)
        kept = self._read(call, body, before)
        crud.check_name_free(call, self.kind, name, own_id=before.id)
        after = objects.change(
            call.db, call.edit, before, name=name, body=kept, division_id=division_of_body(call, body)
        )
        self._track(call, after)
        return self.shown(call, after)

    def _read(self, call: Call, body: dict[str, Any], before: Stored | None) -> dict[str, Any]:
        kept = self.read(call, body, before)
        for name, kind in self.references.items():
            kept |= read_references(call, body, name, kind)
        description = text_field(body, "description")
        return {**kept, "description": description} if description else kept

    def _delete(self, call: Call) -> Reply:
        item = crud.object_of(call, self.kind, call.params["id"])
        usage.check_object_unused(call, item)
        objects.change(call.db, call.edit, item, state=objects.DELETED)
        flow_store.drop_dependencies(call.db, item.id)
        return Reply(status=204)

    def _track(self, call: Call, item: Stored) -> None:
        flow_store.drop_dependencies(call.db, item.id)
        tracking_type = SHAPES[item.kind].tracking_type
        assert tracking_type is not None
        flow_store.set_dependencies(
            call.db, item.id, item.version, tracking_type, dependencies_of(call.db, self._used(item.body))
        )

    def _used(self, body: dict[str, Any]) -> list[tuple[str, str]]:
        used = self.uses(body)
        for name, kind in self.references.items():
            value = body.get(name) or []
            used += [(kind, entry["id"]) for entry in (value if isinstance(value, list) else [value])]
        return used


def dependencies_of(db: sqlite3.Connection, used: list[tuple[str, str]]) -> list[Dependency]:
    """Uses, given as (kind, id), in dependency tracking's terms."""
    found: list[Dependency] = []
    for kind, object_id in used:
        tracking_type = flow_tracking_type(db, object_id) if kind == "flow" else SHAPES[kind].tracking_type
        if tracking_type is not None:
            found.append(Dependency(object_id, tracking_type))
    return found


def flow_tracking_type(db: sqlite3.Connection, flow_id: str) -> str | None:
    """Dependency tracking's name for the type of a flow."""
    flow = flow_store.kept(db, flow_id)
    flow_type = by_api_type(flow.type) if flow is not None else None
    return flow_type.tracking_type if flow_type is not None else None


def read_references(call: Call, body: dict[str, Any], name: str, kind: str) -> dict[str, Any]:
    """A reference field (or a list of them) of a body as ``{field: {id}}``; {} when absent or null."""
    value = body.get(name)
    if value is None:
        return {}
    if isinstance(value, list):
        return {name: [read_reference(call, entry, name, kind) for entry in value]}
    return {name: read_reference(call, value, name, kind)}


def read_reference(call: Call, value: Any, name: str, kind: str) -> dict[str, str]:
    """``{id}`` of an object that must exist; raises 400."""
    object_id = value.get("id") if isinstance(value, dict) else None
    if not isinstance(object_id, str):
        raise invalid_value(f"The field '{name}' must be a reference with an id.")
    if kind == "flow":
        flow = flow_store.get(call.db, object_id, call.now)
        if flow is None or flow.deleted:
            raise invalid_value(f"The field '{name}' refers to a flow that does not exist: '{object_id}'.")
    elif objects.get_active(call.db, object_id, kind) is None:
        raise invalid_value(f"The field '{name}' refers to a {kind} that does not exist: '{object_id}'.")
    return {"id": object_id}
