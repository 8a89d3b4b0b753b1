"""Which of an SMSC's message ids are parts of which letter, kept over restarts in a small SQLite file.

Only letters of several parts stand here: one that went in one part is named by that part's own id. No number and no
text is kept. Rows go when the last receipt of a letter has been passed on, or after some days.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

log = logging.getLogger(__name__)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS parts (
    message_id TEXT PRIMARY KEY,
    letter TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT '',
    kept_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parts_by_age ON parts (kept_at);
"""
_DAY_SECONDS: Final = 86_400.0
_BUSY_SECONDS: Final = 10.0

Ended = Literal["delivered", "failed"]
_Statement = tuple[str, tuple[str | float, ...]]


@dataclass(slots=True, eq=False)
class LetterParts:
    """A letter that is under way in several parts: what the receipts have said of each."""

    reference: str
    kept_at: float
    states: dict[str, str] = field(default_factory=dict)
    is_told: bool = False

    @property
    def state(self) -> Ended | None:
        """Of the letter: failed as soon as one part is, delivered when all are, else not known yet."""
        states = self.states.values()
        if "failed" in states:
            return "failed"
        return None if "" in states else "delivered"

    @property
    def is_complete(self) -> bool:
        """Whether no more receipts are to come."""
        return "" not in self.states.values()


class PartIds:
    """All letters of several parts whose receipts are still to come. Used from one event loop."""

    def __init__(self, path: Path, *, keep_days: float) -> None:
        """Nothing is read before `open`."""
        self._path = path
        self._keep_seconds = keep_days * _DAY_SECONDS
        self._by_id: dict[str, LetterParts] = {}
        self._statements: list[_Statement] = []
        self._writing: asyncio.Task[None] | None = None
        self._written: asyncio.Future[None]
        """Of what is said now; what is being written has its own already."""
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="smpp-ids")

    async def open(self, now: float) -> None:
        """Read what an earlier run has kept. Without a file that can be used it is said, and nothing is kept."""
        self._written = asyncio.get_running_loop().create_future()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._read, now)

    async def close(self) -> None:
        """Write what is left."""
        while self._writing is not None:
            await asyncio.wait([self._writing])
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def find(self, message_id: str) -> LetterParts | None:
        """The letter of which this is a part."""
        return self._by_id.get(message_id)

    async def keep(self, reference: str, message_ids: Sequence[str], now: float) -> LetterParts:
        """Remember the parts of a letter; they are on the disk when this returns."""
        letter = LetterParts(reference, now, dict.fromkeys(message_ids, ""))
        for one in letter.states:
            self._by_id[one] = letter
            self._say("INSERT OR REPLACE INTO parts VALUES (?, ?, '', ?)", (one, reference, now))
        await asyncio.shield(self._written)
        return letter

    def note(self, letter: LetterParts, message_id: str, state: Ended) -> None:
        """A receipt has come for one of the parts; the first one counts."""
        if not letter.states.get(message_id):
            letter.states[message_id] = state
            self._say("UPDATE parts SET state = ? WHERE message_id = ?", (state, message_id))

    def forget(self, letter: LetterParts) -> None:
        """No more receipts are to come."""
        for one in letter.states:
            if self._by_id.get(one) is letter:
                del self._by_id[one]
                self._say("DELETE FROM parts WHERE message_id = ?", (one,))

    def forget_old(self, now: float) -> None:
        """What has waited too long is not waited for any more."""
        for letter in [one for one in set(self._by_id.values()) if one.kept_at < now - self._keep_seconds]:
            self.forget(letter)

    def _say(self, statement: str, values: tuple[str | float, ...]) -> None:
        self._statements.append((statement, values))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_all())

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._statements:
            batch, self._statements = self._statements, []
            written, self._written = self._written, loop.create_future()
            await loop.run_in_executor(self._thread, self._write, batch)
            written.set_result(None)
        self._writing = None

    def _write(self, batch: list[_Statement]) -> None:
        if self._connection is None:
            return
        try:
            with self._connection:
                for statement, values in batch:
                    self._connection.execute(statement, values)
        except sqlite3.Error as error:
            # What was sent stays sent; all that is lost is which receipts belong together after a restart.
            log.error("the parts of %d letters are not kept: %s", len(batch), error)  # noqa: TRY400 -- no surprise

    def _read(self, now: float) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            log.error("%s cannot be opened: %s", self._path.name, error)  # noqa: TRY400 -- the same
            return
        try:
            # NORMAL: what was kept survives the death of this process; after a power failure some receipts are
            # missing, which says less than it could and nothing wrong.
            for setting in ("journal_mode=WAL", "synchronous=NORMAL"):
                connection.execute(f"PRAGMA {setting}")
            connection.executescript(_SCHEMA)
            with connection:
                connection.execute("DELETE FROM parts WHERE kept_at < ?", (now - self._keep_seconds,))
            letters: dict[str, LetterParts] = {}
            with closing(connection.execute("SELECT message_id, letter, state, kept_at FROM parts")) as rows:
                for message_id, reference, state, kept_at in rows:
                    letter = letters.setdefault(reference, LetterParts(reference, kept_at))
                    letter.states[message_id] = state
                    self._by_id[message_id] = letter
        except sqlite3.Error as error:
            log.error("%s cannot be read: %s", self._path.name, error)  # noqa: TRY400 -- the same
            connection.close()
            return
        self._connection = connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
