"""Flows, versions and operations in their wire shapes (SDK ``Flow``, ``FlowVersion``, ``Operation``)."""

from __future__ import annotations

import sqlite3
from typing import Any

from reconciler.sandbox import flow_store, objects
from reconciler.sandbox.call import API
from reconciler.sandbox.flow_store import Flow, Version
from reconciler.sandbox.shapes import division_ref
from reconciler.sandbox.wire import epoch_ms, iso, without_none

FLOWS = f"{API}/flows"


def user_ref(db: sqlite3.Connection, user_id: str | None) -> dict[str, Any] | None:
    """A person as other objects show one."""
    if user_id is None:
        return None
    found = objects.get(db, user_id, "user")
    return {
        "id": user_id,
        **({"name": found.name, "email": found.body.get("email")} if found else {}),
        "selfUri": f"{API}/users/{user_id}",
    }


def client_ref(db: sqlite3.Connection, client_id: str | None) -> dict[str, Any] | None:
    """An OAuth client as other objects show one."""
    if client_id is None:
        return None
    row = db.execute("SELECT name FROM clients WHERE id = ?", (client_id,)).fetchone()
    return {
        "id": client_id,
        **({"name": row["name"]} if row else {}),
        "selfUri": f"{API}/oauth/clients/{client_id}",
    }


def show_operation(db: sqlite3.Connection, operation: dict[str, Any] | None, now: float) -> dict[str, Any] | None:
    """An operation: STARTED until its time has come, then SUCCESS or FAILURE."""
    if operation is None:
        return None
    complete = operation["done"] <= now
    failed = complete and operation.get("error_code") is not None
    return without_none(
        {
            "id": operation["id"],
            "complete": complete,
            "actionName": operation["action"],
            "actionStatus": ("FAILURE" if failed else "SUCCESS") if complete else "STARTED",
            "errorCode": operation.get("error_code") if failed else None,
            "errorMessage": operation.get("error_message") if failed else None,
            "errorMessageParams": {} if failed else None,
            "errorDetails": [] if failed else None,
            "user": user_ref(db, operation.get("user_id")),
            "client": client_ref(db, operation.get("client_id")),
        }
    )


def show_version(db: sqlite3.Connection, version: Version, *, schemas: bool = False) -> dict[str, Any]:
    """A version; its own dates are epoch milliseconds, dates of publication ISO."""
    uri = f"{FLOWS}/{version.flow_id}/versions/{version.id}"
    traits = version.traits
    return without_none(
        {
            "id": version.id,
            "name": version.name,
            "commitVersion": str(version.number),
            "configurationVersion": str(version.number),
            "type": version.type,
            "secure": False,
            "debug": False,
            "createdBy": user_ref(db, version.user_id),
            "createdByClient": client_ref(db, version.client_id) if version.user_id is None else None,
            "configurationUri": f"{uri}/configuration",
            "dateCreated": epoch_ms(version.created),
            "dateCheckedIn": epoch_ms(version.checked_in) if version.checked_in is not None else None,
            "dateSaved": epoch_ms(version.created),
            "datePublished": iso(version.published) if version.published is not None else None,
            "datePublishedEnd": iso(version.published_end) if version.published_end is not None else None,
            "supportedLanguages": traits.get("supportedLanguages"),
            "compatibleFlowTypes": traits.get("compatibleFlowTypes"),
            "inputSchema": traits.get("inputSchema") if schemas else None,
            "outputSchema": traits.get("outputSchema") if schemas else None,
            "selfUri": uri,
        }
    )


def show_flow(db: sqlite3.Connection, flow: Flow, now: float, *, schemas: bool = False) -> dict[str, Any]:
    """A flow with its published, saved and checked-in versions."""
    wanted = {flow.published_version, flow.saved_version, flow.checked_in_version}
    versions = {
        number: found
        for number in wanted
        if number is not None and (found := flow_store.version_of(db, flow.id, number)) is not None
    }

    def shown(number: int | None) -> dict[str, Any] | None:
        return show_version(db, versions[number], schemas=schemas) if number in versions else None

    latest = max(versions, default=None)
    traits = versions[latest].traits if latest is not None else {}
    published = versions.get(flow.published_version or 0)
    return without_none(
        {
            "id": flow.id,
            "name": flow.name,
            "division": division_ref(db, flow.division_id),
            "description": flow.description or None,
            "type": flow.type,
            "lockedUser": user_ref(db, flow.locked_user),
            "lockedClient": client_ref(db, flow.locked_client) if flow.locked_user is None else None,
            "active": flow.active,
            "system": False,
            "deleted": flow.deleted,
            "publishedVersion": shown(flow.published_version),
            "savedVersion": shown(flow.saved_version),
            "checkedInVersion": shown(flow.checked_in_version),
            "publishedBy": user_ref(db, published.user_id) if published else None,
            "currentOperation": show_operation(db, flow.operation, now),
            "inputSchema": traits.get("inputSchema") if schemas else None,
            "outputSchema": traits.get("outputSchema") if schemas else None,
            "supportedLanguages": traits.get("supportedLanguages"),
            "compatibleFlowTypes": traits.get("compatibleFlowTypes"),
            "selfUri": f"{FLOWS}/{flow.id}",
        }
    )


def show_division_view(db: sqlite3.Connection, flow: Flow, now: float, *, schemas: bool = False) -> dict[str, Any]:
    """A flow in the shorter form of ``/flows/divisionviews`` (SDK ``FlowDivisionView``)."""
    full = show_flow(db, flow, now, schemas=schemas)
    fields = ("id", "name", "division", "type", "description", "inputSchema", "outputSchema", "supportedLanguages")
    return {key: full[key] for key in (*fields, "publishedVersion", "selfUri") if key in full}
