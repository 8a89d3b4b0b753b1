"""The zip in which 12379 files travel: one XML in it comes out, or the archive is refused.

Nothing is ever written to disk, and nothing is unpacked before its declared size has been looked at.
"""

import struct
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO

from domain.findings import Code, RefusedMessageError, refusal

_LOCAL_HEADER = b"PK\x03\x04"
_END_RECORD = b"PK\x05\x06"
_END_RECORD_BYTES = 22
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""All that zipfile raises on bytes that are no sound archive (NotImplementedError is a RuntimeError)."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How large an archive may be, and the document that is in it."""

    max_archive_bytes: int = 1024 * 1024
    max_document_bytes: int = 8 * 1024 * 1024


DEFAULT_ARCHIVE_LIMITS = ArchiveLimits()


def is_archive(content: bytes) -> bool:
    """Whether the bytes begin as a zip does."""
    return content.startswith((_LOCAL_HEADER, _END_RECORD))


def only_document(content: bytes, limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS) -> bytes:
    """The bytes of the one XML file in the archive.

    Raises:
        RefusedMessageError: TOO_LARGE, or ENVELOPE when it does not hold exactly one plain XML file.
    """
    if len(content) > limits.max_archive_bytes:
        raise _refused(
            Code.TOO_LARGE, f"The archive has {len(content)} bytes; the limit is {limits.max_archive_bytes}."
        )
    _expect_one_entry(_entries_declared(content))
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return _unpacked(archive, limits)
    except _BROKEN as error:
        raise _refused(Code.ENVELOPE, "The zip archive is damaged.") from error


def _unpacked(archive: zipfile.ZipFile, limits: ArchiveLimits) -> bytes:
    entries = archive.infolist()
    # The directory may hold more than its end record declares.
    _expect_one_entry(len(entries))
    entry = entries[0]
    if not entry.filename.lower().endswith(".xml") or any(mark in entry.filename for mark in ("/", "\\", ":", "..")):
        raise _refused(Code.ENVELOPE, "The archive must hold a plain .xml file, without folders in its name.")
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        raise _refused(Code.ENVELOPE, "The archive is encrypted or packed by a method other than deflate.")
    if entry.file_size > limits.max_document_bytes:
        raise _too_large(limits)
    with archive.open(entry) as packed:
        document = packed.read(limits.max_document_bytes + 1)
    # The declared size is the sender's word only.
    if len(document) > limits.max_document_bytes:
        raise _too_large(limits)
    return document


def _entries_declared(content: bytes) -> int:
    """The number of entries by the end record, so that a huge directory is refused before it is read."""
    position = content.rfind(_END_RECORD)
    if position < 0 or position + _END_RECORD_BYTES > len(content):
        raise _refused(Code.ENVELOPE, "The zip archive is cut off.")
    (entries,) = struct.unpack_from("<H", content, position + 10)
    return int(entries)


def _expect_one_entry(count: int) -> None:
    if count != 1:
        raise _refused(Code.ENVELOPE, f"The archive holds {count} files where one XML is due.")


def _too_large(limits: ArchiveLimits) -> RefusedMessageError:
    return _refused(
        Code.TOO_LARGE,
        f"The document in the archive is larger than the limit of {limits.max_document_bytes} bytes.",
    )


def _refused(code: Code, sentence: str) -> RefusedMessageError:
    return RefusedMessageError([refusal(code, "/", sentence)])
