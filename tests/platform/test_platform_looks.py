"""When jobs are looked at: noticed soon, asked about seldom, whatever they take."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.platform import Connection
from reconciler.platform.looks import Looks
from reconciler.platform.session import Session


class Clock:
    """Time for many sleepers at once: when all of them sleep, it jumps to the first who wakes."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._order = count()

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), woken))
        await woken.wait()

    async def run(self, work: Iterable[Any]) -> None:
        tasks = [asyncio.ensure_future(one) for one in work]
        while not all(task.done() for task in tasks):
            for _ in range(20):
                await asyncio.sleep(0)
            if self._sleepers:
                until, _, woken = heapq.heappop(self._sleepers)
                self.now = max(self.now, until)
                woken.set()
        for task in tasks:
            task.result()


@dataclass
class Jobs:
    """Jobs that take so long, waited for through one ``Looks``."""

    crowded: float = 0.0
    clock: Clock = field(default_factory=Clock)
    looked: int = 0
    late: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        session = SimpleNamespace(
            clock=lambda: self.clock.now,
            sleep=self.clock.sleep,
            connection=Connection("https://api.example.test", "https://login.example.test"),
            crowded=lambda: self.crowded,
        )
        self.looks = Looks(cast(Session, session))

    async def one(self, seconds: float, *, after: float = 0.0) -> None:
        if after:
            await self.clock.sleep(after)
        look = self.looks.begin()
        while await look.wait():
            self.looked += 1
            if look.age >= seconds:
                break
        self.late.append(look.age - seconds)
        look.ended(usual=True)

    def run(self, *jobs: Any) -> None:
        asyncio.run(self.clock.run(jobs))


def test_fifty_jobs_that_take_equally_long_are_noticed_together_with_few_looks() -> None:
    jobs = Jobs()
    jobs.run(*(jobs.one(5.0) for _ in range(50)))
    assert max(jobs.late) < 0.75
    # One a job at least; the others found out that it takes five seconds.
    assert jobs.looked < 50 + 15


def test_later_jobs_are_looked_at_when_the_earlier_ones_were_done() -> None:
    jobs = Jobs()
    first = [jobs.one(5.0) for _ in range(5)]
    later = [jobs.one(5.0, after=6.0) for _ in range(45)]
    jobs.run(*first, *later)
    assert max(jobs.late) < 0.75
    assert jobs.looked < 50 + 25


def test_jobs_that_take_a_little_longer_than_the_earlier_ones_are_noticed_together_too() -> None:
    jobs = Jobs(crowded=0.8)
    jobs.run(*(jobs.one(5.0) for _ in range(5)))
    jobs.late.clear()
    jobs.looked = 0
    jobs.run(*(jobs.one(5.9) for _ in range(45)))
    assert max(jobs.late) < 1.0
    assert jobs.looked < 45 * 3


@pytest.mark.parametrize("usual", [0.0, 60.0])
def test_a_job_that_takes_otherwise_than_the_others_is_noticed_all_the_same(usual: float) -> None:
    jobs = Jobs()
    jobs.run(jobs.one(usual))
    jobs.late.clear()
    jobs.looked = 0
    jobs.run(jobs.one(20.0))
    assert jobs.late[0] < 0.5 * 20.0
    assert jobs.looked < 25


def test_jobs_of_many_durations_are_noticed_soon_for_their_length() -> None:
    jobs = Jobs()
    durations = Random(4).sample([5.0 + number for number in range(45)], 45)
    jobs.run(*(jobs.one(seconds) for seconds in durations))
    assert sum(jobs.late) / sum(durations) < 0.15
    assert jobs.looked < 45 * 9


def test_the_less_the_rate_limit_has_left_the_less_is_asked() -> None:
    looked = []
    for crowded in (0.0, 0.5, 1.0):
        jobs = Jobs(crowded=crowded)
        jobs.run(*(jobs.one(5.0 + number) for number in range(45)))
        looked.append(jobs.looked)
    plenty, less, nothing = looked
    assert max(less, nothing) < 0.9 * plenty
    assert looked[-1] < 45 * 4


def test_a_job_that_never_ends_does_not_keep_the_others_waiting() -> None:
    jobs = Jobs()

    async def stuck() -> None:
        look = jobs.looks.begin()
        while await look.wait():
            pass
        look.ended(usual=False)

    jobs.run(stuck(), *(jobs.one(5.0) for _ in range(10)))
    assert max(jobs.late) < 0.75
