"""What pollers remember over restarts, in `feeds.sqlite` of the data directory.

Nothing in it is a record: without it, entries are fetched again and found to be duplicates, and figures begin anew.
"""

import json
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pydantic import ValidationError

from adapters.pollers.fetching import Validators
from adapters.store.small_files import connected
from domain.feed_health import FeedHealth

FILE_NAME: Final = "feeds.sqlite"
KEPT_SECONDS: Final = 30 * 24 * 3600.0
"""How long an entry is remembered after it was last seen in its feed."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS validators (feed TEXT PRIMARY KEY, reading TEXT, etag TEXT, modified TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    feed TEXT, key TEXT, state TEXT, attempts INTEGER, next_try REAL, reason TEXT, link TEXT, seen REAL,
    PRIMARY KEY (feed, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused_items (feed TEXT, digest TEXT, PRIMARY KEY (feed, digest)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lists (feed TEXT PRIMARY KEY, items TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS health (feed TEXT PRIMARY KEY, document TEXT) WITHOUT ROWID;
"""


class EntryState(StrEnum):
    """What became of an entry."""

    TAKEN = "taken"  # its messages were taken in
    REFUSED = "refused"  # the intake refused a message of it, and has recorded that
    FAILING = "failing"  # could not be fetched; it is tried again
    GIVEN_UP = "given-up"  # could not be fetched, for too many times
    BARRED = "barred"  # leads where this feed may not go, or nowhere


SETTLED: Final = frozenset({EntryState.TAKEN, EntryState.REFUSED})


@dataclass(frozen=True, slots=True)
class Remembered:
    """An entry as it is remembered; `next_try` and `seen` are seconds since 1970."""

    state: EntryState
    attempts: int = 0
    next_try: float = 0.0
    reason: str = ""
    link: str = ""


class FeedStore:
    """The file. All methods may be called from several threads.

    All of them raise sqlite3.Error when the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, making it if need be."""
        self._lock = threading.RLock()
        self._connection = connected(path, _SCHEMA, synchronous="NORMAL")

    def validators(self, feed: str, reading: str) -> Validators | None:
        """What was kept with the last answer that was dealt with whole, by the same way of reading."""
        question = "SELECT etag, modified FROM validators WHERE feed = ? AND reading = ?"
        with self._lock:
            row = self._connection.execute(question, (feed, reading)).fetchone()
        return Validators(*row) if row and any(row) else None

    def keep_validators(self, feed: str, reading: str, validators: Validators) -> None:
        """Everything in the answer that gave these has been dealt with."""
        with self._lock:
            self._connection.execute(
                "INSERT OR REPLACE INTO validators VALUES (?, ?, ?, ?)",
                (feed, reading, validators.etag, validators.modified),
            )

    def entries(self, feed: str) -> dict[str, Remembered]:
        """Every entry of the feed that is remembered, by its key."""
        question = "SELECT key, state, attempts, next_try, reason, link FROM entries WHERE feed = ?"
        with self._lock:
            rows = self._connection.execute(question, (feed,)).fetchall()
        return {key: Remembered(EntryState(state), *rest) for key, state, *rest in rows}

    def keep_entries(self, feed: str, entries: Mapping[str, Remembered], now: float) -> None:
        """Remember what became of these."""
        rows = [
            (feed, key, one.state.value, one.attempts, one.next_try, one.reason, one.link, now)
            for key, one in entries.items()
        ]
        with self._transaction():
            self._connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def saw_entries(self, feed: str, keys: Iterable[str], now: float) -> None:
        """These stand in the feed now; what has not stood in it for long, or fails and is gone, is forgotten."""
        with self._transaction():
            self._connection.executemany(
                "UPDATE entries SET seen = ? WHERE feed = ? AND key = ?", [(now, feed, key) for key in keys]
            )
            self._connection.execute(
                "DELETE FROM entries WHERE feed = ? AND (seen < ? OR (seen < ? AND state = ?))",
                (feed, now - KEPT_SECONDS, now, EntryState.FAILING.value),
            )

    def forget_unfetched(self, feed: str) -> None:
        """A new start, perhaps with another configuration: what was barred or given up gets another chance."""
        with self._lock:
            self._connection.execute(
                "DELETE FROM entries WHERE feed = ? AND state IN (?, ?)",
                (feed, EntryState.BARRED.value, EntryState.GIVEN_UP.value),
            )

    def refused_items(self, feed: str) -> frozenset[str]:
        """Digests of the listed items whose refusal is on record."""
        with self._lock:
            rows = self._connection.execute("SELECT digest FROM refused_items WHERE feed = ?", (feed,)).fetchall()
        return frozenset(digest for (digest,) in rows)

    def keep_refused_items(self, feed: str, digests: Collection[str]) -> None:
        """These, and no others, are listed now and refused."""
        with self._transaction():
            self._connection.execute("DELETE FROM refused_items WHERE feed = ?", (feed,))
            rows = [(feed, digest) for digest in digests]
            self._connection.executemany("INSERT OR IGNORE INTO refused_items VALUES (?, ?)", rows)

    def listed(self, feed: str) -> frozenset[str]:
        """The ids that the last whole list showed."""
        with self._lock:
            row = self._connection.execute("SELECT items FROM lists WHERE feed = ?", (feed,)).fetchone()
        return frozenset(json.loads(row[0])) if row else frozenset()

    def keep_listed(self, feed: str, items: Collection[str]) -> None:
        """This whole list was taken in."""
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO lists VALUES (?, ?)", (feed, json.dumps(sorted(items))))

    def health(self, feed: str) -> FeedHealth:
        """The feed's figures; fresh ones where there are none, or none that this version can read."""
        with self._lock:
            row = self._connection.execute("SELECT document FROM health WHERE feed = ?", (feed,)).fetchone()
        try:
            return FeedHealth.model_validate_json(row[0]) if row else FeedHealth()
        except ValidationError:
            return FeedHealth()

    def keep_health(self, feed: str, health: FeedHealth) -> None:
        """Remember the figures."""
        with self._lock:
            document = health.model_dump_json()
            self._connection.execute("INSERT OR REPLACE INTO health VALUES (?, ?)", (feed, document))

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise

    def __enter__(self) -> Self:
        """The open file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()
