"""How fast the org is asked: the most requests of one token in any minute, as they arrived."""

from __future__ import annotations

from collections import deque

WINDOW_SECONDS = 60.0
"""Over which the platform counts (facts §2: limits are per minute)."""


class Rates:
    """Watches the requests of each token; of this process alone, in the org's own time."""

    def __init__(self) -> None:
        self._arrived: dict[str, deque[float]] = {}
        self.most_in_a_minute = 0
        """Refused requests count as well: the platform counts them."""

    def note(self, token: str, now: float) -> None:
        """A request has arrived."""
        arrived = self._arrived.setdefault(token, deque())
        arrived.append(now)
        while arrived[0] <= now - WINDOW_SECONDS:
            arrived.popleft()
        self.most_in_a_minute = max(self.most_in_a_minute, len(arrived))

    def reset(self) -> None:
        """Measures anew; what arrived already stays in its minute."""
        self.most_in_a_minute = 0
