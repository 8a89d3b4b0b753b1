"""A look into a watched folder as a feed: files are taken in, moved, and answered by acknowledgements."""

import asyncio
import os
from collections.abc import Collection
from pathlib import Path

from adapters.pollers.definition import FeedDefinition
from adapters.pollers.inbox import Inbox
from adapters.pollers.looks import FeedCode, FeedError, Look, counted
from adapters.pollers.taking import Intake
from domain.feed_health import PollOutcome


class FolderFeed:
    """One feed of kind `folder`."""

    def __init__(self, definition: FeedDefinition, folder: Path, agencies: Collection[str], intake: Intake) -> None:
        """Nothing is looked at yet, nor made: the folder may be on a machine that is not there."""
        self._definition = definition
        self._folder = folder
        self._agencies = agencies
        self._intake = intake
        self._inbox: Inbox | None = None
        self._complaints: list[str] = []

    async def look(self) -> Look:
        """Take in every complete file.

        Raises:
            FeedError: the folder cannot be read or written, or nothing could be taken in.
        """
        return await asyncio.to_thread(self._look)

    def _look(self) -> Look:
        self._complaints.clear()
        try:
            with os.scandir(self._folder):  # never made here: what is missing may be a disk that is not mounted
                inbox = self._inbox or self._opened()
        except OSError as error:
            raise FeedError(FeedCode.FOLDER, f"{self._folder}: {error.strerror}") from error
        self._inbox = inbox
        messages, refused = counted(inbox.look())
        return Look(PollOutcome.OK, "; ".join(self._complaints), messages, refused)

    def _opened(self) -> Inbox:
        return Inbox(
            self._folder,
            self._agencies,
            submit=self._intake.submit,
            tell=self._complaints.append,
            agency=self._definition.agency,
            acknowledges=self._definition.acknowledge,
        )
