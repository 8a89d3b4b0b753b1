"""What the PostgreSQL event log promises beyond its port: one order for all, lost connections, named errors."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from adapters.store import appends as store_appends
from adapters.store import postgres_log, postgres_recorder, stored_log
from adapters.store.errors import (
    AppendOutcomeUnknownError,
    EventLogUnavailableError,
    NewerSchemaError,
    NoAddressError,
    NoSchemaError,
    TooLargeError,
    WrongDigestError,
)
from adapters.store.postgres_log import PostgresEventLog
from adapters.store.postgres_read_tables import open_postgres_read_tables
from domain.ports import Move, VersionConflictError
from tests import postgres
from tests.contracts.event_logs import CODEC, attached, in_threads, noted, positions, stream, versions
from tests.postgres_line import Cut, Line, line_to

pytestmark = pytest.mark.postgres

NAME = "outlet-under-test"


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.schema() as found:
        yield make_conninfo(found, application_name=NAME)


@pytest.fixture
def log(url: str) -> Iterator[PostgresEventLog]:
    with closing(PostgresEventLog(url, codec=CODEC)) as opened:
        yield opened


@pytest.fixture
def line(url: str, log: PostgresEventLog) -> Iterator[Line]:
    """To a database that has its tables."""
    with line_to(url) as found:
        yield found


@pytest.fixture
def other(url: str) -> Iterator[psycopg.Connection]:
    """Somebody else at the same tables."""
    with psycopg.connect(make_conninfo(url, application_name="other"), autocommit=True) as connection:
        yield connection


def kill_all_of_ours(other: psycopg.Connection) -> int:
    """End the server's side of every connection of the log; return how many there were."""
    killed = other.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s", (NAME,)
    ).fetchall()
    return len(killed)


# --- tables


def test_of_many_that_start_together_none_fails(url: str) -> None:
    logs = in_threads(*[partial(PostgresEventLog, url, codec=CODEC)] * 8)
    for number, log in enumerate(logs):
        assert isinstance(log, PostgresEventLog)
        log.append(noted(f"writer {number}", 1))
        log.close()
    with closing(PostgresEventLog(url, codec=CODEC)) as again:
        assert positions(again.read()) == list(range(1, 9))


def test_a_worker_that_may_not_create_says_so_and_uses_what_is_there(url: str) -> None:
    with pytest.raises(NoSchemaError):
        PostgresEventLog(url, codec=CODEC, may_create=False)
    PostgresEventLog(url, codec=CODEC).close()
    with closing(PostgresEventLog(url, codec=CODEC, may_create=False)) as worker:
        assert list(worker.append(noted("a", 1))) == [1]


def test_a_worker_needs_no_right_to_change_or_delete_what_is_recorded(
    url: str, log: PostgresEventLog, other: psycopg.Connection
) -> None:
    if other.info.server_version < 170_000 or not postgres.server().own:
        pytest.skip("needs a server of version 17 or newer where roles may be made")
    schema = log._datastore.schema
    other.execute("DROP ROLE IF EXISTS outlet_worker")
    other.execute("CREATE ROLE outlet_worker")
    other.execute(f"GRANT USAGE ON SCHEMA {schema} TO outlet_worker")
    other.execute("GRANT SELECT, INSERT, MAINTAIN ON stored_events TO outlet_worker")
    other.execute("GRANT SELECT, INSERT ON attachments TO outlet_worker")
    other.execute("GRANT SELECT, INSERT, UPDATE ON notification_tracking TO outlet_worker")
    other.execute("GRANT SELECT ON event_log_schema TO outlet_worker")
    as_worker = make_conninfo(url, options=f"-c search_path={schema} -c role=outlet_worker")
    with closing(PostgresEventLog(as_worker, codec=CODEC)) as worker:
        kept = attached(b"<alert/>")
        for position in (1, 2):
            worker.append(noted("a", position), attachments=[kept], moves=[Move("merge", position)])
        assert positions(worker.read()) == [1, 2]
        assert worker.attachment(kept.sha256) == b"<alert/>"
    with psycopg.connect(as_worker) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM stored_events")


def test_tables_of_a_newer_version_are_left_alone(url: str, log: PostgresEventLog, other: psycopg.Connection) -> None:
    other.execute("UPDATE event_log_schema SET version = 99")
    with pytest.raises(NewerSchemaError, match="99"):
        PostgresEventLog(url, codec=CODEC)


def test_the_librarys_own_readers_still_fit_the_tables(log: PostgresEventLog) -> None:
    log.append([*noted("a", 1, 2)], moves=[Move("merge", 7)])
    _, second = log._recorder.select_notifications(start=1, limit=10)
    assert (second.id, second.originator_id, second.originator_version) == (2, stream("a"), 2)
    assert log._recorder.max_notification_id() == 2
    assert log._recorder.max_tracking_id("merge") == 7
    assert [event.originator_version for event in log._recorder.select_events(stream("a"))] == [1, 2]


