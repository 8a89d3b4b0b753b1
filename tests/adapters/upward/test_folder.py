"""Files for a parent: whole, named alike whenever they are made, and never one in the place of another."""

import multiprocessing
import os
import signal
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from adapters.cn12379.archive import only_document
from adapters.cn12379.names import parse_file_name
from adapters.connections import OutboundDefinition
from adapters.push.target import Delivered, GivenUp, Parcel, TryAgain
from adapters.upward.definition import ParentDefinition
from adapters.upward.documents import Document
from adapters.upward.files import NameTakenError, put
from adapters.upward.targets import FolderTarget
from adapters.wiring import Platform
from adapters.xml.safe import parse
from domain.edge_events import PassingUpFailed, ReleasePassedUp
from projections.passing_up import failing_since
from tests.adapters.upward.desk import a_chain, deliver, hand_over, opened, parent, releases
from tests.streams.messages import cap

FOLDER = {"form": "cn12379", "by": "folder", "folder": "up"}


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def text_of(document: bytes, name: str) -> str:
    return parse(document).findtext(f"{{http://com.icss.amp}}{name}") or ""


def test_a_zip_holds_exactly_one_document_under_the_prescribed_name(tmp_path: Path) -> None:
    with opened(tmp_path) as city:
        a_chain(city)
        hand_over(city, parent(**FOLDER))
        found = files_in(tmp_path / "up")
        assert len(found) == len(releases(city)) == 3
        for name, content in found.items():
            [inner] = zipfile.ZipFile(BytesIO(content)).namelist()
            assert parse_file_name(inner).sender_code == "33060000000000"
            assert name.startswith(f"{inner.removesuffix('.XML')}_")
            assert text_of(only_document(content), "identifier").rpartition("_")[2] in name


def test_two_districts_in_the_same_second_overwrite_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as city:
        deliver(city, cap("both", level="red", codes=("330602", "330604")), 1)
        assert len({parcel.release.at for parcel in releases(city)}) == 1
        by_unit = {"sender_code": "33060099900000", "unit_codes": {"330602": "00201", "330604": "00401"}}
        ways: dict[str, dict[str, Any]] = {
            "numbered": {},
            "plain": {"zip": False},
            "by-folder": {"names": "prescribed", "zip": False},
            "by-unit": {"names": "prescribed", "zip": False, **by_unit},
        }
        for name, more in ways.items():
            hand_over(city, parent(**FOLDER | {"folder": name, "id": name} | more))
        held = {name: files_in(tmp_path / name) for name in ways}
        assert {name: len(files) for name, files in held.items()} == dict.fromkeys(ways, 2)
        assert {name.partition("/")[0] for name in held["by-folder"]} == {"330602", "330604"}
        assert {name[:14] for name in held["by-unit"]} == {"33060099900201", "33060099900401"}
        for name, content in held["by-unit"].items():
            assert text_of(content, "senderCode") == name[:14]
            assert text_of(content, "identifier").startswith(f"{name[:14]}_")


def test_under_another_sender_code_updates_still_name_the_first_message(tmp_path: Path) -> None:
    with opened(tmp_path) as city:
        a_chain(city)
        hand_over(city, parent(**FOLDER, zip=False, sender_code="33060099900000"))
        documents = [content for _, content in sorted(files_in(tmp_path / "up").items())]
        first = text_of(documents[0], "identifier")
        assert first.startswith("33060099900000_")
        assert [text_of(one, "references") for one in documents] == ["", first, first]


