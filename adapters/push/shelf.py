"""The releases as the courier takes them from the log: in order for those who follow, and one by one.

What came last is kept, so that a thousand targets that keep up cost one reading of each release.
"""

from bisect import bisect_right
from collections import OrderedDict
from typing import Final

from adapters.push.target import Parcel
from domain.events import WarningReleased
from domain.ports import EventLog
from projections.follow import RawLog

KEPT: Final = 2_048
"""Releases held in memory; one is a few dozen kilobytes at most."""

PAGE: Final = 200
"""Positions of the log that are looked through at once: a few dozen milliseconds where each is a release."""

_TOPICS: Final = frozenset({WarningReleased.TOPIC})


class Shelf:
    """Used by one thread."""

    def __init__(self, log: EventLog) -> None:
        """What was released before is read when somebody asks for it."""
        self._log = log
        self._recent: list[Parcel] = []
        self._floor = self.head = log.head()
        self._older: OrderedDict[int, Parcel] = OrderedDict()

    def look(self) -> bool:
        """Take in a page of what is new in the log; False when that was all."""
        head = self._log.head()
        until = min(head, self.head + PAGE)
        if until > self.head:
            self._recent += self._read(self.head, until)
            self.head = until
            if len(self._recent) > KEPT:
                dropped = len(self._recent) - KEPT
                self._floor = self._recent[dropped - 1].position
                del self._recent[:dropped]
        return until < head

    def after(self, position: int) -> tuple[list[Parcel], int]:
        """The next releases behind a position in order, and up to where that is all of them; never beyond `head`."""
        if position >= self._floor:
            place = bisect_right(self._recent, position, key=_position)
            page = self._recent[place : place + PAGE]
            return page, (page[-1].position if len(page) == PAGE else max(self.head, position))
        until = min(position + PAGE, self._floor)
        page = self._read(position, until)
        for parcel in page:
            self._keep(parcel)
        return page, until

    def at(self, position: int) -> Parcel:
        """The release at a position.

        Raises:
            LookupError: there is none.
        """
        place = bisect_right(self._recent, position - 1, key=_position)
        if place < len(self._recent) and self._recent[place].position == position:
            return self._recent[place]
        found = self._older.get(position)
        if found is None:
            page = self._read(position - 1, position)
            if not page:
                raise LookupError(f"the log has no release at position {position}")
            [found] = page
            self._keep(found)
        return found

    def _keep(self, parcel: Parcel) -> None:
        self._older[parcel.position] = parcel
        if len(self._older) > KEPT:
            self._older.popitem(last=False)

    def _read(self, after: int, until: int) -> list[Parcel]:
        if isinstance(self._log, RawLog):
            stored = self._log.read_raw(after=after, until=until, topics=_TOPICS)
            return [Parcel(position, WarningReleased.model_validate_json(state)) for position, _, state in stored]
        found = ((one.position, one.event) for one in self._log.read(after=after, limit=until - after))
        return [Parcel(place, event) for place, event in found if isinstance(event, WarningReleased) and place <= until]


def _position(parcel: Parcel) -> int:
    return parcel.position
