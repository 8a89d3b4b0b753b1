"""Requests that were turned away before any message of theirs was kept: counts by the hour, for the duty officer.

A stranger must not make the event log grow, so nothing of such a request is recorded there. What is kept is bounded
by the kinds of problems, the agencies of the policy and the hours of a month, whoever asks however often: how many,
from when to when, and from which address last. What was counted in the last second before a crash is lost.
"""

import logging
import sqlite3
import threading
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from adapters.store.small_files import connected

log = logging.getLogger(__name__)

FILE_NAME: Final = "turned-away.sqlite"
KEPT: Final = timedelta(days=31)
FLUSH_SECONDS: Final = 1.0
"""How often a server writes down what it has counted."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS turned_away (
    hour TEXT NOT NULL,
    problem TEXT NOT NULL,
    agency TEXT NOT NULL,
    count INTEGER NOT NULL,
    first TEXT NOT NULL,
    last TEXT NOT NULL,
    last_address TEXT NOT NULL,
    PRIMARY KEY (hour, problem, agency)
) WITHOUT ROWID
"""
_ADD: Final = """
INSERT INTO turned_away VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (hour, problem, agency) DO UPDATE SET
    count = count + excluded.count,
    first = min(first, excluded.first),
    last_address = CASE WHEN excluded.last >= last THEN excluded.last_address ELSE last_address END,
    last = max(last, excluded.last)
"""


@dataclass(frozen=True, slots=True)
class TurnedAwayRow:
    """What was turned away within one hour for one problem; `agency` is empty where none of ours was named."""

    hour: datetime
    problem: str
    agency: str
    count: int
    first: datetime
    last: datetime
    last_address: str

    def document(self, zone: Any) -> dict[str, Any]:  # noqa: ANN401 -- a tzinfo
        """The row as JSON, its times in this zone."""
        return {
            "hour": self.hour.astimezone(zone).isoformat(),
            "problem": self.problem,
            "agency": self.agency,
            "count": self.count,
            "first": self.first.astimezone(zone).isoformat(),
            "last": self.last.astimezone(zone).isoformat(),
            "last_address": self.last_address,
        }


@dataclass(slots=True)
class _Count:
    count: int
    first: datetime
    last: datetime
    last_address: str


class TurnedAway:
    """Counts in memory, and writes when told to. Safe to use from many threads."""

    def __init__(self, path: Path, agencies: Collection[str]) -> None:
        """Write into this file; only these agencies are told apart, since anybody can write any name."""
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._agencies = frozenset(agencies)
        self._counts: dict[tuple[str, str, str], _Count] = {}
        self._is_closed = False
        self._connection = connected(path, _SCHEMA)

    def count(self, problem: str, now: datetime, *, agency: str = "", address: str = "") -> None:
        """One request ended in this problem."""
        moment = now.astimezone(UTC)
        hour = moment.replace(minute=0, second=0, microsecond=0).isoformat()
        key = (hour, problem, agency if agency in self._agencies else "")
        with self._lock:
            found = self._counts.get(key)
            if found is None:
                self._counts[key] = _Count(1, moment, moment, address)
                return
            found.count += 1
            found.first, found.last = min(found.first, moment), max(found.last, moment)
            found.last_address = address

    def flush(self) -> None:
        """Write down what was counted; where that fails it is kept, and written the next time."""
        with self._writing:
            if self._is_closed:
                return
            with self._lock:
                counted, self._counts = self._counts, {}
            if not counted:
                return
            try:
                self._write(counted)
            except sqlite3.Error as error:
                log.error("what was turned away cannot be written down now: %s", error)  # noqa: TRY400
                self._take_back(counted)

    def close(self) -> None:
        """Write down what is left, and release the file. Closing twice is allowed."""
        self.flush()
        with self._writing:
            self._is_closed = True
            self._connection.close()

    def _write(self, counted: dict[tuple[str, str, str], _Count]) -> None:
        rows = [
            (*key, one.count, one.first.isoformat(), one.last.isoformat(), one.last_address)
            for key, one in counted.items()
        ]
        oldest = max(one.last for one in counted.values()) - KEPT
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_ADD, rows)
            self._connection.execute("DELETE FROM turned_away WHERE hour < ?", (oldest.isoformat(),))
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _take_back(self, counted: dict[tuple[str, str, str], _Count]) -> None:
        with self._lock:
            for key, one in counted.items():
                newer = self._counts.get(key)
                if newer is None:
                    self._counts[key] = one
                else:
                    newer.count += one.count
                    newer.first = min(newer.first, one.first)


def turned_away_in(data_dir: Path, *, since: datetime, agency: str | None = None) -> Sequence[TurnedAwayRow]:
    """What was turned away since this moment, the newest first; nothing where no server has run yet."""
    path = data_dir / FILE_NAME
    if not path.is_file():
        return []
    question = "SELECT * FROM turned_away WHERE last >= ? ORDER BY hour DESC, last DESC, problem, agency"
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=10)) as connection:
        found = connection.execute(question, (since.astimezone(UTC).isoformat(),)).fetchall()
    return [_row(row) for row in found if agency in {None, row[2]}]


def _row(row: tuple[str, str, str, int, str, str, str]) -> TurnedAwayRow:
    hour, problem, agency, count, first, last, address = row
    moments = (datetime.fromisoformat(hour), datetime.fromisoformat(first), datetime.fromisoformat(last))
    return TurnedAwayRow(moments[0], problem, agency, count, moments[1], moments[2], address)