def test_who_inserts_without_knowing_the_last_position_is_refused(
    log: PostgresEventLog, other: psycopg.Connection
) -> None:
    """The library's function takes no lock, and would give positions out of the order of commits."""
    log.append(noted("a", 1))
    with pytest.raises(psycopg.errors.NotNullViolation):
        other.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (%s, 2, 'noted:1', '')",
            (stream("a"),),
        )


# --- settings


@pytest.mark.parametrize(("given", "used"), [("off", "on"), ("on", "on"), ("local", "local")])
def test_a_commit_waits_for_the_disk_whatever_the_database_says(
    url: str, log: PostgresEventLog, given: str, used: str
) -> None:
    careless = make_conninfo(url, options=f"-c search_path={log._datastore.schema} -c synchronous_commit={given}")
    with closing(PostgresEventLog(careless, codec=CODEC)) as opened:
        opened.append(noted("a", 1))
        assert opened._writer().execute("SHOW synchronous_commit").fetchone() == {"synchronous_commit": used}
        assert opened.durability()["synchronous_commit"] == used


def test_a_server_that_waits_for_no_disk_is_seen_to(log: PostgresEventLog) -> None:
    if not postgres.server().own:
        pytest.skip("whether another's server waits for the disk is not known here")
    assert log.durability() == {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on"}


def test_a_database_that_isolates_whole_transactions_gives_the_same_positions(url: str, log: PostgresEventLog) -> None:
    options = f"-c search_path={log._datastore.schema} -c default_transaction_isolation=serializable"
    with closing(PostgresEventLog(make_conninfo(url, options=options), codec=CODEC)) as strict:
        for number in range(1, 6):
            strict.append(noted("a", number))
            log.append(noted("b", number))
    assert positions(log.read()) == list(range(1, 11))


# --- what is refused


def test_an_append_waits_for_another_transaction_and_then_says_what_hindered_it(
    url: str, log: PostgresEventLog, other: psycopg.Connection
) -> None:
    with closing(PostgresEventLog(url, codec=CODEC, busy_timeout_seconds=1)) as hasty:
        with other.transaction():
            other.execute("LOCK TABLE stored_events IN EXCLUSIVE MODE")
            with pytest.raises(EventLogUnavailableError, match="lock"):
                hasty.append(noted("a", 1))
        assert list(hasty.append(noted("a", 1))) == [1]


def test_a_database_that_is_not_there_is_named_as_such(url: str) -> None:
    for nowhere in (make_conninfo(url, host="127.0.0.1", port=1), make_conninfo(url, dbname="missing")):
        with pytest.raises(EventLogUnavailableError):
            PostgresEventLog(nowhere, codec=CODEC)


@pytest.mark.parametrize("opener", [PostgresEventLog, open_postgres_read_tables])
def test_an_address_that_is_none_is_refused_and_its_password_kept_quiet(opener: Callable[[str], object]) -> None:
    with pytest.raises(NoAddressError) as refused:
        opener("mysql://outlet:secret@database.example/outlet")
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_what_is_too_large_is_refused_before_it_reaches_its_neighbours(
    log: PostgresEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_appends, "MAXIMUM_BYTES", 200)
    with pytest.raises(TooLargeError):
        log.append(noted("a", 1), attachments=[attached(b"x" * 201)])
    assert list(log.append(noted("a", 1))) == [1]


@pytest.mark.parametrize("compressed", [False, True])
def test_a_damaged_attachment_is_never_handed_out(
    log: PostgresEventLog, other: psycopg.Connection, compressed: bool
) -> None:
    kept = attached(b"<alert>" * 1_000)
    log.append([], attachments=[kept])
    other.execute("UPDATE attachments SET content = 'forged', compressed = %s", (compressed,))
    with pytest.raises(WrongDigestError):
        log.attachment(kept.sha256)


def test_a_large_append_goes_over_in_several_statements(log: PostgresEventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_recorder, "CHUNK_BYTES", 200)
    assert list(log.append(noted("a", *range(1, 21)))) == list(range(1, 21))
    assert versions(log.stream(stream("a"))) == list(range(1, 21))


# --- lost connections


def test_reading_and_appending_go_on_when_every_connection_was_killed(
    log: PostgresEventLog, other: psycopg.Connection
) -> None:
    log.append(noted("a", 1))
    for version in (2, 3):
        assert kill_all_of_ours(other) >= 2
        assert log.head() == version - 1
        assert list(log.append(noted("a", version))) == [version]
    assert kill_all_of_ours(other) >= 2
    assert list(log.append(noted("a", 4))) == [4]


def test_an_append_whose_backend_is_killed_at_the_commit_is_stored_once(
    log: PostgresEventLog, other: psycopg.Connection
) -> None:
    other.execute("CREATE SEQUENCE commits")
    other.execute(
        """
        CREATE FUNCTION die_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('commits') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
            RETURN NULL;
        END $$
        """
    )
    other.execute(
        "CREATE CONSTRAINT TRIGGER at_the_commit AFTER INSERT ON stored_events DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION die_once()"
    )
    kept = attached(b"<alert/>")
    assert list(log.append(noted("a", 1), attachments=[kept], moves=[Move("merge", 3)])) == [1]
    assert other.execute("SELECT last_value FROM commits").fetchone() == (2,)
    assert positions(log.read()) == [1]
    assert (log.follower_position("merge"), log.attachment(kept.sha256)) == (3, b"<alert/>")


@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize("content", ["events", "a follower", "an attachment"])
def test_a_commit_that_is_never_answered_is_found_out_and_stands_once(
    log: PostgresEventLog, line: Line, cut: Cut, content: str
) -> None:
    with closing(PostgresEventLog(line.url, codec=CODEC)) as cut_off:
        cut_off.append(noted("a", 1))
        line.cut = cut
        kept = attached(b"<alert/>")
        match content:
            case "events":
                assert list(cut_off.append([*noted("a", 2, 3), *noted("b", 1)])) == [2, 3, 4]
            case "a follower":
                assert list(cut_off.append([], moves=[Move("merge", 9)])) == []
            case _:
                assert list(cut_off.append([], attachments=[kept])) == []
        assert line.cuts == 1
        assert list(cut_off.append(noted("a", log.head() and len(versions(log.stream(stream("a")))) + 1))) != []
    assert positions(log.read()) == list(range(1, log.head() + 1))
    assert versions(log.stream(stream("a"))) == ([1, 2, 3, 4] if content == "events" else [1, 2])
    assert log.follower_position("merge") == (9 if content == "a follower" else 0)
    assert (log.attachment(kept.sha256) is not None) == (content == "an attachment")


def test_when_another_process_was_faster_meanwhile_the_repeated_append_conflicts(
    log: PostgresEventLog, line: Line
) -> None:
    with closing(PostgresEventLog(line.url, codec=CODEC)) as cut_off:
        cut_off.append(noted("a", 1))
        line.cut, line.cut_and_stay_down = Cut.BEFORE, True
        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(cut_off.append, noted("a", 2))
            while not line.down:
                threading.Event().wait(0.005)
            # The very same event: only the server knows that it is not the lost one.
            assert list(log.append(noted("a", 2))) == [2]
            line.down = False
            assert isinstance(late.exception(), VersionConflictError)
    assert versions(log.stream(stream("a"))) == [1, 2]


@pytest.mark.parametrize(("cut", "stored"), [(Cut.BEFORE, [1]), (Cut.AFTER, [1, 2])])
def test_where_the_database_stays_away_from_the_commit_on_nobody_is_told_that_nothing_was_stored(
    log: PostgresEventLog, line: Line, cut: Cut, stored: list[int]
) -> None:
    with closing(PostgresEventLog(line.url, codec=CODEC, patience_seconds=0.3)) as cut_off:
        cut_off.append(noted("a", 1))
        line.cut, line.cut_and_stay_down = cut, True
        with pytest.raises(AppendOutcomeUnknownError):
            cut_off.append(noted("a", 2))
        with pytest.raises(EventLogUnavailableError) as refused:
            cut_off.append(noted("a", 3))
        assert not isinstance(refused.value, AppendOutcomeUnknownError)
        with pytest.raises(EventLogUnavailableError):
            list(cut_off.read())
        line.down = False
        assert versions(cut_off.stream(stream("a"))) == stored
        cut_off.append(noted("a", stored[-1] + 1))


# --- waking


def test_a_waiting_reader_hears_of_other_processes_without_looking(
    url: str, log: PostgresEventLog, other: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_log, "LOOK_SECONDS", 1_000.0)
    monkeypatch.setattr(stored_log, "POLL_SECONDS", 1_000.0)
    with closing(PostgresEventLog(url, codec=CODEC)) as writer, ThreadPoolExecutor(1) as pool:
        for version in (1, 2, 3):
            waiting = pool.submit(log.wait, after=version - 1, timeout_seconds=60)
            while log._listener is None or not log._listener.hears:
                threading.Event().wait(0.005)
            writer.append(noted("a", version))
            assert waiting.result()
            # It listens again when its connection was lost, and does not miss what came meanwhile.
            kill_all_of_ours(other)


def test_a_closed_log_leaves_no_connection_behind(url: str, other: psycopg.Connection) -> None:
    log = PostgresEventLog(url, codec=CODEC)
    log.append(noted("a", 1))
    with ThreadPoolExecutor(20) as pool:
        assert [found for found in pool.map(lambda _: log.head(), range(100)) if found != 1] == []
    assert not log.wait(after=1, timeout_seconds=0.05)
    log.close()
    counted = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
    while other.execute(counted, (NAME,)).fetchone() != (0,):
        threading.Event().wait(0.01)
