"""Requests that wait to be confirmed, in one small private SQLite file, until they expire.

A contact is in here as a number of the vault and as a mark alone: the address is nowhere but in the vault. What is
deleted is overwritten. Which numbers the vault may forget, and when, is the desk's business.
"""

import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

from adapters.store.small_files import connected, make_private
from domain.recipients import RecipientNumber
from domain.subscriptions import MOST_ATTEMPTS, Wanted, wait_before_another

FILE_NAME: Final = "subscriptions.sqlite"
MOST_WAITING: Final = 10_000
_COUNTED: Final = timedelta(days=1)

_SCHEMA: Final = """
PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS request (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    wanted TEXT NOT NULL,
    expires REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    confirmed_as INTEGER
);
CREATE INDEX IF NOT EXISTS request_by_number ON request (number);
CREATE INDEX IF NOT EXISTS request_by_end ON request (expires);
CREATE TABLE IF NOT EXISTS asked (mark BLOB NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS asked_by_mark ON asked (mark);
CREATE TABLE IF NOT EXISTS leaving (number INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS followed (name TEXT PRIMARY KEY, position INTEGER NOT NULL);
"""
_REQUEST: Final = "SELECT id, number, wanted, expires, confirmed_as FROM request"
_Row = tuple[str, int, str, float, int | None]


Limit = Literal["contact", "subscriber", "subscriptions"]
"""What is exceeded: how often one contact is asked for, how often one address asks, how many requests wait at all."""

_LIMITS: Final[Mapping[Limit, str]] = {
    "contact": "This contact was asked for too often.",
    "subscriber": "This address asks faster than it may.",
    "subscriptions": "As many requests wait to be confirmed as may.",
}


class TooManyRequestsError(Exception):
    """Not now: `by` names the limit, `wait` is how long to stay away."""

    def __init__(self, by: Limit, wait: timedelta) -> None:
        """Keep what the answer is made of."""
        self.by = by
        self.wait = wait
        super().__init__(_LIMITS[by])


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `number` is the vault's for its contact; `confirmed_as` whose subscription it became."""

    id: UUID
    number: RecipientNumber
    wanted: Wanted
    expires: datetime
    confirmed_as: RecipientNumber | None


class WaitingRequests:
    """All requests that have not expired. Safe to use from many threads and several processes."""

    def __init__(self, path: Path, *, most: int = MOST_WAITING) -> None:
        """Open the file, making it readable for its owner alone."""
        make_private(path)
        self._lock = threading.Lock()
        self._most = most
        self._connection = connected(path, _SCHEMA)

    def count_in(self, mark: bytes, now: datetime) -> None:
        """Count one more request of a contact, named by its mark.

        Raises:
            TooManyRequestsError: this contact was asked for too often, or too many requests wait; nothing is counted.
        """
        moment = now.timestamp()
        with self._lock, _transaction(self._connection):
            asked = self._connection.execute(
                "SELECT at FROM asked WHERE mark = ? AND at > ?", (mark, moment - _COUNTED.total_seconds())
            ).fetchall()
            wait = wait_before_another([datetime.fromtimestamp(at, UTC) for (at,) in asked], now)
            if wait:
                raise TooManyRequestsError("contact", wait)
            waiting, first = self._connection.execute(
                "SELECT count(*), min(expires) FROM request WHERE expires > ? AND confirmed_as IS NULL", (moment,)
            ).fetchone()
            if waiting >= self._most:
                raise TooManyRequestsError("subscriptions", datetime.fromtimestamp(first, UTC) - now)
            self._connection.execute("INSERT INTO asked VALUES (?, ?)", (mark, moment))

    def add(self, request: Request) -> None:
        """Keep a request."""
        row = (str(request.id), request.number, request.wanted.model_dump_json(), request.expires.timestamp())
        with self._lock:
            self._connection.execute("INSERT INTO request (id, number, wanted, expires) VALUES (?, ?, ?, ?)", row)

    def request(self, identifier: UUID, now: datetime) -> Request | None:
        """The request with this id, until it expires."""
        found = self._requests("WHERE id = ? AND expires > ?", (str(identifier), now.timestamp()))
        return found[0] if found else None

    def of(self, numbers: Collection[RecipientNumber], now: datetime) -> Sequence[Request]:
        """The requests of these numbers, the newest first."""
        moment = now.timestamp()
        return [
            request
            for number in numbers
            for request in self._requests("WHERE number = ? AND expires > ? ORDER BY rowid DESC", (number, moment))
        ]

    def attempt(self, identifier: UUID) -> bool:
        """Count one attempt at the code, before it is looked at; False when there were as many as there may be."""
        with self._lock:
            counted = self._connection.execute(
                "UPDATE request SET attempts = attempts + 1 WHERE id = ? AND attempts < ?",
                (str(identifier), MOST_ATTEMPTS),
            )
            return counted.rowcount == 1

    def confirmed(self, identifier: UUID, number: RecipientNumber) -> None:
        """The request became the subscription of this number; it is kept until it expires, so that it may be asked."""
        with self._lock:
            self._connection.execute("UPDATE request SET confirmed_as = ? WHERE id = ?", (number, str(identifier)))

    def remove(self, identifier: UUID) -> None:
        """Forget a request."""
        with self._lock:
            self._connection.execute("DELETE FROM request WHERE id = ?", (str(identifier),))

    def expired(self, now: datetime) -> Sequence[Request]:
        """The requests that nobody has confirmed, or that were confirmed long enough ago."""
        return self._requests("WHERE expires <= ?", (now.timestamp(),))

    def forget_counts(self, now: datetime) -> None:
        """Drop what no limit looks at any more."""
        with self._lock:
            moment = now.timestamp() - _COUNTED.total_seconds()
            self._connection.execute("DELETE FROM asked WHERE at <= ?", (moment,))

    def leaves(self, number: RecipientNumber) -> None:
        """This subscriber is about to be erased: noted first, so that a crash leaves nobody half erased."""
        with self._lock:
            self._connection.execute("INSERT OR IGNORE INTO leaving VALUES (?)", (number,))

    def leaving(self) -> Sequence[RecipientNumber]:
        """Whose erasing was begun and not seen to its end."""
        with self._lock:
            return [number for (number,) in self._connection.execute("SELECT number FROM leaving")]

    def left(self, number: RecipientNumber) -> None:
        """This subscriber is erased, or stays."""
        with self._lock:
            self._connection.execute("DELETE FROM leaving WHERE number = ?", (number,))

    def followed(self) -> int:
        """Up to where the log was looked through for who left elsewhere."""
        with self._lock:
            row = self._connection.execute("SELECT position FROM followed WHERE name = 'ended'").fetchone()
            return int(row[0]) if row else 0

    def follows(self, position: int) -> None:
        """The log was looked through up to here."""
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO followed VALUES ('ended', ?)", (position,))

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def _requests(self, where: str, values: tuple[object, ...]) -> list[Request]:
        with self._lock:
            rows: list[_Row] = self._connection.execute(f"{_REQUEST} {where}", values).fetchall()
        return [_request(row) for row in rows]


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside it, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _request(row: _Row) -> Request:
    identifier, number, wanted, expires, confirmed_as = row
    return Request(
        id=UUID(identifier),
        number=number,
        wanted=Wanted.model_validate_json(wanted),
        expires=datetime.fromtimestamp(expires, UTC),
        confirmed_as=confirmed_as,
    )
