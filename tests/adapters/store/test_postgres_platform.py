"""The whole embedded platform on PostgreSQL: messages in, releases out, and the same answers as on SQLite."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.wiring import NothingHereError, Platform, build, has_outlet, open_for_reading
from domain.events import WarningReleased
from domain.messages import Mode
from projections import PROJECTIONS
from projections.base import ReadTables
from projections.follow import rebuild
from streams.intake import Delivery
from tests import postgres
from tests.streams.messages import START, at, cap

pytestmark = pytest.mark.postgres

STORY = (
    (0, cap("r1", level="red", text="山洪 \x85 flood")),
    (1, cap("w1", agency="water", hazard="11A51", level="red", codes=("330604", "330683"))),
    (2, cap("n1", agency="natural-resources", hazard="11B37")),
    (2, cap("r1", level="red", text="山洪 \x85 flood")),
    (3, cap("t1", status="Exercise", level="orange")),
    (4, b"<alert>no message</alert>"),
    (5, cap("early", kind="Cancel", minutes=5, references=(("late", 0),))),
    (9, cap("r2", kind="Cancel", minutes=9, references=(("r1", 0),))),
)


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.schema() as found:
        yield found


def played(folder: Path, url: str | None, look: Callable[[Platform], object]) -> object:
    with build(Settings(data_dir=folder, policy="shaoxing", database_url=url), clock=ManualClock(START)) as platform:
        for minutes, content in STORY:
            platform.advance(at(minutes))
            platform.runner.submit([Delivery(content, None, "test")])
            platform.runner.pump()
        platform.advance(at(30))
        platform.runner.pump()
        platform.project()
        return look(platform)


def events_of(platform: Platform) -> list[object]:
    return [(r.position, r.stream_id, r.version, r.event) for r in platform.log.read()]


def digest_of(tables: ReadTables) -> str:
    """Of every row of every table, in order of the key."""
    digest = hashlib.sha256()
    for projection in PROJECTIONS:
        digest.update(f"{projection.name} {tables.position(projection.name)}\n".encode())
        for table in projection.tables:
            for row in tables.select(table, order=table.key):
                digest.update(f"{table.name} {tuple(row)!r}\n".encode())
    return digest.hexdigest()


def everything(platform: Platform) -> object:
    return events_of(platform), digest_of(platform.tables)


def test_one_message_in_one_release_out(url: str, tmp_path: Path) -> None:
    with build(Settings(data_dir=tmp_path, policy="shaoxing", database_url=url), clock=ManualClock(START)) as platform:
        platform.runner.submit([Delivery(cap("r1", level="red"), None, "test")])
        platform.runner.pump()
        assert [r.event.district for r in platform.log.read() if isinstance(r.event, WarningReleased)] == ["330604"]
        platform.project()
        assert platform.districts_in_force() == [("330604", Mode.LIVE)]
    assert not list(tmp_path.glob("events.sqlite*"))
    assert not list(tmp_path.glob("read.sqlite*"))


def test_the_same_messages_leave_the_same_events_and_the_same_rows_as_on_sqlite(url: str, tmp_path: Path) -> None:
    assert played(tmp_path / "server", url, everything) == played(tmp_path / "files", None, everything)


def test_built_anew_from_the_log_the_rows_are_the_same(url: str, tmp_path: Path) -> None:
    def rebuilt(platform: Platform) -> tuple[str, str]:
        before = digest_of(platform.tables)
        assert rebuild(platform.log, platform.tables, PROJECTIONS, batch=7) == platform.log.head()
        return before, digest_of(platform.tables)

    found = played(tmp_path, url, rebuilt)
    assert isinstance(found, tuple)
    assert found[0] == found[1]


def test_a_platform_that_starts_again_goes_on_where_it_was(url: str, tmp_path: Path) -> None:
    before = played(tmp_path, url, everything)
    with build(Settings(data_dir=tmp_path, database_url=url), clock=ManualClock(at(30))) as platform:
        assert not platform.adopted
        platform.runner.pump()
        assert everything(platform) == before


def test_what_was_written_can_be_read_by_another_process(url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=url)
    assert not has_outlet(settings)
    with pytest.raises(NothingHereError):
        open_for_reading(settings)
    before = played(tmp_path, url, everything)
    assert has_outlet(settings)
    with open_for_reading(settings) as read:
        assert before == (
            [(r.position, r.stream_id, r.version, r.event) for r in read.log.read()],
            digest_of(read.tables),
        )
    assert url not in repr(settings)
