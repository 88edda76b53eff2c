"""Publishes a flow again as it is, without an upload: check out, publish, wait (facts archy-yaml §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.platform.errors import JobFailed, JobTimedOut, PlatformError
from reconciler.platform.models import Flow
from reconciler.platform.session import Session
from reconciler.platform.waiting import Patience

if TYPE_CHECKING:
    from reconciler.platform.flows import FlowsApi


async def publish_again(session: Session, flows: FlowsApi, id: str) -> None:
    """Publishes the checked-in version of a flow again, which takes in its common modules as they are now.

    The edit lock is held meanwhile and given back also when it fails; nobody's draft is touched, because the caller
    has seen that there is none.

    Raises:
        FlowLocked: somebody has the flow checked out.
        JobFailed: Architect did not publish it.
        JobTimedOut: not finished within ``Connection.job_deadline`` seconds.
    """
    await flows.checkout(id)
    try:
        await flows.publish(id)
        await _finished(session, flows, id)
    except PlatformError as error:
        await _give_back(flows, id, error)
        raise


async def _finished(session: Session, flows: FlowsApi, id: str) -> Flow:
    """Waits for the operation that shows in ``Flow.currentOperation``; there is no other way to ask (facts §3.1)."""
    patience = Patience(session, session.connection.job_deadline)
    while True:
        flow = await flows.get(id)
        operation = flow.current_operation
        if operation is None or operation.complete or operation.action_status in ("SUCCESS", "FAILURE"):
            if operation is not None and operation.action_status == "FAILURE":
                said = (operation.error_message or operation.error_code or "without saying why").rstrip(".")
                raise JobFailed(f"Architect did not publish the flow: {said}.")
            return flow
        if not await patience.wait():
            raise JobTimedOut(
                f"Publishing did not finish within {session.connection.job_deadline:.0f} seconds.",
                path=f"/api/v2/flows/{id}",
            )


async def _give_back(flows: FlowsApi, id: str, error: PlatformError) -> None:
    """Drops our edit lock; there is no draft of ours that could be lost with it."""
    try:
        flow = await flows.get(id)
        if flow.lock_holder is not None:
            await flows.revert(id)
    except PlatformError as failed:
        error.remedy = (
            f"{error.remedy or ''} The flow may still be checked out by this OAuth client ({failed}); "
            "revert it in Architect."
        ).strip()
