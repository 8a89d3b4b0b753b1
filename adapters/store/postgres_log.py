"""The event log in one PostgreSQL database, for several processes and machines at once.

Here: the writer's transaction, what becomes of it when the connection is lost, and who is woken. What every log does
is in `stored_log`, tables and statements in `postgres_recorder`.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TypeVar
from uuid import UUID

from eventsourcing.persistence import PersistenceError
from psycopg import Connection, Cursor
from psycopg import Error as PsycopgError
from psycopg.rows import DictRow, TupleRow

from adapters.store.appends import Append
from adapters.store.codec import EventCodec
from adapters.store.errors import AppendOutcomeUnknownError, EventLogUnavailableError
from adapters.store.postgres_datastore import RECONNECT_SECONDS, LastingDatastore
from adapters.store.postgres_listener import Listener
from adapters.store.postgres_recorder import Attempt, PostgresLogRecorder, undo
from adapters.store.stored_log import Answer, StoredEventLog
from domain.ports import VersionConflictError

LOOK_SECONDS = 2.0
"""How often a waiting reader looks although it would hear of news: nothing should depend on a message alone."""

DURABILITY = ["fsync", "full_page_writes", "synchronous_commit"]

Done = TypeVar("Done")


class PostgresEventLog(StoredEventLog[Cursor[TupleRow]]):
    """The log in a database; see `StoredEventLog`.

    Every append takes a lock that only appends take, so positions are committed in their order, and a reader who
    follows them misses none. A lost connection is looked for again; a commit that was never answered is found out.

    Args:
        url: the database, as a URL or in libpq's own form. What they leave out is taken from libpq's environment.
        codec: what turns events into bytes and back.
        may_create: whether missing tables are created; a worker may lack the right to.
        busy_timeout_seconds: how long an append waits for a transaction of another process.
        patience_seconds: for how long a database that is away is looked for.

    Raises:
        EventLogUnavailableError: the database cannot be reached, or refuses.
        NoAddressError: `url` is no address.
        NewerSchemaError: a newer version of the platform made the tables.
        NoSchemaError: they are missing, and may not be created.
    """

    def __init__(
        self,
        url: str,
        *,
        codec: EventCodec | None = None,
        may_create: bool = True,
        busy_timeout_seconds: float = 10.0,
        patience_seconds: float = 10.0,
    ) -> None:
        with _errors_named():
            self._datastore = LastingDatastore(
                url, lock_timeout_seconds=busy_timeout_seconds, patience_seconds=patience_seconds
            )
            self._recorder = PostgresLogRecorder(self._datastore)
            try:
                self._recorder.create_table(may_create=may_create)
            except BaseException:
                self._datastore.close()
                raise
        super().__init__(codec or EventCodec(), self._recorder)
        self._connection: Connection[DictRow] | None = None
        self._listening = threading.Lock()
        self._listener: Listener | None = None
        self._open()

    def durability(self) -> Mapping[str, str]:
        """The server's DURABILITY settings, as they hold for appends; with one of them off, power loss costs some."""
        with _errors_named(), closing(self._datastore.connect()) as connection:
            rows = connection.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", (DURABILITY,))
            return {row["name"]: row["setting"] for row in rows}

    def _write_group(self, appends: Sequence[Append]) -> Sequence[Sequence[int] | VersionConflictError]:
        """Write a group in one transaction; again, as long as it is known that nothing of it was stored.

        Raises:
            EventLogUnavailableError: the database refused, or stayed away; nothing was stored.
            AppendOutcomeUnknownError: it stayed away from the moment of the commit on.
        """
        deadline = time.monotonic() + self._datastore.patience_seconds
        with _errors_named():
            while True:
                # What is begun on a connection is finished on this one and no other: the lock is its own.
                writer, attempt = self._persistently(
                    lambda connected: (connected, self._recorder.begin(connected, appends)), deadline
                )
                if attempt.plan.is_empty:
                    undo(writer)
                    return attempt.plan.outcomes
                try:
                    self._recorder.finish(writer, attempt.plan)
                except PsycopgError:
                    if not writer.closed:
                        undo(writer)
                        raise
                    if not self._has_committed(attempt, deadline):
                        continue
                return attempt.plan.outcomes

    def _has_committed(self, attempt: Attempt, deadline: float) -> bool:
        try:
            return self._persistently(lambda writer: self._recorder.has_committed(writer, attempt), deadline)
        except PsycopgError as error:
            raise AppendOutcomeUnknownError(
                f"the event log's database was lost at a commit, and whether it was made is unknown: {error}"
            ) from error

    def _persistently(self, work: Callable[[Connection[DictRow]], Done], deadline: float) -> Done:
        """Do what may be done again, on a new connection each time that one was lost, until the deadline."""
        while True:
            lost = True  # as long as there is none
            try:
                writer = self._writer()
                try:
                    return work(writer)
                except PsycopgError:
                    lost = writer.closed
                    undo(writer)
                    raise
            except PsycopgError:
                if not lost or time.monotonic() > deadline:
                    raise
            time.sleep(RECONNECT_SECONDS)

    def _writer(self) -> Connection[DictRow]:
        """The writer's own connection; a process that only reads has none."""
        if self._connection is None or self._connection.closed:
            self._connection = self._datastore.connect()
        return self._connection

    def _answer(self, question: Callable[[Cursor[TupleRow]], Answer]) -> Answer:
        with _errors_named():
            return self._datastore.answer(question)

    def _poll_seconds(self) -> float:
        with self._listening:
            if self._listener is None:
                self._listener = Listener(self._datastore.connect, self._recorder.channel_name, self._announce)
        return LOOK_SECONDS if self._listener.hears else super()._poll_seconds()

    def _release(self) -> None:
        if self._listener is not None:
            self._listener.close()
        if self._connection is not None:
            self._connection.close()
        self._datastore.close()

    @staticmethod
    def _stream_id(stored: UUID) -> UUID:
        return stored


@contextmanager
def _errors_named() -> Iterator[None]:
    """The database's errors, of psycopg and of the library, as EventLogUnavailableError."""
    try:
        yield
    except (PsycopgError, PersistenceError) as error:
        raise EventLogUnavailableError(f"the event log's database refused: {error}") from error
