"""The client of one org: what the rest of the tool holds in its hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from types import TracebackType

import httpx

from reconciler.platform.analytics import AnalyticsApi
from reconciler.platform.audits import AuditsApi
from reconciler.platform.connection import Connection
from reconciler.platform.crud import CrudApi
from reconciler.platform.data_tables import DataTablesApi
from reconciler.platform.did_pools import DidPoolsApi
from reconciler.platform.dids import DidsApi
from reconciler.platform.directory import Directory
from reconciler.platform.divisions import DivisionsApi
from reconciler.platform.executions import ExecutionsApi
from reconciler.platform.flows import FlowsApi
from reconciler.platform.ivrs import IvrsApi
from reconciler.platform.limits import LimitsApi
from reconciler.platform.models import (
    Organization,
    Schedule,
    ScheduleBody,
    ScheduleGroup,
    ScheduleGroupBody,
)
from reconciler.platform.session import Session, path_of
from reconciler.platform.tracking import TrackingApi
from reconciler.platform.waiting import Patience


class Platform:
    """Everything that we ask of an org, by area; an async context manager.

    One instance stands for one run: it keeps its tokens and its share of the request rate. All methods raise
    ``PlatformError`` for whatever goes wrong outside.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        """Prepares the client; nothing is sent yet.

        Args:
            connection: The org and the limits.
            transport: For tests: what answers instead of the network.
            sleep: For tests: how pauses pass.
            clock: For tests: seconds that only ever grow.
            notice: Told, as a sentence for people, why a longer wait is made.

        Raises:
            UnsafeAddress: plain http to another machine.
        """
        self.connection = connection
        self._session = Session(connection, transport=transport, sleep=sleep, clock=clock, notice=notice)
        self._organization: Organization | None = None
        self.flows = FlowsApi(self._session)
        self.executions = ExecutionsApi(self._session)
        self.ivrs = IvrsApi(self._session)
        self.schedules = CrudApi(self._session, "schedules", Schedule, ScheduleBody)
        self.schedule_groups = CrudApi(self._session, "schedulegroups", ScheduleGroup, ScheduleGroupBody)
        self.data_tables = DataTablesApi(self._session)
        self.tracking = TrackingApi(self._session)
        self.divisions = DivisionsApi(self._session)
        self.did_pools = DidPoolsApi(self._session)
        self.dids = DidsApi(self._session)
        self.directory = Directory(self._session)
        self.analytics = AnalyticsApi(self._session)
        self.audits = AuditsApi(self._session)
        self.limits = LimitsApi(self._session)

    async def __aenter__(self) -> Platform:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._session.close()

    @property
    def requests(self) -> int:
        """HTTP requests sent to the API so far, retries included; logins and transfers are counted apart."""
        return self._session.counters.requests

    @property
    def transfers(self) -> int:
        """Uploads to and downloads from presigned addresses so far, retries included."""
        return self._session.counters.transfers

    @property
    def logins(self) -> int:
        """Requests to the token endpoint so far, retries included."""
        return self._session.counters.logins

    @property
    def throttled(self) -> int:
        """How many of the requests the org answered with 429."""
        return self._session.counters.throttled

    def now(self) -> datetime:
        """The org's time in UTC, see ``OrgClock``; this machine's until the org has answered."""
        return self._session.org_clock.now()

    def patience(self, seconds: float) -> Patience:
        """Growing pauses between looks at something that the org is busy with, for so long from now on."""
        return Patience(self._session, seconds)

    def guard_writes(self, check: Callable[[], None]) -> None:
        """Has ``check`` called just before each request that may change something.

        What it raises is raised instead of sending, whatever retries or waits came before.
        """
        self._session.before_write = check

    async def organization(self) -> Organization:
        """The org that the token belongs to; asked once."""
        if self._organization is None:
            reply = await self._session.request("GET", path_of("organizations", "me"))
            self._organization = reply.read(Organization)
        return self._organization
