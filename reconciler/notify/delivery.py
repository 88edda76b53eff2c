"""Delivers in the background: one thread a hook, so that a hook that hangs holds up no other, and nobody the run.

Within a hook, order is kept: while one notification is tried again, those after it wait.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.notify.document import Notification
from reconciler.notify.outbox import UNDER_WAY, Entry, Outbox
from reconciler.notify.sending import DELIVERED, Attempt, attempt
from reconciler.notify.targets import Target

GRACE = 5.0
"""Seconds at the end of the process for what is still under way."""
WONDER = 0.7
"""Seconds after which it is said what is waited for."""
LONGEST_PAUSE = 60.0
SHORTEST_PAUSE = 0.1
BEHIND = "it waits for an earlier one"


@dataclass
class Item:
    """One notification for one hook, on its way."""

    target: Target
    told: Notification
    entry: Entry | None
    """None where it could not be written down."""
    problem: str = "no answer yet"
    delivered: bool = False
    over: bool = False
    """Nothing more is done about it in this process."""


@dataclass
class _Lane:
    waiting: deque[Item] = field(default_factory=deque)
    stuck: bool = False


class Delivery:
    """What one process sends."""

    def __init__(self, outbox: Outbox, targets: Mapping[str, Target]) -> None:
        self._outbox = outbox
        self._targets = targets
        self._items: list[Item] = []
        self._lanes: dict[str, _Lane] = {}
        self._changed = threading.Condition()
        self._deadline: float | None = None

    def put(self, told: Notification) -> None:
        """Writes it down for every hook that wants such events, and begins to send it; waits for nobody."""
        for name, target in self._targets.items():
            if told.event in target.hook.events:
                self._put(name, target, told)

    def close(self, waiting: Callable[[int], None] = lambda _: None) -> None:
        """Waits for what is under way, no longer than ``GRACE`` seconds.

        ``waiting`` is called with how many there are, once it takes long enough for people to wonder.
        """
        with self._changed:
            self._deadline = time.monotonic() + GRACE
            self._changed.notify_all()
            self._wait(min(GRACE, WONDER))
            if self.pending:
                waiting(self.pending)
                self._wait(self._deadline - time.monotonic())

    @property
    def undelivered(self) -> list[Item]:
        """What was not delivered, as far as is known now."""
        return [item for item in self._items if not item.delivered]

    @property
    def pending(self) -> int:
        """How many may still be delivered by this process."""
        return sum(not item.over for item in self._items)

    def _wait(self, seconds: float) -> None:
        self._changed.wait_for(lambda: not self.pending, seconds)

    def _put(self, name: str, target: Target, told: Notification) -> None:
        try:
            entry: Entry | None = self._outbox.keep(name, told)
        except OSError:
            entry = None
        item = Item(target, told, entry)
        if target.problem is not None:
            item.problem, item.over = target.problem.removesuffix("."), True
            item.entry = entry and self._outbox.note(entry, 0, item.problem)
        with self._changed:
            self._items.append(item)
            if item.over:
                return
            if name not in self._lanes:
                self._lanes[name] = _Lane()
                threading.Thread(
                    target=self._work, args=(self._lanes[name],), name=f"notify-{name}", daemon=True
                ).start()
            self._lanes[name].waiting.append(item)
            self._changed.notify_all()

    def _work(self, lane: _Lane) -> None:
        while (item := self._next(lane)) is not None:
            try:
                if lane.stuck:
                    item.problem = BEHIND
                else:
                    item.delivered = self._deliver(item, lane)
            except Exception as error:  # noqa: BLE001 - a thread that ends with a traceback tells nobody anything
                item.problem = f"unexpected: {type(error).__name__}"
            with self._changed:
                item.over = True
                self._changed.notify_all()

    def _next(self, lane: _Lane) -> Item | None:
        with self._changed:
            while not lane.waiting and self._deadline is None:
                self._changed.wait()
            return lane.waiting.popleft() if lane.waiting else None

    def _deliver(self, item: Item, lane: _Lane) -> bool:
        for number in range(1_000):
            made = deliver(self._outbox, item.target, item.told, item.entry)
            if made.delivered:
                return True
            item.problem = made.problem
            if not made.again:
                return False
            if not self._pause(max(made.after, pause(number))):
                break
        lane.stuck = True
        return False

    def _pause(self, seconds: float) -> bool:
        """Waits before another attempt; False where the process ends before."""
        until = time.monotonic() + seconds
        with self._changed:
            while (left := until - time.monotonic()) > 0:
                if self._deadline is not None and until > self._deadline:
                    return False
                # A receiver may ask for more than can be waited for at once.
                self._changed.wait(min(left, 3600))
        return True


def deliver(outbox: Outbox, target: Target, told: Notification, entry: Entry | None) -> Attempt:
    """One attempt, with the hook's lock in hand; what another process has delivered meanwhile counts as delivered."""
    if entry is None:
        return attempt(target, told)
    try:
        with outbox.turn(target.name) as mine:
            if not mine:
                return Attempt(False, "another process is sending to it", again=True)
            current = outbox.read(entry)
            if current is None:
                return DELIVERED
            number = current.kept.attempts + 1
            current = outbox.note(current, number, UNDER_WAY)
            made = attempt(target, told)
            if made.delivered:
                outbox.drop(current)
            else:
                outbox.note(current, number, made.problem)
            return made
    except OSError as error:
        return Attempt(False, f"{outbox.folder} cannot be written to: {error.strerror}", again=True)


def pause(number: int) -> float:
    """Seconds before another attempt after ``number`` earlier pauses: exponential, with full jitter."""
    return max(SHORTEST_PAUSE, random.uniform(0, min(LONGEST_PAUSE, 0.5 * 2 ** min(number, 10))))  # noqa: S311 - jitter
