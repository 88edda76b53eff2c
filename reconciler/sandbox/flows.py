"""Flows: lists, reading, metadata, deletion (facts §3.1). Content lies in versions, see ``flow_versions``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from reconciler.archy.flowtypes import by_api_type
from reconciler.sandbox import audit_trail, flow_store, objects, usage
from reconciler.sandbox.call import API, Call, Endpoint, Reply, text_field
from reconciler.sandbox.errors import ApiError, bad_request, conflict, not_found
from reconciler.sandbox.flow_locks import check_unlocked
from reconciler.sandbox.flow_reading import MAX_NAME_LENGTH
from reconciler.sandbox.flow_shapes import FLOWS, show_division_view, show_flow, show_operation
from reconciler.sandbox.flow_store import Flow
from reconciler.sandbox.publishing import operation
from reconciler.sandbox.shapes import division_of_body
from reconciler.sandbox.wire import page

API_TYPES = frozenset(
    (
        *("BOT", "BUSINESSPROCESS", "COMMONMODULE", "DIGITALBOT", "EMAILSEND", "INBOUNDCALL", "INBOUNDCHAT"),
        *("INBOUNDEMAIL", "INBOUNDSHORTMESSAGE", "INQUEUECALL", "INQUEUEEMAIL", "INQUEUESHORTMESSAGE"),
        *("OUTBOUNDCALL", "SECURECALL", "SPEECH", "SURVEYINVITE", "VOICE", "VOICEMAIL", "VOICESURVEY"),
        *("WORKFLOW", "WORKITEM"),
    )
)
"""SDK ``Flow.type``."""


def flow_of(call: Call, flow_id: str, *, deleted: bool = False) -> Flow:
    """The flow as seen now; raises 404, or 410 for a deleted one unless asked for."""
    flow = flow_store.get(call.db, flow_id, call.now)
    if flow is None:
        raise not_found("Could not find flow with specified ID.", "architect.flow.not.found")
    if flow.deleted and not deleted:
        raise ApiError(410, "architect.flow.deleted", f"The flow '{flow.name}' has been deleted.")
    return flow


def flow_to_change(call: Call, flow_id: str) -> Flow:
    """As ``flow_of``, but with changes that are not visible yet, which a further change must not undo."""
    flow = flow_of(call, flow_id)
    return flow_store.kept(call.db, flow.id) or flow


def _matching(call: Call) -> list[Flow]:
    """Flows that a list call asks for, in the order that it asks for."""
    named = None if call.many("id") else call.one("name")
    flows = flow_store.listed(call.db, call.now - call.settings.list_lag_seconds, named=named)
    if not call.flag("deleted"):
        flows = [flow for flow in flows if not flow.deleted]
    types = {flow_type.upper() for flow_type in call.many("type")}
    unknown = types - API_TYPES
    if unknown:
        raise bad_request(f"'{sorted(unknown)[0]}' is not a flow type.", "invalid.query.param.value")
    ids, divisions = set(call.many("id")), set(call.many("divisionId"))
    if ids:
        # With ids "the search will … not use any additional supplied query parameters" (SDK ``get_flows``).
        return _sorted(call, [flow for flow in flows if flow.id in ids])
    published = call.one("publishVersionId")
    flows = [
        flow
        for flow in flows
        if (not types or flow.type in types)
        and (not divisions or flow.division_id in divisions)
        and (published is None or flow.published_version == flow_store.version_number(published))
        and _contains(flow.name, call.one("name"))
        and _contains(flow.description, call.one("description"))
        and _contains(f"{flow.name}\0{flow.description}", call.one("nameOrDescription"))
        and _locked_as_asked(call, flow)
        and _published_between(call, flow)
    ]
    return _sorted(call, flows)


def _contains(value: str, wanted: str | None) -> bool:
    """Filters by name are not exact: any case, anywhere, ``*`` for anything."""
    if wanted is None:
        return True
    position = 0
    for part in wanted.casefold().split("*"):
        position = value.casefold().find(part, position)
        if position < 0:
            return False
        position += len(part)
    return True


def _locked_as_asked(call: Call, flow: Flow) -> bool:
    user, client, editor = call.one("lockedBy"), call.one("lockedByClientId"), call.one("editableBy")
    if user is not None and flow.locked_user != user:
        return False
    if client is not None and (flow.locked_client != client or flow.locked_user is not None):
        return False
    return editor is None or not flow.locked or flow.locked_user == editor


def _published_between(call: Call, flow: Flow) -> bool:
    after, before = call.one("publishedAfter"), call.one("publishedBefore")
    if after is None and before is None:
        return True
    if flow.published_version is None:
        return False
    version = flow_store.version_of(call.db, flow.id, flow.published_version)
    published = version.published if version is not None else None
    if published is None:
        return False
    return (after is None or published > _date(after)) and (before is None or published < _date(before))


def _date(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise bad_request(f"'{text}' is not a date.", "invalid.date") from error


def _sorted(call: Call, flows: Sequence[Flow]) -> list[Flow]:
    by = (call.one("sortBy") or "id").lower()
    keys = {"id": "id", "name": "name", "type": "type", "description": "description"}
    if by not in keys:
        raise bad_request(f"'{by}' is not a valid value for 'sortBy'.", "invalid.query.param.value")
    descending = (call.one("sortOrder") or "asc").lower().startswith("desc")
    return sorted(flows, key=lambda flow: (getattr(flow, keys[by]), flow.id), reverse=descending)


def list_flows(call: Call) -> dict[str, Any]:
    """``GET /flows``."""
    schemas = call.flag("includeSchemas")
    return page(call, _matching(call), lambda flow: show_flow(call.db, flow, call.now, schemas=schemas))


def list_division_views(call: Call) -> dict[str, Any]:
    """``GET /flows/divisionviews``."""
    schemas = call.flag("includeSchemas")
    return page(call, _matching(call), lambda flow: show_division_view(call.db, flow, call.now, schemas=schemas))


def look_up(call: Call) -> dict[str, Any]:
    """``GET /flows/lookup?id=…``: flows by id, unknown and deleted ones left out."""
    call.required("id")
    found = (flow_store.get(call.db, flow_id, call.now) for flow_id in dict.fromkeys(call.many("id")))
    flows = [flow for flow in found if flow is not None and not flow.deleted]
    return page(call, _sorted(call, flows), lambda flow: show_flow(call.db, flow, call.now))


def get_flow(call: Call) -> dict[str, Any]:
    """``GET /flows/{id}``; 410 for a deleted flow, ``deleted=true`` returns it."""
    flow = flow_of(call, call.params["flowId"], deleted=call.flag("deleted"))
    return show_flow(call.db, flow, call.now)


def _checked_name(body: dict[str, Any]) -> str:
    name = text_field(body, "name")
    if not name.strip():
        raise bad_request("The flow name is missing.", "architect.flow.validate.failed.missing.name")
    if len(name) > MAX_NAME_LENGTH or "/" in name or name.endswith("-debug") or not any(map(str.isalnum, name)):
        raise bad_request(
            f"'{name}' is not a valid flow name: at most {MAX_NAME_LENGTH} characters, no '/', not ending with "
            "'-debug', at least one letter or digit.",
            "architect.flow.validate.failed.invalid.name",
        )
    return name


def _already_exists(name: str, flow_type: str) -> ApiError:
    return conflict(f"A flow of type {flow_type} named '{name}' already exists.", "architect.flow.already.exists")


def create_flow(call: Call) -> dict[str, Any]:
    """``POST /flows``: a flow without content."""
    body = call.object()
    name = _checked_name(body)
    flow_type = text_field(body, "type").upper()
    if not flow_type:
        raise bad_request("The flow type is missing.", "architect.flow.validate.failed.missing.type")
    if flow_type not in API_TYPES or by_api_type(flow_type) is None:
        raise bad_request(f"'{flow_type}' is not a valid flow type.", "architect.flow.invalid.type")
    if flow_store.kept_by_name(call.db, name, flow_type) is not None:
        raise _already_exists(name, flow_type)
    flow = flow_store.add(
        call.db,
        call.edit,
        name=name,
        flow_type=flow_type,
        description=text_field(body, "description"),
        division_id=division_of_body(call, body) or objects.home_division(call.db).id,
    )
    audit_trail.record_flow(call.db, call.edit, flow, "Create")
    return show_flow(call.db, flow, call.now)


def update_flow(call: Call) -> dict[str, Any]:
    """``PUT /flows/{id}``: name and description."""
    flow = flow_to_change(call, call.params["flowId"])
    body = call.object()
    name = _checked_name(body)
    check_unlocked(call, flow)
    if name != flow.name and flow_store.kept_by_name(call.db, name, flow.type) is not None:
        raise _already_exists(name, flow.type)
    after = flow_store.keep(
        call.db, call.edit, flow, replace(flow, name=name, description=text_field(body, "description"))
    )
    audit_trail.record_flow(call.db, call.edit, after, "Update")
    return show_flow(call.db, after, call.now)


def _delete(call: Call, flow: Flow) -> Flow:
    check_unlocked(call, flow)
    usage.check_flow_unused(call, flow, "delete")
    after = replace(flow, deleted=True, active=False, locked_client=None, locked_user=None)
    audit_trail.record_flow(call.db, call.edit, flow, "Delete")
    return flow_store.keep(call.db, call.edit, flow, after)


def delete_flow(call: Call) -> Reply:
    """``DELETE /flows/{id}``; 409 while something published uses it."""
    _delete(call, flow_to_change(call, call.params["flowId"]))
    return Reply(status=204)


def delete_flows(call: Call) -> Reply:
    """``DELETE /flows?id=…``: several at once, as an operation."""
    call.required("id")
    flows = [flow_to_change(call, flow_id) for flow_id in call.many("id")]
    for flow in flows:
        _delete(call, flow)
    made = operation(
        "DELETE",
        done=call.now + call.settings.operation_seconds,
        client_id=call.caller.client_id,
        user_id=call.caller.user_id,
    )
    return Reply(show_operation(call.db, made, call.now), status=202)


_PAGING = ("pageNumber", "pageSize", "sortBy", "sortOrder")
_LIST = (
    *("type", "id", "name", "description", "nameOrDescription", "publishVersionId", "editableBy", "lockedBy"),
    *("lockedByClientId", "secure", "deleted", "includeSchemas", "virtualAgentEnabled", "publishedAfter"),
    *("publishedBefore", "divisionId"),
)
_VIEW = ("type", "id", "name", "publishVersionId", "publishedAfter", "publishedBefore", "divisionId", "includeSchemas")

ENDPOINTS = (
    Endpoint("GET", FLOWS, list_flows, query=(*_PAGING, *_LIST)),
    Endpoint("POST", FLOWS, create_flow, query=("language",)),
    Endpoint("DELETE", FLOWS, delete_flows, query=("id",)),
    Endpoint("GET", f"{FLOWS}/lookup", look_up, query=(*_PAGING, "id")),
    Endpoint("GET", f"{FLOWS}/divisionviews", list_division_views, query=(*_PAGING, *_VIEW)),
    Endpoint("GET", f"{API}/flows/{{flowId}}", get_flow, query=("deleted",)),
    Endpoint("PUT", f"{API}/flows/{{flowId}}", update_flow),
    Endpoint("DELETE", f"{API}/flows/{{flowId}}", delete_flow),
)
