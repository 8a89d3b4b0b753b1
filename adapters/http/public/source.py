"""What the public API asks of a platform, and the index of what it has released.

The index holds positions and times only, so a million releases are a few dozen megabytes; what a release said is
read from the log at its position.
"""

import threading
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.events import WarningReleased
from domain.messages import Mode
from domain.policy import Policy
from domain.ports import Clock, EventLog, Gazetteer
from projections import facts
from projections.base import Condition, ReadTables, equal, microseconds_of
from projections.board import BOARD, PUBLIC
from projections.follow import RawLog

PAGE = 2_000
"""Positions of the log that are looked through at once."""

_TOPICS = frozenset({WarningReleased.TOPIC})


class Outlet(Protocol):
    """A platform, as far as the public sees it."""

    @property
    def log(self) -> EventLog:
        """Where the releases are."""
        ...

    @property
    def tables(self) -> ReadTables:
        """The read models."""
        ...

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        ...

    @property
    def gazetteer(self) -> Gazetteer:
        """The places."""
        ...

    @property
    def clock(self) -> Clock:
        """By which expiry is tested."""
        ...


@dataclass(slots=True)
class _Line:
    """One district's releases, in the log's order: where each is and when it became public."""

    positions: "array[int]" = field(default_factory=lambda: array("q"))
    moments: "array[int]" = field(default_factory=lambda: array("q"))

    def newest(self, at: int, until: int) -> int | None:
        """The last one up to position `until` that was public at `at`; a clock may have been set back between two."""
        for place in range(bisect_right(self.positions, until) - 1, -1, -1):
            if self.moments[place] <= at:
                return self.positions[place]
        return None


class ReleaseIndex:
    """Where in the log the live releases are: by district, by warning, and in their order. Safe from many threads.

    Every method but `catch_up` answers from what the last `catch_up` has seen.
    """

    def __init__(self, log: EventLog, tables: ReadTables) -> None:
        """Nothing is read yet."""
        self._log = log
        self._tables = tables
        self._lock = threading.Lock()
        self._is_begun = False
        self._all = array("q")
        self._districts: dict[str, _Line] = {}
        self._warnings: dict[str, array[int]] = {}
        self.position = 0

    def catch_up(self) -> int:
        """Take in what has been released since the last time; return the log's head as it was seen.

        Raises:
            LogUnavailableError: the log cannot be read now.
        """
        with self._lock:
            if not self._is_begun:
                self._begin()
                self._is_begun = True
            head = self._log.head()
            for start in range(self.position, head, PAGE):
                until = min(start + PAGE, head)
                for position, fact in released_between(self._log, start, until):
                    self._add(position, microseconds_of(fact.at), fact.district, fact.warning_id)
                self.position = until
            return self.position

    def _begin(self) -> None:
        """From the read tables, which hold the same and are read faster than the log; what they lack comes from it."""
        position = self._tables.position(BOARD.name)
        where = (*equal(mode=Mode.LIVE.value), Condition("position", "<=", position))
        rows = self._tables.select(PUBLIC, where, order=("position",)) if position else ()
        if self._tables.position(BOARD.name) < position:  # they are being built anew this very moment
            return
        for row in rows:
            self._add(row.position, row.at, row.district, row.warning_id)
        self.position = position

    def _add(self, position: int, at: int, district: str, warning_id: str) -> None:
        self._all.append(position)
        line = self._districts.setdefault(district, _Line())
        line.positions.append(position)
        line.moments.append(at)
        self._warnings.setdefault(warning_id, array("q")).append(position)

    def knows(self, district: str) -> bool:
        """Whether anything was ever released there."""
        return district in self._districts

    def newest_at(self, at: datetime, until: int) -> list[tuple[str, int]]:
        """(district, position) of what was public last at `at`, by the log up to position `until`; by district."""
        moment = microseconds_of(at)
        with self._lock:
            found = [(code, line.newest(moment, until)) for code, line in sorted(self._districts.items())]
        return [(code, position) for code, position in found if position is not None]

    def latest(self, until: int) -> Mapping[str, int]:
        """Each district's last release up to a position."""
        with self._lock:
            lines = {code: line.positions for code, line in self._districts.items()}
            places = {code: bisect_right(positions, until) for code, positions in lines.items()}
            return {code: lines[code][place - 1] for code, place in places.items() if place}

    def between(
        self, after: int, until: int, *, districts: Collection[str] = (), limit: int | None = None
    ) -> list[int]:
        """The positions above `after` up to `until`, of these districts or of all, in order; at most `limit`."""
        with self._lock:
            lines = [self._districts[code].positions for code in districts if code in self._districts]
            found: list[int] = []
            for positions in lines if districts else [self._all]:
                first, last = bisect_right(positions, after), bisect_right(positions, until)
                found += positions[first : last if limit is None else min(last, first + limit)]
        found.sort()
        return found if limit is None else found[:limit]

    def of_warning(self, warning_id: str) -> Sequence[int]:
        """Its releases' positions, the first one first; empty for what is no live warning or was never released."""
        with self._lock:
            return list(self._warnings.get(warning_id, ()))

    def newest(self, count: int) -> Sequence[int]:
        """The last positions of all, the newest first."""
        with self._lock:
            return list(reversed(self._all[-count:]))


def released_between(log: EventLog, after: int, until: int) -> Iterator[tuple[int, facts.WarningReleased]]:
    """The live releases in a part of the log: the only place where the public API learns of any."""
    if isinstance(log, RawLog):
        stored = log.read_raw(after=after, until=until, topics=_TOPICS)
        found = ((position, facts.fact_from(topic, state)) for position, topic, state in stored)
    else:
        found = (
            (recorded.position, facts.fact_of(recorded.event))
            for recorded in log.read(after=after, limit=until - after)
            if recorded.position <= until and recorded.event.TOPIC in _TOPICS
        )
    for position, fact in found:
        if isinstance(fact, facts.WarningReleased) and fact.mode == Mode.LIVE.value:
            yield position, fact
