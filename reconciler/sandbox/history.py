"""The history of a flow: generated on request, then read page by page (SDK ``HistoryListing``, ``HistoryEntry``).

A history shows what was done up to the request for it. Actions, sort fields and the default order are
those of the vendor's command line tool, which is generated from the same definition as the SDK.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from reconciler.sandbox import audit_trail, flow_jobs
from reconciler.sandbox.audit_trail import Entry
from reconciler.sandbox.call import Call, Endpoint
from reconciler.sandbox.errors import bad_request
from reconciler.sandbox.flow_shapes import FLOWS, client_ref, show_operation, user_ref
from reconciler.sandbox.flows import flow_of
from reconciler.sandbox.publishing import operation
from reconciler.sandbox.wire import iso, page, without_none

KIND = "history"
ACTIONS = ("CHECKIN", "CHECKOUT", "CREATE", "DEACTIVATE", "DEBUG", "DELETE", "PUBLISH", "REVERT", "SAVE")
"""What a flow's history can show: no change of name, description or division."""

_SORT: dict[str, Callable[[Entry], Any]] = {
    "timestamp": lambda entry: entry.position,
    "action": lambda entry: (entry.action, entry.position),
    "user": lambda entry: (entry.user_id or "", entry.position),
}


def generate(call: Call) -> dict[str, Any] | None:
    """``POST /flows/{id}/history``: an operation whose id is the history's."""
    flow = flow_of(call, call.params["flowId"])
    made = operation(
        "HISTORY",
        done=call.now + call.settings.query_seconds,
        client_id=call.caller.client_id,
        user_id=call.caller.user_id,
    )
    request = {"operation": made, "until": audit_trail.last_position(call.db)}
    job_id, _signature = flow_jobs.add_job(call, KIND, request, job_id=made["id"])
    flow_jobs.finish(call, job_id, "Success", [], flow_id=flow.id, done=made["done"])
    return show_operation(call.db, made, call.now)


def show(call: Call) -> dict[str, Any]:
    """``GET /flows/{id}/history/{historyId}``: the operation, and a page of entries once it is complete."""
    flow = flow_of(call, call.params["flowId"])
    job = flow_jobs.job_of(call, KIND, call.params["historyId"], flow_id=flow.id)
    request = json.loads(job["request"])
    done = job["done"] <= call.now
    entries = _wanted(call, audit_trail.of_flow(call.db, flow.id, until=request["until"])) if done else []
    shown = page(call, entries, lambda entry: _show(call.db, entry))
    return without_none(
        {
            **(show_operation(call.db, request["operation"], call.now) or {}),
            "name": flow.name,
            "description": flow.description or None,
            "system": False,
            "started": iso(job["started"]),
            "completed": iso(job["done"]) if done else None,
            **{key: shown[key] for key in ("entities", "pageSize", "pageNumber", "total", "pageCount")},
        }
    )


def _wanted(call: Call, entries: list[Entry]) -> list[Entry]:
    actions = {action.upper() for action in call.many("action")} or set(ACTIONS)
    unknown = sorted(actions - set(ACTIONS))
    if unknown:
        raise bad_request(f"'{unknown[0].lower()}' is not an action of a flow.", "invalid.query.param.value")
    by = (call.one("sortBy") or "timestamp").lower()
    if by not in _SORT:
        raise bad_request(f"'{by}' is not a valid value for 'sortBy'.", "invalid.query.param.value")
    ascending = (call.one("sortOrder") or "desc").lower().startswith("asc")
    wanted = [entry for entry in entries if entry.action.upper() in actions]
    return sorted(wanted, key=_SORT[by], reverse=not ascending)


def _show(db: sqlite3.Connection, entry: Entry) -> dict[str, Any]:
    return without_none(
        {
            "action": entry.action.upper(),
            "timestamp": iso(entry.at),
            "user": user_ref(db, entry.user_id),
            "client": client_ref(db, entry.client_id),
            "version": f"{entry.version}.0" if entry.version is not None else None,
            "secure": False,
        }
    )


_ONE = f"{FLOWS}/{{flowId}}/history"

ENDPOINTS = (
    Endpoint("POST", _ONE, generate),
    Endpoint("GET", f"{_ONE}/{{historyId}}", show, query=("pageNumber", "pageSize", "sortOrder", "sortBy", "action")),
)
