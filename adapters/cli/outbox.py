"""Released CAP documents as files: `<outbox>/<identifier>.xml`, and `<outbox>/drill/` for those of drills.

Whoever passes them on finds whole files only. The position up to which files were written is kept in the event
log; after a crash the last files are written again, with the same bytes.
"""

import os
import re
from pathlib import Path
from typing import Final

from domain.messages import Mode
from domain.ports import EventLog, Move, VersionConflictError
from projections.base import Condition, ReadTables
from projections.releases import RELEASES, Release

FOLLOWER: Final = "outbox-files"
DRILL: Final = "drill"
BATCH: Final = 200

_NOT_IN_A_FILE_NAME: Final = re.compile(r"[^0-9A-Za-z._-]")


class Outbox:
    """One folder of released documents."""

    def __init__(self, folder: Path, log: EventLog, tables: ReadTables) -> None:
        """Make the folder, and go on from where the last run ended.

        Raises:
            OSError: the folder cannot be made.
        """
        self.folder = folder
        self._log = log
        self._tables = tables
        self._position = log.follower_position(FOLLOWER)
        folder.mkdir(parents=True, exist_ok=True)

    def follow(self) -> list[Release]:
        """Write the document of every release since the last call; return these releases, oldest first.

        Raises:
            OSError: a file cannot be written; the next call tries again from there.
        """
        written: list[Release] = []
        while rows := self._tables.select(
            RELEASES, (Condition("position", ">", self._position),), order=("position",), limit=BATCH
        ):
            for row in rows:
                release = Release(row)
                if row.cap:
                    self._write(release)
                written.append(release)
            self._remember(rows[-1].position)
        return written

    def _write(self, release: Release) -> None:
        folder = self.folder / DRILL if release.row.mode == Mode.DRILL.value else self.folder
        folder.mkdir(exist_ok=True)
        name = f"{_NOT_IN_A_FILE_NAME.sub('_', release.row.identifier)}.xml"
        part = folder / f".{name}.part"
        with part.open("wb") as file:
            file.write(release.row.cap.encode())
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / name)

    def _remember(self, position: int) -> None:
        try:
            self._log.append((), moves=[Move(FOLLOWER, position)])
        except VersionConflictError:  # another process writes the same files; they have the same bytes
            position = max(position, self._log.follower_position(FOLLOWER))
        self._position = position
