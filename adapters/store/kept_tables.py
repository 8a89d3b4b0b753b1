"""Tables whose rows are nowhere else, as an outbox's or a vault's: one code for SQLite and PostgreSQL.

Here: how they are opened, made once, and written by one process at a time. What a row means is each part's own.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    any_,
    bindparam,
    create_engine,
    event,
    false,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import ColumnElement

from adapters.store.errors import NewerSchemaError, StoreError
from adapters.store.small_files import make_private
from adapters.store.sqlite_datastore import switch_to_wal

log = logging.getLogger(__name__)

# A rowid in SQLite is an INTEGER and nothing else; the figures themselves need 64 bits everywhere.
INTEGER: Final = BigInteger().with_variant(Integer(), "sqlite")
# Texts are in order of their code points, as SQLite has them, whatever the database's language is.
TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")

BUSY_SECONDS: Final = 10
"""How long a write waits for another process's."""

ROWS_AT_ONCE: Final = 5_000

IDLE_SECONDS: Final = 30
"""How long a client that was stopped amid a write keeps others from writing: longer than the log may be away."""


class KeptTables:
    """The tables of one part, with a version.

    Args:
        part: its name, for people and for the table of its version.
        metadata: its tables.
        version: raised with every change of their shape.
        lock: the number of its advisory lock in PostgreSQL.
        sqlite_settings: pragmas beyond those of every part.
        carried_over: whether a database that has none of this begins with the rows of the file; not for rows that
            belong to one log, for the database may have another one.
    """

    def __init__(
        self,
        part: str,
        metadata: MetaData,
        *,
        version: int,
        lock: int,
        sqlite_settings: tuple[str, ...] = (),
        carried_over: bool = False,
    ) -> None:
        self.part = part
        self.version = version
        self._metadata = metadata
        self._lock = lock
        self._sqlite_settings = sqlite_settings
        self._carried_over = carried_over
        self._versions = Table(f"{part}_schema", metadata, Column("version", INTEGER, nullable=False))

    def opened(self, path: Path, url: str | None) -> Engine:
        """Where the tables are: in the database that `url` names, or else in a file; made if they are not there.

        Raises:
            NewerSchemaError: a newer version of the platform made them.
            StoreError: the database refuses.
            OSError: the file cannot be made.
        """
        engine = self._in_file(path) if url is None else self._in_database(url)
        with _ended_by_an_error(engine), refusals_named(self.part):
            self._prepare(engine, path if url is not None and self._carried_over and path.is_file() else None)
        return engine

    def found(self, path: Path, url: str | None) -> Engine | None:
        """The same for who only reads; None where nobody has made them, and then nothing is made.

        Raises:
            NewerSchemaError, StoreError: as from `opened`.
        """
        if url is None:
            return self.opened(path, None) if path.is_file() else None
        engine = self._in_database(url)
        with _ended_by_an_error(engine), refusals_named(self.part):
            is_there = self._is_there(engine)
        if not is_there:
            engine.dispose()
        return engine if is_there else None

    def _in_file(self, path: Path) -> Engine:
        make_private(path)
        engine = create_engine(f"sqlite:///{path}", hide_parameters=True)

        @event.listens_for(engine, "connect")
        def _settle(connection: DBAPIConnection, _record: object) -> None:
            connection.isolation_level = None  # transactions are begun by `_begin`
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
            switch_to_wal(cursor, timeout_seconds=BUSY_SECONDS)
            # What was answered for survives a power failure.
            for setting in ("synchronous=FULL", *self._sqlite_settings):
                cursor.execute(f"PRAGMA {setting}")
            cursor.close()

        _begin_by(engine, to_read="BEGIN", to_write="BEGIN IMMEDIATE")
        return engine

    def _in_database(self, url: str) -> Engine:
        from adapters.store.postgres_engine import (  # noqa: PLC0415 -- the driver is of an optional group
            postgres_engine,
            transaction_lock,
        )

        settings = (
            f"SET lock_timeout = '{BUSY_SECONDS}s'",
            f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'",
            # What was answered for survives a power failure, whatever the default of the database or user is.
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
        )
        engine = postgres_engine(url, settings)
        _begin_by(engine, to_read=None, to_write=transaction_lock(self._lock))
        return engine

    def _prepare(self, engine: Engine, file: Path | None) -> None:
        if self._is_there(engine):  # then who may create nothing needs no right to
            return
        with engine.begin() as connection:  # whoever begins at the same moment waits here
            if self._is_known(connection):
                return
            self._metadata.create_all(connection)
            connection.execute(insert(self._versions).values(version=self.version))
            if file is not None:
                self._carry_over(connection, file)

    def _carry_over(self, connection: Connection, file: Path) -> None:
        """The rows of a file into empty tables of a database, whose sequences go on behind them."""
        source = self.opened(file, None)
        with _ended_by_an_error(source), reading(source) as reader:
            for table in self._metadata.sorted_tables:
                if table is self._versions:
                    continue
                for rows in (
                    reader.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table)).mappings().partitions()
                ):
                    connection.execute(insert(table), [dict(row) for row in rows])
                if (counted := table.autoincrement_column) is not None:
                    sequence = func.pg_get_serial_sequence(table.name, counted.name)
                    connection.execute(select(func.setval(sequence, func.coalesce(func.max(counted), 0) + 1, false())))
        source.dispose()
        log.warning("the %s was carried over into the database; nothing uses %s any more: delete it", self.part, file)

    def _is_there(self, engine: Engine) -> bool:
        with reading(engine) as connection:
            return self._is_known(connection)

    def _is_known(self, connection: Connection) -> bool:
        """Whether the tables have a version. The first SQLite files had none, and their tables are those of 1."""
        if not inspect(connection).has_table(self._versions.name):
            return False
        found = int(connection.execute(select(self._versions.c.version)).scalar_one())
        if found > self.version:
            raise NewerSchemaError(
                f"the {self.part} was made by a newer version of the platform: its tables are of version {found}, and "
                f"this one knows {self.version}"
            )
        return True


def _begin_by(engine: Engine, *, to_read: str | None, to_write: str) -> None:
    """Take the lock first: a transaction that reads and then writes must find what it read unchanged."""

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        statement = to_read if options.get("reads_only") else to_write
        if statement is not None and options.get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql(statement)


def reading(engine: Engine) -> Connection:
    """A connection that takes no lock, for who writes nothing."""
    return engine.connect().execution_options(reads_only=True)


@contextmanager
def refusals_named(part: str) -> Iterator[None]:
    """The database's errors as StoreError."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(f"the {part}'s database refused: {error}") from error


@contextmanager
def _ended_by_an_error(engine: Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def is_one_of(column: ColumnElement[int], parameter: str, dialect: str) -> ColumnElement[bool]:
    """Whether a column is among any count of numbers, which are one parameter made by `as_set`."""
    if dialect == "postgresql":
        return column == any_(bindparam(parameter, type_=ARRAY(BigInteger)))
    return column.in_(select(func.json_each(bindparam(parameter)).table_valued("value").c.value))


def as_set(connection: Connection, numbers: Iterable[int]) -> Any:  # noqa: ANN401 -- what the driver takes
    """Numbers as the one parameter of `is_one_of`."""
    return list(numbers) if connection.dialect.name == "postgresql" else json.dumps(list(numbers))
