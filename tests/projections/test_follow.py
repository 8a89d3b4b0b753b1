"""Following the log: kept current, interrupted, and built from zero, the rows are the same."""

import dataclasses
import multiprocessing
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.bench.p5_events import City
from adapters.store.read_tables import SqlReadTables, open_sqlite_read_tables
from adapters.store.sqlite_log import SqliteEventLog
from domain.events import EVENT_TYPES
from domain.messages import Mode
from domain.ports import RecordedEvent
from projections import PROJECTIONS
from projections.base import Projection, ReadTables, Step
from projections.board import board
from projections.facts import FACT_TYPES, fact_from, fact_of
from projections.follow import Follower, RawLog, catch_up, rebuild


class PlainLog:
    """A log that gives events as objects only, as the port promises and no more."""

    def __init__(self, log: SqliteEventLog) -> None:
        self._log = log

    def head(self) -> int:
        return self._log.head()

    def read(self, *, after: int = 0, limit: int | None = None) -> Iterator[RecordedEvent]:
        return self._log.read(after=after, limit=limit)


@contextmanager
def stores(count: int) -> Iterator[tuple[SqliteEventLog, Sequence[SqlReadTables]]]:
    with TemporaryDirectory() as folder:
        log = SqliteEventLog(Path(folder, "events.sqlite"))
        tables = [open_sqlite_read_tables(Path(folder, f"read-{number}.sqlite")) for number in range(count)]
        yield log, tables
        log.close()
        for each in tables:
            each.close()


def rows_of(tables: ReadTables) -> dict[str, Any]:
    return {
        table.name: tables.select(table, order=table.key) for projection in PROJECTIONS for table in projection.tables
    }


