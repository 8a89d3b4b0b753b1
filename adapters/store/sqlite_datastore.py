"""Connections to one SQLite file, all with the same settings, and the transaction that writers use.

What does not belong here: tables and statements (`sqlite_recorder`).
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from eventsourcing.sqlite import SQLiteConnection, SQLiteConnectionPool, SQLiteCursor, SQLiteDatastore

DURABILITY = (
    # A commit returns only when the write-ahead log is on the disk, not merely with the operating system.
    "PRAGMA synchronous=FULL",
    # On macOS a plain fsync leaves the bytes in the drive's cache. Elsewhere these two do nothing.
    "PRAGMA fullfsync=ON",
    "PRAGMA checkpoint_fullfsync=ON",
    # The write-ahead log is cut back after a flood instead of keeping its largest size.
    "PRAGMA journal_size_limit=67108864",
    # Stream ids are hashes: appends touch pages all over their index, which should stay in memory (64 MiB).
    "PRAGMA cache_size=-65536",
)


class Executing(Protocol):
    """A connection or cursor that carries out a statement."""

    def execute(self, statement: str, /) -> object:
        """Carry it out."""
        ...


def switch_to_wal(connection: Executing, *, timeout_seconds: float) -> None:
    """Switch a new file to WAL, once. SQLite does not wait for other processes here, so this does."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


class DurablePool(SQLiteConnectionPool):
    """Connections that all carry the same settings: WAL, and DURABILITY."""

    def __init__(self, path: Path, *, busy_timeout_seconds: float) -> None:
        self._busy_timeout_seconds = busy_timeout_seconds
        # Readers hold a connection for one page; as many as there may be threads reading at once.
        super().__init__(db_name=str(path), pool_size=16, max_overflow=112, pool_timeout=30.0)

    def _create_connection(self) -> SQLiteConnection:
        connection = self.reader()
        connection.row_factory = sqlite3.Row
        return SQLiteConnection(sqlite_conn=connection, max_age=None)

    def reader(self) -> sqlite3.Connection:
        """A new connection with these settings; its rows are plain tuples."""
        # Not the library's: it passes `cached_statements=True`, which is a cache of one single statement.
        connection = sqlite3.connect(
            self.db_name,
            timeout=self._busy_timeout_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        switch_to_wal(connection, timeout_seconds=self._busy_timeout_seconds)
        for statement in DURABILITY:
            connection.execute(statement)
        return connection


class DurableDatastore(SQLiteDatastore):
    """The library's datastore over a DurablePool, and connections for readers who ask many small questions."""

    def __init__(self, path: Path, *, busy_timeout_seconds: float) -> None:
        super().__init__(str(path))
        # In place of the library's pool, which has not opened anything yet.
        self.pool = self._durable = DurablePool(path, busy_timeout_seconds=busy_timeout_seconds)
        self._idle: list[sqlite3.Connection] = []

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for one statement, which sees one state of the file without a transaction around it.

        Borrowing one from the library's pool, and opening and undoing a transaction, takes several times as long as
        most of the statements. Nobody but the borrower has the connection until it is given back.
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._durable.reader()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def close(self) -> None:
        """Close everything; nobody may be reading any more."""
        while self._idle:
            self._idle.pop().close()
        super().close()


@contextmanager
def immediate(connection: SQLiteConnection) -> Iterator[SQLiteCursor]:
    """A transaction that holds the write lock from its first moment; committed at the end, undone on any error.

    The library begins deferred: a transaction that reads first and writes later then fails at once, without the
    busy timeout, when another process has written in between.
    """
    cursor = connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    try:
        yield cursor
        connection.commit()
    finally:
        # Undoes what is still open; after the commit that is nothing.
        connection.rollback()
