"""Which signed requests have been answered: ids of the last hours, in SQLite, so that a restart forgets none.

An id is remembered when its messages are durable and before the answer is sent. A crash in between leaves the id
free: the sender's own repetition is then let in and found to be a duplicate, which changes nothing.
"""

import sqlite3
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from adapters.store.small_files import connected

FILE_NAME: Final = "signed-requests.sqlite"

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS answered (
    agency TEXT NOT NULL,
    id TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (agency, id)
) WITHOUT ROWID
"""

SWEEP_SECONDS: Final = 600
"""How often what is older than the memory is dropped."""

SignedId = tuple[str, str]
"""(agency, webhook-id): an id is an agency's own."""


class AnsweredRequests:
    """The ids of signed requests that were answered or are in work. Safe to use from many threads."""

    def __init__(self, path: Path, *, remembered: timedelta) -> None:
        """Remember in this file, for so long."""
        self._lock = threading.Lock()
        self._in_work: set[SignedId] = set()
        self._remembered = remembered
        self._swept = 0.0
        self._connection = connected(path, _SCHEMA)
        self._connection.execute("CREATE INDEX IF NOT EXISTS answered_at ON answered (at)")

    def begin(self, signed: SignedId) -> bool:
        """Claim the id for a request in work; False when it was answered before or is in work now."""
        with self._lock:
            if signed in self._in_work:
                return False
            question = "SELECT 1 FROM answered WHERE agency = ? AND id = ?"
            if self._connection.execute(question, signed).fetchone() is not None:
                return False
            self._in_work.add(signed)
            return True

    def abandon(self, signed: SignedId) -> None:
        """The request ended without having taken anything in: its id is free again."""
        with self._lock:
            self._in_work.discard(signed)

    def remember(self, signed: Sequence[SignedId], now: datetime) -> None:
        """These are answered; when this returns, that is durable.

        Raises:
            sqlite3.Error: the file cannot be written; the ids are free again.
        """
        moment = now.timestamp()
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                rows = [(*one, moment) for one in signed]
                self._connection.executemany("INSERT OR IGNORE INTO answered VALUES (?, ?, ?)", rows)
                if moment - self._swept > SWEEP_SECONDS:
                    oldest = moment - self._remembered.total_seconds()
                    self._connection.execute("DELETE FROM answered WHERE at < ?", (oldest,))
                    self._swept = moment
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._in_work.difference_update(signed)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        """The memory itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()
