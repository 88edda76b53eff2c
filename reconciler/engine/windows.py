"""Whether changes may be applied at a moment, and when they may next.

Everything goes by the clock on the wall in the windows' zone: in the night in which an hour comes twice, a window
over that hour is open both times; where the clock jumps, the hour that is left out is never open, and what begins in
it is open from the jump on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from reconciler.specs.windows import DAYS, Opening, Windows

HORIZON_DAYS = 400
"""How far ahead an opening is looked for: a year, and what a yearly rule may miss."""
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Closed:
    """Why nothing may be applied at a moment."""

    why: str
    """One clause, e.g. ``2026-12-25 is Christmas Day``."""
    opens: datetime | None
    """The next moment at which something may be applied; None where there is none within ``HORIZON_DAYS``."""


class Calendar:
    """The windows of one environment."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        self.zone = ZoneInfo(windows.time_zone)
        self._starts = [_starting(opening) for opening in windows.open]

    def closed(self, moment: datetime) -> Closed | None:
        """Why nothing may be applied at this (aware) moment; None where it may."""
        why = self._why(moment)
        return None if why is None else Closed(why, self.next_opening(moment))

    def is_open(self, moment: datetime) -> bool:
        """Whether something may be applied at this moment."""
        return self._why(moment) is None

    def next_opening(self, moment: datetime) -> datetime | None:
        """The first moment from this one on at which something may be applied, to the minute, in the windows' zone."""
        if self.is_open(moment):
            return moment.astimezone(self.zone)
        local = moment.astimezone(self.zone).date()
        for day in (local + _DAY * count for count in range(-1, HORIZON_DAYS)):
            for candidate in self._beginnings(day):
                if candidate > moment and self.is_open(candidate):
                    return candidate.astimezone(self.zone)
        return None

    def closing(self, moment: datetime) -> datetime | None:
        """When the window closes that is open at this moment; None where it stays open for a week or longer."""
        found = moment.astimezone(UTC).replace(second=0, microsecond=0)
        end = found + _DAY * 7
        step = timedelta(minutes=15)
        while self.is_open(found):
            found += step
            if found > end:
                return None
        found -= step
        while self.is_open(found):
            found += _MINUTE
        return found.astimezone(self.zone)

    def _why(self, moment: datetime) -> str | None:
        wall = moment.astimezone(self.zone)
        if (reason := self._closed_day(wall.date())) is not None:
            return reason
        if not self.windows.open or any(self._covers(number, wall) for number in range(len(self._starts))):
            return None
        return f"{DAYS[wall.weekday()].capitalize()} {wall:%Y-%m-%d %H:%M} ({self.windows.time_zone}) is in no window"

    def _closed_day(self, day: date) -> str | None:
        for closure in self.windows.closed:
            if closure.first <= day <= closure.last:
                return f"{day} is closed{f' ({closure.reason})' if closure.reason else ''}"
        name = self._holiday_names(day)
        return f"{day} is {name}" if name else None

    def _covers(self, number: int, wall: datetime) -> bool:
        opening, starts = self.windows.open[number], self._starts[number]
        day, clock = wall.date(), wall.time()
        if opening.start < opening.end:
            return opening.start <= clock < opening.end and starts(day)
        begun_today = clock >= opening.start and starts(day)
        return begun_today or (clock < opening.end and starts(day - _DAY))

    def _beginnings(self, day: date) -> Iterator[datetime]:
        """Moments of a day at which something may begin to be open, in order."""
        clocks = {time(0, 0)} | {opening.start for opening in self.windows.open}
        moments = {found for clock in clocks for found in self._moments(day, clock)}
        yield from sorted(moments)

    def _moments(self, day: date, clock: time) -> Iterator[datetime]:
        """The moments at which the wall shows this; where the clock jumps over it, the moment of the jump."""
        for fold in (0, 1):
            moment = datetime.combine(day, clock, self.zone).replace(fold=fold).astimezone(UTC)
            if moment.astimezone(self.zone).time() == clock:
                yield moment
            else:
                yield self._jump(moment)

    def _jump(self, near: datetime) -> datetime:
        """The moment within some hours of this one at which the clock jumps ahead, to the minute."""
        found = near - timedelta(hours=3)
        while _offset(found + _MINUTE, self.zone) <= _offset(found, self.zone):
            found += _MINUTE
        return found + _MINUTE

    @cached_property
    def _holiday_names(self) -> Callable[[date], str | None]:
        wanted = self.windows.holidays
        if wanted is None:
            return lambda _day: None
        import holidays

        return holidays.country_holidays(wanted.country, subdiv=wanted.subdivision).get


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _starting(opening: Opening) -> Callable[[date], bool]:
    """Whether an opening begins on a day."""
    if opening.rule is None:
        days = {DAYS.index(day) for day in opening.days} or set(range(7))
        return lambda day: day.weekday() in days
    from dateutil.rrule import rrulestr

    rule = opening.rule

    def recurs(day: date) -> bool:
        midnight = datetime.combine(day, time())
        # Begun a year before, so that rules of months and years find their days.
        found = rrulestr(rule, dtstart=datetime(day.year - 1, 1, 1))  # noqa: DTZ001 - days have no zone
        return bool(found.between(midnight, midnight, inc=True))

    return recurs
