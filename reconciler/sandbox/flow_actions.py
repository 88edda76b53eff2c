"""``POST /flows/actions/…?flow=ID``: the state machine of a flow (facts §3.1).

Check-in and publish are operations: they answer at once, take effect at once, and are seen as
complete, with their effect, when ``operation_seconds`` have passed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reconciler.sandbox import audit_trail, exports, flow_store, usage
from reconciler.sandbox.call import Call, Endpoint, Reply
from reconciler.sandbox.errors import bad_request, conflict
from reconciler.sandbox.flow_locks import check_own_lock, check_unlocked, holder_fields
from reconciler.sandbox.flow_reading import FlowRefused
from reconciler.sandbox.flow_shapes import FLOWS, show_flow, show_operation
from reconciler.sandbox.flow_store import Flow
from reconciler.sandbox.flows import flow_to_change
from reconciler.sandbox.publishing import Publisher, operation


def _flow(call: Call) -> Flow:
    return flow_to_change(call, call.required("flow"))


def _keep(call: Call, flow: Flow, action: str, **changes: Any) -> dict[str, Any]:
    if flow.locked or action != "Revert":  # Unlocking what is not locked does nothing.
        audit_trail.record_flow(call.db, call.edit, flow, action, exports.latest_version(flow))
    after = flow_store.keep(call.db, call.edit, flow, replace(flow, **changes))
    return show_flow(call.db, after, call.now)


def check_out(call: Call) -> dict[str, Any]:
    """Locks the flow for the caller."""
    flow = _flow(call)
    check_unlocked(call, flow)
    client, user = holder_fields(call)
    return _keep(call, flow, "Checkout", locked_client=client, locked_user=user)


def unlock(call: Call) -> dict[str, Any]:
    """Drops anybody's lock; a saved draft is checked in, as the user interface does (facts §3.1)."""
    flow = _flow(call)
    action = "Revert"  # The SDK's ``HistoryEntry`` has no action of its own for the end of somebody's check-out.
    if flow.saved_version != flow.checked_in_version:
        flow, action = _check_in_draft(call, flow), "Checkin"
    return _keep(call, flow, action, locked_client=None, locked_user=None)


def revert(call: Call) -> dict[str, Any]:
    """Drops the caller's lock and draft."""
    flow = _flow(call)
    check_own_lock(call, flow)
    return _keep(call, flow, "Revert", saved_version=flow.checked_in_version, locked_client=None, locked_user=None)


def deactivate(call: Call) -> dict[str, Any]:
    """Unpublishes the flow."""
    flow = _flow(call)
    check_unlocked(call, flow)
    usage.check_flow_unused(call, flow, "deactivate")
    published = flow_store.version_of(call.db, flow.id, flow.published_version or 0)
    if published is not None:
        flow_store.keep_version(call.db, replace(published, published_end=call.now))
    return _keep(call, flow, "Deactivate", published_version=None, active=False)


def _check_in_draft(call: Call, flow: Flow) -> Flow:
    number = flow.saved_version
    version = flow_store.version_of(call.db, flow.id, number) if number is not None else None
    if version is None:
        raise conflict(
            f"The flow '{flow.name}' has no configuration to check in.",
            "architect.flow.cannot.checkin.missing.config",
        )
    if version.type == "SAVE":
        flow_store.keep_version(call.db, replace(version, type="CHECKIN", checked_in=call.now))
    return replace(flow, checked_in_version=number)


def check_in(call: Call) -> Reply:
    """Makes the caller's draft the checked-in version and drops the lock."""
    flow = _flow(call)
    _check_no_operation(call, flow)
    check_own_lock(call, flow)
    made = _operation(call, "CHECKIN")
    after = replace(_check_in_draft(call, flow), locked_client=None, locked_user=None, operation=made)
    flow_store.keep(call.db, call.edit, flow, after, visible_at=made["done"])
    audit_trail.record_flow(call.db, call.edit, flow, "Checkin", after.checked_in_version)
    return Reply(show_operation(call.db, made, call.now))


def publish(call: Call) -> Reply:
    """Publishes the checked-in version, or a copy of ``version`` or of what is published already."""
    flow = _flow(call)
    _check_no_operation(call, flow)
    check_unlocked(call, flow)
    number = _number_to_publish(call, flow)
    version = flow_store.version_of(call.db, flow.id, number)
    if version is None or version.type == "SAVE":
        raise conflict(
            f"The version {number}.0 of the flow '{flow.name}' is not checked in.", "architect.flow.not.checked.in"
        )
    # An older one is copied, or what was checked in since would be newer than what is saved, and be lost.
    in_place = version if number == flow.checked_in_version and version.type == "CHECKIN" else None
    publisher = Publisher(
        db=call.db,
        edit=call.edit,
        client_id=call.caller.client_id,
        user_id=call.caller.user_id,
        visible_at=call.now + call.settings.operation_seconds,
        create_missing=call.settings.missing_references == "create",
    )
    if call.settings.earlier_versions == "in_place" and version.type == "PUBLISH" and number != flow.published_version:
        return Reply(show_operation(call.db, publisher.put_back(flow, version).operation, call.now))
    try:
        after = publisher.publish_text(flow, exports.renamed_source(call.db, flow, number), in_place)
        return Reply(show_operation(call.db, after.operation, call.now))
    except FlowRefused as refused:
        failed = _operation(
            call,
            "PUBLISH",
            error_code="architect.flow.cannot.publish.missing.dependencies",
            error_message="; ".join(refused.messages),
        )
        flow_store.keep(call.db, call.edit, flow, replace(flow, operation=failed))
        return Reply(show_operation(call.db, failed, call.now))


def _number_to_publish(call: Call, flow: Flow) -> int:
    asked = call.one("version")
    if asked is not None:
        number = flow_store.version_number(asked)
        if number is None:
            raise bad_request(f"'{asked}' is not a valid value for 'version'.", "invalid.query.param.value")
        return number
    if flow.checked_in_version is None or flow.saved_version != flow.checked_in_version:
        raise conflict(f"The flow '{flow.name}' is not checked in.", "architect.flow.not.checked.in")
    return flow.checked_in_version


def _check_no_operation(call: Call, flow: Flow) -> None:
    if flow.operation is not None and flow.operation["done"] > call.now:
        raise conflict(
            f"Another operation on the flow '{flow.name}' has not finished.",
            "architect.operation.already.in.progress",
        )


def _operation(
    call: Call, action: str, *, error_code: str | None = None, error_message: str | None = None
) -> dict[str, Any]:
    return operation(
        action,
        done=call.now + call.settings.operation_seconds,
        client_id=call.caller.client_id,
        user_id=call.caller.user_id,
        error_code=error_code,
        error_message=error_message,
    )


_ACTIONS: dict[str, Callable[[Call], Any]] = {
    "checkout": check_out,
    "checkin": check_in,
    "unlock": unlock,
    "revert": revert,
    "deactivate": deactivate,
}

ENDPOINTS = (
    *(Endpoint("POST", f"{FLOWS}/actions/{name}", handler, query=("flow",)) for name, handler in _ACTIONS.items()),
    Endpoint("POST", f"{FLOWS}/actions/publish", publish, query=("flow", "version")),
)
