"""The org's clock: what all machines that work on one org have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


class OrgClock:
    """Tells the org's time by the ``Date`` header of its latest answer (RFC 9110 §6.6.1).

    Until an answer had one, it tells this machine's time. It may be late, by the time that an answer travels
    and that the machine slept since, but never ahead of the org by more than the header is exact: a second.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._said: tuple[datetime, float] | None = None

    def heard(self, headers: Mapping[str, str]) -> None:
        """Notes the time of an answer that has just arrived; one without a date, or with no proper one, tells none."""
        try:
            said = parsedate_to_datetime(headers.get("date", ""))
        except (TypeError, ValueError, OverflowError):
            return
        self._said = (said if said.tzinfo else said.replace(tzinfo=UTC), self._monotonic())

    def now(self) -> datetime:
        """The time in UTC."""
        if self._said is None:
            return datetime.now(UTC)
        said, at = self._said
        return said.astimezone(UTC) + timedelta(seconds=self._monotonic() - at)
