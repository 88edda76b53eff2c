"""Two applies at once, and a holder of the lock that was suspended until another run took over.

In all of it no flow may get a version too many: unlike a dead run, a rival leaves nothing half done.
"""

from __future__ import annotations

import hashlib
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from killing.exchanges import Death, Position
from killing.matrix import Outcome, Undisturbed, an_hour_later, do_nothing, judge, unsettled
from killing.processes import Ended, serving
from killing.scenarios import ORG_DATA, start_commands
from reconciler.engine import lease
from reconciler.ledger import base

SHORT_LOCK = 6.0
"""Seconds that a lock lives where somebody must wait for its end; the org tells the time in whole seconds."""
DEAD_BEFORE = 3
"""Every so many races begin with a lock that a dead run left and that has run out."""


def race(item: Undisturbed, dead: int | None, folder: Path) -> Outcome:
    """Two applies start at the same moment; ``dead`` is the exchange at which a third one died before."""
    way = f", after a death at exchange {dead}" if dead else ""
    outcome = Outcome(f"{item.title}: race{way}", struck=False)
    copy = item.prepared.copy(folder)
    scenario = item.prepared.scenario
    with serving(copy / ORG_DATA) as org:
        if dead:
            start_commands(copy, org, [scenario.again], death=Death(dead, Position.READ)).wait()
        beforehand = an_hour_later if dead else do_nothing
        both = [start_commands(copy, org, [scenario.again], beforehand=beforehand) for _ in range(2)]
        outcome.problems += _one_of_two([rival.wait() for rival in both])
        outcome.problems += unsettled(copy, org)
    judge(item, copy, outcome, allowed=1 if dead else 0)
    return outcome


def races(whole: Sequence[Undisturbed], count: int) -> Iterator[Callable[[Path], Outcome]]:
    """That many races, shared out among the scenarios."""
    for number in range(count):
        item = whole[number % len(whole)]
        dead = None
        if number % DEAD_BEFORE == 0:
            middle = len(item.exchanges) // 2
            dead = middle + number % (len(item.exchanges) - middle)
        yield partial(race, item, dead)


def _one_of_two(ended: Sequence[Ended]) -> list[str]:
    """At least one gets through; the other one stops and says why, unless it came so late that all was done."""
    codes = sorted(code for one in ended for code in one.codes)
    if codes == [0, 0] and any("Nothing to apply" in one.said for one in ended):
        return []
    if codes != [0, 3]:
        return [f"the rivals ended with {codes}:\n" + "\n---\n".join(one.said for one in ended)]
    loser = next(one for one in ended if one.codes == (3,))
    explained = "is locked by" in loser.said or "Another run applied something" in loser.said
    return [] if explained else [f"the loser does not say who holds the lock:\n{loser.said}"]


def suspend(item: Undisturbed, exchange: int, position: Position, folder: Path) -> Outcome:
    """An apply is suspended until its lock has run out and another apply has come to its end; then it goes on."""
    route = item.exchanges[exchange - 1]
    outcome = Outcome(f"{item.title}: suspended {position} exchange {exchange} ({route})", struck=False)
    copy = item.prepared.copy(folder)
    again = item.prepared.scenario.again
    with serving(copy / ORG_DATA) as org:
        sleeper = start_commands(
            copy, org, [again], death=Death(exchange, position, signal.SIGSTOP), beforehand=short_locks
        )
        outcome.struck = sleeper.wait_until_stopped()
        if not outcome.struck:
            outcome.problems.append("it was not suspended")
            return outcome
        time.sleep(SHORT_LOCK + 1)
        other = start_commands(copy, org, [again], beforehand=short_locks).wait()
        if other.codes != (0,):
            outcome.problems.append(f"the other run ended with {other.codes}:\n{other.said}")
        before = _contents(copy / ORG_DATA)
        sleeper.go_on()
        woken = sleeper.wait()
        if woken.codes != (3,) or "stops writing" not in woken.said:
            outcome.problems.append(f"the woken run ended with {woken.codes}:\n{woken.said}")
        late = [seen for seen in woken.exchanges[exchange:] if not seen.startswith("GET ")]
        if late:
            outcome.problems.append(f"the woken run sent {late}")
        if _contents(copy / ORG_DATA) != before:
            outcome.problems.append("the woken run changed the org")
        settled = start_commands(copy, org, [again], beforehand=an_hour_later).wait()
        if settled.codes != (0,):
            outcome.problems.append(f"the last apply ended with {settled.codes}:\n{settled.said}")
        outcome.problems += unsettled(copy, org)
    judge(item, copy, outcome, allowed=1)
    return outcome


def suspensions(whole: Sequence[Undisturbed], every: int) -> Iterator[Callable[[Path], Outcome]]:
    """Each exchange from the one that takes the lock to the one before the lock is given back.

    Suspended before a request is sent, the run must think better of it; ``BEFORE`` the one that takes the lock it
    has none yet.
    """
    for item in whole:
        writes = [number for number, route in enumerate(item.exchanges, 1) if _writes_under_lock(route)]
        for exchange in list(range(writes[0] + 1, writes[-1]))[::every]:
            yield partial(suspend, item, exchange, Position.READ if exchange % 2 else Position.BEFORE)


def _writes_under_lock(route: str) -> bool:
    """A plan asks for exports and a first apply makes the table before there is a lock."""
    return not route.startswith("GET ") and not route.endswith(("/oauth/token", "/export/jobs", "/datatables"))


def short_locks() -> None:
    """Locks of this process live for seconds."""
    base.LOCK_SECONDS = SHORT_LOCK
    lease.SURE_SECONDS = SHORT_LOCK - 1
    # What renews in the background would make another exchange each time.
    lease.RENEW_SECONDS = 600.0


def _contents(data: Path) -> str:
    """Digest of all that the org holds, but for who is logged in."""
    with closing(sqlite3.connect(data)) as db:
        dump = [line for line in db.iterdump() if 'INTO "token' not in line]
    return hashlib.sha256("\n".join(dump).encode()).hexdigest()
