"""A recording judged: what deviates and is not excepted, which exceptions nobody needed, what was never exercised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from oracle.exceptions import EXCEPTIONS, Excepted
from oracle.judge import Deviation, Judge, Tally
from oracle.reach import Ask
from oracle.reads import Reads
from oracle.recording import Exchange
from oracle.sdk import Sdk


@dataclass(frozen=True)
class Verdict:
    """What became of a run."""

    deviations: dict[Deviation, Counter[str]]
    """Those that no exception covers, and the tests in which they happened."""
    excepted: Counter[Excepted]
    """How many exchanges needed each exception."""
    stale: tuple[Excepted, ...]
    """Exceptions that no exchange needed."""
    never_sent: tuple[Ask, ...]
    """What our client can ask for and did not."""
    read: int
    """How many fields of answers our client reads."""
    tallies: dict[tuple[str, str], Tally]
    """What was checked, by direction and operation."""

    def failing(self, *, whole: bool) -> dict[Deviation, Counter[str]]:
        """The deviations that count after all tests, or after a part of them.

        One model of ours may read what several operations answer; after a part of the tests it is not known
        whether another of them has the field.
        """
        return {one: tests for one, tests in self.deviations.items() if whole or one.by != "reader"}

    @property
    def exchanges(self) -> int:
        """How many were checked."""
        return sum(tally.exchanges for tally in self.tallies.values())

    @property
    def operations(self) -> int:
        """How many operations of the SDK were used or answered."""
        return len({operation for _, operation in self.tallies if "/api/" in operation})

    @property
    def fields(self) -> int:
        """How many fields and parameters, of each operation and direction, were seen and checked."""
        return sum(len(tally.fields) for tally in self.tallies.values())


def judged(
    exchanges: Iterable[Exchange],
    sdk: Sdk,
    exceptions: Sequence[Excepted] = EXCEPTIONS,
    asks: Iterable[Ask] = (),
) -> Verdict:
    """Judges all of them; ``asks`` is what should have been sent at least once."""
    judge, reads = Judge(sdk), Reads(sdk)
    sent: set[tuple[str, str]] = set()
    for exchange in exchanges:
        if exchange.by == "reader":
            reads.take(exchange)
            continue
        judge.judge(exchange)
        if exchange.by == "client":
            sent.add((exchange.method, exchange.path))
    left: dict[Deviation, Counter[str]] = {}
    needed: Counter[Excepted] = Counter()
    for deviation, tests in chain(judge.deviations.items(), reads.deviations()):
        for test, times in tests.items():
            cover = next((one for one in exceptions if one.covers(deviation, test)), None)
            if cover is not None:
                needed[cover] += times
            else:
                left.setdefault(deviation, Counter())[test] += times
    stale = tuple(one for one in exceptions if one not in needed)
    never_sent = tuple(ask for ask in asks if not ask.was_sent(sent))
    return Verdict(left, needed, stale, never_sent, reads.fields, dict(judge.tallies))
