"""A zip gives up its one XML, or is refused before it can do harm."""

import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cn12379.archive import ArchiveLimits, is_archive, only_document
from adapters.cn12379.reader import Cn12379Reader
from domain.findings import Code, RefusedMessageError
from tests.adapters.cn12379.samples import IDENTIFIER, MESSAGE, zipped

SMALL = ArchiveLimits(max_archive_bytes=10_000, max_document_bytes=100_000)
SOUND = zipped({"a.XML": b"<alert/>"})


def refused_with(content: bytes, limits: ArchiveLimits = SMALL) -> Code:
    with pytest.raises(RefusedMessageError) as refused:
        only_document(content, limits)
    return refused.value.findings[0].code


def test_a_zip_of_one_message_reads_like_the_message() -> None:
    reader = Cn12379Reader()
    assert reader.read(zipped({f"{IDENTIFIER}.XML": MESSAGE.encode()})) == reader.read(MESSAGE.encode())


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_stored_and_deflated_entries_are_read(method: int) -> None:
    assert only_document(zipped({"a.xml": b"<alert/>"}, method)) == b"<alert/>"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_are_refused(method: int) -> None:
    assert refused_with(zipped({"a.xml": b"<alert/>"}, method)) is Code.ENVELOPE


@pytest.mark.parametrize("files", [{}, {"a.xml": b"<a/>", "b.xml": b"<b/>"}])
def test_an_archive_holds_exactly_one_file(files: dict[str, bytes]) -> None:
    content = zipped(files)
    assert is_archive(content)
    assert refused_with(content) is Code.ENVELOPE


@pytest.mark.parametrize("name", ["../a.xml", "/a.xml", "b/a.xml", "b\\a.xml", "c:a.xml", "a.exe", "a..xml", "d/"])
def test_a_name_with_a_way_in_it_is_refused(name: str) -> None:
    assert refused_with(zipped({name: b"<alert/>"})) is Code.ENVELOPE


def test_a_bomb_is_refused_by_its_declared_size() -> None:
    assert refused_with(zipped({"a.xml": b" " * 200_000})) is Code.TOO_LARGE


def test_a_bomb_that_declares_itself_small_is_refused() -> None:
    bomb = bytearray(zipped({"a.xml": b" " * 200_000}))
    directory = bomb.rfind(b"PK\x01\x02")
    struct.pack_into("<I", bomb, directory + 24, 10)
    assert refused_with(bytes(bomb)) is Code.ENVELOPE


def test_an_archive_larger_than_the_limit_is_not_opened() -> None:
    assert refused_with(SOUND + b"\0" * 10_000) is Code.TOO_LARGE


def test_an_encrypted_entry_is_refused() -> None:
    locked = bytearray(SOUND)
    struct.pack_into("<H", locked, locked.rfind(b"PK\x01\x02") + 8, 1)
    assert refused_with(bytes(locked)) is Code.ENVELOPE


def test_a_directory_that_holds_more_than_it_declares_is_refused() -> None:
    lying = bytearray(zipped({"a.xml": b"<a/>", "b.xml": b"<b/>"}))
    struct.pack_into("<HH", lying, lying.rfind(b"PK\x05\x06") + 8, 1, 1)
    assert refused_with(bytes(lying)) is Code.ENVELOPE


@given(st.integers(min_value=0, max_value=len(SOUND) - 1))
def test_an_archive_cut_off_anywhere_is_refused(length: int) -> None:
    with pytest.raises(RefusedMessageError):
        only_document(SOUND[:length], SMALL)


@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), max_size=6))
def test_a_damaged_archive_gives_its_document_or_the_one_error(damage: list[tuple[int, int]]) -> None:
    damaged = bytearray(SOUND)
    for position, byte in damage:
        damaged[position] = byte
    try:
        assert isinstance(only_document(bytes(damaged), SMALL), bytes)
    except RefusedMessageError as refused:
        assert refused.findings[0].refuses  # noqa: PT017 (the promise covers both ways)
