"""What the read tables promise in PostgreSQL beyond their contract: its languages, rights and lost connections."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from adapters.store.postgres_read_tables import open_postgres_read_tables
from adapters.store.read_errors import ReadTablesUnavailableError
from adapters.store.read_tables import SqlReadTables
from projections.base import Insert, RowChange, Upsert
from tests import postgres
from tests.contracts.test_read_tables import PROJECTION, THINGS, thing

pytestmark = pytest.mark.postgres

NAME = "outlet-tables-under-test"


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.schema() as found:
        yield make_conninfo(found, application_name=NAME)


@pytest.fixture
def tables(url: str) -> Iterator[SqlReadTables]:
    with closing(open_postgres_read_tables(url)) as opened:
        opened.prepare([PROJECTION])
        yield opened


@pytest.fixture
def other(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(make_conninfo(url, application_name="other"), autocommit=True) as connection:
        yield connection


def kill_all_of_ours(other: psycopg.Connection) -> int:
    statement = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s"
    return len(other.execute(statement, (NAME,)).fetchall())


def test_texts_are_in_order_of_code_points_whatever_the_databases_language(
    tables: SqlReadTables, other: psycopg.Connection
) -> None:
    found = other.execute(
        "SELECT table_name, column_name, collation_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND data_type = 'text' AND table_name = %s ORDER BY column_name",
        (THINGS.name,),
    ).fetchall()
    assert found == [("things", "place", "C"), ("things", "words", "C")]


def test_reading_and_writing_go_on_when_every_connection_was_killed(
    tables: SqlReadTables, other: psycopg.Connection
) -> None:
    for position in (1, 2):
        assert tables.apply("things", [Insert(THINGS, thing("a", position))], position)
        assert kill_all_of_ours(other) >= 1
        assert len(tables.select(THINGS)) == position
        assert kill_all_of_ours(other) >= 1


def test_a_write_that_is_killed_leaves_neither_rows_nor_position(
    tables: SqlReadTables, other: psycopg.Connection
) -> None:
    other.execute(
        """
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.number = 13 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
            RETURN NEW;
        END $$
        """
    )
    other.execute("CREATE TRIGGER dying BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION die()")
    changes: list[RowChange] = [Upsert(THINGS, thing("a", number)) for number in (12, 13)]
    with pytest.raises(ReadTablesUnavailableError):
        tables.apply("things", changes, 1)
    assert (tables.select(THINGS), tables.position("things")) == ([], 0)
    assert tables.apply("things", changes[:1], 1)


def test_who_only_reads_needs_no_right_to_write_and_waits_for_no_writer(
    url: str, tables: SqlReadTables, other: psycopg.Connection
) -> None:
    if not postgres.server().own:
        pytest.skip("needs a server where roles may be made")
    tables.apply("things", [Insert(THINGS, thing("a", 1))], 1)
    [(schema,)] = other.execute("SELECT current_schema()").fetchall()
    other.execute("DROP ROLE IF EXISTS outlet_reader")
    other.execute("CREATE ROLE outlet_reader")
    other.execute(f"GRANT USAGE ON SCHEMA {schema} TO outlet_reader")
    other.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO outlet_reader")
    as_reader = make_conninfo(url, options=f"-c search_path={schema} -c role=outlet_reader")

    with closing(open_postgres_read_tables(as_reader)) as reader, tables._writing():
        reader.prepare([PROJECTION])
        assert reader.position("things") == 1
        assert reader.select(THINGS) == [thing("a", 1)]


def test_an_error_does_not_repeat_the_rows(tables: SqlReadTables) -> None:
    rows = [Insert(THINGS, thing("a", 1, "what somebody said")), Insert(THINGS, thing("a", 1, "what somebody said"))]
    with pytest.raises(ReadTablesUnavailableError) as refused:
        tables.apply("things", rows, 1)
    assert "what somebody said" not in str(refused.value)
