"""What a gateway reported and nobody has worked off yet: it is on the disk before the gateway is answered.

The queue is that of the SMPP route. Rows are sealed, since messages from people carry their numbers; they are removed
when the next one is asked for. What a crash leaves comes once more.
"""

import asyncio
import json
import logging
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from adapters.channels.port import DeliveryReceipt, Incoming
from adapters.channels.smpp_inbox import Inbox, Item
from adapters.store.small_files import connected, make_private, secret_in
from adapters.vault.sealing import KEY_BYTES, SealBrokenError, open_sealed, seal

log = logging.getLogger(__name__)

_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS reports (id INTEGER PRIMARY KEY AUTOINCREMENT, sealed BLOB NOT NULL);"
_FIELD: Final = "report"
_NOBODY: Final = 0
"""Reports are sealed under the route's own key, not a person's."""


class InboxFullError(Exception):
    """Nobody fetches what is here, or it cannot be kept: the gateway is to come again."""


class ReportInbox:
    """The reports of one route. `items` is for the event loop that `open` ran in, `receive` for any thread."""

    def __init__(self, path: Path, *, most_waiting: int) -> None:
        """Nothing is read before `open`; the key lies beside the file."""
        self._path = path
        self._most_waiting = most_waiting
        self.items = Inbox()
        self._lock = threading.Lock()
        self._key = b""
        self._connection: sqlite3.Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = 0
        self._done: list[int] = []
        self._removing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read what an earlier run has left. Without a file that can be used it is said, and nothing is taken in."""
        if self._connection is not None:
            return
        try:
            rows = await asyncio.to_thread(self._read)
        except (OSError, ValueError, sqlite3.Error) as error:
            log.error("%s cannot be used: %s", self._path.name, type(error).__name__)  # noqa: TRY400 -- no surprise
            return
        for number, item in rows:
            self._put(number, item)
        with self._lock:  # from here on others may come: behind those that were here before
            self._loop = asyncio.get_running_loop()

    def receive(self, items: Sequence[Item]) -> None:
        """Keep reports; they are on the disk when this returns.

        Raises:
            InboxFullError: they are not kept.
        """
        if not items:
            return
        with self._lock:
            if self._loop is None or self._connection is None:
                raise InboxFullError("the route is not open")
            if self._waiting + len(items) > self._most_waiting:
                raise InboxFullError("too many reports wait already")
            try:
                numbers = self._written(self._connection, items)
            except sqlite3.Error as error:
                raise InboxFullError("the reports cannot be kept now") from error
            self._waiting += len(items)
            for number, item in zip(numbers, items, strict=True):
                self._loop.call_soon_threadsafe(self._put, number, item)

    async def close(self) -> None:
        """End `items`; what was not fetched stays for the next run."""
        with self._lock:
            self._loop = None
        self.items.close()
        if self._removing is not None:
            await self._removing
        await asyncio.to_thread(self._disconnect)

    def _put(self, number: int, item: Item) -> None:
        self.items.put(item, partial(self._worked_off, number))

    def _worked_off(self, number: int) -> None:
        if self._loop is None:
            return
        self._done.append(number)
        if self._removing is None:
            self._removing = self._loop.create_task(self._remove())

    async def _remove(self) -> None:
        while self._done:
            await asyncio.to_thread(self._removed)
        self._removing = None

    def _removed(self) -> None:
        with self._lock:
            numbers, self._done = self._done, []
            self._waiting -= len(numbers)
            if self._connection is None:
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany("DELETE FROM reports WHERE id = ?", [(number,) for number in numbers])
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                _roll_back(self._connection)
                # They come once more after a restart: a receipt that comes twice says nothing new.
                log.error("%d reports are not removed: %s", len(numbers), error)  # noqa: TRY400 -- no surprise

    def _written(self, connection: sqlite3.Connection, items: Sequence[Item]) -> list[int]:
        sealed = [seal(self._key, _NOBODY, _FIELD, _text_of(item)) for item in items]
        numbers: list[int] = []
        connection.execute("BEGIN IMMEDIATE")
        try:
            for content in sealed:
                cursor = connection.execute("INSERT INTO reports (sealed) VALUES (?)", (content,))
                assert cursor.lastrowid is not None
                numbers.append(cursor.lastrowid)
            connection.execute("COMMIT")
        except sqlite3.Error:
            _roll_back(connection)
            raise
        return numbers

    def _read(self) -> list[tuple[int, Item]]:
        make_private(self._path)
        key = secret_in(self._path.with_suffix(".key"), KEY_BYTES)
        connection = connected(self._path, _SCHEMA)
        found: list[tuple[int, Item]] = []
        try:
            for number, sealed in connection.execute("SELECT id, sealed FROM reports ORDER BY id").fetchall():
                try:
                    found.append((number, _item_of(open_sealed(key, _NOBODY, _FIELD, sealed))))
                except SealBrokenError:
                    log.error("%s: report %d was sealed with another key", self._path.name, number)  # noqa: TRY400
        except BaseException:
            connection.close()
            raise
        self._key, self._connection, self._waiting = key, connection, len(found)
        return found

    def _disconnect(self) -> None:
        self._removed()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _text_of(item: Item) -> str:
    return json.dumps({**asdict(item), "at": item.at.isoformat()})


def _item_of(text: str) -> Item:
    found = json.loads(text)
    found["at"] = datetime.fromisoformat(found["at"])
    return DeliveryReceipt(**found) if "reference" in found else Incoming(**found)
