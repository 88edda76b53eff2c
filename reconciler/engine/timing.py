"""When a run may begin: at once, at a named time, or when the environment's next window opens.

While it waits, a run holds no lock and has nothing in hand; it may be stopped at any time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import ClassVar
from zoneinfo import ZoneInfo

from reconciler.engine.windows import Calendar, Closed
from reconciler.problems import ReconcilerError
from reconciler.specs import Environment

LONGEST_WAIT = timedelta(hours=24)
LOOK_SECONDS = 30.0
"""How long to sleep at most before the clock is looked at again: it may be set, and the machine may sleep."""


class OutsideWindowError(ReconcilerError):
    """Nothing may be applied now, by the environment's windows."""

    exit_code: ClassVar[int] = 1


@dataclass(frozen=True)
class Timing:
    """What the command line asks for."""

    at: datetime | None = None
    """Not before this (aware) moment."""
    wait_for_window: bool = False
    override: str | None = None
    """Why the windows are set aside."""
    longest: timedelta = LONGEST_WAIT
    """Refused where it would have to wait longer."""


def moment_of(text: str, zone: tzinfo) -> datetime:
    """A moment as people write it, ``2026-11-21T02:00+01:00``; without an offset, by the clock of ``zone``.

    Raises:
        ReconcilerError: it is no date and time.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ReconcilerError(
            f"{text!r} is not a date and time.", remedy="Write it like 2026-11-21T02:00+01:00."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def zone_of(environment: Environment) -> tzinfo:
    """The zone in which times of an environment are told and read: its windows', else UTC."""
    return ZoneInfo(environment.windows.time_zone) if environment.windows else UTC


@dataclass(frozen=True)
class Gate:
    """Lets a run begin when it may."""

    environment: Environment
    timing: Timing
    now: Callable[[], datetime]
    notice: Callable[[str], None]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def begin(self) -> datetime | None:
        """When the run may begin; None for at once.

        Raises:
            OutsideWindowError: it may not, and was not told to wait or to set the windows aside.
            ReconcilerError: the time is over already, or too far ahead.
        """
        now = self.now()
        wanted = self.timing.at or now
        if self.timing.at is not None and wanted < now - timedelta(minutes=1):
            raise ReconcilerError(
                f"{self._told(wanted)} is over; it is {self._told(now)}.", remedy="Name a later time with --at."
            )
        closed = self._closed(wanted)
        if closed is not None and not self.timing.wait_for_window:
            raise self._refusal(closed)
        if closed is not None:
            if closed.opens is None:
                raise self._refusal(closed)
            # In UTC, because a time in the hour that comes twice is equal to no other in Python.
            wanted = closed.opens.astimezone(UTC)
        if wanted <= now:
            return None
        if wanted - now > self.timing.longest:
            raise ReconcilerError(
                f"It would have to wait until {self._told(wanted)}, longer than {_hours(self.timing.longest)}.",
                remedy="Start it later, or allow a longer wait with --max-wait.",
            )
        return wanted

    async def wait(self) -> bool:
        """Returns when the run may begin; whether it had to wait.

        Raises:
            OutsideWindowError, ReconcilerError: as ``begin``.
        """
        if self.timing.override and self._outside(self.timing.at or self.now()) is not None:
            self.notice(f"The windows of {self.environment.name} are set aside: {self.timing.override}")
        until = self.begin()
        if until is None:
            return False
        self.notice(f"Waiting until {self._told(until)}; nothing is locked meanwhile. Ctrl-C gives up.")
        while (left := (until - self.now()).total_seconds()) > 0:
            await self.sleep(min(left, LOOK_SECONDS))
        return True

    def _closed(self, moment: datetime) -> Closed | None:
        return None if self.timing.override else self._outside(moment)

    def _outside(self, moment: datetime) -> Closed | None:
        windows = self.environment.windows
        return Calendar(windows).closed(moment) if windows else None

    def _refusal(self, closed: Closed) -> OutsideWindowError:
        opens = f"It opens {self._told(closed.opens)}." if closed.opens else "No window opens within a year."
        return OutsideWindowError(
            f"Nothing may be applied to {self.environment.name} now: {closed.why}. {opens}",
            remedy="Wait with --wait-for-window, or, if it cannot wait, set the windows aside with "
            "--override-window 'REASON'; the reason is recorded.",
        )

    def _told(self, moment: datetime) -> str:
        zone = zone_of(self.environment)
        name = self.environment.windows.time_zone if self.environment.windows else "UTC"
        return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M} ({name})"


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:g} hour{'' if hours == 1 else 's'}"
