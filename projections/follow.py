"""Follows the log: the one way in which projections are kept current and are built from zero.

The log is read once for all of them, in batches; each projection is fed only what lies above its own position.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Protocol, runtime_checkable

from domain.ports import EventLog
from projections.base import Projection, ReadTables, RowChange, Step
from projections.facts import Fact, fact_from, fact_of

BATCH = 2_000
"""Events to a transaction: more would save few commits, and their rows would no longer lie near the processor."""

RAW_PAGE = 500
"""Stored events fetched at once: few enough to be still in the processor's cache when they are decoded."""

Progress = Callable[[int, int], None]
"""Told the position reached and the log's head, after each batch."""


@runtime_checkable
class RawLog(Protocol):
    """A log that can also give events as they are stored, without building them."""

    def read_raw(self, *, after: int, until: int, topics: frozenset[str]) -> Iterable[tuple[int, str, bytes]]:
        """(position, topic, JSON of its present version) of the events of these topics, above `after` up to `until`."""
        ...


class Follower:
    """Brings projections to the head of a log, again and again, and remembers between the times where they stand.

    Other processes may write to the same tables: what is remembered is checked within each write, and read again
    when it no longer holds.
    """

    def __init__(
        self, log: EventLog, tables: ReadTables, projections: Sequence[Projection], *, batch: int = BATCH
    ) -> None:
        """Nothing is read or written yet."""
        self._log = log
        self._tables = tables
        self._projections = projections
        self._batch = batch
        self._positions: dict[str, int] | None = None

    def catch_up(self, *, progress: Progress | None = None) -> int:
        """Bring every projection to the log's head as it is now; return how many positions were gone through.

        Tables that are missing, or of another version, are made and filled from zero on the way. Interrupted
        anywhere, it goes on from the last batch that was written. While the head stands still, nothing is asked of
        the tables.

        Raises whatever the log or the tables raise; what was written until then stays.
        """
        positions, self._positions = self._positions, None  # after an error they are read again
        if positions is None:
            positions = self._prepared()
        head = self._log.head()
        start = min(positions.values(), default=head)
        if start < head:
            fresh = [projection for projection in self._projections if positions[projection.name] == 0]
            with self._tables.filling(fresh) if fresh and head > self._batch else nullcontext():
                positions = self._follow(positions, head, progress)
        self._positions = positions
        return max(min(positions.values(), default=head) - start, 0)

    def _follow(self, positions: dict[str, int], head: int, progress: Progress | None) -> dict[str, int]:
        while (after := min(positions.values())) < head:
            until = min(after + self._batch, head)
            behind = [projection for projection in self._projections if positions[projection.name] < until]
            changes: dict[str, list[RowChange]] = {projection.name: [] for projection in behind}
            _collect(self._log, behind, positions, changes, after, until)
            if self._tables.apply_all([Step(name, made, positions[name]) for name, made in changes.items()], until):
                positions = positions | dict.fromkeys(changes, until)
            else:
                # Another process has gone on from there, or began anew: what it wrote must not be written again.
                positions = self._prepared()
            if progress is not None:
                progress(min(positions.values()), head)
        return positions

    def _prepared(self) -> dict[str, int]:
        self._tables.prepare(self._projections)
        return self._tables.positions(self._projections)


def catch_up(
    log: EventLog,
    tables: ReadTables,
    projections: Sequence[Projection],
    *,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> int:
    """Bring every projection to the log's head once; see `Follower.catch_up`."""
    return Follower(log, tables, projections, batch=batch).catch_up(progress=progress)


def rebuild(
    log: EventLog,
    tables: ReadTables,
    projections: Sequence[Projection],
    *,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> int:
    """Empty the projections and follow the log from its first event; return the log's head."""
    tables.prepare(projections)
    for projection in projections:
        tables.reset(projection)
    with _no_search_for_cycles():
        return catch_up(log, tables, projections, batch=batch, progress=progress)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Python's search for garbage in cycles is put off.

    Rows are made by the hundred thousand and none lies in a cycle; the search goes through the whole program again
    and again, for a fifth of the time, and finds nothing.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _collect(
    log: EventLog,
    behind: Sequence[Projection],
    positions: dict[str, int],
    changes: dict[str, list[RowChange]],
    after: int,
    until: int,
) -> None:
    """What the events above `after` up to `until` change, for each projection that has not seen them yet."""
    readers = {
        topic: [
            (projection.handlers[topic], positions[projection.name], changes[projection.name].extend)
            for projection in behind
            if topic in projection.handlers
        ]
        for topic in frozenset().union(*(projection.topics for projection in behind))
    }
    for position, topic, fact in _facts(log, after, until, frozenset(readers)):
        for handler, seen, extend in readers[topic]:
            if position > seen:
                extend(handler(position, fact))


def _facts(log: EventLog, after: int, until: int, topics: frozenset[str]) -> Iterator[tuple[int, str, Fact]]:
    if isinstance(log, RawLog):
        for start in range(after, until, RAW_PAGE):
            page = log.read_raw(after=start, until=min(start + RAW_PAGE, until), topics=topics)
            for position, topic, state in page:
                yield position, topic, fact_from(topic, state)
        return
    for recorded in log.read(after=after, limit=until - after):
        if recorded.position > until:  # a log may leave positions out
            return
        topic = recorded.event.TOPIC
        if topic in topics:
            yield recorded.position, topic, fact_of(recorded.event)
