"""One rate for all runs of an OAuth client, and a pool of tokens: never more than is allowed in any minute."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
import servers
from hypothesis import given, settings
from hypothesis import strategies as st
from platform_support import Org, VirtualTime, ok, problem

from reconciler.platform import Connection, Platform, RateLimited, RateLimiter, limiter
from reconciler.platform.request_log import Busy, RequestLog, Turn, Wait, account_of
from reconciler.sandbox import embedded
from reconciler.sandbox.settings import Settings

FLOW = "GET /api/v2/flows/f"
SCALE = 120
"""A minute passes in half a second."""
RUN = f"""
import asyncio, sys, time
from pathlib import Path
from reconciler.platform import Connection, Platform

async def sleep(seconds):
    await asyncio.sleep(seconds / {SCALE})

async def main(url, log, tokens, requests):
    options = {{"requests_per_minute": 20, "tokens": tokens, "rate_log": Path(log)}}
    connection = Connection(url, url, "one-client", "secret", **options)
    async with Platform(connection, sleep=sleep, clock=lambda: time.monotonic() * {SCALE}) as platform:
        async def ask():
            platform._organization = None
            await platform.organization()
        await asyncio.gather(*(ask() for _ in range(requests)))

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""


def busiest(moments: list[float], seconds: float) -> int:
    """The most moments in any window of that length."""
    return max(sum(start <= moment < start + seconds for moment in moments) for start in moments)


@pytest.mark.parametrize("tokens", [1, 2])
def test_several_processes_with_one_client_keep_one_rate(tokens: int, tmp_path: Path) -> None:
    with servers.org() as served:
        url = f"http://127.0.0.1:{served.port}"
        command = [sys.executable, "-c", RUN, url, str(tmp_path / "rate.sqlite"), str(tokens), str(17 * tokens)]
        started = [subprocess.Popen(command) for _ in range(3)]
        assert [process.wait(60) for process in started] == [0, 0, 0]
    arrived = [moment for moments in served.arrivals.values() for moment in moments]
    assert len(arrived) == 51 * tokens
    assert busiest(arrived, 60 / SCALE) <= 20 * tokens
    for moments in served.arrivals.values():
        assert busiest(moments, 60 / SCALE) <= 20


STEP = st.tuples(
    st.integers(0, 2), st.sampled_from(["send", "send", "send", "answer", "pass", "pause"]), st.floats(0, 70)
)


