"""Publishes a flow again without an upload: as it is (facts archy-yaml §5), or as an earlier version of it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.platform.errors import Conflict, JobFailed, JobTimedOut, NoSuchVersion, NotFound, PlatformError
from reconciler.platform.models import Flow, Operation
from reconciler.platform.session import Session
from reconciler.platform.waiting import Patience

if TYPE_CHECKING:
    from reconciler.platform.flows import FlowsApi


_IN_PROGRESS = "architect.operation.already.in.progress"
_NOT_CHECKED_IN = "architect.flow.not.checked.in"


async def publish_earlier(session: Session, flows: FlowsApi, id: str, version: str, before: str | None) -> Flow:
    """Publishes an earlier version of a flow again, by its number; returns the flow as it is afterwards.

    Whether that version becomes the published one, or a copy of it with a number of its own, is the org's affair;
    ``before`` is the version that is published now.

    Raises:
        NoSuchVersion: the org does not have it any more.
        FlowLocked: somebody has the flow checked out.
        JobFailed: Architect did not publish it.
        JobTimedOut: not finished within ``Connection.job_deadline`` seconds.
    """
    ongoing = await _begin(flows, id, version)
    patience = Patience(session, session.connection.job_deadline)
    while True:
        # Many flows are waited for at a time, and share one request.
        flow = await flows.current(id)
        if flow is not None and _is_over(flow, ongoing) and _number(flow) not in (None, before):
            return flow
        if not await patience.wait():
            raise _too_late(session, id)


def _number(flow: Flow) -> str | None:
    return flow.published_version.id if flow.published_version else None


async def _begin(flows: FlowsApi, id: str, version: str) -> Operation | None:
    """Starts the operation; None where it runs already, as the answer to an earlier attempt was lost."""
    try:
        return await flows.publish(id, version=version)
    except NotFound as error:
        raise NoSuchVersion(f"The org has no version {version} of the flow any more: {error}") from error
    except Conflict as error:
        if error.code == _NOT_CHECKED_IN:
            raise NoSuchVersion(f"The org cannot publish version {version} of the flow: {error}") from error
        if error.code == _IN_PROGRESS:
            return None
        raise


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
        if _is_over(flow):
            return flow
        if not await patience.wait():
            raise _too_late(session, id)


def _is_over(flow: Flow, ongoing: Operation | None = None) -> bool:
    """Whether the flow's operation has come to an end; where it is known which one, the failure of another is not ours.

    Raises:
        JobFailed: it failed.
    """
    operation = flow.current_operation
    if operation is None:
        return True
    if operation.action_status == "FAILURE" and (ongoing is None or ongoing.id == operation.id):
        said = (operation.error_message or operation.error_code or "without saying why").rstrip(".")
        raise JobFailed(f"Architect did not publish the flow: {said}.")
    return bool(operation.complete) or operation.action_status in ("SUCCESS", "FAILURE")


def _too_late(session: Session, id: str) -> JobTimedOut:
    return JobTimedOut(
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
