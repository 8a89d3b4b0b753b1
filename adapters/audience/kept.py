"""The audience as a file beside the log, so that a start does not read again what subscribers have said in years.

It may be deleted at any time: the log says everything. A file that does not belong to this log, or cannot be read, is
left aside, and the index begins from the log's first event. Rosters are in it by their digest alone.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from domain.ports import EventLog

FORMAT: Final = 1


class KeptRoster(msgspec.Struct, array_like=True, frozen=True):
    """The version of a roster that stands."""

    roster: str
    mode: str
    position: int
    sha256: str


class KeptAudience(msgspec.Struct, array_like=True, frozen=True):
    """What the log had said up to `position`. `stream` and `version` name the event there, so that no other log fits.

    `subscribers` are packed tables; `withdrawn` is, by number, the position at which a channel refused.
    """

    format: int
    position: int
    stream: str
    version: int
    rosters: Sequence[KeptRoster]
    subscribers: Sequence[bytes]
    withdrawn: dict[int, int]
    erased: bytes


def write_kept(path: Path, kept: KeptAudience) -> None:
    """Write the file whole or not at all."""
    content = msgspec.msgpack.encode(kept)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(zlib.crc32(content).to_bytes(4, "big") + content)
    part.replace(path)


def read_kept(path: Path, log: EventLog) -> KeptAudience | None:
    """What the file says; None when there is none, or it is damaged, of another format, or of another log."""
    try:
        content = path.read_bytes()
        if zlib.crc32(content[4:]).to_bytes(4, "big") != content[:4]:
            return None
        kept = msgspec.msgpack.decode(content[4:], type=KeptAudience)
    except (OSError, msgspec.MsgspecError):
        return None
    if kept.format != FORMAT:
        return None
    return kept if event_at(log, kept.position) == (kept.stream, kept.version) else None


def event_at(log: EventLog, position: int) -> tuple[str, int]:
    """The stream and version of the event at a position, by which a log is known again."""
    for recorded in log.read(after=position - 1, limit=1):
        if recorded.position == position:
            return recorded.stream_id.hex, recorded.version
    return "", 0