@settings(max_examples=150, deadline=None)
@given(limit=st.integers(1, 4), tokens=st.integers(1, 3), steps=st.lists(STEP, max_size=40))
def test_no_minute_holds_more_than_allowed_whoever_asks(
    limit: int, tokens: int, steps: list[tuple[int, str, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A request counts anywhere between being let through and being answered: the window must hold for both."""
    time = VirtualTime()
    path = tmp_path_factory.mktemp("rate") / "rate.sqlite"
    logs = [RequestLog(path, "account", clock=time.clock) for _ in range(3)]
    waiting: list[tuple[RequestLog, Turn]] = []
    spans: dict[Turn, list[float]] = {}
    for run, step, amount in steps:
        if step == "send":
            found = logs[run].take(limit, tokens=tokens, total=limit * tokens)
            if isinstance(found, Turn):
                waiting.append((logs[run], found))
                spans[found] = [time.now, time.now]
            else:
                assert 0 < found.seconds <= 70
        elif step == "answer" and waiting:
            log, turn = waiting.pop(0)
            log.answered(turn)
            spans[turn][1] = time.now
        elif step == "pass":
            # The client gives up on an answer after a minute of silence.
            while waiting and spans[waiting[0][1]][0] + 170 < time.now + amount:
                log, turn = waiting.pop(0)
                log.answered(turn)
                spans[turn][1] = time.now
            time.now += amount
        elif step == "pause":
            logs[run].pause(0, amount)
    for log in logs:
        log.close()
    for end in (0, 1):
        for token in range(tokens):
            moments = [span[end] for turn, span in spans.items() if turn.token == token]
            assert not moments or busiest(moments, 60) <= limit


def test_a_run_that_is_killed_in_the_middle_of_writing_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "rate.sqlite"
    log = RequestLog(path, "account", clock=VirtualTime().clock)
    log.take(5, tokens=1, total=5)
    writing = """
        import sqlite3, sys, time
        db = sqlite3.connect(sys.argv[1], isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO sent (account, token, under_way, at, day) VALUES ('account', 0, 0, 1000.0, 1)")
        print("writing", flush=True)
        time.sleep(60)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(writing), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    with pytest.raises(Busy):
        log.take(5, tokens=1, total=5)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    assert isinstance(log.take(2, tokens=1, total=5), Turn)
    assert isinstance(log.take(2, tokens=1, total=5), Wait)
    log.close()


def test_a_process_that_never_lets_go_of_the_log_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "_BUSY_ATTEMPTS", 2)
    path = tmp_path / "rate.sqlite"
    time = VirtualTime()
    told: list[str] = []
    stuck = RequestLog(path, "account", clock=time.clock)
    stuck.take(5, tokens=1, total=5)
    assert stuck._db is not None
    stuck._db.execute("BEGIN IMMEDIATE")
    log = RequestLog(path, "account", clock=time.clock, notice=told.append)
    asyncio.run(RateLimiter(5, clock=time.clock, sleep=time.sleep, log=log).acquire())
    assert len(told) == 1
    assert "RECONCILER_CACHE_DIR" in told[0]
    log.close()
    stuck.close()


@pytest.mark.parametrize("obstacle", ["a file in the way", "no database"])
def test_a_folder_that_cannot_be_used_leaves_the_run_with_its_own_rate(obstacle: str, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "rate.sqlite"
    if obstacle == "no database":
        path.parent.mkdir()
        path.write_bytes(b"this is no database at all" * 100)
    else:
        path.parent.write_bytes(b"")
    org = Org().on(FLOW, ok({"id": "f", "name": "F", "type": "WORKFLOW"}))
    told: list[str] = []

    async def work() -> None:
        connection = org.connection(requests_per_minute=2, rate_log=path)
        async with Platform(
            connection,
            transport=httpx.MockTransport(org),
            sleep=org.time.sleep,
            clock=org.time.clock,
            notice=told.append,
        ) as platform:
            for _ in range(3):
                await platform.flows.get("f")

    asyncio.run(work())
    assert org.time.now >= 1060
    assert "kept for this run alone" in told[0]
    assert "Waiting 60 s to keep within 2 requests a minute" in told[1]
    assert len(told) == 2


def test_a_pause_that_the_org_asks_for_holds_the_other_runs_too(tmp_path: Path) -> None:
    org = Org().on(FLOW, problem(429, headers={"Retry-After": "42"}), ok({"id": "f", "name": "F", "type": "WORKFLOW"}))
    options = {"rate_log": tmp_path / "rate.sqlite", "deadline": 41.0}

    with pytest.raises(RateLimited):
        org.run(_get_flow, **options)
    org.run(_get_flow, **(options | {"client_id": "another"}))
    assert org.time.now == 1000
    org.run(_get_flow, **options)
    assert org.time.now == 1041  # as far as the deadline goes


def test_an_earlier_start_of_the_machine_does_not_count(tmp_path: Path) -> None:
    """After a restart the clock begins anew, so that what was noted before lies in the future or long ago."""
    time = VirtualTime()
    time.now = 1_000_000.0
    log = RequestLog(tmp_path / "rate.sqlite", "account", clock=time.clock)
    for _ in range(5):
        log.take(5, tokens=1, total=5)
    log.pause(0, 60)
    time.now = 10.0
    assert isinstance(log.take(5, tokens=1, total=5), Turn)
    log.close()


def test_neither_client_id_nor_token_is_stored(tmp_path: Path) -> None:
    org = Org().on(FLOW, ok({"id": "f", "name": "F", "type": "WORKFLOW"}))
    path = tmp_path / "rate.sqlite"
    org.run(_get_flow, client_id="the-client-id", rate_log=path)
    org.run(_get_flow, access_token="the-access-token", rate_log=path)
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert content
    for secret in (b"the-client-id", b"the-access-token", b"token-1"):
        assert secret not in content


def test_accounts_are_apart_by_login_host_and_credential() -> None:
    names = {account_of(host, who) for host in ("https://login.a.test", "https://login.b.test") for who in ("x", "y")}
    assert len(names) == 4


class TestPool:
    def test_further_tokens_are_used_when_the_first_has_no_room(self, tmp_path: Path) -> None:
        """The sandbox counts 5 requests a minute and token, and nobody has to wait."""

        async def never(seconds: float) -> None:
            raise AssertionError(f"waited {seconds} s")

        async def work(url: str, client_id: str, secret: str) -> list[int]:
            connection = Connection(url, url, client_id, secret, requests_per_minute=5, tokens=3)
            async with Platform(connection, sleep=never) as platform:
                logins = []
                for _ in range(3):
                    await asyncio.gather(*(platform.divisions.list() for _ in range(5)))
                    logins.append(platform.logins)
                return logins

        with embedded.start(tmp_path / "org.sqlite", settings=Settings(rate_limit=5)) as org:
            assert asyncio.run(work(org.api_url, org.client_id, org.client_secret)) == [1, 2, 3]

    def test_a_full_pool_waits_for_the_token_that_is_free_first(self) -> None:
        org = Org().on(FLOW, ok({"id": "f", "name": "F", "type": "WORKFLOW"}))
        org.on("POST /oauth/token", ok({"access_token": "one"}), ok({"access_token": "two"}))

        async def work(platform: Platform) -> None:
            for _ in range(4):
                await platform.flows.get("f")
                org.time.now += 10
            await platform.flows.get("f")

        org.run(work, requests_per_minute=2, tokens=2)
        sent = [request.headers["Authorization"] for request in org.requests(FLOW)]
        assert sent == ["Bearer one", "Bearer one", "Bearer two", "Bearer two", "Bearer one"]
        assert org.time.now == 1060

    @pytest.mark.parametrize(
        "failing",
        [
            ok({"error": "invalid_request", "description": "rate limit exceeded; try later"}, status=400),
            problem(503),
            httpx.ConnectError("refused"),
        ],
    )
    def test_a_further_token_that_cannot_be_had_is_done_without(self, failing: httpx.Response | Exception) -> None:
        org = Org().on(FLOW, ok({"id": "f", "name": "F", "type": "WORKFLOW"}))
        org.on("POST /oauth/token", ok({"access_token": "one"}), failing)

        async def work(platform: Platform) -> int:
            for _ in range(3):
                await platform.flows.get("f")
            return platform.logins

        assert org.run(work, requests_per_minute=2, tokens=2) == 2
        assert {request.headers["Authorization"] for request in org.requests(FLOW)} == {"Bearer one"}
        assert org.time.now >= 1060

    def test_a_refused_token_is_replaced_in_its_place(self) -> None:
        """All tokens of the client are revoked; the second request must not try the other old one."""
        revoked: set[str] = set()

        def answer(request: httpx.Request) -> httpx.Response:
            return problem(401, "credentials.expired") if request.headers["Authorization"] in revoked else flow

        flow = ok({"id": "f", "name": "F", "type": "WORKFLOW"})
        org = Org().on(FLOW, answer)
        org.on("POST /oauth/token", *(ok({"access_token": name}) for name in ("one", "two", "three", "four")))

        async def work(platform: Platform) -> int:
            for _ in range(4):
                await platform.flows.get("f")
            org.time.now += 61
            revoked.update({"Bearer one", "Bearer two"})
            await platform.flows.get("f")
            await platform.flows.get("f")
            return platform.logins

        assert org.run(work, requests_per_minute=2, tokens=2) == 4

    def test_a_further_token_that_is_revoked_and_cannot_be_replaced_is_done_without(self) -> None:
        flow = ok({"id": "f", "name": "F", "type": "WORKFLOW"})

        def answer(request: httpx.Request) -> httpx.Response:
            return problem(401) if request.headers["Authorization"] == "Bearer two" else flow

        org = Org().on(FLOW, answer)
        org.on("POST /oauth/token", ok({"access_token": "one"}), ok({"access_token": "two"}), problem(503))

        async def work(platform: Platform) -> None:
            for _ in range(3):
                await platform.flows.get("f")

        org.run(work, requests_per_minute=2, tokens=2)
        sent = [request.headers["Authorization"] for request in org.requests(FLOW)]
        assert sent == ["Bearer one", "Bearer one", "Bearer two", "Bearer one"]

    def test_a_token_from_outside_is_a_pool_of_one(self) -> None:
        org = Org().on(FLOW, ok({"id": "f", "name": "F", "type": "WORKFLOW"}))

        async def work(platform: Platform) -> None:
            for _ in range(3):
                await platform.flows.get("f")

        org.run(work, requests_per_minute=2, tokens=50, access_token="given")
        assert org.time.now >= 1060

    def test_all_tokens_together_keep_within_what_the_org_allows_a_client(self) -> None:
        time = VirtualTime()
        log = RequestLog(clock=time.clock)
        taken = [log.take(3, tokens=50, total=20) for _ in range(21)]
        assert [found.token for found in taken if isinstance(found, Turn)] == [number // 3 for number in range(20)]
        assert isinstance(taken[-1], Wait)
        log.close()


class TestHeaders:
    LAST: ClassVar = {"inin-ratelimit-count": "300", "inin-ratelimit-allowed": "300", "inin-ratelimit-reset": "17"}

    @pytest.mark.parametrize(
        ("headers", "pause"),
        [
            (LAST, 18),
            (LAST | {"inin-ratelimit-count": "299"}, 0),
            (LAST | {"inin-ratelimit-reset": "600"}, 0),
            (LAST | {"inin-ratelimit-allowed": "0"}, 0),
            (LAST | {"inin-ratelimit-count": "many"}, 0),
            ({"inin-ratelimit-count": "300", "inin-ratelimit-allowed": "300"}, 0),
        ],
    )
    def test_the_last_request_that_is_allowed_is_followed_by_a_pause(self, headers: dict[str, str], pause: int) -> None:
        org = Org().on(FLOW, ok({"id": "f", "name": "F", "type": "WORKFLOW"}, **headers))

        async def work(platform: Platform) -> None:
            await platform.flows.get("f")
            await platform.flows.get("f")

        org.run(work)
        assert org.time.now == 1000 + pause


async def _get_flow(platform: Platform) -> None:
    await platform.flows.get("f")
