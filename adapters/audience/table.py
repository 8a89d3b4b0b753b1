"""Recipients by column: each distinct value once, and for every recipient which of them is theirs.

Here: the table, made of recipients and given back as recipients. How it is written is the codec's.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from adapters.audience.people import Numbers
from domain.areas import Circle
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import FIRST_TURN, ChannelKind, Recipient

NO_POST: Final = ""

V = TypeVar("V")
Floats = NDArray[np.float64]
Places = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Column(Generic[V]):
    """One field of all recipients: its distinct values in order, and the place in them of each recipient's."""

    values: tuple[V, ...]
    places: Places


@dataclass(frozen=True, slots=True)
class RecipientTable:
    """Recipients of one mode, by rising number. `circles` are (latitude, longitude, radius in km) with their rows.

    `posts` is None where everyone answers alone, `turns` where everyone is the first: most rosters are such.
    """

    mode: Mode
    numbers: Numbers
    rosters: Column[str]
    roles: Column[str]
    languages: Column[str]
    areas: Column[tuple[str, ...]]
    hazards: Column[tuple[str, ...]]
    levels: Column[Level]
    channels: Column[tuple[ChannelKind, ...]]
    circle_rows: Places
    circles: Floats
    posts: Column[str] | None = None
    turns: Column[int] | None = None

    def __post_init__(self) -> None:
        """Refuse columns that do not belong together.

        Raises:
            ValueError: a column is longer or shorter than the others, or names a value or row that is not there.
        """
        count = len(self.numbers)
        rare: tuple[Column[Any] | None, ...] = (self.posts, self.turns)
        for column in (*self._columns(), *filter(None, rare)):
            if len(column.places) != count or (count and int(column.places.max()) >= len(column.values)):
                raise ValueError("a column does not have one known value for each recipient")
        if len(self.circle_rows) != len(self.circles) or (self.circle_rows >= count).any():
            raise ValueError("a circle belongs to no recipient")
        if (self.numbers[1:] <= self.numbers[:-1]).any():
            raise ValueError("a number stands twice, or the numbers do not rise")

    def _columns(self) -> tuple[Column[Any], ...]:
        return self.rosters, self.roles, self.languages, self.areas, self.hazards, self.levels, self.channels

    def rows(self, start: int, end: int | None) -> "RecipientTable":
        """The recipients from one row up to before another."""
        keep = np.zeros(len(self.numbers), dtype=bool)
        keep[start:end] = True
        return self.only(keep)

    def only(self, keep: NDArray[np.bool_]) -> "RecipientTable":
        """The recipients of the rows that are to be kept."""
        rows = np.cumsum(keep) - 1
        circles = keep[self.circle_rows]
        return RecipientTable(
            mode=self.mode,
            numbers=self.numbers[keep],
            rosters=_only(self.rosters, keep),
            roles=_only(self.roles, keep),
            languages=_only(self.languages, keep),
            areas=_only(self.areas, keep),
            hazards=_only(self.hazards, keep),
            levels=_only(self.levels, keep),
            channels=_only(self.channels, keep),
            circle_rows=rows[self.circle_rows[circles]].astype(np.uint32),
            circles=self.circles[circles],
            posts=None if self.posts is None else _unless_all(NO_POST, _only(self.posts, keep)),
            turns=None if self.turns is None else _unless_all(FIRST_TURN, _only(self.turns, keep)),
        )

    def recipients(self) -> Iterator[Recipient]:
        """The recipients, each as it was given."""
        circles: dict[int, list[Circle]] = {}
        for row, (latitude, longitude, radius_km) in zip(self.circle_rows.tolist(), self.circles.tolist(), strict=True):
            circles.setdefault(row, []).append(Circle(latitude=latitude, longitude=longitude, radius_km=radius_km))
        count = len(self.numbers)
        posts, turns = filled(self.posts, NO_POST, count), filled(self.turns, FIRST_TURN, count)
        columns = [column.places.tolist() for column in (*self._columns(), posts, turns)]
        for row, (number, *places) in enumerate(zip(self.numbers.tolist(), *columns, strict=True)):
            roster, role, language, areas, hazards, level, channels, post, turn = places
            yield Recipient(
                number=number,
                roster=self.rosters.values[roster],
                mode=self.mode,
                role=self.roles.values[role],
                language=self.languages.values[language],
                areas=self.areas.values[areas],
                circles=tuple(circles.get(row, ())),
                hazards=self.hazards.values[hazards],
                level_min=self.levels.values[level],
                channels=self.channels.values[channels],
                post=posts.values[post],
                turn=turns.values[turn],
            )


