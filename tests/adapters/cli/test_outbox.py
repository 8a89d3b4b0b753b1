"""The outbox: every release's document once, whole, drills apart."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.cli.outbox import Outbox
from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.wiring import Platform, build
from domain.ports import EventLog
from streams.intake import Delivery
from tests.adapters.cli.samples import cap, write_policy


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    settings = Settings(data_dir=tmp_path / "data", policy=str(write_policy(tmp_path / "policy")))
    with build(settings, clock=ManualClock(datetime(2031, 3, 4, 8, tzinfo=UTC))) as opened:
        yield opened


def outbox_of(platform: Platform, log: EventLog | None = None) -> Outbox:
    return Outbox(platform.settings.spool_dir, log or platform.log, platform.tables)


def take(platform: Platform, message: str) -> None:
    platform.runner.submit([Delivery(content=message.encode(), agency=None, source="test")])
    platform.runner.pump()


def names(platform: Platform) -> list[str]:
    folder = platform.settings.spool_dir
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_each_release_becomes_a_file_once_and_a_drills_lies_apart(platform: Platform) -> None:
    outbox = outbox_of(platform)
    take(platform, cap("a1"))
    take(platform, cap("d1", status="Exercise"))
    assert len(outbox.follow()) == 2
    assert names(platform) == ["drill/drill-sample-N1-1-1.xml", "sample-N1-1-1.xml"]
    assert outbox.follow() == []


def test_a_new_process_goes_on_where_the_last_one_ended(platform: Platform) -> None:
    take(platform, cap("a1"))
    outbox_of(platform).follow()
    take(platform, cap("a2", "Severe", hazard="FLOOD"))
    assert [release.row.number for release in outbox_of(platform).follow()] == [2]


def test_a_file_that_cannot_be_written_is_tried_again(platform: Platform) -> None:
    outbox = outbox_of(platform)
    take(platform, cap("a1"))
    blocked = platform.settings.spool_dir / ".sample-N1-1-1.xml.part"
    blocked.mkdir()
    with pytest.raises(OSError, match="sample-N1-1-1"):
        outbox.follow()
    blocked.rmdir()
    assert len(outbox.follow()) == 1
    assert names(platform) == ["sample-N1-1-1.xml"]


def test_a_written_document_is_the_released_one_byte_for_byte(platform: Platform) -> None:
    take(platform, cap("a1"))
    (release,) = outbox_of(platform).follow()
    assert (platform.settings.spool_dir / release.cap_name).read_bytes() == release.row.cap.encode()
