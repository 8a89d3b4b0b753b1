"""A watched folder: `<folder>/*` and `<folder>/<agency>/*`, or one agency's alone; the inbox of `outlet run` is one.

A file is recorded first and moved afterwards: a crash in between makes a duplicate, which is recorded as one, and
never a loss. What is still being written is left alone: hidden files, `<name>.part`, and files that change between
two looks.

An acknowledgement, where they are wanted, is written between the two: who finds one knows that the file is recorded.
"""

import json
import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.cli.files import content_of
from adapters.cn12379.acknowledgement import acknowledge
from adapters.receipts import receipt_document
from streams.intake import Delivery, Outcome, Receipt

DONE: Final = "done"
REFUSED: Final = "refused"
ACKNOWLEDGEMENTS: Final = "ack"
OURS: Final = frozenset({DONE, REFUSED, ACKNOWLEDGEMENTS})
"""Folders that no message is looked for in."""

SETTLE_SECONDS: Final = 0.05
"""How long a file must stay unchanged before it is taken."""

BATCH_FILES: Final = 200
"""Files that are recorded in one transaction at most."""

Submit = Callable[[Sequence[Delivery]], Sequence[Receipt]]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file in the inbox, the agency whose folder it lies in, and what tells one state of it from another."""

    path: Path
    agency: str | None
    size: int
    changed_ns: int


class Inbox:
    """One watched folder. `look` is called over and over, and never raises for what lies in the folder."""

    def __init__(
        self,
        folder: Path,
        agencies: Collection[str],
        *,
        submit: Submit,
        tell: Tell,
        agency: str | None = None,
        acknowledges: bool = False,
    ) -> None:
        """Make the folder and those for what was taken and refused.

        With `agency` all files in the folder are its own, and folders in it are left alone.

        Raises:
            OSError: they cannot be made.
        """
        self.folder = folder
        self._agency = agency
        self._acknowledges = acknowledges
        self._agencies = frozenset(agencies)
        self._submit = submit
        self._tell = tell
        self._told: set[str] = set()
        self._stuck: set[Waiting] = set()
        for name in (DONE, REFUSED, *([ACKNOWLEDGEMENTS] if acknowledges else [])):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def look(self) -> list[Receipt]:
        """Take in every file that is complete, move each to where it belongs, and return the receipts."""
        seen = self.waiting()
        if not seen:
            return []
        time.sleep(SETTLE_SECONDS)
        unchanged = set(self.waiting())
        settled = [one for one in seen if one in unchanged]
        receipts: list[Receipt] = []
        for start in range(0, len(settled), BATCH_FILES):
            receipts += self._take(settled[start : start + BATCH_FILES])
        return receipts

    def waiting(self) -> list[Waiting]:
        """The files that are there now, oldest first."""
        found = self._files_in(self.folder, self._agency)
        for entry in self._entries(self.folder) if self._agency is None else ():
            if entry.is_dir() and entry.name not in OURS and not entry.name.startswith("."):
                if entry.name in self._agencies:
                    found += self._files_in(Path(entry.path), entry.name)
                else:
                    self._say_once(f"{entry.path}: the policy knows no agency {entry.name!r}; its files are left alone")
        return sorted((one for one in found if one not in self._stuck), key=lambda one: (one.changed_ns, one.path))

    def _files_in(self, folder: Path, agency: str | None) -> list[Waiting]:
        found: list[Waiting] = []
        for entry in self._entries(folder):
            if entry.name.startswith(".") or entry.name.endswith(".part"):
                continue
            try:
                # A link could name any file of the machine, and would be moved in place of what it names.
                if entry.is_file(follow_symlinks=False):
                    state = entry.stat(follow_symlinks=False)
                    found.append(Waiting(Path(entry.path), agency, state.st_size, state.st_mtime_ns))
            except OSError:  # gone between the two calls
                continue
        return found

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return list(entries)
        except OSError as error:
            self._say_once(f"{folder}: {error.strerror}")
            return []

    def _take(self, files: Sequence[Waiting]) -> list[Receipt]:
        deliveries: dict[str, tuple[Waiting, Delivery]] = {}
        for one in files:
            try:
                content = content_of(one.path)
            except OSError as error:
                self._leave(one, f"{one.path}: {error.strerror}")
                continue
            source = str(one.path)
            deliveries[source] = (one, Delivery(content=content, agency=one.agency, source=source))
        receipts = list(self._submit([delivery for _, delivery in deliveries.values()])) if deliveries else []
        for source, (one, _) in deliveries.items():
            self._put_away(one, [receipt for receipt in receipts if receipt.source == source])
        return receipts

    def _put_away(self, one: Waiting, receipts: Sequence[Receipt]) -> None:
        """Move a file that was recorded. One that cannot be moved is not taken in again."""
        is_refused = any(receipt.outcome is Outcome.REJECTED for receipt in receipts)
        below = "" if self._agency is not None else one.agency or ""
        folder = self.folder / (REFUSED if is_refused else DONE) / below
        try:
            if self._acknowledges:
                self._answer(one, below, receipts)
            folder.mkdir(parents=True, exist_ok=True)
            target = _free_name(folder, one.path.name)
            if is_refused:
                document = {"file": one.path.name, "receipts": [receipt_document(receipt) for receipt in receipts]}
                findings = target.with_name(f"{target.name}.findings.json")
                findings.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            one.path.rename(target)
        except OSError as error:
            self._leave(one, f"{one.path}: recorded, but cannot be moved: {error.strerror}")

    def _answer(self, one: Waiting, below: str, receipts: Sequence[Receipt]) -> None:
        """`ack/<file>.ack.xml`, there whole or not at all; it speaks of the newest file of that name."""
        folder = self.folder / ACKNOWLEDGEMENTS / below
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{one.path.name}.ack.xml.part"
        part.write_bytes(acknowledge([found for receipt in receipts for found in receipt.findings]))
        part.replace(part.with_suffix(""))

    def _leave(self, one: Waiting, sentence: str) -> None:
        """Not again while the file stays as it is."""
        self._stuck.add(one)
        self._tell(sentence)

    def _say_once(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._tell(sentence)


def _free_name(folder: Path, name: str) -> Path:
    """The name in the folder, with a number where an earlier file has it: nothing is ever overwritten."""
    target = folder / name
    number = 1
    while target.exists():
        number += 1
        target = folder / f"{Path(name).stem}.{number}{Path(name).suffix}"
    return target
