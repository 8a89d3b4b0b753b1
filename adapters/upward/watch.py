"""Beside the courier: looks for acknowledgements that come as files, and reports a parent's silence once."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from adapters.upward.acknowledgements import AcknowledgementFolder
from adapters.upward.definition import ParentDefinition, Way
from adapters.upward.records import House, Records
from domain.passing_up import Reason, acknowledgement_is_overdue
from domain.ports import LogUnavailableError, VersionConflictError
from projections.base import moment_of
from projections.passing_up import WaitingRow, reported_silent, unanswered
from streams.park import Failed, attempt

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 2.0


def expects_answers(parent: ParentDefinition) -> bool:
    """Whether this parent acknowledges at all: a folder without a folder for acknowledgements never does."""
    return parent.by is Way.HTTP or parent.answers_by_file


def overdue(house: House, parent: ParentDefinition) -> list[WaitingRow]:
    """The documents that should have been answered by now, oldest release first."""
    if not expects_answers(parent):
        return []
    now = house.clock.now()
    return [
        row
        for row in unanswered(house.tables, parent.id)
        if acknowledgement_is_overdue(moment_of(row.at), now, parent.acknowledge_within_seconds)
    ]


class Watch:
    """What is done for one parent at each look."""

    def __init__(self, house: House, parent: ParentDefinition, data_dir: Path) -> None:
        """Nothing is read yet."""
        self._house = house
        self.parent = parent
        self._records = Records(house, parent)
        self._folder = (
            AcknowledgementFolder(data_dir / parent.acknowledgements, house.tables, self._records)
            if parent.acknowledgements is not None
            else None
        )
        self._reported: set[int] = set()

    def look(self) -> None:
        """Read the acknowledgements that have come, then report what is overdue and was not reported."""
        if self._folder is not None:
            self._folder.look()
        waiting = overdue(self._house, self.parent)
        self._reported &= {row.position for row in waiting}
        for row in waiting:
            if row.position in self._reported:
                continue
            self._reported.add(row.position)
            if not reported_silent(self._house.tables, self.parent.id, row.position):
                within = f"no acknowledgement within {self.parent.acknowledge_within_seconds:g} s"
                self._records.failed(row.position, Reason.UNACKNOWLEDGED, f"{row.document}: {within}", final=False)


@contextmanager
def watching(house: House, parents: Sequence[ParentDefinition], data_dir: Path) -> Iterator[None]:
    """Look every few seconds, in a thread of its own, while this is entered."""
    watches = [Watch(house, parent, data_dir) for parent in parents if expects_answers(parent)]
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(LOOK_SECONDS):
            for watch in watches:
                try:
                    found: Failed | None = attempt(watch.look)
                except (VersionConflictError, LogUnavailableError) as error:
                    found = Failed(error)
                if isinstance(found, Failed):  # one parent's folder must not silence the others; the next look tries
                    log.error("parent %s: %s", watch.parent.id, found.error)

    thread = threading.Thread(target=run, name="parent-acknowledgements", daemon=True)
    if watches:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if watches:
            thread.join()
