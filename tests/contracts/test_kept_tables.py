"""What the outbox's and the vault's tables promise wherever they are: made once, never a newer one's, one writer."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, inspect, select, update

from adapters.sending.tables import METADATA as OUTBOX_TABLES
from adapters.sending.tables import OUTBOX
from adapters.store.errors import NewerSchemaError, NoAddressError, StoreError
from adapters.store.kept_tables import KeptTables, reading
from adapters.store.postgres_log import PostgresEventLog
from adapters.store.postgres_read_tables import open_postgres_read_tables
from adapters.vault.tables import METADATA as VAULT_TABLES
from adapters.vault.tables import VAULT
from projections import PROJECTIONS
from tests import postgres

Place = tuple[Path, str | None]


@pytest.fixture(params=[pytest.param("postgres", marks=pytest.mark.postgres), "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        url = stack.enter_context(postgres.schema()) if request.param == "postgres" else None
        yield tmp_path / "kept.sqlite", url


PARTS = [pytest.param(OUTBOX, OUTBOX_TABLES, id="outbox"), pytest.param(VAULT, VAULT_TABLES, id="vault")]


@pytest.mark.parametrize(("part", "tables"), PARTS)
def test_however_many_begin_at_once_the_tables_are_made_once(part: KeptTables, tables: MetaData, place: Place) -> None:
    together = threading.Barrier(8)

    def begin(_: int) -> None:
        together.wait()
        part.opened(*place).dispose()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(begin, range(8)))
    engine = part.opened(*place)
    with reading(engine) as connection:
        assert set(tables.tables) <= set(inspect(connection).get_table_names())
        assert connection.execute(select(tables.tables[f"{part.part}_schema"])).all() == [(1,)]
    engine.dispose()


@pytest.mark.parametrize(("part", "tables"), PARTS)
def test_tables_of_a_newer_version_are_refused_to_readers_and_writers(
    part: KeptTables, tables: MetaData, place: Place
) -> None:
    engine = part.opened(*place)
    with engine.begin() as connection:
        connection.execute(update(tables.tables[f"{part.part}_schema"]).values(version=2))
    engine.dispose()
    with pytest.raises(NewerSchemaError, match=part.part):
        part.opened(*place)
    with pytest.raises(NewerSchemaError, match=part.part):
        part.found(*place)


def test_a_file_from_before_tables_had_versions_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    marks = OUTBOX_TABLES.tables["marks"]
    OUTBOX_TABLES.create_all(
        engine, tables=[table for name, table in OUTBOX_TABLES.tables.items() if name != "outbox_schema"]
    )
    with engine.begin() as connection:
        connection.execute(insert(marks).values(name="position", value="7"))
    engine.dispose()
    opened = OUTBOX.opened(path, None)
    with reading(opened) as connection:
        assert connection.execute(select(marks)).all() == [("position", "7")]
    opened.dispose()


def test_who_only_looks_makes_nothing(place: Place) -> None:
    assert OUTBOX.found(*place) is None
    assert OUTBOX.found(*place) is None
    OUTBOX.opened(*place).dispose()
    found = OUTBOX.found(*place)
    assert found is not None
    found.dispose()


def test_of_several_who_read_and_then_write_each_finds_what_the_others_wrote(place: Place) -> None:
    tables = MetaData()
    counter = Table("counter", tables, Column("value", Integer))
    part = KeptTables("counting", tables, version=1, lock=0x6F75746C65740099)
    engines = [part.opened(*place) for _ in range(4)]
    with engines[0].begin() as connection:
        connection.execute(insert(counter).values(value=0))

    def count(engine_number: int) -> None:
        for _ in range(25):
            with engines[engine_number].begin() as connection:
                value = connection.execute(select(counter.c.value)).scalar_one()
                connection.execute(update(counter).values(value=value + 1))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(4)))
    with reading(engines[0]) as connection:
        assert connection.execute(select(counter.c.value)).scalar_one() == 100
    for engine in engines:
        engine.dispose()


def test_who_reads_waits_for_no_writer(place: Place) -> None:
    engine = OUTBOX.opened(*place)
    with engine.begin() as writer:
        writer.execute(insert(OUTBOX_TABLES.tables["marks"]).values(name="position", value="1"))
        with reading(engine) as reader:
            assert reader.execute(select(OUTBOX_TABLES.tables["marks"])).all() == []
    engine.dispose()


@pytest.mark.postgres
def test_no_two_parts_share_a_table_an_index_or_a_sequence() -> None:
    """What each part makes in a schema of its own; in one schema nothing may stand twice."""
    made: dict[str, set[str]] = {}
    for name in ("log", "read tables", "outbox", "vault"):
        with postgres.schema() as url:
            match name:
                case "log":
                    PostgresEventLog(url).close()
                case "read tables":
                    tables = open_postgres_read_tables(url)
                    tables.prepare(PROJECTIONS)
                    tables.close()
                case _:
                    (OUTBOX if name == "outbox" else VAULT).opened(Path(), url).dispose()
            with psycopg.connect(url) as connection:
                rows = connection.execute(
                    "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
                ).fetchall()
        made[name] = {relation for (relation,) in rows}
    assert all(made.values())
    assert len(set[str]().union(*made.values())) == sum(len(relations) for relations in made.values())


@pytest.mark.postgres
def test_a_commit_waits_for_the_disk_whatever_the_users_default_is() -> None:
    with postgres.schema() as url:
        options = psycopg.conninfo.conninfo_to_dict(url)["options"]
        engine = OUTBOX.opened(Path(), make_conninfo(url, options=f"{options} -c synchronous_commit=off"))
        with reading(engine) as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
        engine.dispose()


@pytest.mark.postgres
def test_texts_with_any_letter_come_back_as_they_were() -> None:
    words = "\x00\x01 山洪 \x85"
    with postgres.schema() as url:
        engine = OUTBOX.opened(Path(), url)
        marks = OUTBOX_TABLES.tables["marks"]
        with engine.begin() as connection:
            connection.execute(insert(marks).values(name="n", value=words))
            assert connection.execute(select(marks.c.value)).scalar_one() == words
        engine.dispose()


@pytest.mark.postgres
def test_a_user_who_may_create_nothing_finds_the_tables_or_is_told() -> None:
    server = postgres.server()
    if not server.own:
        pytest.skip("needs a server where roles may be made")
    with postgres.schema() as url, psycopg.connect(url, autocommit=True) as other:
        [(schema,)] = other.execute("SELECT current_schema()").fetchall()
        other.execute("DROP ROLE IF EXISTS outlet_courier")
        other.execute("CREATE ROLE outlet_courier")
        other.execute(f"GRANT USAGE ON SCHEMA {schema} TO outlet_courier")
        courier = make_conninfo(url, options=f"-c search_path={schema} -c role=outlet_courier")
        with pytest.raises(StoreError, match="outbox"):
            OUTBOX.opened(Path(), courier)
        OUTBOX.opened(Path(), url).dispose()
        other.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO outlet_courier")
        OUTBOX.opened(Path(), courier).dispose()


def test_an_address_that_is_none_is_refused_and_not_repeated() -> None:
    with pytest.raises(NoAddressError) as refused:
        OUTBOX.opened(Path(), "secret-password")
    assert "secret" not in str(refused.value)


def test_a_database_that_cannot_be_reached_ends_in_a_sentence() -> None:
    with pytest.raises(StoreError, match="the vault's database refused") as refused:
        VAULT.opened(Path(), "postgresql://somebody:secret@127.0.0.1:9/none?connect_timeout=2")
    assert "secret" not in str(refused.value)
