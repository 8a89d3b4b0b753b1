"""Connections to one PostgreSQL database, all with the same settings, found again when they are lost.

What does not belong here: tables and statements (`postgres_recorder`).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from eventsourcing.postgres import PostgresDatastore
from psycopg import Connection, Cursor, ProgrammingError
from psycopg import Error as PsycopgError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, TupleRow, dict_row, tuple_row

from adapters.store.errors import NoAddressError

Answer = TypeVar("Answer")

READERS = 8
"""Connections for reading at most: a page is short, and a server has only some hundred connections for everyone."""

RECONNECT_SECONDS = 0.2
"""Between two attempts to reach a server that is away."""

DEFAULTS = {
    "application_name": "single-outlet",
    "client_encoding": "UTF8",
    "connect_timeout": "5",
    # A server that is gone without a word is noticed within half a minute, where the system's own default is hours.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
"""Of every connection, unless the address says otherwise."""

SETTLE = """
SELECT
    set_config('synchronous_commit', CASE current_setting('synchronous_commit')
        WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false),
    set_config('lock_timeout', %s, false),
    set_config('idle_in_transaction_session_timeout', '10s', false)
"""
"""A commit waits for the disk, whatever the database's default. And a client that dies, or is cut off, amid a
transaction holds the log's lock no longer than some seconds."""


def conninfo_of(url: str) -> str:
    """The address with DEFAULTS; it is a URL `postgresql://…`, or libpq's own `host=… dbname=…`.

    Raises:
        NoAddressError: it is neither.
    """
    try:
        given = conninfo_to_dict(url)
    except ProgrammingError:
        raise NoAddressError(
            "the database's address is no URL postgresql://... and no list of host=... dbname=..."
        ) from None
    return make_conninfo(url, **{name: value for name, value in DEFAULTS.items() if name not in given})


class LastingDatastore(PostgresDatastore):
    """The library's datastore over connections of our own, by any address that libpq understands.

    The library's pool takes no address but host, port and name, and its threads wait for longer and longer before
    they reach for a server that has come back; nothing here reaches for it but who asks.

    Args:
        url: where the database is; see `conninfo_of`.
        lock_timeout_seconds: how long an append waits for a transaction of another process.
        patience_seconds: for how long a lost server is looked for, before a question is answered with an error.
    """

    def __init__(self, url: str, *, lock_timeout_seconds: float, patience_seconds: float) -> None:
        self._idle: list[Connection[DictRow]] = []
        super().__init__(dbname="", host="", port="", user="", password="")
        self.conninfo = conninfo_of(url)
        self.patience_seconds = patience_seconds
        # The library sets the time anew in each transaction, in whole seconds.
        self.lock_timeout = max(1, round(lock_timeout_seconds))
        self._seats = threading.BoundedSemaphore(READERS)
        with self.get_connection() as connection:
            found = connection.execute("SELECT current_schema() AS name").fetchone()
        self.schema = (found and found["name"]) or self.schema

    def register_type_adapters(self) -> None:
        """Nothing: the library's composite types are not used."""

    def connect(self) -> Connection[DictRow]:
        """A new connection in autocommit: a transaction is what somebody begins."""
        connection = Connection[DictRow].connect(self.conninfo, autocommit=True, row_factory=dict_row)
        try:
            connection.execute(SETTLE, (f"{self.lock_timeout}s",))
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def get_connection(self) -> Iterator[Connection[DictRow]]:
        """A connection that nobody else has until it is given back; one that has met an error is not used again."""
        with self._seats:
            connection = self._idle.pop() if self._idle else self.connect()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)

    def answer(self, question: Callable[[Cursor[TupleRow]], Answer]) -> Answer:
        """Ask on a cursor that gives plain tuples, and again on a new connection when one was lost.

        Raises:
            psycopg.Error: the database refused, or was away for longer than `patience_seconds`.
        """
        deadline = time.monotonic() + self.patience_seconds
        while True:
            lost = True  # as long as there is none
            try:
                with self.get_connection() as connection:
                    try:
                        with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
                            return question(cursor)
                    finally:
                        lost = connection.closed
            except PsycopgError:
                if not lost or time.monotonic() > deadline:
                    raise
            # Those that lay idle beside it are likely to be lost as well.
            self.forget_idle()
            time.sleep(RECONNECT_SECONDS)

    def forget_idle(self) -> None:
        """Close the connections that nobody has."""
        while self._idle:
            self._idle.pop().close()

    def close(self) -> None:
        """Close everything; nobody may be reading any more."""
        self.forget_idle()
