"""What the SQLite event log promises beyond its port: durability, one file for several processes, named errors."""

import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from adapters.store import appends as store_appends
from adapters.store.appends import Append
from adapters.store.codec import EventCodec
from adapters.store.errors import (
    EventLogUnavailableError,
    NewerSchemaError,
    TooLargeError,
    UnknownEventTypeError,
    WrongDigestError,
)
from adapters.store.sqlite_log import SqliteEventLog
from domain.ports import Move, NewEvent, VersionConflictError
from tests.contracts.event_logs import AT, CODEC, Struck, attached, noted, positions, stream, versions


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


@pytest.fixture
def log(path: Path) -> Iterator[SqliteEventLog]:
    with closing(SqliteEventLog(path, codec=CODEC)) as opened:
        yield opened


def pragma(log: SqliteEventLog, name: str) -> object:
    cursor = log._connection.cursor()
    cursor.execute(f"PRAGMA {name}")
    return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("fullfsync", 1),
        ("checkpoint_fullfsync", 1),
        ("busy_timeout", 10_000),
    ],
)
def test_the_writing_connection_is_durable_through_power_loss(log: SqliteEventLog, name: str, value: object) -> None:
    log.append(noted("a", 1))
    assert pragma(log, name) == value


def test_every_other_connection_has_the_same_settings(log: SqliteEventLog) -> None:
    with log._datastore.transaction(commit=False) as cursor:
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone()[0] == 2


def test_appends_that_wait_together_share_one_transaction(path: Path, log: SqliteEventLog) -> None:
    log.append(noted("taken", 1))
    groups: list[int] = []
    write_group = log._group_commit._write

    def counted(group: Sequence[Append]) -> Sequence[Sequence[int] | Exception]:
        groups.append(len(group))
        return write_group(group)

    log._group_commit._write = counted
    batches = [noted(f"writer {n}", 1) if n % 3 else noted("taken", 1) for n in range(12)]
    with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(13) as pool:
        other.execute("BEGIN IMMEDIATE")
        first = pool.submit(log.append, noted("first", 1))
        while groups != [1]:
            threading.Event().wait(0.001)
        futures = [pool.submit(log.append, batch) for batch in batches]
        while log._group_commit._queue.qsize() < 12:
            threading.Event().wait(0.001)
        other.execute("COMMIT")
    assert groups == [1, 12]
    assert list(first.result()) == [2]
    assert [isinstance(future.exception(), VersionConflictError) for future in futures] == [
        n % 3 == 0 for n in range(12)
    ]
    assert positions(log.read()) == list(range(1, 11))


def test_two_appends_to_one_stream_in_one_group_build_on_each_other(log: SqliteEventLog) -> None:
    appends = [
        Append([CODEC.stored(new) for new in noted("a", *numbers)], [], ()) for numbers in ([1, 2], [3], [3, 4], [4])
    ]
    first, second, refused, third = log._write_group(appends)
    assert isinstance(refused, VersionConflictError)
    assert (first, second, third) == (range(1, 3), range(3, 4), range(4, 5))
    assert versions(log.stream(stream("a"))) == [1, 2, 3, 4]


