"""Both ledgers keep the same promises: rows, one lock, expiry, and what an interrupted run was doing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from threading import Thread

import httpx
import pytest

from reconciler.cache import Cache
from reconciler.ledger import Ending, FileLedger, LockedError, LockLostError, OrgLedger, Row, base, short_hash
from reconciler.platform import Connection, Platform

ROW = Row(
    address="inboundCall/Støtte & Salg/æ?#%",
    object_id="5c1c",
    version="3.0",
    spec_digest="ab" * 32,
    modules={"6f1a": "2.0"},
    secrets={"crm.token": "12ab", "odd name=x": "00ff"},
    commit="c0ffee",
    applied_by="somebody",
    run="r1",
)


def connection(org):
    return Connection(
        api_url=org.url,
        login_url=org.url,
        client_id=org.client_id,
        client_secret=org.client_secret,
        requests_per_minute=1_000_000,
    )


@pytest.fixture(params=["file", "org"])
def promise(request, tmp_path, org):
    """Runs ``check(make)``, where each ``make()`` is another process's view of the same ledger."""

    def run(check):
        async def inside():
            if request.param == "file":
                await check(lambda: FileLedger(tmp_path / "ledger.json"))
                return
            async with Platform(connection(org)) as platform:
                await check(lambda: OrgLedger(platform, "Ledger", Cache("rows", tmp_path / "cache")))

        asyncio.run(inside())

    return run


def test_rows_come_back_as_they_were(promise):
    async def check(make):
        writer = make()
        assert (await writer.read()).rows == {}
        lock = await writer.acquire("me", "r1")
        await writer.write(lock, ROW)
        changed = ROW.model_copy(update={"version": "4.0", "modules": None})
        await writer.write(lock, changed)
        other = ROW.model_copy(update={"address": "ivr/Line", "modules": {}})
        await writer.write(lock, other)
        await writer.release(lock, Ending(applied_plan="p1"))

        for _ in range(2):
            seen = await make().read()
            assert seen.rows == {changed.address: changed, "ivr/Line": other}
            assert seen.lock is None
            assert seen.applied_plans == ("p1",)

        again = make()
        await again.read()
        lock = await again.acquire("me", "r2")
        await again.forget(lock, "ivr/Line")
        await again.forget(lock, "ivr/Never There")
        await again.release(lock, Ending())
        assert set((await make().read()).rows) == {changed.address}

    promise(check)


def test_only_one_holds_the_lock(promise):
    async def check(make):
        lock = await make().acquire("first", "r1")
        with pytest.raises(LockedError, match="locked by first"):
            await make().acquire("second", "r2")
        seen = (await make().read()).lock
        assert (seen.holder, seen.run) == ("first", "r1")
        await make().release(lock, Ending())
        await make().acquire("second", "r2")

    promise(check)


def test_an_expired_lock_is_taken_over_and_its_work_is_remembered(promise, monkeypatch):
    async def check(make):
        late = make()
        old = await late.acquire("dead", "r1")
        await late.renew(old, (short_hash("inboundCall/Sales"),))
        present = base.now_utc()
        for module in ("file", "org"):
            monkeypatch.setattr(f"reconciler.ledger.{module}.now_utc", lambda: present + timedelta(hours=1))

        (gone,) = (await make().read()).interrupted
        assert gone.covers("inboundCall/Sales")
        assert not gone.covers("inboundCall/Support")
        new = make()
        lock = await new.acquire("next", "r2")
        assert [run.run for run in (await make().read()).interrupted] == ["r1"]
        with pytest.raises(LockLostError):
            await late.renew(old)
        await new.release(lock, Ending(unsettled=frozenset({short_hash("ivr/Line")})))
        assert [run.run for run in (await make().read()).interrupted] == ["r1", "r2"]
        last = make()
        lock = await last.acquire("last", "r3")
        settled = frozenset({short_hash("ivr/Line"), short_hash("inboundCall/Sales")})
        await last.release(lock, Ending(settled=settled))
        assert (await make().read()).interrupted == ()

    promise(check)


