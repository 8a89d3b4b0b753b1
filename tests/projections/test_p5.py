"""The figure P5 is measured on what it says: real events, every projection, all of it written."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.bench.p5 import lengthen, made_up_log, measure, rebuild_seconds
from adapters.store.errors import UnknownEventTypeError
from adapters.store.read_tables import open_sqlite_read_tables
from adapters.store.sqlite_log import SqliteEventLog
from domain.messages import Mode
from projections.facts import FACT_TYPES
from projections.releases import released, releases


def test_it_gives_a_row_for_the_ratio_and_one_for_the_long_log(tmp_path: Path) -> None:
    short, long = measure(1, long=True, directory=tmp_path, events=120, long_events=300)
    assert (short.id, long.id) == ("P5", "P5-long")
    assert (len(short.rounds), short.ratio > 0, long.ratio > 0) == (1, True, True)


def test_a_longer_log_holds_whole_events_under_other_names(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    made_up_log(path, 200)
    lengthen(path, 200, 500)
    rebuild_seconds(path, tmp_path / "read.sqlite")
    with closing(SqliteEventLog(path)) as log, closing(open_sqlite_read_tables(tmp_path / "read.sqlite")) as tables:
        assert len(list(log.read())) == 500
        listed = releases(tables, mode=Mode.LIVE)
        assert len({release.row.identifier for release in listed[-10:]}) == 10
        assert len({release.row.district[:4] for release in listed}) == 3
        assert released(log, listed[0]).district == listed[0].row.district


def test_an_event_that_this_program_does_not_know_is_never_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    made_up_log(path, 10)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO stored_events VALUES (11, 'aa', 1, 'strange:1', x'7b7d')")
    with closing(SqliteEventLog(path)) as log, pytest.raises(UnknownEventTypeError):
        log.read_raw(after=0, until=11, topics=frozenset(FACT_TYPES))


def test_only_the_topics_asked_for_are_read_up_to_the_position_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    made_up_log(path, 60)
    wanted = frozenset({"outlet-revised", "message-accepted"})
    with closing(SqliteEventLog(path)) as log:
        found = log.read_raw(after=5, until=40, topics=wanted)
        expected = [
            (one.position, one.event.TOPIC, one.event.__pydantic_serializer__.to_json(one.event))
            for one in log.read(after=5, limit=35)
            if one.event.TOPIC in wanted
        ]
    assert list(found) == expected
