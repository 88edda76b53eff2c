"""Who has a flow checked out, and refusing what the lock forbids (facts §3.1)."""

from __future__ import annotations

from reconciler.sandbox import objects
from reconciler.sandbox.call import Call
from reconciler.sandbox.errors import conflict
from reconciler.sandbox.flow_store import Flow


def is_mine(call: Call, flow: Flow) -> bool:
    """Checked out by the caller."""
    return flow.locked and (flow.locked_client, flow.locked_user) == holder_fields(call)


def holder_fields(call: Call) -> tuple[str | None, str | None]:
    """(``locked_client``, ``locked_user``) of a lock that the caller holds."""
    return call.caller.client_id, call.caller.user_id


def check_unlocked(call: Call, flow: Flow) -> None:
    """Raises 409 when somebody else has the flow checked out."""
    if not flow.locked or is_mine(call, flow):
        return
    person = objects.get(call.db, flow.locked_user, "user") if flow.locked_user else None
    who = person.name if person else f"client {flow.locked_client}"
    raise conflict(
        f"The flow '{flow.name}' is locked by {who}.",
        "architect.flow.locked.by.user",
        [{"errorCode": "locked", "entityId": flow.locked_user or flow.locked_client or "", "entityName": who}],
    )


def check_own_lock(call: Call, flow: Flow) -> None:
    """Raises 409 unless the caller has the flow checked out."""
    check_unlocked(call, flow)
    if not flow.locked:
        raise conflict(f"The flow '{flow.name}' is not checked out.", "architect.flow.not.locked.by.user")
