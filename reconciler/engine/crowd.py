"""How many changes run at once: as many as allowed, and fewer for a while after the org said that it is too much."""

from __future__ import annotations

from collections.abc import Callable


class Crowd:
    """Halved when the org answers 429, one more again with every change that ends without."""

    def __init__(self, most: int, throttled: Callable[[], int]) -> None:
        """``throttled`` counts the 429s so far; those before now are over."""
        self._most = most
        self._throttled = throttled
        self._known = throttled()
        self._patience = 0
        self.limit = most
        """How many may run at the moment."""

    def one_ended(self) -> None:
        """A change ended: time to think about the limit."""
        count = self._throttled()
        self._patience = max(0, self._patience - 1)
        if count > self._known:
            self._known = count
            if not self._patience:
                # What runs now was begun before: its 429s are not told twice.
                self._patience = self.limit
                self.limit = max(1, self.limit // 2)
        elif not self._patience:
            self.limit = min(self._most, self.limit + 1)
