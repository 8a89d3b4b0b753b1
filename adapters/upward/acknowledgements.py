"""Acknowledgements that come as files: matched to a document by name, recorded once, moved away.

A file is named as the document it answers, whatever the case and however many `.xml` and `.zip` end it, with `_ACK` or
`.ack` at the end if the parent likes. What cannot be used is put into `aside/` with its reason beside it.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from adapters.upward.answers import MOST_BYTES, BrokenAcknowledgementError, Verdict, acknowledgement_in
from adapters.upward.files import move_beside
from adapters.upward.records import Records
from domain.passing_up import verdict_is_news
from projections.base import ReadTables
from projections.passing_up import DocumentRow, answer_to, documents_named, stem_of

DONE: Final = "done"
ASIDE: Final = "aside"
ENDINGS: Final = ("_ack", ".ack", "-ack")

UNKNOWN_SECONDS: Final = 60.0
"""So long a file may name a document that is not on record yet: the answer can be faster than the record."""

FILES_AT_ONCE: Final = 500

Signature = tuple[int, int, int]


class AcknowledgementFolder:
    """One parent's folder of acknowledgements."""

    def __init__(
        self,
        folder: Path,
        tables: ReadTables,
        records: Records,
        *,
        seconds: Callable[[], float] = time.monotonic,
        unknown_seconds: float = UNKNOWN_SECONDS,
    ) -> None:
        """Nothing is read yet; the folder is made at the first look."""
        self.folder = folder
        self._tables = tables
        self._records = records
        self._seconds = seconds
        self._unknown_seconds = unknown_seconds
        self._seen: dict[Path, tuple[Signature, float]] = {}

    def look(self) -> int:
        """Deal with what is there; how many acknowledgements were recorded.

        Raises:
            OSError: the folder cannot be read, or a file not be moved; the next look tries again.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        files = list(self._files())
        self._seen = {path: seen for path, seen in self._seen.items() if path in files}
        return sum(self._deal_with(path) for path in files)

    def _files(self) -> Iterator[Path]:
        """The files of this folder and of the folders within, such as one for each district; no links."""
        count = 0
        for place in (self.folder, *sorted(self._places())):
            for path in sorted(place.iterdir()):
                if path.suffix.lower() == ".xml" and not path.name.startswith(".") and not path.is_symlink():
                    count += path.is_file()
                    if path.is_file() and count <= FILES_AT_ONCE:
                        yield path

    def _places(self) -> Iterator[Path]:
        for entry in self.folder.iterdir():
            if entry.is_dir() and not entry.is_symlink() and entry.name not in {DONE, ASIDE}:
                yield entry

    def _deal_with(self, path: Path) -> bool:
        try:
            is_still, waited_seconds = self._watched(path)
            with path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        except FileNotFoundError:  # taken away again
            return False
        try:
            verdict = acknowledgement_in(content)
        except BrokenAcknowledgementError as error:
            if is_still:  # else it may be half written
                self._put_aside(path, str(error))
            return False
        document = self._document(path)
        if document is None:
            if waited_seconds >= self._unknown_seconds:
                self._put_aside(path, "It names no document that was handed over, or several.")
            return False
        is_news = self._record(document, verdict)
        move_beside(path, self.folder / DONE)
        return is_news

    def _watched(self, path: Path) -> tuple[bool, float]:
        """Whether the file is as it was at the last look, and for how many seconds it has been."""
        state = path.stat()
        signature = (state.st_size, state.st_mtime_ns, state.st_ino)
        now = self._seconds()
        before = self._seen.get(path)
        if before is None or before[0] != signature:
            self._seen[path] = (signature, now)
            return False, 0.0
        return True, now - before[1]

    def _document(self, path: Path) -> DocumentRow | None:
        """The document that a file answers; of several of one name, the oldest without an answer."""
        stem = stem_of(path.name)
        stems = [stem, *(stem_of(stem.removesuffix(ending)) for ending in ENDINGS if stem.endswith(ending))]
        found = [row for name in stems for row in documents_named(self._tables, self._records.parent.id, name)]
        if path.parent != self.folder:
            found = [row for row in found if "/" not in row.document or row.document.startswith(f"{path.parent.name}/")]
        if len({row.document for row in found}) != 1:
            return None
        return next((row for row in found if self._verdict_before(row) is None), found[-1])

    def _verdict_before(self, row: DocumentRow) -> bool | None:
        answer = answer_to(self._tables, row.parent, row.position, row.document)
        return None if answer is None else bool(answer.accepted)

    def _record(self, row: DocumentRow, verdict: Verdict) -> bool:
        if not verdict_is_news(accepted=verdict.accepted, before=self._verdict_before(row)):
            return False
        self._records.answered(row.position, row.document, verdict)
        return True

    def _put_aside(self, path: Path, reason: str) -> None:
        place = move_beside(path, self.folder / ASIDE)
        place.with_name(f"{place.name}.reason.txt").write_text(f"{reason}\n", encoding="utf-8")
