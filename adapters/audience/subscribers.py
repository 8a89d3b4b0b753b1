"""Everyone who has subscribed: a large table that seldom changes, and beside it those who came since.

So a confirmed subscription costs the building of a small part, not of a million people. Values: every change gives
another one, and the one before stays as it is. What is recorded, and where, does not belong here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from pyroaring import FrozenBitMap

from adapters.audience.part import AudiencePart
from adapters.audience.people import NOBODY, numbers_of
from adapters.audience.places import Places
from adapters.audience.table import RecipientTable, joined, table_of
from domain.messages import Mode
from domain.recipients import Recipient

FEWEST_TO_JOIN: Final = 4_096
SHARE_TO_JOIN: Final = 8
"""Those who came since are joined to the table when they are an eighth of it: each is so moved a few times at most."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Subscribers of one mode as a table and its part, and who of them has left since."""

    table: RecipientTable
    part: AudiencePart
    left: FrozenBitMap = NOBODY

    @property
    def staying(self) -> RecipientTable:
        """The table without those who have left."""
        if not self.left:
            return self.table
        return self.table.only(~np.isin(self.table.numbers, numbers_of(self.left)))


@dataclass(frozen=True, slots=True)
class Subscribers:
    """All subscribers: the settled ones by mode, and those who came or changed since by number."""

    settled: Mapping[Mode, Settled] = field(default_factory=dict)
    recent: Mapping[int, Recipient] = field(default_factory=dict)

    def __contains__(self, number: int) -> bool:
        """Whether this is the number of a subscriber."""
        return number in self.recent or any(
            number in one.part.people and number not in one.left for one in self.settled.values()
        )

    def changed(self, came: Iterable[Recipient], gone: FrozenBitMap, places: Places) -> "Subscribers":
        """After these came, or confirmed something else, and those went who are not among them."""
        arrived = {one.number: one for one in came}
        away = gone | FrozenBitMap(arrived)
        recent = {number: one for number, one in self.recent.items() if number not in away} | arrived
        settled = {mode: replace(one, left=one.left | (one.part.people & away)) for mode, one in self.settled.items()}
        size = sum(len(one.part.people) for one in settled.values())
        if len(recent) <= max(FEWEST_TO_JOIN, size // SHARE_TO_JOIN):
            return Subscribers(settled, recent)
        return Subscribers(
            {mode: Settled(table, AudiencePart(table, places)) for mode, table in Subscribers(settled, recent).tables()}
        )

    def tables(self) -> list[tuple[Mode, RecipientTable]]:
        """Everyone, in one table for each mode that has any."""
        found = []
        for mode in Mode:
            tables = [self.settled[mode].staying] if mode in self.settled else []
            newer = [one for one in self.recent.values() if one.mode is mode]
            whole = joined([*tables, table_of(mode, newer)])
            if len(whole.numbers):
                found.append((mode, whole))
        return found

    def parts(self, places: Places) -> list[tuple[AudiencePart, FrozenBitMap]]:
        """The parts that the index is made of, each with who has left it."""
        recent = [
            (AudiencePart(table_of(mode, found), places), NOBODY)
            for mode in Mode
            if (found := [one for one in self.recent.values() if one.mode is mode])
        ]
        return [*recent, *((one.part, one.left) for one in self.settled.values())]
