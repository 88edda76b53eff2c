"""Both ledgers keep the same promises: rows, one lock, expiry, and what an interrupted run was doing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from reconciler.cache import Cache
from reconciler.ledger import (
    Ending,
    FileLedger,
    LockedError,
    LockInfo,
    LockLostError,
    OrgLedger,
    Row,
    RunRecord,
    base,
    short_hash,
)
from reconciler.ledger.cells import lock_cells
from reconciler.platform import Connection, Platform
from reconciler.problems import ReconcilerError

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


def an_hour_later(monkeypatch):
    """All ledgers live in a time when every lock of before has run out."""
    for ledger in (FileLedger, OrgLedger):
        now = ledger.now
        monkeypatch.setattr(ledger, "now", lambda self, now=now: now(self) + timedelta(hours=1))


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
        an_hour_later(monkeypatch)

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


@pytest.mark.parametrize("turn", range(3))
def test_an_expired_lock_is_taken_over_by_one_of_many(promise, monkeypatch, turn):
    """All of them see that it has run out before any of them has it."""

    async def check(make):
        await make().acquire("dead", "r0")
        an_hour_later(monkeypatch)
        contenders = [make() for _ in range(8)]

        got = await asyncio.gather(
            *(ledger.acquire(f"no. {number}", f"r{number + 1}") for number, ledger in enumerate(contenders)),
            return_exceptions=True,
        )

        locks = [lock for lock in got if isinstance(lock, LockInfo)]
        assert len(locks) == 1, got
        assert all(isinstance(other, LockedError) for other in got if other not in locks)
        assert (await make().lock()).token == locks[0].token
        await contenders[got.index(locks[0])].release(locks[0], Ending())

    promise(check)


@pytest.mark.parametrize("minutes", [-20, -10, 10, 20])
def test_a_clock_that_is_wrong_neither_steals_a_lock_nor_waits_for_ever(org, tmp_path, monkeypatch, minutes):
    """One machine's clock is right and the other one's is not; both go by the org's."""

    async def check():
        async with Platform(connection(org)) as right, Platform(connection(org)) as wrong:
            await (holder := OrgLedger(right, "Ledger", Cache("rows", tmp_path / "a"))).acquire("right", "r1")
            monkeypatch.setattr("reconciler.platform.clock.datetime", _shifted(minutes))
            monkeypatch.setattr("reconciler.ledger.base.datetime", _shifted(minutes))
            other = OrgLedger(wrong, "Ledger", Cache("rows", tmp_path / "b"))
            with pytest.raises(LockedError):
                await other.acquire("wrong", "r2")
            assert (await other.read()).locked

            await holder.break_lock(await holder.lock())
            lock = await other.acquire("wrong", "r2")
            assert abs((lock.expires_at - datetime.now(UTC)).total_seconds() - base.LOCK_SECONDS) < 5

    asyncio.run(check())


