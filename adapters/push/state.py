"""How far each target has come, in one small SQLite file.

The releases themselves are in the event log, which is what makes handing over durable: a mark that is lost with the
machine makes a repetition, never a loss. Another process (the command line) may move a target; `epoch` tells.
"""

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from msgspec import Struct, field
from msgspec.json import Decoder, encode

from adapters.store.small_files import connected, make_private

FILE_NAME: Final = "push.sqlite"

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS target (
    id TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    progress BLOB NOT NULL
)
"""


class Stuck(Struct, frozen=True):
    """A district whose oldest open release was tried in vain: since when, how often, and when it is tried again."""

    failures: int
    since: datetime
    not_before: datetime


class Progress(Struct, frozen=True):
    """One target's progress: of the log up to `position` all is dealt with but the releases in `open`.

    `open` gives the district of each by its position; `failures` counts those in a row, whatever the district.
    """

    position: int
    open: Mapping[int, str] = field(default_factory=dict)
    stuck: Mapping[str, Stuck] = field(default_factory=dict)
    failures: int = 0
    failing_since: datetime | None = None
    not_before: datetime | None = None
    last_success: datetime | None = None
    last_error: str = ""
    delivered: int = 0
    given_up: int = 0

    @property
    def done_up_to(self) -> int:
        """Up to here all is dealt with, without exception."""
        return min(self.open, default=self.position + 1) - 1

    def is_done(self, position: int) -> bool:
        """Whether a release at this position is dealt with."""
        return position <= self.position and position not in self.open

    def anew(self, position: int) -> "Progress":
        """From behind this position on, with all failures forgotten."""
        return Progress(position, delivered=self.delivered, given_up=self.given_up, last_success=self.last_success)

    def refreshed(self) -> "Progress":
        """The same place, with all failures and what they made wait forgotten."""
        return Progress(
            self.position,
            self.open,
            delivered=self.delivered,
            given_up=self.given_up,
            last_success=self.last_success,
        )


class Standing(Struct, frozen=True):
    """A target's progress, and how often somebody has moved it."""

    epoch: int
    progress: Progress


_DECODER: Final = Decoder(Progress)


class PushState:
    """All targets' progress. Safe to use from many threads and several processes."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it readable for its owner alone."""
        make_private(path)
        self._lock = threading.Lock()
        # A mark may be lost with the power: the release is then handed over once more, under the same key.
        self._connection = connected(path, _SCHEMA, synchronous="NORMAL")

    def begin(self, target: str, position: int) -> Standing:
        """The target's standing; one that is new begins behind this position."""
        with self._lock:
            self._connection.execute(
                "INSERT OR IGNORE INTO target VALUES (?, 0, ?)", (target, _row(Progress(position)))
            )
        found = self.standing(target)
        assert found is not None, "a row that was just made sure of"
        return found

    def of(self, target: str) -> Progress | None:
        """The target's progress, None for one that never began."""
        found = self.standing(target)
        return None if found is None else found.progress

    def standing(self, target: str) -> Standing | None:
        """The target's standing, None for one that never began."""
        with self._lock:
            row = self._connection.execute("SELECT epoch, progress FROM target WHERE id = ?", (target,)).fetchone()
        return None if row is None else Standing(row[0], _DECODER.decode(row[1]))

    def epochs(self) -> dict[str, int]:
        """Each target's epoch; another number than before means that somebody has moved it."""
        with self._lock:
            return dict(self._connection.execute("SELECT id, epoch FROM target").fetchall())

    def write(self, changed: Iterable[tuple[str, Standing]]) -> None:
        """Keep these in one transaction, but for a target that somebody has moved meanwhile."""
        rows = [(_row(standing.progress), target, standing.epoch) for target, standing in changed]
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany("UPDATE target SET progress = ? WHERE id = ? AND epoch = ?", rows)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def move(self, target: str, position: int) -> None:
        """Begin again behind this position; a running courier follows within a second."""
        self._change(target, self.begin(target, position).progress.anew(position))

    def try_now(self, target: str) -> None:
        """Forget the failures and what they made wait."""
        found = self.of(target)
        if found is not None:
            self._change(target, found.refreshed())

    def _change(self, target: str, progress: Progress) -> None:
        with self._lock:
            sentence = "UPDATE target SET epoch = epoch + 1, progress = ? WHERE id = ?"
            self._connection.execute(sentence, (_row(progress), target))

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        """The state itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


def _row(progress: Progress) -> bytes:
    return encode(progress)
