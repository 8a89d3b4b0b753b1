"""Hears of other processes' commits in a PostgreSQL database: one connection, one thread, no polling.

Knows nothing of events: it tells that there may be news, and whether it would hear of any.
"""

import socket
import threading
from collections.abc import Callable
from selectors import EVENT_READ, DefaultSelector

from psycopg import Connection
from psycopg import Error as PsycopgError
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier

RECONNECT_SECONDS = 0.5
"""Between two attempts to listen again; meanwhile whoever waits has to look for himself."""


class Listener:
    """Calls `announce` for every notification on the channel, from a thread of its own, until it is closed."""

    def __init__(self, connect: Callable[[], Connection[DictRow]], channel: str, announce: Callable[[], None]) -> None:
        """Begin to listen; a database that is away is looked for again and again."""
        self._connect = connect
        self._listen = SQL("LISTEN {}").format(Identifier(channel))
        self._announce = announce
        self._end_here, self._end_there = socket.socketpair()
        self._hears = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-log-listener", daemon=True)
        self._thread.start()

    @property
    def hears(self) -> bool:
        """Whether a commit made now would be heard of."""
        return self._hears.is_set()

    def close(self) -> None:
        """End the thread and its connection."""
        self._end_here.close()
        self._thread.join()
        self._end_there.close()

    def _run(self) -> None:
        while not self._has_ended(0):
            try:
                with self._connect() as connection:
                    connection.execute(self._listen)
                    self._hears.set()
                    # What was committed before is looked for once.
                    self._announce()
                    self._hear(connection)
            except PsycopgError:
                if self._has_ended(RECONNECT_SECONDS):
                    return
            finally:
                self._hears.clear()

    def _hear(self, connection: Connection[DictRow]) -> None:
        """Announce what is heard until the end; the database's error when the connection is lost."""
        # Not `select`: beside a thousand clients of the server, file numbers are higher than it can take.
        with DefaultSelector() as selector:
            selector.register(connection, EVENT_READ)
            selector.register(self._end_there, EVENT_READ)
            while not any(key.fileobj is self._end_there for key, _ in selector.select()):
                if list(connection.notifies(timeout=0)):
                    self._announce()

    def _has_ended(self, seconds: float) -> bool:
        with DefaultSelector() as selector:
            selector.register(self._end_there, EVENT_READ)
            return bool(selector.select(seconds))