def _shifted(minutes):
    """The class ``datetime`` of a machine whose clock is wrong."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(minutes=minutes)

    return Shifted


def test_a_renewal_that_comes_too_late_does_not_touch_the_next_holders_lock(promise, monkeypatch):
    """Between its look at the lock and its write, somebody else took over."""

    async def check(make):
        late = make()
        old = await late.acquire("late", "r1")
        an_hour_later(monkeypatch)
        new = await make().acquire("next", "r2")

        for late_write in (late.renew(old, ("00000000",)), late.release(old, Ending(applied_plan="p1"))):
            with pytest.raises(LockLostError):
                await late_write

        assert await make().lock() == new
        assert (await make().read()).applied_plans == ()

    promise(check)


class _TakingOver(httpx.AsyncBaseTransport):
    """The network, but for a take-over just before the first PUT, which is the renewal."""

    def __init__(self, take_over):
        self._network = httpx.AsyncHTTPTransport()
        self._take_over = take_over

    async def handle_async_request(self, request):
        if request.method == "PUT" and "/~lock" in request.url.path and self._take_over:
            take_over, self._take_over = self._take_over, None
            await take_over()
        return await self._network.handle_async_request(request)

    async def aclose(self):
        await self._network.aclose()


def test_a_renewal_overtaken_on_its_way_fails(org, tmp_path):
    async def check():
        async with Platform(connection(org)) as fast:

            async def take_over():
                ledger = OrgLedger(fast, "Ledger", Cache("rows", tmp_path / "b"))
                assert await ledger.break_lock(await ledger.lock())
                await ledger.acquire("next", "r2")

            async with Platform(connection(org), transport=_TakingOver(take_over)) as slow:
                ledger = OrgLedger(slow, "Ledger", Cache("rows", tmp_path / "a"))
                lock = await ledger.acquire("late", "r1")
                with pytest.raises(LockLostError):
                    await ledger.renew(lock)
            assert (await OrgLedger(fast, "Ledger", Cache("rows", tmp_path / "b")).lock()).run == "r2"

    asyncio.run(check())


def test_what_take_overs_that_died_half_way_left_is_cleared_away(org, tmp_path, monkeypatch):
    """One died with the lock in hand and nothing noted, as the one before it did."""

    async def check():
        async with Platform(connection(org)) as platform:

            def make():
                return OrgLedger(platform, "Ledger", Cache("rows", tmp_path / "cache"))

            first = make()
            await first.renew(await first.acquire("first", "r1"), ("11111111",))
            table = (await platform.data_tables.find("Ledger")).id
            an_hour_later(monkeypatch)
            for number in (2, 3):
                dying = make()
                lock = base.new_lock(f"no. {number}", f"r{number}", dying.now() - timedelta(hours=1), number)
                dead = lock.model_copy(update={"inflight": (str(number) * 8,)})
                await platform.data_tables.create_row(table, {"key": f"~lock.{number}"} | lock_cells(dead))

            seen = await make().read()
            assert (seen.lock.run, seen.locked) == ("r3", False)
            assert {run.run for run in seen.interrupted} == {"r1", "r2", "r3"}
            last = make()
            lock = await last.acquire("last", "r4")
            assert {run.run for run in (await make().read()).interrupted} == {"r1", "r2", "r3"}
            await last.release(lock, Ending())
            keys = {row["key"] for row in await platform.data_tables.rows(table)}
            assert keys == {"~head"}
            assert (await make().acquire("after", "r5")).number == 5

    asyncio.run(check())


def test_a_lock_that_was_given_back_while_one_asked_for_it_is_not_given_out_twice(org, tmp_path):
    """The asker has seen that number 1 is free, and makes it when number 1 has come and gone and 2 is held."""

    async def check():
        async with Platform(connection(org)) as fast:

            def make(platform=fast):
                return OrgLedger(platform, "Ledger", Cache("rows", tmp_path / "cache"))

            async def two_runs():
                brief = make()
                await brief.release(await brief.acquire("brief", "r1"), Ending(applied_plan="p1"))
                await make().acquire("long", "r2")

            class Slow(_TakingOver):
                async def handle_async_request(self, request):
                    if request.method == "POST" and request.url.path.endswith("/rows") and self._take_over:
                        take_over, self._take_over = self._take_over, None
                        await take_over()
                    return await self._network.handle_async_request(request)

            async with Platform(connection(org), transport=Slow(two_runs)) as slow:
                with pytest.raises(LockedError, match="locked by long"):
                    await make(slow).acquire("slow", "r3")
            seen = await make().read()
            assert (seen.lock.run, seen.applied_plans) == ("r2", ("p1",))

    asyncio.run(check())


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
        if request.method == "DELETE" and "/~lock." in request.url.path:
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


def test_the_last_runs_are_remembered_in_order(promise, monkeypatch):
    for ledger in ("file", "org"):
        monkeypatch.setattr(f"reconciler.ledger.{ledger}.RUNS_KEPT", 3)

    async def check(make):
        for number in range(1, 6):
            ledger = make()
            await ledger.read()
            lock = await ledger.acquire("Jané", f"r{number}")
            await ledger.record(
                lock, RunRecord(run=f"r{number}", at=ledger.now(), by="Jané" * 40, actions={"update": 2})
            )
            await ledger.release(lock, Ending())
        seen = await make().read()
        assert [run.run for run in seen.runs] == ["r3", "r4", "r5"]
        assert (seen.runs[-1].by, seen.runs[-1].applied, seen.runs[-1].exit_code) == ("Jané" * 20, 2, 0)
        assert seen.rows == {}

    promise(check)


def test_a_run_that_somebody_else_wrote_is_refused(tmp_path):
    (tmp_path / "ledger.json").write_text('{"rows": {}, "runs": [{"run": 7}]}', encoding="utf-8")
    with pytest.raises(ReconcilerError, match="holds a run that is not one of this tool's"):
        asyncio.run(FileLedger(tmp_path / "ledger.json").read())


def test_a_lock_of_very_many_changes_is_kept_in_short_cells(org, tmp_path):
    """Fifty are published while of others, whose jobs never ended or whose modules failed, it is not known."""

    async def check():
        async with Platform(connection(org)) as platform:
            ledger = OrgLedger(platform, "Ledger", Cache("rows", tmp_path / "cache"))
            inflight = tuple(f"{number:08x}" for number in range(150))
            lock = await ledger.acquire("A. Person with a Long Name (GitHub run 19283746501)", "0123456789ab")
            renewed = await ledger.renew(lock, inflight)
            table = (await platform.data_tables.find("Ledger")).id
            cells = await platform.data_tables.row(table, f"~lock.{lock.number}")
            assert max(len(cell) for cell in cells.values()) <= 800
            assert await ledger.lock() == renewed
            few = await ledger.renew(lock, inflight[:2])
            assert await ledger.lock() == few

    asyncio.run(check())


def test_what_many_changes_left_half_done_is_kept_in_short_cells(org, tmp_path):
    """A run that was publishing fifty flows and was killed; the next one must be able to take its lock over."""

    async def check():
        async with Platform(connection(org)) as platform:

            def make():
                return OrgLedger(platform, "Ledger", Cache("rows", tmp_path / "cache"))

            inflight = tuple(f"{number:08x}" for number in range(74))
            first = make()
            await first.acquire("first", "r1")
            lock = (await first.lock()).model_copy(update={"inflight": inflight})
            await first.renew(lock, inflight)
            assert await first.break_lock(await first.lock())
            table = (await platform.data_tables.find("Ledger")).id
            head = await platform.data_tables.row(table, "~head")
            assert max(len(cell) for cell in head.values()) <= 800
            assert len(head["note"] + head["fields"]) > 800
            [interrupted] = (await make().read()).interrupted
            assert interrupted.addresses == frozenset(inflight)

            for number in range(2, 12):
                # The same work is begun again, and killed again.
                again = make()
                await again.renew(await again.acquire("again", f"r{number}"), inflight)
                assert await again.break_lock(await again.lock())
            head = await platform.data_tables.row(table, "~head")
            assert max(len(cell) for cell in head.values()) <= 800
            [interrupted] = (await make().read()).interrupted
            assert (interrupted.run, interrupted.addresses) == ("r11", frozenset(inflight))

            later = make()
            await later.release(await later.acquire("later", "r12"), Ending(settled=frozenset(inflight)))
            head = await platform.data_tables.row(table, "~head")
            assert (await make().read()).interrupted == ()
            assert head["fields"] == ""

    asyncio.run(check())