def test_an_append_waits_for_another_process_and_then_says_what_hindered_it(path: Path) -> None:
    with (
        closing(SqliteEventLog(path, codec=CODEC, busy_timeout_seconds=0.1)) as log,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(EventLogUnavailableError, match="locked"):
            log.append(noted("a", 1), attachments=[attached(b"x")], moves=[Move("merge", 1)])
        other.execute("COMMIT")
        assert log.head() == log.follower_position("merge") == 0
        assert list(log.append(noted("a", 1))) == [1]


def open_and_append(path: str, name: str) -> None:
    with closing(SqliteEventLog(Path(path), codec=CODEC)) as log:
        for version in range(1, 21):
            log.append(noted(name, version))


def test_processes_that_start_together_make_one_file_and_lose_nothing(path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    children = [spawn.Process(target=open_and_append, args=(str(path), f"process {n}")) for n in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0, 0, 0]
    with closing(SqliteEventLog(path, codec=CODEC)) as log:
        assert positions(log.read()) == list(range(1, 81))


def test_threads_that_open_a_new_file_together_all_succeed(path: Path) -> None:
    for attempt in range(10):
        file = path.with_name(f"{attempt}.db")
        with ThreadPoolExecutor(8) as pool:
            logs = list(pool.map(lambda _, file=file: SqliteEventLog(file, codec=CODEC), range(8)))
        for number, log in enumerate(logs):
            assert list(log.append(noted(f"writer {number}", 1))) == [number + 1]
        for log in logs:
            log.close()


def test_vacuum_keeps_every_position(path: Path, log: SqliteEventLog) -> None:
    log.append([*noted("a", 1, 2), *noted("b", 1)])
    before = list(log.read())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        # Even in a file that someone has damaged: what is left keeps its place.
        other.execute("DELETE FROM stored_events WHERE rowid=2")
        other.execute("VACUUM")
    assert list(log.read()) == [before[0], before[2]]


def test_the_librarys_own_appends_still_fit_the_tables(log: SqliteEventLog) -> None:
    log.append(noted("a", 1))
    with log._datastore.transaction(commit=False) as cursor:
        assert log._recorder._insert_events(cursor, [CODEC.stored(new) for new in noted("a", 2)]) == [2]
    [notification] = log._recorder.select_notifications(start=1, limit=10)
    assert (notification.id, notification.originator_id, notification.originator_version) == (1, stream("a"), 1)


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version=99")
    with pytest.raises(NewerSchemaError, match="99"):
        SqliteEventLog(path, codec=CODEC)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (0,)


@pytest.mark.parametrize("case", ["not a database", "no such folder"])
def test_a_file_that_cannot_be_opened_is_named_as_such(path: Path, case: str) -> None:
    if case == "not a database":
        path.write_bytes(b"<alert/>" * 1_000)
    else:
        path = path.parent / "missing" / "events.db"
    with pytest.raises(EventLogUnavailableError):
        SqliteEventLog(path, codec=CODEC)


def stored_attachment(path: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(path)) as other:
        [row] = other.execute("SELECT compressed, LENGTH(content) FROM attachments").fetchall()
        return row[0], row[1]


def test_an_attachment_is_compressed_when_that_makes_it_smaller(path: Path, log: SqliteEventLog) -> None:
    log.append([], attachments=[attached(b"<alert>" * 1_000)])
    compressed, length = stored_attachment(path)
    assert compressed == 1
    assert length < 700


def test_an_attachment_is_kept_as_it_is_when_compression_does_not_help(path: Path, log: SqliteEventLog) -> None:
    log.append([], attachments=[attached(bytes(range(256)))])
    assert stored_attachment(path) == (0, 256)


@pytest.mark.parametrize("compressed", [0, 1])
def test_a_damaged_attachment_is_never_handed_out(path: Path, log: SqliteEventLog, compressed: int) -> None:
    kept = attached(b"<alert>" * 1_000)
    log.append([], attachments=[kept])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE attachments SET content=?, compressed=?", (b"forged", compressed))
    with pytest.raises(WrongDigestError):
        log.attachment(kept.sha256)


def test_what_is_too_large_is_refused_before_it_reaches_its_neighbours(
    log: SqliteEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_appends, "MAXIMUM_BYTES", 200)
    with pytest.raises(TooLargeError):
        log.append([], attachments=[attached(b"x" * 201)])
    [new] = noted("a", 1)
    large = new.event.model_copy(update={"text": "x" * 200})
    with pytest.raises(TooLargeError):
        log.append([NewEvent(stream_id=new.stream_id, version=1, event=large)])
    assert list(log.append([new])) == [1]


@pytest.mark.parametrize(("name", "position"), [("__migration__", 2), ("merge", 2**63)])
def test_what_the_database_cannot_hold_as_a_position_is_a_programming_error(
    log: SqliteEventLog, name: str, position: int
) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        log.append([], moves=[Move(name, position)])
    assert list(log.append(noted("a", 1))) == [1]


def test_more_readers_than_connections_in_the_pool_all_finish(log: SqliteEventLog) -> None:
    log.append(noted("a", *range(1, 101)))
    with ThreadPoolExecutor(64) as pool:
        seen = list(pool.map(lambda _: positions(log.read()), range(256)))
    assert seen == [list(range(1, 101))] * 256


def test_an_event_that_this_program_does_not_know_is_an_error_for_whoever_asks_for_others(path: Path) -> None:
    with closing(SqliteEventLog(path, codec=CODEC)) as newer:
        newer.append(noted("a", 1))
        newer.append([NewEvent(stream_id=stream("a"), version=2, event=Struck(at=AT, reason="r"))])
    older = EventCodec({Struck.TOPIC: Struck}, {})
    with closing(SqliteEventLog(path, codec=older)) as log, pytest.raises(UnknownEventTypeError):
        list(log.read(topics=frozenset({Struck.TOPIC})))
