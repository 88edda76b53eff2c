"""What a test may set and see of a sandbox org, outside ``/api`` and without a token."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from reconciler.sandbox import audit_trail, flow_store, objects
from reconciler.sandbox.call import Call, Endpoint, Reply
from reconciler.sandbox.errors import bad_request, not_found
from reconciler.sandbox.flow_shapes import show_flow
from reconciler.sandbox.flow_store import Flow
from reconciler.sandbox.rates import Rates
from reconciler.sandbox.settings import Settings, effective, keep


def endpoints(requests: Counter[str], rates: Rates, defaults: Settings) -> tuple[Endpoint, ...]:
    """The administrative endpoints of one process, which counts its own requests."""

    def show_requests(_call: Call) -> dict[str, Any]:
        """``GET /sandbox/requests``: ``{total, mostInAMinute, routes: {"GET /api/v2/flows": n, …}}``."""
        return {
            "total": sum(requests.values()),
            "mostInAMinute": rates.most_in_a_minute,
            "routes": dict(sorted(requests.items())),
        }

    def reset_requests(_call: Call) -> Reply:
        requests.clear()
        rates.reset()
        return Reply(status=204)

    def show_settings(call: Call) -> dict[str, Any]:
        return effective(call.db, defaults).model_dump()

    def change_settings(call: Call) -> dict[str, Any]:
        """``PUT /sandbox/settings``: the settings named are changed, the others stay."""
        try:
            return keep(call.db, defaults, call.object()).model_dump()
        except ValidationError as error:
            raise bad_request(f"These settings are not possible: {error}") from error

    return (
        Endpoint("GET", "/sandbox/requests", show_requests, authenticated=False, counted=False),
        Endpoint("DELETE", "/sandbox/requests", reset_requests, authenticated=False, counted=False),
        Endpoint("GET", "/sandbox/settings", show_settings, authenticated=False, counted=False),
        Endpoint("PUT", "/sandbox/settings", change_settings, authenticated=False, counted=False),
        Endpoint("POST", "/sandbox/flows/{flow}/lock", lock_flow, authenticated=False, counted=False),
        Endpoint("DELETE", "/sandbox/flows/{flow}/lock", unlock_flow, authenticated=False, counted=False),
    )


def flow_named(db: sqlite3.Connection, id_or_name: str) -> Flow:
    """A flow by its id or name; raises 404."""
    row = db.execute(
        "SELECT id FROM flows WHERE (id = :key OR name = :key) AND deleted = 0", {"key": id_or_name}
    ).fetchone()
    flow = flow_store.kept(db, row["id"]) if row else None
    if flow is None:
        raise not_found(f"There is no flow with the id or name '{id_or_name}'.")
    return flow


def lock_flow(call: Call) -> dict[str, Any]:
    """``POST /sandbox/flows/{id or name}/lock {user}``: a person checks the flow out in Architect."""
    flow = flow_named(call.db, call.params["flow"])
    name = str(call.object().get("user") or "")
    user = next(iter(objects.find_by_name(call.db, "user", name)), None)
    if user is None:
        raise not_found(f"There is no user named '{name}' in this org.")
    edit = objects.Edit(call.now, user.id)
    locked = flow_store.keep(call.db, edit, flow, replace(flow, locked_user=user.id, locked_client=None))
    audit_trail.record_flow(call.db, edit, locked, "Checkout", locked.saved_version)
    return show_flow(call.db, locked, call.now)


def unlock_flow(call: Call) -> dict[str, Any]:
    """``DELETE /sandbox/flows/{id or name}/lock``."""
    flow = flow_named(call.db, call.params["flow"])
    edit = objects.Edit(call.now)
    free = flow_store.keep(call.db, edit, flow, replace(flow, locked_user=None, locked_client=None))
    return show_flow(call.db, free, call.now)
