"""The event log in one SQLite file: what append has returned for survives power loss.

Here: the file's connections, and the writer's transaction. What every log does is in `stored_log`, tables and
statements in `sqlite_recorder`.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from eventsourcing.persistence import PersistenceError

from adapters.store.appends import Append
from adapters.store.codec import EventCodec
from adapters.store.errors import EventLogUnavailableError
from adapters.store.sqlite_datastore import DurableDatastore, immediate
from adapters.store.sqlite_recorder import SqliteRecorder
from adapters.store.stored_log import Answer, StoredEventLog
from domain.ports import VersionConflictError


class SqliteEventLog(StoredEventLog[sqlite3.Connection]):
    """The log in a file; see `StoredEventLog`.

    Args:
        path: the file; made, with its tables, if it is not there. Its folder must exist, on a local disk.
        codec: what turns events into bytes and back.
        busy_timeout_seconds: how long an append waits for a transaction of another process.

    Raises:
        EventLogUnavailableError: the file cannot be opened, or is no SQLite file.
        NewerSchemaError: a newer version of the platform wrote it.
    """

    def __init__(self, path: Path, *, codec: EventCodec | None = None, busy_timeout_seconds: float = 10.0) -> None:
        self._datastore = DurableDatastore(path, busy_timeout_seconds=busy_timeout_seconds)
        self._recorder = SqliteRecorder(self._datastore)
        super().__init__(codec or EventCodec(), self._recorder)
        with _errors_named():
            self._recorder.create_table()
            # The writer's own for as long as the log is open.
            self._connection = self._datastore.pool.get_connection(is_writer=True)
        self._open()

    def _write_group(self, appends: Sequence[Append]) -> Sequence[Sequence[int] | VersionConflictError]:
        with _errors_named(), immediate(self._connection) as cursor:
            return self._recorder.append_group(cursor, appends)

    def _answer(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        with _errors_named(), self._datastore.reading() as reader:
            return question(reader)

    def _release(self) -> None:
        self._datastore.pool.put_connection(self._connection)
        self._datastore.close()

    @staticmethod
    @lru_cache(maxsize=65_536)
    def _stream_id(stored: str) -> UUID:
        # Streams recur all along the log, and making a UUID costs half as much as reading its event.
        return UUID(stored)


@contextmanager
def _errors_named() -> Iterator[None]:
    """The database's errors, of SQLite and of the library, as EventLogUnavailableError."""
    try:
        yield
    except (sqlite3.Error, PersistenceError) as error:
        raise EventLogUnavailableError(f"the event log's database refused: {error}") from error
