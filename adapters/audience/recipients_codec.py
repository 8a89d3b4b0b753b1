"""The recipients of a roster's version as compact bytes, and back: by column, each value written once.

A million recipients are read back without a million objects: the index is built from the columns. What does not
belong here: how the columns become an index, and where the bytes are kept.
"""

import zlib
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, TypeVar

import msgspec
import numpy as np

from adapters.audience.table import NO_POST, Column, RecipientTable, filled, joined
from domain.levels import Level
from domain.messages import Mode
from domain.ports import Attachment
from domain.recipients import FIRST_TURN, ChannelKind

V = TypeVar("V")

FORMAT: Final = 1
LARGEST_PART_BYTES: Final = 48 * 1024 * 1024
"""Below the 64 MiB that one attachment may have."""

LARGEST_UNPACKED_BYTES: Final = 2 * 1024 * 1024 * 1024
COMPRESSION: Final = 3
"""A million recipients take a tenth of a second longer than with 1 and a fifth of the bytes less; 9 gains little."""

Fetch = Callable[[str], bytes | None]
"""Gives the bytes kept under a SHA-256 (hex), or None."""


class RecipientsError(Exception):
    """Kept recipients cannot be read: nothing is kept under the digest, or it is something else."""


class _StoredColumn(msgspec.Struct, array_like=True, frozen=True):
    values: list[tuple[str, ...]]
    width: int
    places: bytes


class _StoredTable(msgspec.Struct, array_like=True, frozen=True, tag="recipients"):
    format: int
    mode: str
    steps: bytes
    rosters: _StoredColumn
    roles: _StoredColumn
    languages: _StoredColumn
    areas: _StoredColumn
    hazards: _StoredColumn
    levels: _StoredColumn
    channels: _StoredColumn
    circle_rows: bytes
    circles: bytes


class _StoredPosts(_StoredTable, array_like=True, frozen=True, tag="recipients-with-posts"):
    """The same where somebody answers for something together with others; who has no post is stored as before."""

    posts: _StoredColumn
    turns: _StoredColumn


class _StoredParts(msgspec.Struct, array_like=True, frozen=True, tag="parts"):
    format: int
    parts: list[str]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_StoredTable | _StoredPosts | _StoredParts).decode


def pack(table: RecipientTable, *, largest_part_bytes: int = LARGEST_PART_BYTES) -> tuple[Attachment, ...]:
    """What is to be kept of these recipients. The first one's SHA-256 names them; others only where one is too large.

    Equal recipients become equal bytes, in whatever order they came.
    """
    parts = packed_parts(table, largest_part_bytes)
    if len(parts) == 1:
        return (_attachment(parts[0]),)
    attachments = [_attachment(part) for part in parts]
    named = _StoredParts(format=FORMAT, parts=[one.sha256 for one in attachments])
    return (_attachment(_compressed(named)), *attachments)


def packed_parts(table: RecipientTable, largest: int = LARGEST_PART_BYTES) -> list[bytes]:
    """The recipients as bytes that each stand for themselves, one unless that would be too large."""
    content = _compressed(_stored(table))
    if len(content) <= largest or len(table.numbers) <= 1:
        return [content]
    half = len(table.numbers) // 2
    return [*packed_parts(table.rows(0, half), largest), *packed_parts(table.rows(half, None), largest)]


def unpack(digest: str, fetch: Fetch) -> RecipientTable:
    """The recipients that are kept under this SHA-256 (hex).

    Raises:
        RecipientsError: nothing is kept there, or it is no packed recipients of a known format.
    """
    stored = _read(digest, fetch)
    if isinstance(stored, _StoredTable):
        return _table(stored)
    tables = []
    for part in stored.parts:
        inner = _read(part, fetch)
        if not isinstance(inner, _StoredTable):
            raise RecipientsError(f"{part}, a part of {digest}, is itself in parts")
        tables.append(_table(inner))
    return joined(tables)


def unpacked(content: bytes) -> RecipientTable:
    """The recipients in bytes that stand for themselves, as `pack` makes them for one part.

    Raises:
        RecipientsError: they are none of a known format, or name other parts.
    """
    stored = _decoded(content, "the bytes")
    if not isinstance(stored, _StoredTable):
        raise RecipientsError("the bytes name other parts")
    return _table(stored)


