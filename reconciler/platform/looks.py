"""When to look whether a job has ended: soon after it has, with few requests, whatever jobs run beside it.

Jobs of one kind learn from each other. As long as nobody knows how long they take, they are looked at one after the
other, round and round, at a pace that leaves the rate limit to the work. One that is found done is news: those that
have run as long are looked at at once, and later ones when the quickest of the last ones was done. Each look at the
same job waits longer than the one before, and the more so the less the rate limit has left.
"""

from __future__ import annotations

import asyncio
from collections import deque

from reconciler.platform.session import Session

_REMEMBERED = 8
"""Jobs whose durations count for the next ones: one that was quick for once is forgotten."""
_BEFORE_USUAL = 0.15
"""Share of the usual duration that passes between looks at a job that is not due yet, in case it is quicker."""
_JUST_MISSED = 0.1
"""Share of its age after which a job that was due and not done is looked at a second time: most are done by then."""
_LATE = 0.15
"""Share of its age that passes between later looks while requests are plenty."""
_LATE_WHEN_CROWDED = 0.5
"""What is added to that when the rate limit is used up."""
_SHARE_OF_RATE = 0.5
"""Part of the rate limit that may go into looks at jobs of which nothing is known."""
_AT_ONCE = 0.001
"""Seconds that are not worth sleeping for."""
_AS_OLD = 0.95
"""Jobs that began together differ a little in age."""


class Looks:
    """The jobs of one kind that this process waits for."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._durations: deque[float] = deque(maxlen=_REMEMBERED)
        self._waiting: dict[Look, None] = {}
        self._next = float("-inf")
        """Before this moment the next in turn does not look."""

    @property
    def usual(self) -> float | None:
        """How long the quickest of the last jobs took; None while that is not known."""
        return min(self._durations, default=None)

    def begin(self) -> Look:
        """A job begins now."""
        look = Look(self)
        self._waiting[look] = None
        return look

    def ended(self, look: Look, *, usual: bool) -> None:
        """A look found the job ended, or nobody waits for it any more; ``usual`` if others will take as long."""
        self._waiting.pop(look, None)
        if not usual:
            return
        self._durations.append(look.age)
        # All turns are given out anew, first to those that were not looked at for long.
        self._next = self.session.clock()
        for other in sorted(self._waiting, key=lambda one: one.unseen, reverse=True):
            other.news.set()

    def pause(self, look: Look) -> tuple[float, bool]:
        """Seconds to wait, and whether the job is looked at then; else it is asked again what comes next."""
        usual, age = self.usual, look.age
        if usual is not None and self._worth_a_look(look, usual):
            return 0.0, True
        until_due = usual - age if usual is not None and look.looks_when_due == 0 else float("inf")
        until_again = self._until_again(look)
        if until_again > _AT_ONCE:
            return min(until_again, until_due), False
        now = self.session.clock()
        turn = max(self._next, now)
        if now + until_due <= turn:
            return until_due, False
        self._next = turn + self._spacing(due=look.looks_when_due > 0)
        return turn - now, True

    def _worth_a_look(self, look: Look, usual: float) -> bool:
        """Whether it may well be done: nobody looked since others were done at its age; twice, then turns are taken."""
        if look.looks_when_due == 0:
            return look.age >= usual * _AS_OLD
        latest = self._durations[-1] * _AS_OLD
        return look.looks_when_due == 1 and look.age - look.unseen < latest <= look.age

    def _until_again(self, look: Look) -> float:
        """Seconds until the job may be looked at again; 0 or less: it may."""
        usual, seen_at_age = self.usual, look.age - look.unseen
        if usual is not None and look.age < usual:
            step = usual * _BEFORE_USUAL
        elif not look.looks:
            return 0.0
        elif look.looks_when_due == 1:
            step = seen_at_age * _JUST_MISSED
        else:
            step = seen_at_age * (_LATE + _LATE_WHEN_CROWDED * self.session.crowded())
        connection = self.session.connection
        return min(max(connection.poll_initial, step), connection.poll_max) - look.unseen

    def _spacing(self, *, due: bool) -> float:
        """Seconds between two looks at different jobs: at those of which nothing is known, fewer."""
        connection = self.session.connection
        pace = 60 / (connection.requests_per_minute * connection.tokens)
        return (pace if due else max(connection.poll_initial, pace / _SHARE_OF_RATE)) * (1 + 4 * self.session.crowded())


class Look:
    """One job under way. ``wait`` before each look, ``ended`` when it is over."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self._began = looks.session.clock()
        self._end = self._began + looks.session.connection.job_deadline
        self._seen = self._began
        self.news = asyncio.Event()
        """Set when another job has ended."""
        self.looks = 0
        self.looks_when_due = 0
        """Those at an age at which others were done."""

    @property
    def age(self) -> float:
        """Seconds since the job began."""
        return self._looks.session.clock() - self._began

    @property
    def unseen(self) -> float:
        """Seconds since it was looked at last, or began."""
        return self._looks.session.clock() - self._seen

    async def wait(self) -> bool:
        """Returns when to look; False, at once, when the job's deadline is over.

        The last pause ends at the deadline, so that one look comes after it.
        """
        left = self._end - self._looks.session.clock()
        if left <= 0 and self.looks:
            return False
        looking = False
        while not looking:
            seconds, looking = self._looks.pause(self)
            looking &= await self._slept(min(seconds, max(left, 0.0)))
            left = self._end - self._looks.session.clock()
            looking |= left <= 0
        self._seen = self._looks.session.clock()
        self.looks += 1
        usual = self._looks.usual
        self.looks_when_due += usual is not None and self.age >= usual * _AS_OLD
        return True

    def ended(self, *, usual: bool) -> None:
        """See ``Looks.ended``."""
        self._looks.ended(self, usual=usual)

    async def _slept(self, seconds: float) -> bool:
        """Sleeps; False where news came before the time was over."""
        if seconds <= 0:
            return True
        self.news.clear()
        sleeping = asyncio.ensure_future(self._looks.session.sleep(seconds))
        news = asyncio.ensure_future(self.news.wait())
        try:
            await asyncio.wait([sleeping, news], return_when=asyncio.FIRST_COMPLETED)
            return sleeping.done()
        finally:
            sleeping.cancel()
            news.cancel()
