"""What keeps a run from writing when it may not: the guard before each write, and the org's clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from platform_support import Org, ok, problem

from reconciler.platform import Platform
from reconciler.platform.clock import OrgClock

ROWS = "/api/v2/flows/datatables/t/rows"
MOMENT = "Sun, 06 Nov 1994 08:49:37 GMT"


class Stop(Exception):
    """Raised by a guard."""


def refuse() -> None:
    raise Stop


class TestGuard:
    def test_a_write_is_not_sent_and_a_read_is(self) -> None:
        org = Org().on(f"GET {ROWS}/k", ok({"key": "k"}))

        async def work(platform: Platform) -> None:
            platform.guard_writes(refuse)
            await platform.data_tables.row("t", "k")
            for write in (
                platform.data_tables.create_row("t", {"key": "k"}),
                platform.data_tables.update_row("t", "k", {}),
                platform.data_tables.delete_row("t", "k"),
                platform.flows.deploy(b"inboundCall: {}"),
            ):
                with pytest.raises(Stop):
                    await write

        org.run(work)
        assert [seen.method for seen in org.seen] == ["POST", "GET"]
        assert org.seen[0].url.path == "/oauth/token"

    def test_it_is_asked_again_before_each_attempt(self) -> None:
        org = Org().on(f"PUT {ROWS}/k", problem(503), ok({"key": "k"}))
        asked: list[float] = []

        def once() -> None:
            asked.append(org.time.now)
            if len(asked) > 1:
                raise Stop

        async def work(platform: Platform) -> None:
            platform.guard_writes(once)
            with pytest.raises(Stop):
                await platform.data_tables.update_row("t", "k", {})

        org.run(work)
        assert len(org.requests(f"PUT {ROWS}/k")) == 1

    def test_an_upload_is_a_write(self) -> None:
        job = {"id": "j", "presignedUrl": "https://store.example.test/u", "headers": {}}
        org = Org().on("POST /api/v2/flows/jobs", ok(job)).on("PUT /u", ok())
        asked: list[bool] = []

        def second() -> None:
            asked.append(True)
            if len(asked) > 1:
                raise Stop

        async def work(platform: Platform) -> None:
            platform.guard_writes(second)
            with pytest.raises(Stop):
                await platform.flows.deploy(b"inboundCall: {}")

        org.run(work)
        assert not org.requests("PUT /u")


class TestClock:
    def test_it_tells_what_the_org_said_and_goes_on_from_there(self) -> None:
        passed = [50.0]
        clock = OrgClock(lambda: passed[0])
        clock.heard({"date": MOMENT})
        passed[0] += 90
        assert clock.now() == datetime(1994, 11, 6, 8, 51, 7, tzinfo=UTC)

    @pytest.mark.parametrize("headers", [{}, {"date": ""}, {"date": "soon"}, {"date": "Sun, 99 Nov 1994 08:49:37 GMT"}])
    def test_without_a_date_it_is_this_machines(self, headers: dict[str, str]) -> None:
        clock = OrgClock()
        clock.heard(headers)
        assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)

    def test_the_client_listens_to_answers(self) -> None:
        org = Org().on(f"GET {ROWS}/k", ok({"key": "k"}, date=MOMENT))

        async def work(platform: Platform) -> datetime:
            await platform.data_tables.row("t", "k")
            return platform.now()

        assert abs(org.run(work) - datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)) < timedelta(seconds=5)


def test_a_guard_has_its_say_when_the_connection_is_there() -> None:
    """The one before a request is built may be long ago by then."""
    asked: list[str] = []

    async def check() -> None:
        gone = asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append("connected")
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
            gone.set()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

        def guard() -> None:
            asked.append("guard")
            if "connected" in asked or len(asked) > 1:
                raise Stop

        connection = Org().connection(api_url=url, login_url=url, access_token="t")
        async with Platform(connection, transport=httpx.AsyncHTTPTransport()) as platform:
            platform.guard_writes(guard)
            with pytest.raises(Stop):
                await platform.data_tables.update_row("t", "k", {})
        await gone.wait()
        server.close()
        await server.wait_closed()

    asyncio.run(check())
    assert asked.count("guard") == 2
