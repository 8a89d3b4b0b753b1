"""Order does not matter, and repetition does not: the whole platform, from bytes to sections, on a bad night's feed."""

from collections import Counter
from pathlib import Path

import pytest

from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.wiring import Platform, build
from domain.events import DuplicateArrived
from domain.messages import Mode
from streams.intake import Delivery, Outcome
from tests.streams.messages import START, at
from tests.streams.outcomes import board_of, feed, parked_in, sections_of
from tests.streams.traffic import disturbed, traffic


def opened(folder: Path) -> Platform:
    return build(Settings(data_dir=folder, policy="shaoxing"), clock=ManualClock(START))


def same_end(folder: Path, *, seed: int, count: int, batch: int) -> None:
    sent = traffic(seed, count)
    ends = at(max(one.minutes for one in sent) + 5)
    with opened(folder / "clean") as clean, opened(folder / "disturbed") as other:
        feed(clean, sent, batch=batch)
        feed(other, disturbed(sent, seed, repeated=0.2, moved=0.1), batch=batch)
        clean.advance(ends)
        other.advance(ends)
        clean.runner.pump()
        other.runner.pump()
        assert any(sections_of(clean).values())
        assert sections_of(other) == sections_of(clean)
        for mode in Mode:
            assert board_of(other, mode) == board_of(clean, mode)
        assert parked_in(clean) == parked_in(other) == []


@pytest.mark.parametrize("seed", range(2))
def test_repeated_and_reordered_messages_end_in_the_same_sections(tmp_path: Path, seed: int) -> None:
    same_end(tmp_path, seed=seed, count=100, batch=10)


@pytest.mark.slow
def test_ten_thousand_repeated_and_reordered_messages_end_in_the_same_sections(tmp_path: Path) -> None:
    same_end(tmp_path, seed=1, count=10_000, batch=100)


def test_the_feed_holds_what_agencies_send(tmp_path: Path) -> None:
    """Else the tests that use it would promise less than they seem to."""
    with opened(tmp_path) as platform:
        receipts = feed(platform, disturbed(traffic(0, 150), 0, repeated=0.2, moved=0.1))
        outcomes = Counter(receipt.outcome for receipt in receipts)
        effects = {receipt.effect for receipt in receipts}
        topics = {recorded.event.TOPIC for recorded in platform.log.read()}
    assert min(outcomes[one] for one in (Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.REJECTED)) > 2
    assert effects >= {"", "older-than-the-newest", "waits-for-its-alert"}
    assert topics >= {"wait-ended", "contribution-ended", "conflict-flagged", "warning-released", "release-scheduled"}


def test_no_repetition_changes_anything(tmp_path: Path) -> None:
    sent = traffic(3, 100)
    with opened(tmp_path) as platform:
        feed(platform, sent)
        platform.advance(at(max(one.minutes for one in sent) + 5))
        platform.runner.pump()
        before, head = sections_of(platform), platform.log.head()
        again = platform.runner.submit([Delivery(one.content, None, "test") for one in reversed(sent)])
        platform.runner.pump()
        assert {receipt.outcome for receipt in again} == {Outcome.DUPLICATE, Outcome.REJECTED}
        added = [recorded.event for recorded in platform.log.read(after=head)]
        assert {event.TOPIC for event in added} == {"duplicate-arrived", "message-rejected"}
        assert sum(isinstance(event, DuplicateArrived) for event in added) > 60
        assert sections_of(platform) == before
