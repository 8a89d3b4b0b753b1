"""A log and tables in memory of the test's own folder, and cities whose events come from the domain."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from adapters.bench.p5_events import City
from adapters.store.read_tables import SqlReadTables, open_sqlite_read_tables
from adapters.store.sqlite_log import SqliteEventLog
from domain.ports import NewEvent
from projections import PROJECTIONS
from projections.follow import catch_up


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteEventLog]:
    opened = SqliteEventLog(tmp_path / "events.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[SqlReadTables]:
    opened = open_sqlite_read_tables(tmp_path / "read.sqlite")
    opened.prepare(PROJECTIONS)
    yield opened
    opened.close()


@pytest.fixture
def city() -> City:
    return City(Random(7))


Follow = Callable[[Sequence[NewEvent]], None]


@pytest.fixture
def follow(log: SqliteEventLog, tables: SqlReadTables) -> Follow:
    """Append what is new of these events, and bring the tables up to it."""

    def follow_on(events: Sequence[NewEvent]) -> None:
        log.append(events[log.head() :])
        catch_up(log, tables, PROJECTIONS)

    return follow_on
