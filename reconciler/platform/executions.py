"""Executions of workflows: launched once, then looked at until they have ended (facts §3.11).

Launching is not idempotent, and what a flow does in the world cannot be taken back. A launch is therefore sent
again only where it surely did not happen: the request never left, or the org refused it for now (HTTP 429, or 503
with ``Retry-After``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.platform.errors import (
    HostUnreachable,
    MalformedResponse,
    NotFound,
    PlatformError,
    RequestTimedOut,
    ServerError,
)
from reconciler.platform.models import Address, Wire
from reconciler.platform.session import Session, path_of
from reconciler.platform.waiting import Patience

ENDED = frozenset(("COMPLETED", "FAILED", "ERROR", "TERMINATED"))
"""Statuses after which nothing changes any more; the others are ``RUNNING`` and ``UNKNOWN`` (SDK)."""
_LAST_LOOK = 5.0
"""Seconds that the retries of a look may take although the time is over."""


class ExecutionError(Wire):
    """Why an execution failed (SDK ``ErrorBody``)."""

    code: str | None = None
    message: str | None = None

    def __str__(self) -> str:
        said = (self.message or "the org gave no reason").strip()
        return f"{said} [{self.code}]" if self.code else said


class Execution(Wire):
    """One run of a workflow (SDK ``FlowRuntimeExecution``)."""

    id: str
    status: str = "UNKNOWN"
    flow_version: Address | None = None
    """The version that ran."""
    completion_reason: str | None = None
    flow_error_info: ExecutionError | None = None
    output_data: dict[str, Any] | None = None
    """Outputs by the names of the flow's variables; only of completed executions (SDK)."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing changes any more."""
        return self.status in ENDED


class Launched(Wire):
    """What a launch answers (SDK ``FlowExecutionLaunchResponse``)."""

    id: str


class ExecutionsApi:
    """Executions, ``/api/v2/flows/executions``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def launch(self, flow_id: str, inputs: Mapping[str, Any], *, name: str) -> str:
        """Starts the published version of a workflow; the execution's id.

        Args:
            flow_id: The workflow.
            inputs: Values of its input variables by their names, as in ``Flow.phoneNumber``.
            name: What people see the execution called in the org.

        Raises:
            BadRequest: the inputs do not fit the flow, or it is no workflow.
            PlatformError: also where it is not known whether the execution was started; the message says so.
        """
        body = {"flowId": flow_id, "inputData": dict(inputs), "name": name}
        try:
            reply = await self._session.request("POST", path_of("flows", "executions"), body=body)
            return reply.read(Launched).id
        except (HostUnreachable, RequestTimedOut, ServerError, MalformedResponse) as error:
            if error.sent:
                error.message += " Whether the workflow was started is not known; it was not started a second time."
                error.remedy = "See in the org whether it ran, then run the test again."
            raise

    async def get(self, id: str) -> Execution:
        """One execution as it is now; raises ``NotFound`` where the org does not show it."""
        return await self._look(id, None)

    async def ended(self, id: str, *, within: float) -> Execution:
        """The execution once it has ended, else as it is after so many seconds.

        Raises:
            NotFound: the org shows no such execution, also not when the time is over.
        """
        patience = Patience(self._session, within)
        end = self._session.clock() + within
        unseen: PlatformError | None = None
        while True:
            try:
                seen = await self._look(id, max(end - self._session.clock(), _LAST_LOOK))
            except NotFound as error:
                # It was launched a moment ago, and reading may lag behind (CLIENT-40).
                seen, unseen = None, error
            if seen is not None and seen.has_ended:
                return seen
            if await patience.wait():
                continue
            if seen is not None:
                return seen
            assert unseen is not None
            raise unseen

    async def _look(self, id: str, deadline: float | None) -> Execution:
        reply = await self._session.request("GET", path_of("flows", "executions", id), deadline=deadline)
        return reply.read(Execution)
