"""What reached people, as the servers wrote it down: mails and short messages, each whole, in the order they came.

Files are read on as they grow. What an outlet should have sent does not belong here.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.header import decode_header, make_header
from functools import lru_cache
from pathlib import Path
from typing import Any

UCS2 = 8


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message that came, whole. `words` are a mail's subject, or a short message's text; `copy` counts from 1."""

    to: str
    words: str
    copy: int


@dataclass
class Told:
    """What one server's file says so far."""

    path: Path
    arrivals: list[Arrival] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    _offset: int = 0
    _copies: Counter[tuple[str, str]] = field(default_factory=Counter)

    def read(self) -> "Told":
        """Take in what has come since."""
        if not self.path.is_file():
            return self
        with self.path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]  # a line that is being written is read the next time
        self._offset += len(whole)
        for line in whole.splitlines():
            for to, words in self._whole(json.loads(line)):
                self._copies[to, words] += 1
                self.arrivals.append(Arrival(to, words, self._copies[to, words]))
                self.reached.add(to)
        return self

    @property
    def repeated(self) -> list[Arrival]:
        """Those that somebody had already, word for word."""
        return [one for one in self.arrivals if one.copy > 1]

    def _whole(self, line: dict[str, Any]) -> Iterator[tuple[str, str]]:
        raise NotImplementedError


class MailTold(Told):
    """A mail house's file."""

    def _whole(self, line: dict[str, Any]) -> Iterator[tuple[str, str]]:
        yield line["to"], subject_of(line["subject"])


@dataclass
class SmsTold(Told):
    """An SMSC's log: a message is there when all its parts are, and there again with the first part that comes again.

    Parts the SMSC refused, or dropped the line over, are in its log and count for nothing.
    """

    _parts: dict[tuple[str, int, int], dict[int, str]] = field(default_factory=dict)
    _part_copies: Counter[tuple[str, str]] = field(default_factory=Counter)

    def _whole(self, line: dict[str, Any]) -> Iterator[tuple[str, str]]:
        if line["status"] != 0:
            return
        to, text = line["to"], line["text"]
        if not line["udh"]:
            yield to, text
            return
        reference, total, part = bytes.fromhex(line["udh"][0])[-3:]
        parts = self._parts.setdefault((to, reference, total), {})
        if parts.get(part, text) != text:  # other words that happen to have the same reference
            parts.clear()
        before = len(parts)
        parts[part] = text
        if len(parts) < total:
            return
        whole = "".join(parts[number] for number in sorted(parts))
        if before < total:
            yield to, whole
            return
        self._part_copies[to, f"{whole}\0{part}"] += 1
        if self._part_copies[to, f"{whole}\0{part}"] >= self._copies[to, whole]:
            yield to, whole


@lru_cache(4096)
def subject_of(written: str) -> str:
    """A subject as people read it."""
    return str(make_header(decode_header(written.replace("\r\n", ""))))
