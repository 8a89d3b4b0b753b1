"""A calendar month in the outlet's time zone, and how figures of time are taken."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from math import ceil
from statistics import median
from typing import Final

from projections.base import MICROSECOND
from projections.monthly.values import Spread

_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_LAST_MONTH_OF_A_YEAR: Final = 12
_YEARS: Final = range(1970, 9999)
"""Zones of earlier years have offsets with seconds, which no event has."""

_MICROSECONDS_PER_SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Period:
    """From the first moment of a month up to, not including, the first of the next."""

    name: str
    begins: datetime
    ends: datetime
    zone: tzinfo

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies in the month."""
        return self.begins <= moment < self.ends

    def day(self, moment: datetime) -> date:
        """The day of the outlet's calendar on which the moment lies."""
        return moment.astimezone(self.zone).date()

    def days(self, until: datetime) -> tuple[date, ...]:
        """The days of the month that have begun before `until`."""
        first = self.begins.date()
        end = min(until, self.ends)
        count = (self.day(end - MICROSECOND) - first).days + 1 if end > self.begins else 0
        return tuple(first + timedelta(days=number) for number in range(count))


def month_named(name: str, zone: tzinfo) -> Period:
    """The month written as `2026-09`.

    Raises:
        ValueError: this is no month.
    """
    found = _MONTH.fullmatch(name)
    year, month = (int(found[1]), int(found[2])) if found else (0, 0)
    if year not in _YEARS:
        raise ValueError(f"{name!r} is not a month, such as 2026-09")
    following = (year + 1, 1) if month == _LAST_MONTH_OF_A_YEAR else (year, month + 1)
    return Period(
        name=name,
        begins=datetime(year, month, 1, tzinfo=zone),
        ends=datetime(*following, 1, tzinfo=zone),
        zone=zone,
    )


def spread_of(durations: Sequence[timedelta]) -> Spread:
    """Median (the mean of the middle two where they are even), 90th percentile by nearest rank, and the longest."""
    if not durations:
        return Spread(samples=0, median_seconds=None, p90_seconds=None, longest_seconds=None)
    ordered = sorted(duration // MICROSECOND for duration in durations)
    return Spread(
        samples=len(ordered),
        median_seconds=_seconds(median(ordered)),
        p90_seconds=_seconds(ordered[ceil(len(ordered) * 9 / 10) - 1]),
        longest_seconds=_seconds(ordered[-1]),
    )


def seconds_between(start: datetime, end: datetime) -> float:
    """The seconds from one moment to another, to the millisecond."""
    return _seconds((end - start) // MICROSECOND)


def _seconds(microseconds: float) -> float:
    return round(microseconds / _MICROSECONDS_PER_SECOND, 3)