def _stored(table: RecipientTable) -> _StoredTable:
    if table.posts is None and table.turns is None:
        return _without_posts(table)
    count = len(table.numbers)
    return _StoredPosts(
        **msgspec.structs.asdict(_without_posts(table)),
        posts=_stored_column(filled(table.posts, NO_POST, count), lambda text: (text,)),
        turns=_stored_column(filled(table.turns, FIRST_TURN, count), lambda turn: (str(turn),)),
    )


def _without_posts(table: RecipientTable) -> _StoredTable:
    return _StoredTable(
        format=FORMAT,
        mode=table.mode.value,
        # Steps between rising numbers are small and alike: they compress to a fraction of the numbers.
        steps=np.diff(table.numbers, prepend=np.uint32(0)).astype("<u4").tobytes(),
        rosters=_stored_column(table.rosters, lambda text: (text,)),
        roles=_stored_column(table.roles, lambda text: (text,)),
        languages=_stored_column(table.languages, lambda text: (text,)),
        areas=_stored_column(table.areas, tuple),
        hazards=_stored_column(table.hazards, tuple),
        levels=_stored_column(table.levels, lambda level: (level.value,)),
        channels=_stored_column(table.channels, lambda kinds: tuple(kind.value for kind in kinds)),
        circle_rows=np.diff(table.circle_rows, prepend=np.uint32(0)).astype("<u4").tobytes(),
        circles=table.circles.astype("<f8").tobytes(),
    )


def _table(stored: _StoredTable) -> RecipientTable:
    try:
        return RecipientTable(
            mode=Mode(stored.mode),
            numbers=np.cumsum(np.frombuffer(stored.steps, dtype="<u4"), dtype=np.uint32),
            rosters=_column(stored.rosters, _only),
            roles=_column(stored.roles, _only),
            languages=_column(stored.languages, _only),
            areas=_column(stored.areas, tuple),
            hazards=_column(stored.hazards, tuple),
            levels=_column(stored.levels, lambda words: Level(_only(words))),
            channels=_column(stored.channels, lambda words: tuple(map(ChannelKind, words))),
            circle_rows=np.cumsum(np.frombuffer(stored.circle_rows, dtype="<u4"), dtype=np.uint32),
            circles=np.frombuffer(stored.circles, dtype="<f8").reshape(-1, 3),
            posts=_column(stored.posts, _only) if isinstance(stored, _StoredPosts) else None,
            turns=_column(stored.turns, lambda words: int(_only(words))) if isinstance(stored, _StoredPosts) else None,
        )
    except (ValueError, IndexError, TypeError) as error:
        raise RecipientsError(f"the kept recipients are damaged: {error}") from error


def _stored_column(column: Column[V], words: Callable[[V], tuple[str, ...]]) -> _StoredColumn:
    width = 1 if len(column.values) <= 2**8 else 2 if len(column.values) <= 2**16 else 4
    return _StoredColumn([words(value) for value in column.values], width, column.places.astype(f"<u{width}").tobytes())


def _column(stored: _StoredColumn, value: Callable[[Sequence[str]], V]) -> Column[V]:
    places = np.frombuffer(stored.places, dtype=f"<u{stored.width}").astype(np.uint32)
    return Column(tuple(value(words) for words in stored.values), places)


def _only(words: Sequence[str]) -> str:
    (word,) = words
    return word


def _compressed(stored: _StoredTable | _StoredParts) -> bytes:
    return zlib.compress(_encode(stored), level=COMPRESSION)


def _attachment(content: bytes) -> Attachment:
    return Attachment(sha256=sha256(content).hexdigest(), content=content)


def _read(digest: str, fetch: Fetch) -> _StoredTable | _StoredParts:
    content = fetch(digest)
    if content is None:
        raise RecipientsError(f"nothing is kept under {digest}")
    return _decoded(content, digest)


def _decoded(content: bytes, label: str) -> _StoredTable | _StoredParts:
    try:
        opened = zlib.decompressobj()
        packed = opened.decompress(content, LARGEST_UNPACKED_BYTES)
        if not opened.eof:  # else zlib has not looked at its checksum
            raise RecipientsError(f"{label} ends too early, or is larger than {LARGEST_UNPACKED_BYTES} bytes unpacked")
        stored: _StoredTable | _StoredParts = _decode(packed)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecipientsError(f"{label} is no packed recipients: {error}") from error
    if stored.format != FORMAT:
        raise RecipientsError(f"{label} has format {stored.format}; this version knows {FORMAT}")
    return stored
