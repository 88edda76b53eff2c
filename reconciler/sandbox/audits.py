"""Audit queries: asynchronous with a cursor, and in real time with pages (facts §3.11)."""

from __future__ import annotations

import base64
import binascii
import json
import re
import sqlite3
from collections.abc import Sequence
from typing import Any

from reconciler.sandbox import audit_trail, flow_jobs, objects
from reconciler.sandbox.audit_queries import DAY, AuditQuery, find, read_query
from reconciler.sandbox.audit_trail import ENTITIES, FLOW, FLOW_ACTIONS, OBJECT_ACTIONS, Entry
from reconciler.sandbox.call import API, Call, Endpoint
from reconciler.sandbox.errors import bad_request
from reconciler.sandbox.shapes import SHAPES
from reconciler.sandbox.store import get_meta_json
from reconciler.sandbox.wire import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, iso, without_none

KIND = "audit"
REALTIME_DAYS = 14
"""How far back ``/audits/query/realtime`` looks (SDK ``post_audits_query_realtime``)."""

_PATH = f"{API}/audits/query"
_PATHS = {audit: SHAPES[kind].path for kind, (_service, audit) in ENTITIES.items() if kind in SHAPES} | {
    FLOW: f"{API}/flows"
}


def start(call: Call) -> dict[str, Any]:
    """``POST /audits/query`` (SDK ``AuditQueryExecutionStatusResponse``)."""
    body = call.object()
    request = {"query": read_query(body).body, "until": audit_trail.last_position(call.db)}
    job_id, _signature = flow_jobs.add_job(call, KIND, request)
    flow_jobs.finish(call, job_id, "Succeeded", [], done=call.now + call.settings.query_seconds)
    return _status(call, flow_jobs.job_of(call, KIND, job_id))


def show_status(call: Call) -> dict[str, Any]:
    """``GET /audits/query/{id}``."""
    return _status(call, flow_jobs.job_of(call, KIND, call.params["transactionId"]))


def _status(call: Call, job: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": job["id"],
        "state": "Succeeded" if job["done"] <= call.now else "Running",
        "startDate": iso(job["started"]),
        **json.loads(job["request"])["query"],
    }


def show_results(call: Call) -> dict[str, Any]:
    """``GET /audits/query/{id}/results``: up to ``pageSize`` entries, and a cursor while there are more."""
    job = flow_jobs.job_of(call, KIND, call.params["transactionId"])
    if job["done"] > call.now:
        raise bad_request(f"The audit query '{job['id']}' has not finished.")
    request = json.loads(job["request"])
    size = call.number("pageSize", DEFAULT_PAGE_SIZE, maximum=MAX_PAGE_SIZE)
    found = find(call.db, read_query(request["query"]), until=request["until"], after=_after(call), limit=size + 1)
    shown, more = found[:size], len(found) > size
    return {
        "id": job["id"],
        "pageSize": size,
        **({"cursor": _cursor(shown[-1])} if more else {}),
        "entities": _show_all(call, shown),
    }


def _cursor(last: Entry) -> str:
    return base64.urlsafe_b64encode(str(last.position).encode()).decode()


def _after(call: Call) -> int | None:
    cursor = call.one("cursor")
    if cursor is None:
        return None
    refusal = bad_request(f"'{cursor}' is not a cursor of this query.", "invalid.query.param.value")
    try:
        position = base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, ValueError) as error:
        raise refusal from error
    if not re.fullmatch(r"[0-9]{1,18}", position):
        raise refusal
    return int(position)


def query_realtime(call: Call) -> dict[str, Any]:
    """``POST /audits/query/realtime``: at once, of the last fourteen days; its page is named in the body."""
    body = call.object()
    query: AuditQuery = read_query(body)
    size = _positive(body, "pageSize", DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    number = _positive(body, "pageNumber", 1, 1_000_000)
    found = find(call.db, query, not_before=call.now - REALTIME_DAYS * DAY)
    return {
        "entities": _show_all(call, found[(number - 1) * size : number * size]),
        "pageSize": size,
        "pageNumber": number,
        "total": len(found),
        "pageCount": -(-len(found) // size),
    }


def _positive(body: dict[str, Any], name: str, default: int, maximum: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= maximum:
        raise bad_request(f"The field '{name}' must be between 1 and {maximum}.")
    return value


def show_services(_call: Call) -> dict[str, Any]:
    """``GET /audits/query/servicemapping``: which service enters what about which entities."""
    services: dict[str, list[dict[str, Any]]] = {}
    for service, entity in ENTITIES.values():
        actions = list(FLOW_ACTIONS if entity == FLOW else OBJECT_ACTIONS)
        services.setdefault(service, []).append({"name": entity, "actions": actions})
    return {"services": [{"name": name, "entities": entities} for name, entities in sorted(services.items())]}


def _show_all(call: Call, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    organization = get_meta_json(call.db, "organization")["id"]
    expanded = "user" in call.many("expand")
    return [_show(call.db, entry, organization, names=expanded) for entry in entries]


def _show(db: sqlite3.Connection, entry: Entry, organization: str, *, names: bool) -> dict[str, Any]:
    """SDK ``AuditLogMessage``; what stands in it as a real answer shows (page community P21b)."""
    path = _PATHS.get(entry.entity_type)
    return without_none(
        {
            "id": entry.id,
            "userHomeOrgId": organization,
            "user": _user(db, entry.user_id, names=names),
            "client": {"id": entry.client_id, "selfUri": f"{API}/oauth/clients/{entry.client_id}"}
            if entry.client_id
            else {"id": ""},
            # The sandbox is on loopback only.
            "remoteIp": ["127.0.0.1"],
            "serviceName": entry.service,
            "level": "USER",
            "eventDate": iso(entry.at),
            "action": entry.action,
            "entity": without_none(
                {
                    "id": entry.entity_id,
                    "name": entry.entity_name,
                    "selfUri": f"{path}/{entry.entity_id}" if path else None,
                }
            ),
            "entityType": entry.entity_type,
            "status": "SUCCESS",
            "application": "",
            "initiatingAction": {},
            "transactionInitiator": False,
            "propertyChanges": list(entry.changes),
            "context": {},
            "entityChanges": [],
        }
    )


def _user(db: sqlite3.Connection, user_id: str | None, *, names: bool) -> dict[str, Any] | None:
    if user_id is None:
        return None
    found = objects.names_of(db, [user_id]) if names else {}
    named = {"name": found[user_id]} if user_id in found else {}
    return {"id": user_id, **named, "selfUri": f"{API}/users/{user_id}"}


ENDPOINTS = (
    Endpoint("POST", _PATH, start),
    Endpoint("GET", f"{_PATH}/{{transactionId}}", show_status),
    Endpoint(
        "GET",
        f"{_PATH}/{{transactionId}}/results",
        show_results,
        query=("cursor", "pageSize", "expand", "allowRedirect"),
    ),
    Endpoint("POST", f"{_PATH}/realtime", query_realtime, query=("expand",), writes=False),
    Endpoint("GET", f"{_PATH}/servicemapping", show_services),
    Endpoint("GET", f"{_PATH}/realtime/servicemapping", show_services),
)