def test_a_file_that_was_not_taken_away_is_waited_for_and_not_overwritten(tmp_path: Path) -> None:
    with opened(tmp_path) as city:
        a_chain(city, cancel=False)
        definition = parent(**FOLDER, zip=False)
        hand_over(city, definition)
        [first, *_] = sorted((tmp_path / "up").iterdir())
        first.write_bytes(b"another's")
        other = definition.model_copy(update={"id": "other"})
        [outcome] = hand_over(city, other, releases(city)[:1])
        assert isinstance(outcome, TryAgain)
        assert first.read_bytes() == b"another's"
        failure = failing_since(city.tables, "other")
        assert failure is not None
        assert failure.reason.startswith("trying: ")
        first.unlink()
        assert isinstance(hand_over(city, other)[0], Delivered)
        assert failing_since(city.tables, "other") is None


def test_a_folder_that_cannot_be_written_is_tried_again_and_said_once(tmp_path: Path) -> None:
    with opened(tmp_path) as city:
        a_chain(city, cancel=False)
        (tmp_path / "up").write_text("a file where the folder should be")
        outcomes = hand_over(city, parent(**FOLDER))
        assert all(isinstance(one, TryAgain) for one in outcomes)
        failures = [one.event for one in city.log.read() if isinstance(one.event, PassingUpFailed)]
        assert [one.position for one in failures] == [parcel.position for parcel in releases(city)]


def test_a_release_without_a_document_is_given_up_with_its_reason(tmp_path: Path) -> None:
    with opened(tmp_path) as city:
        a_chain(city, cancel=False)
        parcel = releases(city)[0]
        bare = Parcel(parcel.position, parcel.release.model_copy(update={"cap": ""}))
        [outcome] = hand_over(city, parent(form="cap", by="folder", folder="up"), [bare])
        assert isinstance(outcome, GivenUp)
        assert "without a CAP document" in outcome.reason


def test_half_a_file_from_before_a_crash_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.xml.part").write_bytes(b"hal")
    put(tmp_path, "a.xml", b"whole")
    assert files_in(tmp_path) == {"a.xml": b"whole"}
    put(tmp_path, "a.xml", b"whole")
    with pytest.raises(NameTakenError):
        put(tmp_path, "a.xml", b"other")


class KilledBeforeTheRecord(FolderTarget):
    """Dies when its files are written and nothing is recorded."""

    def _record_passed(self, parcel: Parcel, documents: tuple[Document, ...]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def hand_over_and_die(folder: Path, definition: ParentDefinition) -> None:
    def deadly(city: Platform, entry: ParentDefinition, _: OutboundDefinition, data_dir: Path) -> FolderTarget:
        return KilledBeforeTheRecord(city, entry, data_dir)

    with opened(folder, 10) as city:
        hand_over(city, definition, make=deadly)


@pytest.mark.parametrize("entry", [FOLDER, FOLDER | {"zip": False, "names": "prescribed"}, FOLDER | {"form": "cap"}])
def test_killed_between_writing_and_recording_it_loses_nothing_and_names_nothing_twice(
    tmp_path: Path, entry: dict[str, Any]
) -> None:
    with opened(tmp_path) as city:
        a_chain(city)
    definition = parent(**entry)
    written: dict[str, bytes] = {}
    for _ in range(2):  # killed again at the same release
        process = multiprocessing.get_context("forkserver").Process(
            target=hand_over_and_die, args=(tmp_path, definition)
        )
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        files = files_in(tmp_path / "up")
        assert len(files) == 1
        assert written in ({}, files)
        written = files
    with opened(tmp_path, 10) as city:
        assert not [one for one in city.log.read() if isinstance(one.event, ReleasePassedUp)]
        assert all(isinstance(outcome, Delivered) for outcome in hand_over(city, definition))
        recorded = [one.event for one in city.log.read() if isinstance(one.event, ReleasePassedUp)]
        files = files_in(tmp_path / "up")
        assert files.items() >= written.items()
        assert sorted(files) == sorted(name for event in recorded for name in event.documents)
        assert [event.position for event in recorded] == [parcel.position for parcel in releases(city)]
        hand_over(city, definition)
        assert files_in(tmp_path / "up") == files
        assert len([one for one in city.log.read() if isinstance(one.event, ReleasePassedUp)]) == len(recorded)
