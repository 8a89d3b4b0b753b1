"""The rows of all projections in one database: SQLAlchemy Core, one code for SQLite and PostgreSQL.

Here: tables made from their descriptions, writing in bulk, each projection's position beside its rows.
Not here: what a row means, and anything that could not be built again from the event log.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    create_engine,
    event,
    inspect,
    select,
)
from sqlalchemy import Table as SqlTable
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable, DropIndex

from adapters.store.read_changes import Pending, pending_of
from adapters.store.read_errors import ReadTablesUnavailableError
from adapters.store.read_statements import delete_text, insert_text, select_text, values_of
from adapters.store.sqlite_datastore import switch_to_wal
from projections.base import Condition, Delete, Projection, RowChange, Step, Table

RowT = TypeVar("RowT", bound=tuple[Any, ...])

# A rowid in SQLite is an INTEGER and nothing else; the figures themselves need 64 bits everywhere.
_INTEGER = BigInteger().with_variant(Integer(), "sqlite")
# Texts are in order of their code points, as SQLite has them; by the database's language an index would not serve.
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
_COLUMN_TYPES: Mapping[type, Any] = {int: _INTEGER, str: _TEXT, bytes: LargeBinary()}

_FOLLOWERS = SqlTable(
    "followers",
    MetaData(),
    Column("name", Text, primary_key=True),
    Column("version", _INTEGER, nullable=False),
    Column("position", _INTEGER, nullable=False),
    # Their names, so that a later version can take away tables it no longer describes.
    Column("tables", Text, nullable=False),
)

_BUSY_SECONDS = 10
_SQLITE_SETTINGS = (
    # A power failure may cost the last rows, never the file's order: the log still has the events.
    "PRAGMA synchronous=NORMAL",
    f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}",
    # Pages by which indexes grow should stay in memory (64 MiB).
    "PRAGMA cache_size=-65536",
    # Copy the write-ahead log back every 64 MiB instead of every 4: a rebuild writes the same pages many times.
    "PRAGMA wal_autocheckpoint=16384",
    "PRAGMA journal_size_limit=67108864",
)


class SqlReadTables:
    """Keeps the promises of `projections.base.ReadTables`; safe to use from many threads.

    Args:
        engine: the database.
        lock: a statement that begins a write, after which no other process writes until it is committed: what is
            looked up first then stays true, and nobody waits for one who waits for him.
        indexes: a statement that gives the names of the indexes that there are.

    Raises:
        ReadTablesUnavailableError: from every call, when the database refuses.
    """

    def __init__(self, engine: Engine, *, lock: str, indexes: str) -> None:
        self._engine = engine
        self._lock = lock
        self._present_indexes = indexes
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._metadata = MetaData()
        self._sql_tables: dict[str, SqlTable] = {}
        self._selects: dict[tuple[object, ...], str] = {}
        self._versions: dict[str, int] = {}
        # Names of tables that are being filled and may have no indexes yet.
        self._bare: set[str] = set()
        self._placeholder = "?" if engine.dialect.paramstyle == "qmark" else "%s"
        self._move = (
            "UPDATE followers SET position = ? WHERE name = ? AND position < ? AND position BETWEEN ? AND ? "
            "AND version = COALESCE(?, version)"
        ).replace("?", self._placeholder)

    def prepare(self, projections: Sequence[Projection]) -> None:
        """Create what is missing; see `ReadTables.prepare`."""
        versions = {projection.name: projection.version for projection in projections}
        if self._is_prepared(projections, versions):
            self._versions.update(versions)
            return
        with self._writing() as connection:
            connection.execute(CreateTable(_FOLLOWERS, if_not_exists=True))
            known = {row.name: row for row in connection.execute(select(_FOLLOWERS))}
            for projection in projections:
                row = known.get(projection.name)
                if row is None or row.version != projection.version:
                    self._begin_anew(connection, projection, json.loads(row.tables) if row else [])
                else:
                    self._make_indexes(connection, projection)
        self._versions.update(versions)

    def reset(self, projection: Projection) -> None:
        """Empty the projection's tables and begin again at 0; see `ReadTables.reset`."""
        with self._writing() as connection:
            self._begin_anew(connection, projection, [table.name for table in projection.tables])
            self._versions[projection.name] = projection.version

    def apply(self, projection: str, changes: Iterable[RowChange], position: int, *, after: int | None = None) -> bool:
        """Make the changes and record the position in one transaction; see `ReadTables.apply`."""
        return self.apply_all([Step(projection, changes, after)], position)

    def apply_all(self, steps: Sequence[Step], position: int) -> bool:
        """Make the changes of several projections in one transaction; see `ReadTables.apply_all`."""
        pending = pending_of(chain.from_iterable(step.changes for step in steps))
        moves = [
            (
                position,
                step.projection,
                position,
                0 if step.after is None else step.after,
                position if step.after is None else step.after,
                self._versions.get(step.projection),
            )
            for step in steps
        ]
        with self._writing() as connection:
            moved = connection.exec_driver_sql(self._move, moves)
            if moved.rowcount != len(moves):
                self._must_be_known(connection, [step.projection for step in steps])
                connection.rollback()
                return False
            self._write(connection, pending)
            return True

    def position(self, projection: str) -> int:
        """The last position applied, 0 before the first."""
        with _errors_named(), self._reading.connect() as connection:
            found = select(_FOLLOWERS.c.position).where(_FOLLOWERS.c.name == projection)
            return int(connection.execute(found).scalar_one_or_none() or 0)

    def positions(self, projections: Sequence[Projection]) -> dict[str, int]:
        """The position of each of them; see `ReadTables.positions`."""
        with _errors_named(), self._reading.connect() as connection:
            rows = connection.execute(select(_FOLLOWERS.c.name, _FOLLOWERS.c.position))
            known = {row.name: int(row.position) for row in rows}
        return {projection.name: known.get(projection.name, 0) for projection in projections}

    @contextmanager
    def filling(self, projections: Sequence[Projection]) -> Iterator[None]:
        """Keep no indexes while tables are filled from nothing: sorted at the end they cost a fraction.

        See `ReadTables.filling`. Cut off in between, `prepare` makes them.
        """
        with self._writing() as connection:
            for projection in projections:
                at_zero = select(_FOLLOWERS.c.name).where(
                    _FOLLOWERS.c.name == projection.name, _FOLLOWERS.c.position == 0
                )
                if connection.execute(at_zero).first() is None:
                    continue
                for table in projection.tables:
                    for index in self._sql_table(table).indexes:
                        connection.execute(DropIndex(index, if_exists=True))
                    self._bare.add(table.name)
        try:
            yield
        finally:
            for projection in projections:
                with self._writing() as connection:
                    self._make_indexes(connection, projection)

    def select(
        self,
        table: Table[RowT],
        where: Sequence[Condition] = (),
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> Sequence[RowT]:
        """The rows that satisfy every condition; see `ReadTables.select`."""
        shape = (table.name, tuple([(one.column, one.operator) for one in where]), tuple(order), limit is not None)
        statement = self._selects.get(shape)
        if statement is None:
            statement = self._selects[shape] = select_text(
                table, where, order, limited=limit is not None, placeholder=self._placeholder
            )
        values = [value for one in where for value in values_of(one)]
        if limit is not None:
            values.append(limit)
        with _errors_named(), self._reading.connect() as connection:
            return [table.row(*row) for row in connection.exec_driver_sql(statement, tuple(values))]

    def remove(self, deletes: Sequence[Delete]) -> None:
        """Take rows away at no position of the log; see `ReadTables.remove`."""
        pending = pending_of(deletes)
        if pending:
            with self._writing() as connection:
                self._write(connection, pending)

    def close(self) -> None:
        """Release the files and connections."""
        self._engine.dispose()

    def _is_prepared(self, projections: Sequence[Projection], versions: Mapping[str, int]) -> bool:
        """Whether nothing is missing: then who only reads waits for no writer, and needs no right to write."""
        with _errors_named(), self._reading.connect() as connection:
            if not inspect(connection).has_table(_FOLLOWERS.name):
                return False
            found = {
                row.name: row.version for row in connection.execute(select(_FOLLOWERS.c.name, _FOLLOWERS.c.version))
            }
            present = set(connection.exec_driver_sql(self._present_indexes).scalars())
        wanted = {
            index.name
            for projection in projections
            for table in projection.tables
            for index in self._sql_table(table).indexes
        }
        return wanted <= present and all(found.get(name) == version for name, version in versions.items())

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction that writes."""
        with _errors_named(), self._engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(self._lock)
            yield connection

    def _must_be_known(self, connection: Connection, projections: Sequence[str]) -> None:
        known = set(connection.scalars(select(_FOLLOWERS.c.name)))
        for name in projections:
            if name not in known:
                raise LookupError(f"the projection {name} was not prepared")

    def _begin_anew(self, connection: Connection, projection: Projection, old_tables: Iterable[str]) -> None:
        connection.execute(_FOLLOWERS.delete().where(_FOLLOWERS.c.name == projection.name))
        for name in old_tables:
            connection.exec_driver_sql(f'DROP TABLE IF EXISTS "{name}"')
        for table in projection.tables:
            connection.execute(CreateTable(self._sql_table(table)))
        self._make_indexes(connection, projection)
        names = json.dumps([table.name for table in projection.tables])
        row = {"name": projection.name, "version": projection.version, "position": 0, "tables": names}
        connection.execute(_FOLLOWERS.insert(), row)

    def _make_indexes(self, connection: Connection, projection: Projection) -> None:
        for table in projection.tables:
            self._index(connection, self._sql_table(table))

    def _index(self, connection: Connection, table: SqlTable) -> None:
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(CreateIndex(index, if_not_exists=True))
        self._bare.discard(table.name)

    def _write(self, connection: Connection, pending: Mapping[str, Pending]) -> None:
        # Straight to the driver's executemany: the rows are already what it takes.
        for one in pending.values():
            if one.deletes and one.table.name in self._bare:
                # Rows are looked for to be taken away: without an index, in the whole table each time.
                self._index(connection, self._sql_table(one.table))
            for columns, values in one.deletes.items():
                connection.exec_driver_sql(delete_text(one.table, columns, self._placeholder), list(values))
            if one.inserts:
                connection.exec_driver_sql(insert_text(one.table, self._placeholder, upsert=False), one.inserts)
            if one.upserts:
                connection.exec_driver_sql(
                    insert_text(one.table, self._placeholder, upsert=True), list(one.upserts.values())
                )

    def _sql_table(self, table: Table[Any]) -> SqlTable:
        known = self._sql_tables.get(table.name)
        if known is None:
            known = self._sql_tables.setdefault(table.name, _described(table))
        return known


def open_sqlite_read_tables(path: Path) -> SqlReadTables:
    """The read tables in one SQLite file, made if it is not there. Its folder must exist, on a local disk."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _settle(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        switch_to_wal(cursor, timeout_seconds=_BUSY_SECONDS)
        for statement in _SQLITE_SETTINGS:
            cursor.execute(statement)
        cursor.close()

    indexes = "SELECT name FROM sqlite_master WHERE type = 'index'"
    return SqlReadTables(engine, lock="BEGIN IMMEDIATE", indexes=indexes)


def _described(table: Table[Any]) -> SqlTable:
    hints = get_type_hints(table.row)
    columns = [_column(name, hints[name], name in table.key) for name in table.columns]
    # A table whose key is not the rowid would keep every key twice.
    numbered = len(table.key) == 1 and hints[table.key[0]] is int
    described = SqlTable(table.name, MetaData(), *columns, sqlite_with_rowid=numbered)
    for names in table.indexes:
        first = described.c[names[0]]
        present = first.is_not(None) if first.nullable else None
        Index(
            f"{table.name}_by_{'_'.join(names)}",
            *(described.c[name] for name in names),
            sqlite_where=present,
            postgresql_where=present,
        )
    return described


def _column(name: str, hint: Any, is_key: bool) -> Column[Any]:  # noqa: ANN401, FBT001 -- a type hint is any object
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not type(None)]
    return Column(
        name,
        _COLUMN_TYPES[kinds[0]],
        primary_key=is_key,
        autoincrement=False,
        nullable=type(None) in get_args(hint),
    )


@contextmanager
def _errors_named() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise ReadTablesUnavailableError(f"the read tables' database refused: {error}") from error
