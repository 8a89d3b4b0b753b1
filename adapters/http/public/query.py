"""Reads the parameters of public requests: what is unknown or cannot be used is refused with its reason.

A parameter that is passed over would widen the answer without a word: `distrikt=330604` would mean everywhere.
"""

import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from starlette.requests import Request

from adapters.http.public.refusals import cannot_be_used
from domain.events import WarningReleased
from domain.findings import Code, Finding, refusal
from domain.levels import Level
from domain.policy import Policy
from domain.sections import Section
from domain.values import has_a_zone

T = TypeVar("T")

_LOST_PLUS: Final = re.compile(r"(T[0-9:.]+) ([0-9]{2}:?[0-9]{2})")
EARLIEST_YEAR: Final = 1970
LATEST_YEAR: Final = 9998
_LONGEST: Final = 400
"""Characters of a value; longer ones are no code, time or cursor of ours."""

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees; west of it above east when it crosses the antimeridian."""


class Parameters:
    """A request's parameters, read one by one; every defect is collected and refused at once."""

    def __init__(self, request: Request, allowed: Collection[str]) -> None:
        """Note the unknown ones."""
        self._items = request.query_params.multi_items()
        names = dict.fromkeys(name for name, _ in self._items)
        self.findings: list[Finding] = [
            _finding(name, f"There is no parameter {name!a}; there are {', '.join(sorted(allowed))}.")
            for name in names
            if name not in allowed
        ]

    def many(self, name: str, read: Callable[[str], T]) -> tuple[T, ...]:
        """Every value of a parameter that may be repeated; the values may also be joined by commas."""
        values = [value for key, text in self._items if key == name for value in text.split(",")]
        return tuple(found for value in values if (found := self.read(name, value, read)) is not None)

    def one(self, name: str, read: Callable[[str], T]) -> T | None:
        """The value of a parameter that may stand once; None where it does not."""
        values = [text for key, text in self._items if key == name]
        if len(values) > 1:
            self.findings.append(_finding(name, f"The parameter {name} may stand once."))
        return self.read(name, values[0], read) if values else None

    def refuse_if_any(self) -> None:
        """End the request if anything was found.

        Raises:
            ProblemError: with every finding.
        """
        if self.findings:
            raise cannot_be_used(self.findings)

    def read(self, name: str, value: str, read: Callable[[str], T]) -> T | None:
        """A value that stands for itself; None, and a finding, when it cannot be read."""
        if len(value) > _LONGEST:
            self.findings.append(_finding(name, f"The parameter {name} is too long."))
            return None
        try:
            return read(value)
        except ValueError as error:
            self.findings.append(_finding(name, f"The parameter {name} cannot be {value[:80]!r}: {error}."))
            return None


def _finding(name: str, sentence: str) -> Finding:
    return refusal(Code.VALUE, f"/query/{name[:80]}", sentence)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which warnings are asked for; empty parts mean all of them."""

    districts: frozenset[str] = frozenset()
    hazards: frozenset[str] = frozenset()
    level_min: Level | None = None

    def wants(self, hazard: str, level: Level | None) -> bool:
        """Whether a hazard at a level is asked for."""
        if self.hazards and hazard not in self.hazards:
            return False
        return self.level_min is None or (level is not None and level >= self.level_min)

    def wants_district(self, code: str) -> bool:
        """Whether a district is asked for."""
        return not self.districts or code in self.districts

    def wants_content(self, sections: Collection[Section]) -> bool:
        """Whether any of the sections is asked for."""
        return any(self.wants(section.hazard, section.level) for section in sections)

    def wants_release(self, event: WarningReleased) -> bool:
        """Whether a release is news: what is asked for is in it, was lowered in it, or was lifted by it."""
        if not self.wants_district(event.district):
            return False
        return self.wants_content(event.sections) or any(
            self.wants(change.hazard, level) for change in event.changes for level in (change.before, change.after)
        )


FILTERS: Final = ("district", "hazard", "level_min")


def read_filter(parameters: Parameters, *, policy: Policy, knows_district: Callable[[str], bool]) -> Filter:
    """The filters `district`, `hazard` and `level_min`. A code that nothing can have is a mistake, and refused."""

    def district(text: str) -> str:
        if not knows_district(text):
            raise ValueError("this outlet has no such district")
        return text

    def hazard(text: str) -> str:
        if policy.hazard_index.get(text) is None:
            raise ValueError("this outlet's policy has no such hazard")
        return text

    return Filter(
        districts=frozenset(parameters.many("district", district)),
        hazards=frozenset(parameters.many("hazard", hazard)),
        level_min=parameters.one("level_min", read_level),
    )


def read_level(text: str) -> Level:
    """A level by its word.

    Raises:
        ValueError: there is none such.
    """
    try:
        return Level(text)
    except ValueError:
        raise ValueError(f"levels are {', '.join(level.value for level in Level)}") from None


def read_past(now: datetime) -> Callable[[str], datetime]:
    """Reads a moment that is not after `now`: what will be in force then, nobody knows."""

    def read(text: str) -> datetime:
        # A `+` that was not written as %2B arrives as a space.
        moment = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text))
        has_a_zone(moment)
        if moment.year < EARLIEST_YEAR:  # at the calendar's ends a change of zone has no date
            raise ValueError(f"nothing was released before {EARLIEST_YEAR}")
        if moment > now:
            raise ValueError("it is in the future")
        return moment

    return read


def read_whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number within bounds."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most} is expected")
        return int(text)

    return read


def read_truth(text: str) -> bool:
    """`true` or `false`."""
    if text not in {"true", "false"}:
        raise ValueError("true or false is expected")
    return text == "true"


def read_point(text: str) -> tuple[float, float]:
    """`latitude,longitude` in degrees, WGS 84."""
    latitude, longitude = _degrees(text, 2)
    _within(latitude, 90, "latitude")
    _within(longitude, 180, "longitude")
    return latitude, longitude


def read_box(text: str) -> Box:
    """`west,south,east,north` in degrees, WGS 84 (RFC 7946, section 5); west above east crosses the antimeridian."""
    west, south, east, north = _degrees(text, 4)
    for value in (south, north):
        _within(value, 90, "latitude")
    for value in (west, east):
        _within(value, 180, "longitude")
    if south > north:
        raise ValueError("its south lies above its north")
    return west, south, east, north


def _degrees(text: str, count: int) -> list[float]:
    parts = text.split(",")
    if len(parts) != count:
        raise ValueError(f"{count} numbers with commas between them are expected")
    try:
        return [float(part) for part in parts]
    except ValueError:
        raise ValueError("numbers of degrees are expected") from None


def _within(value: float, most: float, what: str) -> None:
    if math.isnan(value) or abs(value) > most:
        raise ValueError(f"a {what} is from -{most:g} to {most:g}")
