"""The rate limiter: never more than the limit in any 60 seconds, first come, first served."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from platform_support import VirtualTime

from reconciler.platform import RateLimiter


async def send_one(limiter: RateLimiter) -> None:
    """A request that is answered at once."""
    await limiter.answered(await limiter.acquire())


STEP = st.one_of(
    st.tuples(st.just("send"), st.integers(1, 12)),
    st.tuples(st.just("pass"), st.floats(0, 90, allow_nan=False)),
    st.tuples(st.just("pause"), st.floats(0, 90, allow_nan=False)),
)


@settings(max_examples=150, deadline=None)
@given(limit=st.integers(1, 7), steps=st.lists(STEP, max_size=15))
def test_no_window_of_60_seconds_holds_more_than_the_limit(limit: int, steps: list[tuple[str, float]]) -> None:
    time = VirtualTime()
    sent: list[float] = []

    async def scenario() -> None:
        limiter = RateLimiter(limit, clock=time.clock, sleep=time.sleep)

        async def send() -> None:
            await send_one(limiter)
            sent.append(time.now)

        for step, amount in steps:
            if step == "send":
                await asyncio.gather(*(send() for _ in range(int(amount))))
            elif step == "pass":
                time.now += amount
            else:
                await limiter.pause(amount)

    asyncio.run(scenario())
    assert len(sent) == sum(int(amount) for step, amount in steps if step == "send")
    for start in sent:
        assert len([moment for moment in sent if start <= moment < start + 60]) <= limit


def test_a_whole_window_may_be_spent_at_once() -> None:
    time = VirtualTime()

    async def scenario() -> None:
        limiter = RateLimiter(300, clock=time.clock, sleep=time.sleep)
        for _ in range(300):
            await send_one(limiter)

    asyncio.run(scenario())
    assert time.slept == []


def test_waiters_go_in_order_of_arrival() -> None:
    time = VirtualTime()
    order: list[int] = []

    async def scenario() -> None:
        limiter = RateLimiter(2, clock=time.clock, sleep=time.sleep)

        async def send(number: int) -> None:
            await send_one(limiter)
            order.append(number)

        await asyncio.gather(*(send(number) for number in range(9)))

    asyncio.run(scenario())
    assert order == list(range(9))


def test_a_pause_holds_everybody_and_a_shorter_one_does_not_end_it() -> None:
    time = VirtualTime()

    async def scenario() -> None:
        limiter = RateLimiter(10, clock=time.clock, sleep=time.sleep)
        await limiter.pause(42)
        await limiter.pause(1)
        await send_one(limiter)

    asyncio.run(scenario())
    assert time.now >= 1042


def test_a_cancelled_waiter_leaves_the_queue_free() -> None:
    async def scenario() -> None:
        limiter = RateLimiter(1, clock=lambda: 0.0, sleep=asyncio.sleep)
        await send_one(limiter)
        waiter = asyncio.ensure_future(limiter.acquire())
        await asyncio.sleep(0)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert not limiter._turn.locked()

    asyncio.run(scenario())


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        RateLimiter(0, clock=lambda: 0.0, sleep=asyncio.sleep)
