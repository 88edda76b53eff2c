"""Which changes of a plan wait for which, which may start, and which of those goes first."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping

from reconciler.engine.document import Change
from reconciler.kinds.registry import kind_of

_PUBLISH = 1.0
"""What a change costs that waits for a job of the org."""
_FIELDS = 0.1
"""What one costs that is a few requests."""


class Queue:
    """Of changes that may start, the one with the longest way to the end behind it goes first, else the plan's order.

    So the longest chain, which sets how long a run takes at least, never waits for what has time.
    """

    def __init__(self, changes: Iterable[Change]) -> None:
        changes = tuple(changes)
        known = {change.address for change in changes}
        self._needs = {change.address: {n for n in change.depends_on if n in known} for change in changes}
        self._dependents: dict[str, list[str]] = defaultdict(list)
        for address, needs in self._needs.items():
            for needed in needs:
                self._dependents[needed].append(address)
        lengths = _ways_to_the_end(changes, self._dependents)
        self._rank = {change.address: (-lengths[change.address], place) for place, change in enumerate(changes)}
        self._ready: list[tuple[tuple[float, int], str]] = []
        for address, needs in self._needs.items():
            if not needs:
                self._add(address)

    def take(self) -> str | None:
        """The next change that may start."""
        if not self._ready:
            return None
        _, address = heapq.heappop(self._ready)
        del self._needs[address]
        return address

    def coming(self, count: int) -> list[str]:
        """Changes that are likely to start soon."""
        soon = [address for _, address in heapq.nsmallest(count, self._ready)]
        if len(soon) == count:
            return soon
        later = sorted(self._needs.keys() - set(soon), key=self._rank.__getitem__)
        return [*soon, *later[: count - len(soon)]]

    def done(self, address: str) -> None:
        """Frees what waited for this change alone."""
        for waiting in self._dependents[address]:
            needs = self._needs.get(waiting)
            if needs is not None:
                needs.discard(address)
                if not needs:
                    self._add(waiting)

    def give_up_on(self, address: str) -> list[str]:
        """Takes out what waits for this change, which will not happen."""
        return [waiting for waiting in self._dependents[address] if self._needs.pop(waiting, None) is not None]

    def left(self) -> list[str]:
        """What was never taken out."""
        return list(self._needs)

    def _add(self, address: str) -> None:
        heapq.heappush(self._ready, (self._rank[address], address))


def _ways_to_the_end(changes: tuple[Change, ...], dependents: Mapping[str, list[str]]) -> dict[str, float]:
    """How long the longest chain is that begins with each change. Plans name what comes first before what needs it."""
    lengths: dict[str, float] = {}
    for change in reversed(changes):
        own = _PUBLISH if kind_of(change.kind).content_in_versions else _FIELDS
        behind = (lengths.get(after, 0.0) for after in dependents[change.address])
        lengths[change.address] = own + max(behind, default=0.0)
    return lengths
