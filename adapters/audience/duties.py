"""What each recipient of a part answers for, looked up by number. A few bytes for each of a million people.

Who is called up is decided in the domain; which parts count is the view's.
"""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from pyroaring import FrozenBitMap

from adapters.audience.people import numbers_of
from adapters.audience.table import NO_POST, Column, RecipientTable, filled
from domain.recipients import FIRST_TURN, Duty

V = TypeVar("V")


class DutyTable:
    """The columns of a table that say how somebody is asked and for what they answer."""

    def __init__(self, table: RecipientTable) -> None:
        """Keep the columns that are needed, in as few bytes as their values allow."""
        count = len(table.numbers)
        self._numbers = table.numbers
        self._rosters = _narrow(table.rosters)
        self._roles = _narrow(table.roles)
        self._languages = _narrow(table.languages)
        self._channels = _narrow(table.channels)
        self._posts = _narrow(filled(table.posts, NO_POST, count))
        self._turns = _narrow(filled(table.turns, FIRST_TURN, count))

    def of(self, people: FrozenBitMap) -> Iterator[Duty]:
        """The duties of these people, all of whom are in the table, by rising number."""
        numbers = numbers_of(people)
        rows = np.searchsorted(self._numbers, numbers)
        columns = (self._rosters, self._roles, self._languages, self._channels, self._posts, self._turns)
        found = (map(column.values.__getitem__, column.places[rows].tolist()) for column in columns)
        return map(Duty, numbers.tolist(), *found)


def _narrow(column: Column[V]) -> Column[V]:
    """The column with the narrowest places that can name its values."""
    return Column(column.values, column.places.astype(np.min_scalar_type(len(column.values))))
