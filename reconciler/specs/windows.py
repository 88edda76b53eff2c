"""When changes may be applied in an environment: the ``windows`` of its file.

Times are what the clock on the wall shows in the windows' time zone. How they are evaluated stands in
``engine.windows``.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAMING_DAYS = ("BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYEASTER")
"""Without one of them a rule would take its day from wherever it is counted from."""
Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Opening(_Part):
    """Days on which, and hours between which, changes may be applied; past midnight where ``to`` is not after ``from``.

    Without ``days`` and ``rule``: every day.
    """

    days: Annotated[tuple[Day, ...], Field(strict=False)] = ()
    """Days of the week on which it begins."""
    rule: Text | None = None
    """Days on which it begins as an RFC 5545 recurrence, e.g. ``FREQ=MONTHLY;BYDAY=3SU``."""
    from_: Annotated[Text, Field(alias="from")]
    """``HH:MM``, included."""
    to: Text
    """``HH:MM``, no longer included; ``24:00`` is midnight."""

    @field_validator("from_")
    @classmethod
    def _start(cls, value: str) -> str:
        if _clock(value) is None or value == "24:00":
            raise ValueError("write a time like 20:00")
        return value

    @field_validator("to")
    @classmethod
    def _end(cls, value: str) -> str:
        if _clock(value) is None:
            raise ValueError("write a time like 23:30, or 24:00")
        return value

    @field_validator("rule")
    @classmethod
    def _recurs(cls, value: str | None) -> str | None:
        if value is not None:
            from dateutil.rrule import rrulestr

            try:
                rrulestr(value, dtstart=dt.datetime(2026, 1, 1))  # noqa: DTZ001 - days have no zone
            except (ValueError, TypeError, AttributeError, KeyError) as error:
                raise ValueError("not a recurrence rule such as FREQ=MONTHLY;BYDAY=3SU") from error
            if any(part in value.upper() for part in ("COUNT", "INTERVAL", "HOURLY", "MINUTELY", "SECONDLY", "BYHOUR")):
                raise ValueError("only rules that name days, without COUNT, INTERVAL or hours")
            if "FREQ=DAILY" not in value.upper() and not any(part in value.upper() for part in NAMING_DAYS):
                raise ValueError(f"the rule names no days; give one of {', '.join(NAMING_DAYS)}")
        return value

    @model_validator(mode="after")
    def _one(self) -> Opening:
        if self.days and self.rule:
            raise ValueError("give days or rule, not both")
        return self

    @property
    def start(self) -> dt.time:
        """When it begins."""
        found = _clock(self.from_)
        assert found is not None
        return found

    @property
    def end(self) -> dt.time:
        """When it ends; midnight of the following day as 00:00."""
        found = _clock(self.to)
        assert found is not None
        return found


class Closure(_Part):
    """Days on which nothing is applied, whatever is open: one ``date``, or ``from`` … ``to``, both included."""

    date: Text | None = None
    """A single day, e.g. ``2026-12-24``."""
    from_: Annotated[Text | None, Field(alias="from")] = None
    """The first of several days."""
    to: Text | None = None
    """The last of several days, closed as well."""
    reason: Text | None = None
    """Shown to whoever wants to apply."""

    @field_validator("date", "from_", "to")
    @classmethod
    def _day(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                dt.date.fromisoformat(value)
            except ValueError:
                raise ValueError("write a date like 2026-12-24") from None
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Closure:
        if (self.date is None) == (self.from_ is None and self.to is None):
            raise ValueError("give a date, or from and to")
        if self.date is None and (self.from_ is None or self.to is None):
            raise ValueError("give both from and to")
        if self.last < self.first:
            raise ValueError("it ends before it begins")
        return self

    @property
    def first(self) -> dt.date:
        """The first day."""
        return dt.date.fromisoformat(self.date or self.from_ or "")

    @property
    def last(self) -> dt.date:
        """The last day."""
        return dt.date.fromisoformat(self.date or self.to or "")


class Holidays(_Part):
    """Public holidays, by the `holidays` library's names of countries and subdivisions."""

    country: Text
    """ISO 3166 code, e.g. ``GB``."""
    subdivision: Text | None = None
    """E.g. ``ENG``."""

    @model_validator(mode="after")
    def _known(self) -> Holidays:
        import holidays

        try:
            holidays.country_holidays(self.country, subdiv=self.subdivision)
        except NotImplementedError:
            place = f"{self.country}/{self.subdivision}" if self.subdivision else self.country
            raise ValueError(f"no holidays are known for {place}") from None
        return self


class Windows(_Part):
    """When changes may be applied. Without ``open`` every hour is open that is not closed."""

    time_zone: Text
    """IANA name, e.g. ``Europe/London``."""
    open: Annotated[tuple[Opening, ...], Field(strict=False)] = ()
    """Hours in which changes may be applied."""
    closed: Annotated[tuple[Closure, ...], Field(strict=False)] = ()
    """Days on which nothing is applied."""
    holidays: Holidays | None = None
    """Public holidays are closed."""

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("not the name of a time zone such as Europe/London") from None
        return value


def _clock(text: str) -> dt.time | None:
    hours, colon, minutes = text.partition(":")
    if text == "24:00":
        return dt.time(0, 0)
    if not (colon and len(hours) == len(minutes) == 2 and hours.isdecimal() and minutes.isdecimal()):
        return None
    try:
        return dt.time(int(hours), int(minutes))
    except ValueError:
        return None
