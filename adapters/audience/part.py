"""One part of the audience, the recipients of one table, with a set of people for everything that is asked of it.

A part never changes. Which of its people count, when several parts know a number, is the view's.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pyroaring import FrozenBitMap
from shapely.geometry.base import BaseGeometry

from adapters.audience.duties import DutyTable
from adapters.audience.people import NOBODY, all_of, people_of
from adapters.audience.places import Places
from adapters.audience.points import PointIndex
from adapters.audience.table import Column, RecipientTable
from domain.levels import Level
from domain.recipients import EVERY_HAZARD, ChannelKind, Duty

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Who cannot be found by place, and why: their entries want mending, or the outlet wants boundaries.

    `unknown_codes` are area codes that mean no place of ours, with who is entered for them. `points_nowhere` are
    people with a circle that touches no boundary of a district. `nowhere` are those whom nothing places at all: no
    warning concerns them.
    """

    unknown_codes: Mapping[str, FrozenBitMap]
    points_nowhere: FrozenBitMap
    nowhere: FrozenBitMap


class AudiencePart:
    """Everyone in a table of recipients, by what concerns them."""

    def __init__(self, table: RecipientTable, places: Places) -> None:
        """Build all sets; a million recipients take a few seconds."""
        self.mode = table.mode
        self.people = people_of(table.numbers)
        self._places = places
        self.by_role = _by_value(table, table.roles)
        self.by_language = _by_value(table, table.languages)
        self.by_preference = _by_value(table, table.channels)
        self.by_channel: Mapping[ChannelKind, FrozenBitMap] = _merged(
            _by_value(table, table.channels), lambda kinds: kinds[:1]
        )
        self._duties = DutyTable(table)
        by_level = _by_value(table, table.levels)
        self._from_level = {
            level: all_of(people for lowest, people in by_level.items() if lowest <= level) for level in Level
        }
        self._by_hazard = _by_each(table, table.hazards)
        entered = _by_each(table, table.areas)
        self._unknown_codes = {code: people for code, people in entered.items() if not places.meant_by(code)}
        self._entered = _merged(entered, places.meant_by)
        self._in_or_within = _merged(self._entered, lambda code: (code, *places.around(code)))
        self._points = PointIndex(table.numbers[table.circle_rows], table.circles) if len(table.circles) else None
        self._with_points = people_of(np.unique(table.numbers[table.circle_rows]))
        self._touching: dict[str, FrozenBitMap] = {}

    def wanting(self, hazard: str) -> FrozenBitMap:
        """Who is to hear of this hazard."""
        return self._by_hazard.get(EVERY_HAZARD, NOBODY) | self._by_hazard.get(hazard, NOBODY)

    def from_level(self, level: Level) -> FrozenBitMap:
        """Whose lowest level is this one or a lower one."""
        return self._from_level[level]

    def concerned(self, areas: Sequence[tuple[str, Sequence[str]]]) -> FrozenBitMap:
        """Who is entered for one of these areas, for one within it or around it, or has a point that may lie in it.

        Areas are given with those around them.
        """
        around = {place for _, within in areas for place in within}
        sets = [self._in_or_within[code] for code, _ in areas if code in self._in_or_within]
        sets += [self._entered[code] for code in around if code in self._entered]
        if self._points is not None:
            sets += [self._touching_area(self._points, code, within) for code, within in areas]
        return all_of(sets)

    def _touching_area(self, points: PointIndex, code: str, within: Sequence[str]) -> FrozenBitMap:
        """Whose circle touches the area, or the smallest area around it of which there is a boundary.

        Who has a point is entered, so to speak, for the smallest area that is known to hold it; so a warning for a
        township without a boundary concerns them as it concerns who is entered for the district.
        """
        deciding = self._places.deciding_shape(code, within)
        if deciding is None:
            return NOBODY
        place, shape = deciding
        if place not in self._touching:
            self._touching[place] = points.touching(shape)
        return self._touching[place]

    def people_within(self, shape: BaseGeometry) -> FrozenBitMap:
        """Who has a circle that touches this shape; areas that somebody is entered for say nothing here."""
        return NOBODY if self._points is None else self._points.touching(shape)

    def duties(self, people: FrozenBitMap) -> Iterable[Duty]:
        """What those of these people who are in the part answer for, by rising number."""
        return self._duties.of(people & self.people)

    def unplaced(self) -> Unplaced:
        """Who cannot be found by place."""
        placed = NOBODY
        if self._points is not None:
            points = self._points
            placed = all_of(self._touching_area(points, code, ()) for code in self._places.districts())
        lost = self._with_points - placed
        return Unplaced(self._unknown_codes, lost, self.people - all_of(self._entered.values()) - placed)


def _by_value(table: RecipientTable, column: Column[V]) -> dict[V, FrozenBitMap]:
    """People by their value in a column."""
    return dict(zip(column.values, _split(table, column.places, None, len(column.values)), strict=True))


def _by_each(table: RecipientTable, column: Column[tuple[str, ...]]) -> dict[str, FrozenBitMap]:
    """People by each of the words that their value in a column consists of."""
    words = sorted({word for value in column.values for word in value})
    place_of = {word: place for place, word in enumerate(words)}
    if all(len(value) == 1 for value in column.values):
        own = np.array([place_of[value[0]] for value in column.values], dtype=np.uint32)
        return dict(zip(words, _split(table, own[column.places], None, len(words)), strict=True))
    lengths = np.array([len(value) for value in column.values], dtype=np.int64)
    flat = np.array([place_of[word] for value in column.values for word in value], dtype=np.uint32)
    starts = np.cumsum(lengths) - lengths
    counts = lengths[column.places]
    rows = np.repeat(np.arange(len(counts), dtype=np.uint32), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return dict(zip(words, _split(table, flat[starts[column.places][rows] + within], rows, len(words)), strict=True))


def _split(
    table: RecipientTable, places: NDArray[np.uint32], rows: NDArray[np.uint32] | None, count: int
) -> Iterable[FrozenBitMap]:
    """The people at each place. `rows` says whose each entry is, where a recipient has several."""
    if count == 1:
        return [people_of(table.numbers if rows is None else table.numbers[np.unique(rows)])]
    order = np.argsort(places, kind="stable")  # so that the numbers at one place still rise
    numbers = table.numbers[order if rows is None else rows[order]]
    ends = np.searchsorted(places[order], np.arange(count + 1))
    return [people_of(numbers[ends[place] : ends[place + 1]]) for place in range(count)]


def _merged(sets: Mapping[V, FrozenBitMap], keys_of: Callable[[V], Iterable[K]]) -> dict[K, FrozenBitMap]:
    """The sets under other keys; what comes under the same key is one set."""
    gathered: dict[K, list[FrozenBitMap]] = {}
    for value, people in sets.items():
        for key in keys_of(value):
            gathered.setdefault(key, []).append(people)
    return {key: found[0] if len(found) == 1 else all_of(found) for key, found in gathered.items()}