def test_a_broken_lock_is_lost_to_its_holder(promise):
    async def check(make):
        holder = make()
        lock = await holder.acquire("first", "r1")
        assert await make().break_lock(lock)
        assert not await make().break_lock(lock)
        with pytest.raises(LockLostError):
            await holder.renew(lock)
        with pytest.raises(LockLostError):
            await holder.release(lock, Ending())
        await make().acquire("second", "r2")

    promise(check)


def test_an_expired_lock_file_is_taken_over_by_one_of_two(tmp_path, monkeypatch):
    """The first one takes over between the second one's look at the lock and its grip on it."""
    path = tmp_path / "ledger.json"
    asyncio.run(FileLedger(path).acquire("dead", "r0"))
    present = base.now_utc()
    monkeypatch.setattr("reconciler.ledger.file.now_utc", lambda: present + timedelta(hours=1))
    rename = Path.rename
    overtaken = []

    def late(source, target):
        if not overtaken:
            overtaken.append(source)
            faster = Thread(target=lambda: asyncio.run(FileLedger(path).acquire("first", "r1")))
            faster.start()
            faster.join()
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", late)

    with pytest.raises(LockedError, match="locked by first"):
        asyncio.run(FileLedger(path).acquire("second", "r2"))

    assert overtaken
    assert asyncio.run(FileLedger(path).lock()).run == "r1"


def test_only_the_lock_that_was_looked_at_is_broken(promise):
    async def check(make):
        dead = await make().acquire("dead", "r1")
        assert await make().break_lock(dead)
        await make().acquire("alive", "r2")
        assert not await make().break_lock(dead)
        assert (await make().lock()).run == "r2"

    promise(check)


def test_what_another_run_applied_is_kept_although_it_was_read_before(promise):
    """The second run looks at the ledger while the first one holds the lock, and gets the lock right after it."""

    async def check(make):
        first, second = make(), make()
        lock = await first.acquire("first", "r1")
        await second.read()
        await first.release(lock, Ending(applied_plan="p1"))
        lock = await second.acquire("second", "r2")
        await second.release(lock, Ending(applied_plan="p2"))
        assert (await make().read()).applied_plans == ("p1", "p2")

    promise(check)


def test_a_released_ledger_is_read_from_the_cache(org, tmp_path):
    """What keeps a plan without changes at a handful of requests."""

    async def check():
        async with Platform(connection(org)) as platform:
            ledger = OrgLedger(platform, "Ledger", Cache("rows", tmp_path / "cache"))
            lock = await ledger.acquire("me", "r1")
            await ledger.write(lock, ROW)
            await ledger.release(lock, Ending())
            await OrgLedger(platform, "Ledger", Cache("rows", tmp_path / "cache")).read()
            before = platform.requests
            seen = await OrgLedger(platform, "Ledger", Cache("rows", tmp_path / "cache")).read()
            assert seen.rows == {ROW.address: ROW}
            assert platform.requests - before == 2

    asyncio.run(check())


class _BeforeUnlocking(httpx.AsyncBaseTransport):
    """The network, but for something that happens just before the lock's row is deleted."""

    def __init__(self, happens):
        self._network = httpx.AsyncHTTPTransport()
        self._happens = happens

    async def handle_async_request(self, request):
        if request.method == "DELETE" and request.url.path.endswith("/~lock"):
            await self._happens()
        return await self._network.handle_async_request(request)

    async def aclose(self):
        await self._network.aclose()


def test_a_lock_that_is_given_back_at_this_moment_is_not_kept_in_the_cache(org, tmp_path):
    async def check():
        cache = Cache("rows", tmp_path / "cache")
        async with Platform(connection(org)) as reading:

            async def read():
                return await OrgLedger(reading, "Ledger", cache).read()

            async with Platform(connection(org), transport=_BeforeUnlocking(read)) as platform:
                writer = OrgLedger(platform, "Ledger", cache)
                await writer.release(await writer.acquire("me", "r1"), Ending())
            assert (await read()).lock is None

    asyncio.run(check())