def schema_of(path: Path) -> list[tuple[str, str]]:
    """Every table and index, as the file itself describes it."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()


def indexes_of(path: Path) -> list[str]:
    return [name for name, sql in schema_of(path) if "INDEX" in sql.split("(")[0]]


def city_after(random: Random, steps: int) -> City:
    city = City(random)
    for _ in range(steps):
        city.step()
    return city


RANDOMS = st.randoms(use_true_random=False)


@settings(max_examples=15)
@given(random=RANDOMS, steps=st.integers(0, 40), batch=st.integers(1, 50))
def test_built_from_zero_in_any_batches_equals_kept_current_event_by_event(
    random: Random, steps: int, batch: int
) -> None:
    city = city_after(random, steps)
    with stores(3) as (log, (live, rebuilt, plain)):
        live.prepare(PROJECTIONS)
        for start in range(0, len(city.events), 7):
            log.append(city.events[start : start + 7])
            assert catch_up(log, live, PROJECTIONS, batch=3) == len(city.events[start : start + 7])
        assert rebuild(log, rebuilt, PROJECTIONS, batch=batch) == len(city.events)
        catch_up(PlainLog(log), plain, PROJECTIONS, batch=batch)  # type: ignore[arg-type]  # it reads, no more
        assert rows_of(live) == rows_of(rebuilt) == rows_of(plain)


@settings(max_examples=15)
@given(random=RANDOMS, steps=st.integers(1, 25))
def test_the_board_as_of_any_moment_equals_the_board_that_was_shown_then(random: Random, steps: int) -> None:
    city = City(random)
    was_shown: dict[datetime, Any] = {}
    with stores(1) as (log, (tables,)):
        tables.prepare(PROJECTIONS)
        for _ in range(steps):
            city.step()
            log.append(city.events[log.head() :])
            catch_up(log, tables, PROJECTIONS)
            was_shown[city.now] = _board(tables, city, city.now)  # the last word on a moment is what stays
        for moment, expected in was_shown.items():
            assert _board(tables, city, moment) == expected


def _board(tables: ReadTables, city: City, at: datetime) -> Any:
    return board(tables, at=at, mode=Mode.LIVE, policy=city.policy, gazetteer_names={})


@given(random=RANDOMS)
def test_the_changes_for_an_event_are_the_changes_for_its_stored_json(random: Random) -> None:
    for position, new in enumerate(city_after(random, 15).events, 1):
        event = new.event
        recorded = RecordedEvent(position=position, stream_id=new.stream_id, version=new.version, event=event)
        for projection in PROJECTIONS:
            found = list(projection.changes(recorded))
            if event.TOPIC in projection.topics:
                stored = fact_from(event.TOPIC, event.__pydantic_serializer__.to_json(event))
                assert found == list(projection.changes_of(event.TOPIC, position, stored))
            else:
                assert found == []


def test_every_topic_a_projection_reads_has_a_fact_with_the_events_own_fields_and_defaults() -> None:
    assert {topic for projection in PROJECTIONS for topic in projection.topics} == set(FACT_TYPES)
    for topic, fact_type in FACT_TYPES.items():
        event_fields = EVENT_TYPES[topic].model_fields
        for name in fact_type.__struct_fields__:
            assert name in event_fields, f"{topic} has no {name}"
        required = set(fact_type.__struct_fields__[: -len(fact_type.__struct_defaults__) or None])
        for name in required:
            assert event_fields[name].is_required(), f"{topic}.{name} may be absent from a stored event"


def test_the_projections_read_all_that_concerns_districts_and_refusals() -> None:
    # What happened at the edges (feeds, deliveries) has modules of its own.
    ours = {topic for topic, kind in EVENT_TYPES.items() if kind.__module__ == "domain.events"}
    assert ours - set(FACT_TYPES) == {"policy-adopted", "contributions-changed"}


def test_a_fact_carries_what_the_event_says(city: City) -> None:
    for _ in range(60):
        city.step()
    for new in city.events:
        if new.event.TOPIC in FACT_TYPES:
            assert fact_of(new.event).at == new.event.at


def test_progress_is_told_after_every_batch_up_to_the_head(
    log: SqliteEventLog, tables: SqlReadTables, city: City
) -> None:
    for _ in range(10):
        city.step()
    log.append(city.events)
    told: list[tuple[int, int]] = []
    catch_up(log, tables, PROJECTIONS, batch=4, progress=lambda done, head: told.append((done, head)))
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1] == (len(city.events), len(city.events))
    assert catch_up(log, tables, PROJECTIONS) == 0


def test_a_projection_of_a_new_version_is_built_again_while_the_others_stand(
    log: SqliteEventLog, tables: SqlReadTables, city: City
) -> None:
    for _ in range(20):
        city.step()
    log.append(city.events)
    catch_up(log, tables, PROJECTIONS)
    before = rows_of(tables)
    newer = [dataclasses.replace(PROJECTIONS[0], version=PROJECTIONS[0].version + 1), *PROJECTIONS[1:]]
    catch_up(log, tables, newer, batch=5)
    assert rows_of(tables) == before
    assert tables.position(newer[0].name) == log.head()


def test_no_two_projections_share_a_name_or_a_table() -> None:
    names = [projection.name for projection in PROJECTIONS]
    tables = [table.name for projection in PROJECTIONS for table in projection.tables]
    assert len(set(names)) == len(names)
    assert len(set(tables)) == len(tables)


def test_our_log_gives_events_as_they_are_stored(log: SqliteEventLog) -> None:
    assert isinstance(log, RawLog)


def killed_while_it_rebuilds(folder: Path, at_call: int) -> None:
    """A process of its own that is gone at that call of `apply_all`, one batch before the next write."""
    tables, calls = open_sqlite_read_tables(folder / "read.sqlite"), list[int]()
    real = tables.apply_all

    def apply_all(steps: Sequence[Step], position: int) -> bool:
        calls.append(position)
        if len(calls) == at_call:
            os._exit(9)
        return real(steps, position)

    tables.apply_all = apply_all  # type: ignore[method-assign]
    rebuild(SqliteEventLog(folder / "events.sqlite"), tables, PROJECTIONS, batch=20)


@pytest.mark.parametrize("at_call", [1, 3])
def test_a_rebuild_that_was_killed_is_finished_by_the_next_start_with_all_indexes(
    log: SqliteEventLog, tables: SqlReadTables, city: City, tmp_path: Path, at_call: int
) -> None:
    while len(city.events) < 150:
        city.step()
    path = tmp_path / "read.sqlite"
    for start in range(0, len(city.events), 7):
        log.append(city.events[start : start + 7])
        catch_up(log, tables, PROJECTIONS)
    rows, schema = rows_of(tables), schema_of(path)
    process = multiprocessing.get_context("spawn").Process(target=killed_while_it_rebuilds, args=(tmp_path, at_call))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert tables.position(PROJECTIONS[0].name) == (at_call - 1) * 20
    assert len(indexes_of(path)) < sum("INDEX" in sql for _, sql in schema)  # it was at it
    with closing(open_sqlite_read_tables(path)) as next_start:
        catch_up(log, next_start, PROJECTIONS, batch=20)
        assert (rows_of(next_start), schema_of(path)) == (rows, schema)


def test_a_rebuild_that_fails_leaves_every_index(
    log: SqliteEventLog, tables: SqlReadTables, city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    while len(city.events) < 60:
        city.step()
    log.append(city.events)
    catch_up(log, tables, PROJECTIONS)
    rows, schema = rows_of(tables), schema_of(tmp_path / "read.sqlite")

    def interrupted(position: int, _head: int) -> None:
        assert indexes_of(tmp_path / "read.sqlite") != [name for name, sql in schema if "INDEX" in sql]
        if position >= 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(log, tables, PROJECTIONS, batch=15, progress=interrupted)
    assert schema_of(tmp_path / "read.sqlite") == schema
    assert catch_up(log, tables, PROJECTIONS) == len(city.events) - 30
    assert rows_of(tables) == rows


def test_tables_emptied_cut_off_in_the_middle_are_as_they_were(
    log: SqliteEventLog, tables: SqlReadTables, city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    while len(city.events) < 60:
        city.step()
    log.append(city.events)
    catch_up(log, tables, PROJECTIONS)
    before = rows_of(tables), tables.positions(PROJECTIONS), schema_of(tmp_path / "read.sqlite")

    def cut_off(connection: object, projection: Projection) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tables, "_make_indexes", cut_off)
    with pytest.raises(KeyboardInterrupt):
        tables.reset(PROJECTIONS[0])
    assert (rows_of(tables), tables.positions(PROJECTIONS), schema_of(tmp_path / "read.sqlite")) == before


def test_a_follower_whose_tables_another_has_emptied_or_brought_on_goes_on_from_there(
    log: SqliteEventLog, tables: SqlReadTables, city: City, tmp_path: Path
) -> None:
    while len(city.events) < 90:
        city.step()
    follower = Follower(log, tables, PROJECTIONS, batch=10)
    with closing(open_sqlite_read_tables(tmp_path / "read.sqlite")) as others:
        log.append(city.events[:30])
        assert follower.catch_up() == 30
        log.append(city.events[30:60])
        assert catch_up(log, others, PROJECTIONS) == 30  # brought on
        follower.catch_up()
        others.reset(PROJECTIONS[1])  # emptied
        log.append(city.events[60:])
        follower.catch_up()
        rows = rows_of(tables)
        assert set(tables.positions(PROJECTIONS).values()) == {log.head()}
        rebuild(log, others, PROJECTIONS)
        assert rows_of(others) == rows
