"""Killed at any moment and started again, the platform has lost nothing it acknowledged and ends where it should."""

from hashlib import sha256
from pathlib import Path

import pytest

from domain.events import WarningReleased
from domain.levels import Level
from domain.messages import Mode
from projections import PROJECTIONS
from projections.follow import rebuild
from streams.intake import Delivery
from tests.streams.killed import SERVER, opened, take_in, take_in_and_be_killed
from tests.streams.messages import at, cap
from tests.streams.outcomes import board_of, parked_in, sections_of
from tests.streams.traffic import Sent, traffic


def run_with_kills(folder: Path, *, count: int, kills: int, seed: int) -> None:
    sent = traffic(seed, count)
    hear, say = SERVER.Pipe(duplex=False)
    clean = SERVER.Process(target=take_in, args=(folder / "clean", sent, 0, say), daemon=True)
    clean.start()
    say.close()
    assert [hear.recv() for _ in sent] == list(range(len(sent)))
    clean.join()
    assert take_in_and_be_killed(folder / "killed", sent, kills=kills, seed=seed) == len(sent)
    assert_equal_ends(folder, sent)


def assert_equal_ends(folder: Path, sent: list[Sent]) -> None:
    last = max(one.minutes for one in sent)
    with opened(folder / "clean", last) as clean, opened(folder / "killed", last) as killed:
        for platform in (clean, killed):
            platform.advance(at(last + 5))
            platform.runner.pump()
        digests = {sha256(one.content).hexdigest() for one in sent}
        assert all(killed.log.attachment(digest) is not None for digest in digests)
        assert sections_of(killed) == sections_of(clean)
        assert parked_in(killed) == []
        assert killed.log.follower_position("merge") <= killed.log.head()
        shown = {mode: board_of(killed, mode) for mode in Mode}
        assert shown == {mode: board_of(clean, mode) for mode in Mode}
        rebuild(killed.log, killed.tables, PROJECTIONS)
        assert {mode: board_of(killed, mode) for mode in Mode} == shown


def test_a_dozen_kills_lose_no_acknowledged_message_and_change_no_outcome(tmp_path: Path) -> None:
    run_with_kills(tmp_path, count=60, kills=12, seed=5)


@pytest.mark.slow
def test_two_hundred_kills_lose_no_acknowledged_message_and_change_no_outcome(tmp_path: Path) -> None:
    run_with_kills(tmp_path, count=10_000, kills=200, seed=6)


def test_a_release_that_was_due_while_nobody_lived_goes_out_at_the_next_start(tmp_path: Path) -> None:
    with opened(tmp_path) as platform:
        platform.runner.submit([Delivery(cap("yellow", hours=1), None, "t")])
        platform.runner.pump()
    with opened(tmp_path, minutes=2) as platform:
        platform.runner.pump()
        releases = [r.event for r in platform.log.read() if isinstance(r.event, WarningReleased)]
        assert [release.cause for release in releases] == ["grouped"]
        platform.advance(at(61))
        platform.runner.pump()
        assert not any(sections_of(platform).values())
        assert platform.runner.next_due() is None


def test_what_was_stored_but_not_yet_merged_is_merged_at_the_next_start(tmp_path: Path) -> None:
    with opened(tmp_path) as platform:
        platform.runner.submit([Delivery(cap("red", level="red"), None, "t")])
    with opened(tmp_path) as platform:
        platform.runner.pump()
        assert [section.level for section in sections_of(platform)["live", "330604"]] == [Level.RED]
