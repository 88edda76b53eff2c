"""Flows: list, deploy, export, lock and publish (facts §3.1, §3.3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from reconciler.platform.batching import Batcher
from reconciler.platform.errors import FlowLocked, JobFailed, NotFound, PermissionDenied, TransferRefused
from reconciler.platform.exports import Exports
from reconciler.platform.jobs import Progress, explain, finished, is_locked
from reconciler.platform.locks import FlowLock, lock_of
from reconciler.platform.looks import Looks
from reconciler.platform.models import DeployJob, Flow, FlowVersion, JobMessage, JobState, Operation
from reconciler.platform.paging import batches, list_all, side_by_side
from reconciler.platform.republish import publish_again, publish_earlier
from reconciler.platform.responses import Reply
from reconciler.platform.session import Session, path_of
from reconciler.platform.waiting import delete_settled

_PAGE = 500
"""Page size that the Terraform provider uses for flows (facts §2)."""
_VERSIONS_PAGE = 100
_LOOKUP_BATCH = 50
"""Ids in one request: 50 keep the address below 2,000 characters."""


@dataclass(frozen=True, slots=True)
class DeployedFlow:
    """A deploy job that succeeded."""

    job_id: str
    flow_id: str
    messages: tuple[JobMessage, ...] = ()
    """Warnings of Architect, mostly none."""


class FlowsApi:
    """Flows, ``/api/v2/flows``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._exports = Exports(session)
        self._deploys = Looks(session)
        self._batcher = Batcher(self._by_id, crowded=session.crowded, sleep=session.sleep)

    async def get(self, id: str) -> Flow:
        """One flow.

        Raises:
            Gone: it was deleted.
            NotFound: there is none with that id.
        """
        return (await self._session.request("GET", path_of("flows", id))).read(Flow)

    async def lookup(self, ids: Collection[str]) -> list[Flow]:
        """The flows with these ids; ids that the org does not know are left out."""
        pages = await side_by_side(self._look_up, batches(ids, _LOOKUP_BATCH))
        return [flow for page in pages for flow in page if not flow.deleted]

    async def find(self, name: str, api_type: str) -> Flow | None:
        """The flow of exactly that name and type, or None.

        The ``name`` filter also finds other names (the Terraform provider compares again itself, facts §3.1).
        """
        found = await list_all(
            self._session, path_of("flows"), Flow, size=_PAGE, query={"name": name, "type": api_type.lower()}
        )
        exact = (flow for flow in found if flow.name == name and flow.type.upper() == api_type.upper())
        return next((flow for flow in exact if not flow.deleted), None)

    async def current(self, id: str) -> Flow | None:
        """The flow as of now, or None; questions that come together share one ``lookup`` request."""
        return await self._batcher.get(id)

    async def _by_id(self, ids: list[str]) -> dict[str, Flow]:
        return {flow.id: flow for flow in await self.lookup(ids)}

    async def versions(self, id: str, *, deleted: bool = False) -> list[FlowVersion]:
        """All versions of a flow; with ``deleted`` also of one that was deleted."""
        return await list_all(
            self._session,
            path_of("flows", id, "versions"),
            FlowVersion,
            size=_VERSIONS_PAGE,
            query={"deleted": True} if deleted else None,
        )

    async def deploy(
        self, content: bytes, *, known: str | None = None, create_stubs: bool = False, progress: Progress | None = None
    ) -> DeployedFlow:
        """Creates or updates the flow that the YAML names (by name and type) and publishes it.

        Args:
            content: The YAML as it is to be sent.
            known: Id of the flow where there is one already: a job that fails need not name it, and it says who
                holds the lock.
            create_stubs: Let Architect make empty inbound and secure call flows for transfer targets that are
                missing.
            progress: Told in a few words what is waited for.

        Raises:
            FlowLocked: somebody has the flow checked out.
            JobFailed: Architect refused it; ``messages`` say why, or are empty.
            JobTimedOut: not finished within ``Connection.job_deadline`` seconds.
        """
        reply = await self._register(create_stubs)
        job = reply.read(DeployJob)
        try:
            await self._session.upload(job.presigned_url, job.headers, content)
        except TransferRefused:
            # The address has expired, in a long wait for our turn for instance; nothing has begun.
            reply = await self._register(create_stubs)
            job = reply.read(DeployJob)
            await self._session.upload(job.presigned_url, job.headers, content)
        state = await finished(self._deploys, path_of("flows", "jobs", job.id), "Deploy job", progress)
        if state.status == "Failure":
            raise await self._failure(job.id, state, known)
        if state.flow is None:
            raise reply.malformed(f"led to job {job.id}, which succeeded without naming its flow")
        return DeployedFlow(job.id, state.flow.id, state.messages)

    async def _register(self, create_stubs: bool) -> Reply:
        body = {"createStubs": True} if create_stubs else {}
        return await self._session.request("POST", path_of("flows", "jobs"), body=body, harmless=True)

    async def export(self, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """YAML text of versions of flows, (flow id, version) → text; raises as ``Exports.run`` does."""
        return await self._exports.run(wanted)

    async def delete(self, id: str) -> None:
        """Deletes a flow; gone already counts as deleted.

        Raises:
            FlowLocked: somebody has it checked out.
            Conflict: something still uses it.
        """
        try:
            await delete_settled(self._session, path_of("flows", id))
        except FlowLocked as refusal:
            raise await self._locked(id, refusal) from refusal

    async def checkout(self, id: str) -> Flow:
        """Takes the edit lock; raises ``FlowLocked`` when somebody else has it."""
        try:
            return (await self._act("checkout", id)).read(Flow)
        except FlowLocked as refusal:
            raise await self._locked(id, refusal) from refusal

    async def checkin(self, id: str) -> Operation:
        """Turns the saved draft into a version; asynchronous, see ``Flow.current_operation``."""
        return (await self._act("checkin", id)).read(Operation)

    async def publish(self, id: str, *, version: str | None = None) -> Operation:
        """Publishes a checked-in version; asynchronous, see ``Flow.current_operation``."""
        # A named version may be published twice without harm: the second one means the same.
        return (await self._act("publish", id, version=version, harmless=version is not None)).read(Operation)

    async def unlock(self, id: str) -> Flow:
        """Takes the edit lock from whoever holds it; may publish or lose a draft (facts §3.1)."""
        return (await self._act("unlock", id)).read(Flow)

    async def revert(self, id: str) -> Flow:
        """Drops the saved draft."""
        return (await self._act("revert", id)).read(Flow)

    async def deactivate(self, id: str) -> Flow:
        """Takes the flow off the air: it has no published version afterwards."""
        return (await self._act("deactivate", id)).read(Flow)

    async def publish_again(self, id: str) -> None:
        """Publishes a flow again as it is; see ``republish``."""
        await publish_again(self._session, self, id)

    async def publish_earlier(self, id: str, version: str, before: str | None) -> Flow:
        """Publishes an earlier version of a flow again; see ``republish``."""
        return await publish_earlier(self._session, self, id, version, before)

    async def lock(self, flow: Flow) -> FlowLock | None:
        """Who has the flow checked out and since when, None when nobody has."""
        return await lock_of(self._session, flow)

    async def list(self) -> list[Flow]:
        """All flows of all types that the token may see, without deleted ones.

        ``virtualAgentEnabled`` is not sent: either value hides some bot flows (facts §5).
        """
        flows = await list_all(self._session, path_of("flows"), Flow, size=_PAGE)
        return [flow for flow in flows if not flow.deleted]

    async def _act(self, action: str, id: str, *, version: str | None = None, harmless: bool = False) -> Reply:
        return await self._session.request(
            "POST", path_of("flows", "actions", action), query={"flow": id, "version": version}, harmless=harmless
        )

    async def _look_up(self, ids: Sequence[str]) -> Sequence[Flow]:
        return await list_all(self._session, path_of("flows", "lookup"), Flow, size=_VERSIONS_PAGE, query={"id": ids})

    async def _failure(self, job_id: str, state: JobState, known: str | None) -> FlowLocked | JobFailed:
        if not is_locked(state):
            return JobFailed(
                f"Architect did not publish the flow: {explain(state)} (job {job_id}).",
                messages=state.messages,
                remedy=None if state.messages else _NO_MESSAGES,
            )
        said = f"{explain(state)} (job {job_id})"
        flow_id = state.flow.id if state.flow is not None else known
        lock = await self._lock_of(flow_id) if flow_id is not None else None
        by = f"locked by {lock}" if lock else "locked by somebody else"
        return FlowLocked(f"The flow is {by}: {said}.", lock=lock, messages=state.messages)

    async def _locked(self, id: str, refusal: FlowLocked) -> FlowLocked:
        """The same refusal, with who holds the lock and since when."""
        lock = await self._lock_of(id)
        if lock is None:
            return refusal
        return FlowLocked(
            f"The flow is locked by {lock}: {refusal}",
            lock=lock,
            method=refusal.method,
            path=refusal.path,
            status=refusal.status,
            code=refusal.code,
            context_id=refusal.context_id,
            details=refusal.details,
        )

    async def _lock_of(self, id: str) -> FlowLock | None:
        try:
            return await self.lock(await self.get(id))
        except (NotFound, PermissionDenied):
            return None


_NO_MESSAGES = (
    "Apply again; if it fails again, import the file in Architect, whose validation says more, and check "
    "that the OAuth client may view every object that the flow names."
)