def table_of(mode: Mode, recipients: Iterable[Recipient]) -> RecipientTable:
    """The table of recipients of one mode.

    Raises:
        ValueError: a recipient is of the other mode, or a number stands twice.
    """
    found = sorted(recipients, key=lambda one: one.number)
    if any(one.mode is not mode for one in found):
        raise ValueError(f"a recipient is not of mode {mode.value}")
    circles = [
        (row, circle.latitude, circle.longitude, circle.radius_km)
        for row, one in enumerate(found)
        for circle in one.circles
    ]
    return RecipientTable(
        mode=mode,
        numbers=np.fromiter((one.number for one in found), dtype=np.uint32, count=len(found)),
        rosters=_column(found, lambda one: one.roster),
        roles=_column(found, lambda one: one.role),
        languages=_column(found, lambda one: one.language),
        areas=_column(found, lambda one: one.areas),
        hazards=_column(found, lambda one: one.hazards),
        levels=_column(found, lambda one: one.level_min),
        channels=_column(found, lambda one: one.channels),
        posts=_unless_all(NO_POST, _column(found, lambda one: one.post)),
        turns=_unless_all(FIRST_TURN, _column(found, lambda one: one.turn)),
        circle_rows=np.array([row for row, *_ in circles], dtype=np.uint32),
        circles=np.array([circle for _, *circle in circles], dtype=np.float64).reshape(-1, 3),
    )


def joined(tables: Sequence[RecipientTable]) -> RecipientTable:
    """One table of several of the same mode, in which no number stands twice.

    Raises:
        ValueError: a number stands in two of them, or they are of different modes, or there is none.
    """
    if len({table.mode for table in tables}) != 1:
        raise ValueError("tables of one mode are joined")
    numbers = np.concatenate([table.numbers for table in tables])
    order = np.argsort(numbers, kind="stable")
    rows = np.empty(len(numbers), dtype=np.uint32)
    rows[order] = np.arange(len(numbers), dtype=np.uint32)
    firsts = np.cumsum([0, *(len(table.numbers) for table in tables)])[:-1]
    circle_rows = np.concatenate(
        [rows[table.circle_rows + np.uint32(first)] for table, first in zip(tables, firsts.tolist(), strict=True)]
    )
    circle_order = np.argsort(circle_rows, kind="stable")
    return RecipientTable(
        mode=tables[0].mode,
        numbers=numbers[order],
        rosters=_joined_column([table.rosters for table in tables], order),
        roles=_joined_column([table.roles for table in tables], order),
        languages=_joined_column([table.languages for table in tables], order),
        areas=_joined_column([table.areas for table in tables], order),
        hazards=_joined_column([table.hazards for table in tables], order),
        levels=_joined_column([table.levels for table in tables], order),
        channels=_joined_column([table.channels for table in tables], order),
        posts=_joined_where_any(NO_POST, [(table.posts, len(table.numbers)) for table in tables], order),
        turns=_joined_where_any(FIRST_TURN, [(table.turns, len(table.numbers)) for table in tables], order),
        circle_rows=circle_rows[circle_order],
        circles=np.concatenate([table.circles for table in tables])[circle_order],
    )


def _column(recipients: Sequence[Recipient], field: Callable[[Recipient], V]) -> Column[V]:
    found: dict[V, int] = {}
    places = np.fromiter(
        (found.setdefault(field(one), len(found)) for one in recipients), dtype=np.uint32, count=len(recipients)
    )
    return _used(tuple(found), places, _sorted(tuple(found)))


def _joined_column(columns: Sequence[Column[V]], order: NDArray[np.intp]) -> Column[V]:
    found: dict[V, int] = {}
    places = [
        np.array([found.setdefault(value, len(found)) for value in column.values], dtype=np.uint32)[column.places]
        for column in columns
    ]
    values = tuple(found)
    return _used(values, np.concatenate(places)[order], _sorted(values))


def _joined_where_any(
    value: V, columns: Sequence[tuple[Column[V] | None, int]], order: NDArray[np.intp]
) -> Column[V] | None:
    """The columns joined, where one of them is there; None where none is. Each comes with its count of rows."""
    if all(column is None for column, _ in columns):
        return None
    return _unless_all(value, _joined_column([filled(column, value, count) for column, count in columns], order))


def filled(column: Column[V] | None, value: V, count: int) -> Column[V]:
    """The column, or one in which all have this value."""
    return column or Column((value,), np.zeros(count, dtype=np.uint32))


def _unless_all(value: V, column: Column[V]) -> Column[V] | None:
    """None for a column in which all have this value: equal tables have equal columns."""
    return None if all(found == value for found in column.values) else column


def _only(column: Column[V], keep: NDArray[np.bool_]) -> Column[V]:
    return _used(column.values, column.places[keep], range(len(column.values)))


def _sorted(values: Sequence[Any]) -> Sequence[int]:
    """The places of the values in rising order."""
    return sorted(range(len(values)), key=lambda place: values[place])


def _used(values: tuple[V, ...], places: Places, order: Sequence[int]) -> Column[V]:
    """The column with its values in this order and without those that nobody has: equal columns are equal bytes."""
    used = np.zeros(len(values), dtype=bool)
    used[places] = True
    kept = [place for place in order if used[place]]
    new_places = np.zeros(len(values), dtype=np.uint32)
    new_places[kept] = np.arange(len(kept), dtype=np.uint32)
    return Column(tuple(values[place] for place in kept), new_places[places])
