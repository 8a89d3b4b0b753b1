"""Of several processes that do the same, one at a time: who holds a lock of the database's, for as long as it lives.

What they do would be right without it (positions and versions see to that), and done several times over.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from psycopg import Connection
from psycopg import Error as PsycopgError

from adapters.store.postgres_datastore import conninfo_of

log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 1.0

_TAKE: Final = "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || '/' || %s, 0))"


class Lease:
    """A named lock in the outlet's schema. `trouble` is why it cannot be asked for, empty if it can."""

    def __init__(self, url: str, name: str) -> None:
        """Nothing is connected yet."""
        self._conninfo = conninfo_of(url)
        self._name = f"single-outlet/{name}"
        self._connection: Connection[tuple[bool]] | None = None
        self.is_active = False
        self.trouble = ""

    @contextmanager
    def held(self, stop: threading.Event) -> Iterator[bool]:
        """Wait until it is ours, or until told to stop: then False. It is given back in the end."""
        try:
            while not stop.is_set():
                if self._taken():
                    self.is_active = True
                    break
                stop.wait(WAIT_SECONDS)
            yield self.is_active
        finally:
            self.is_active = False
            self._close()

    def still(self) -> bool:
        """Whether it still is ours; a lost connection has lost it. To be asked every now and then."""
        if self._connection is None:
            return False
        try:
            self._connection.execute("SELECT 1")
        except PsycopgError as error:
            self._say("was lost", error)
            self.is_active = False
            self._close()
            return False
        return True

    def _taken(self) -> bool:
        try:
            if self._connection is None:
                self._connection = Connection.connect(self._conninfo, autocommit=True)
            found = self._connection.execute(_TAKE, (self._name,)).fetchone()
        except PsycopgError as error:
            self._say("cannot be asked for", error)
            self._close()
            return False
        self.trouble = ""
        return found is not None and found[0]

    def _say(self, what: str, error: PsycopgError) -> None:
        if str(error) != self.trouble:
            log.warning("the lease %s %s: %s", self._name, what, error)
        self.trouble = str(error)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
