"""Sends what is kept once more, in the order in which it was made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from reconciler.notify.delivery import BEHIND, deliver, pause
from reconciler.notify.outbox import Entry, Outbox
from reconciler.notify.sending import Attempt
from reconciler.notify.targets import Target

TRIES = 3
LONGEST_WAIT = 30.0
"""Seconds; who asks for more is left alone until the next time."""


def send_again(
    outbox: Outbox,
    targets: Mapping[str, Target],
    entries: Iterable[Entry],
    told: Callable[[Entry, Attempt], None],
) -> int:
    """Sends the entries; ``told`` is called with each and what came of it.

    A hook that cannot be reached gets none of its later entries either, so that order is kept; one that refuses an
    entry gets the next.

    Returns:
        How many are still kept.
    """
    stuck: set[str] = set()
    left = 0
    for entry in entries:
        target = targets.get(entry.hook)
        if target is None:
            made = Attempt(False, "the environment has no such hook")
        elif entry.hook in stuck:
            made = Attempt(False, BEHIND)
        else:
            made = _patiently(outbox, target, entry)
        if made.again:
            stuck.add(entry.hook)
        left += not made.delivered
        told(entry, made)
    return left


def _patiently(outbox: Outbox, target: Target, entry: Entry) -> Attempt:
    for number in range(TRIES):
        made = deliver(outbox, target, entry.kept.notification, entry)
        wait = max(made.after, pause(number))
        if made.delivered or not made.again or number == TRIES - 1 or wait > LONGEST_WAIT:
            break
        time.sleep(wait)
    return made
