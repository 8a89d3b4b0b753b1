"""The promises of `domain.ports.EventLog`, one call after the other, held by every adapter."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, timedelta
from functools import partial

import pytest

from adapters.store.errors import EventLogClosedError, WrongDigestError
from domain.ports import Attachment, EventLog, Move, NewEvent, VersionConflictError
from tests.contracts.event_logs import (
    AT,
    EventLogFactory,
    Noted,
    Struck,
    attached,
    in_threads,
    noted,
    positions,
    stream,
    versions,
)


@pytest.fixture
def log(event_log_factory: EventLogFactory) -> EventLog:
    return event_log_factory()


# --- append and read back


def test_an_empty_log_has_head_0_and_nothing_to_read(log: EventLog) -> None:
    assert log.head() == 0
    assert list(log.read()) == []
    assert list(log.stream(stream("a"))) == []
    assert log.follower_position("board") == 0
    assert log.attachment("0" * 64) is None


def test_what_was_appended_is_read_back_equal_and_in_order(log: EventLog) -> None:
    struck = Struck(at=AT.astimezone(UTC), reason="误报 \u2028 \x00 🌀")
    appended = [
        *noted("a", 1, 2),
        NewEvent(stream_id=stream("b"), version=1, event=struck),
        *noted("a", 3),
    ]
    log.append(appended)
    recorded = list(log.read())
    assert [(r.stream_id, r.version, r.event) for r in recorded] == [
        (new.stream_id, new.version, new.event) for new in appended
    ]
    assert [type(r.event) for r in recorded] == [Noted, Noted, Struck, Noted]


def test_the_offset_that_a_time_was_written_with_is_kept(log: EventLog) -> None:
    log.append(noted("a", 1))
    [recorded] = log.read()
    assert recorded.event.at.utcoffset() == timedelta(hours=8)


def test_positions_count_from_1_without_a_gap_and_are_what_append_returned(log: EventLog) -> None:
    returned = [*log.append(noted("a", 1, 2)), *log.append([*noted("b", 1), *noted("a", 3)])]
    assert returned == [1, 2, 3, 4]
    assert positions(log.read()) == returned
    assert log.head() == 4


def test_one_append_may_hold_hundreds_of_events_of_many_streams(log: EventLog) -> None:
    names = [f"district {number}" for number in range(150)]
    events = [event for version in range(1, 6) for name in names for event in noted(name, version)]
    assert list(log.append(events)) == list(range(1, 751))
    assert all(versions(log.stream(stream(name))) == [1, 2, 3, 4, 5] for name in names)
    assert [(r.stream_id, r.version) for r in log.read()] == [(e.stream_id, e.version) for e in events]


def test_an_append_of_nothing_stores_nothing(log: EventLog) -> None:
    assert list(log.append([])) == []
    assert log.head() == 0


def test_a_stream_gives_its_own_events_with_their_log_positions(log: EventLog) -> None:
    log.append([*noted("a", 1), *noted("b", 1), *noted("a", 2), *noted("b", 2), *noted("a", 3)])
    assert positions(log.stream(stream("a"))) == [1, 3, 5]
    assert versions(log.stream(stream("a"), after_version=1)) == [2, 3]
    assert versions(log.stream(stream("a"), after_version=3)) == []


def test_several_streams_are_given_whole_and_those_without_events_empty(log: EventLog) -> None:
    log.append([*noted("a", 1), *noted("b", 1), *noted("a", 2), *noted("c", 1)])
    found = log.streams([stream("a"), stream("b"), stream("nothing")])
    assert {stream_id: versions(iter(events)) for stream_id, events in found.items()} == {
        stream("a"): [1, 2],
        stream("b"): [1],
        stream("nothing"): [],
    }
    assert list(found[stream("a")]) == list(log.stream(stream("a")))
    assert log.streams([]) == {}


def test_of_several_long_streams_each_that_is_given_is_whole(log: EventLog) -> None:
    names = [f"district {number}" for number in range(9)]
    log.append([event for name in names for event in noted(name, *range(1, 501))])
    found = log.streams([stream(name) for name in [*names, "nothing"]])
    assert 1 <= sum(bool(events) for events in found.values()) < len(names)
    assert all(len(events) == 500 for stream_id, events in found.items() if stream_id != stream("nothing"))


def test_reading_begins_behind_after_and_ends_at_limit(log: EventLog) -> None:
    log.append(noted("a", *range(1, 11)))
    assert positions(log.read(after=7)) == [8, 9, 10]
    assert positions(log.read(after=7, limit=2)) == [8, 9]
    assert positions(log.read(limit=0)) == []
    assert positions(log.read(after=10)) == []
    assert positions(log.read(after=99)) == []


def test_a_reader_may_ask_for_some_topics_and_gets_only_these_and_as_many_as_it_asked_for(log: EventLog) -> None:
    struck = [NewEvent(stream_id=stream("b"), version=n, event=Struck(at=AT, reason="r")) for n in (1, 2, 3)]
    log.append([*noted("a", 1), struck[0], *noted("a", 2, 3), *struck[1:], *noted("a", 4)])
    topic = frozenset({Struck.TOPIC})
    assert positions(log.read(topics=topic)) == [2, 5, 6]
    assert positions(log.read(after=2, topics=topic)) == [5, 6]
    assert positions(log.read(topics=topic, limit=2)) == [2, 5]
    assert positions(log.read(after=6, topics=topic)) == []
    assert positions(log.read(topics=frozenset())) == []
    assert positions(log.read(topics=frozenset({Struck.TOPIC, Noted.TOPIC}))) == [1, 2, 3, 4, 5, 6, 7]
    assert all(isinstance(recorded.event, Struck) for recorded in log.read(topics=topic))


def test_reading_is_complete_over_any_number_of_pages(log: EventLog) -> None:
    total = 4_500
    log.append(noted("a", *range(1, total + 1)))
    assert positions(log.read()) == list(range(1, total + 1))
    assert positions(log.read(after=100, limit=4_001)) == list(range(101, 4_102))
    assert versions(log.stream(stream("a"), after_version=7)) == list(range(8, total + 1))


def test_a_reader_half_way_through_holds_up_no_writer(log: EventLog) -> None:
    log.append(noted("a", *range(1, 3_001)))
    reader = log.read()
    assert next(reader).position == 1
    log.append(noted("a", 3_001))
    assert positions(reader) == list(range(2, 3_002))


# --- conflicts


@pytest.mark.parametrize("version", [1, 2, 4, 0, -1, 2**80])
def test_only_the_next_version_of_a_stream_is_taken(log: EventLog, version: int) -> None:
    log.append(noted("a", 1, 2))
    with pytest.raises(VersionConflictError):
        log.append(noted("a", version))
    assert versions(log.stream(stream("a"))) == [1, 2]
    log.append(noted("a", 3))


@pytest.mark.parametrize("wrong", [(1, 3), (1, 1), (2, 1), (2,)])
def test_an_append_that_skips_or_repeats_a_version_within_itself_is_refused(
    log: EventLog, wrong: Sequence[int]
) -> None:
    with pytest.raises(VersionConflictError):
        log.append(noted("a", *wrong))
    assert log.head() == 0


def test_a_conflict_leaves_nothing_of_its_append_behind(log: EventLog) -> None:
    log.append(noted("a", 1))
    kept = attached(b"<alert/>")
    with pytest.raises(VersionConflictError):
        log.append([*noted("b", 1), *noted("a", 1)], attachments=[kept], moves=[Move("intake", 5)])
    assert positions(log.read()) == [1]
    assert log.attachment(kept.sha256) is None
    assert log.follower_position("intake") == 0
    assert list(log.append(noted("b", 1))) == [2]


def test_of_two_writers_to_one_version_exactly_one_wins(event_log_factory: EventLogFactory) -> None:
    first, second = event_log_factory(), event_log_factory()
    for version in range(1, 21):
        outcomes = in_threads(*(partial(log.append, noted("a", version)) for log in (first, first, second, second)))
        assert sum(isinstance(outcome, VersionConflictError) for outcome in outcomes) == 3
    assert versions(first.stream(stream("a"))) == list(range(1, 21))


# --- followers


def test_a_follower_position_is_stored_with_the_events_it_caused(log: EventLog) -> None:
    log.append(noted("a", 1), moves=[Move("merge", 7)])
    assert log.follower_position("merge") == 7
    assert log.follower_position("release") == 0


def test_a_follower_may_move_on_without_events(log: EventLog) -> None:
    assert list(log.append([], moves=[Move("merge", 3)])) == []
    assert log.follower_position("merge") == 3
    assert log.head() == 0


@pytest.mark.parametrize("position", [5, 4, 0, -1])
def test_a_follower_position_that_is_not_new_is_refused_with_its_events(log: EventLog, position: int) -> None:
    log.append([], moves=[Move("merge", 5)])
    with pytest.raises(VersionConflictError):
        log.append(noted("a", 1), attachments=[attached(b"late")], moves=[Move("merge", position)])
    assert log.head() == 0
    assert log.attachment(attached(b"late").sha256) is None
    assert log.follower_position("merge") == 5


@pytest.mark.parametrize("position", [0, -3])
def test_a_follower_that_never_began_is_at_0_and_so_0_is_not_new(log: EventLog, position: int) -> None:
    with pytest.raises(VersionConflictError):
        log.append([], moves=[Move("merge", position)])


def test_followers_move_independently(log: EventLog) -> None:
    log.append([], moves=[Move("merge", 9)])
    log.append([], moves=[Move("board", 2)])
    assert (log.follower_position("merge"), log.follower_position("board")) == (9, 2)


def test_of_many_attempts_at_one_follower_position_one_is_stored(log: EventLog) -> None:
    attempts = [partial(log.append, noted(f"attempt {number}", 1), moves=[Move("merge", 1)]) for number in range(16)]
    outcomes = in_threads(*attempts)
    assert sum(isinstance(outcome, VersionConflictError) for outcome in outcomes) == 15
    assert log.head() == 1


@pytest.mark.parametrize("name", ["", "a\nb", "\udc80"])
def test_what_cannot_be_a_followers_name_is_a_programming_error(log: EventLog, name: str) -> None:
    with pytest.raises(ValueError, match="follower"):
        log.append(noted("a", 1), moves=[Move(name, 1)])
    assert log.head() == 0


def test_a_follower_that_is_moved_twice_at_once_is_a_programming_error(log: EventLog) -> None:
    with pytest.raises(ValueError, match="follower"):
        log.append(noted("a", 1), moves=[Move("merge", 1), Move("merge", 2)])
    assert log.head() == 0


def test_several_followers_move_with_one_append_or_none_of_them(log: EventLog) -> None:
    log.append(noted("a", 1), moves=[Move("merge/330602", 4), Move("merge/330604", 5)])
    assert log.follower_positions({"merge/330602", "merge/330604", "merge/330683"}) == {
        "merge/330602": 4,
        "merge/330604": 5,
        "merge/330683": 0,
    }
    with pytest.raises(VersionConflictError):
        log.append(noted("a", 2), moves=[Move("merge/330602", 9), Move("merge/330604", 5)])
    assert log.follower_position("merge/330602") == 4
    assert log.head() == 1


def test_a_follower_that_another_process_has_moved_does_not_move_from_where_it_was_seen(log: EventLog) -> None:
    log.append([], moves=[Move("merge", 3, after=0)])
    log.append([], moves=[Move("merge", 5, after=3)])
    with pytest.raises(VersionConflictError, match="is at 5"):
        log.append(noted("a", 1), moves=[Move("merge", 9, after=3)])
    assert log.follower_position("merge") == 5
    assert log.head() == 0


def test_versions_are_told_without_their_events(log: EventLog) -> None:
    log.append([*noted("a", 1, 2), *noted("b", 1)])
    assert list(log.versions_since(1)) == [(2, stream("a"), 2), (3, stream("b"), 1)]
    assert list(log.versions_since(3)) == []


# --- attachments


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"<alert>" * 4_000, random.Random(4).randbytes(20_000), "预警".encode("gb18030")],
    ids=["empty", "one byte", "compressible", "random", "other encoding"],
)
def test_an_attachment_comes_back_byte_for_byte(log: EventLog, content: bytes) -> None:
    kept = attached(content)
    log.append(noted("a", 1), attachments=[kept])
    assert log.attachment(kept.sha256) == content


def test_the_same_attachment_may_come_again_with_other_events(log: EventLog) -> None:
    kept = attached(b"<alert/>")
    log.append(noted("a", 1), attachments=[kept, kept])
    log.append(noted("a", 2), attachments=[kept])
    assert log.attachment(kept.sha256) == b"<alert/>"
    assert log.head() == 2


def test_an_attachment_under_a_digest_that_is_not_its_own_is_refused(log: EventLog) -> None:
    with pytest.raises(WrongDigestError):
        log.append(noted("a", 1), attachments=[Attachment(sha256="0" * 64, content=b"forged")])
    assert log.head() == 0


# --- waiting


def test_wait_returns_at_once_when_there_is_something_new(log: EventLog) -> None:
    log.append(noted("a", 1))
    assert log.wait(after=0, timeout_seconds=0)
    assert not log.wait(after=1, timeout_seconds=0)


def test_wait_is_over_when_the_time_is_over(log: EventLog) -> None:
    started = time.monotonic()
    assert not log.wait(after=0, timeout_seconds=0.15)
    assert 0.15 <= time.monotonic() - started < 5


@pytest.mark.parametrize("writer_is", ["the same log", "another opening of it"])
def test_wait_wakes_when_an_append_is_committed(event_log_factory: EventLogFactory, writer_is: str) -> None:
    log = event_log_factory()
    writer = log if writer_is == "the same log" else event_log_factory()
    timer = threading.Timer(0.1, lambda: writer.append(noted("a", 1)))
    timer.start()
    assert log.wait(after=0, timeout_seconds=30)
    assert positions(log.read()) == [1]
    timer.join()


# --- closing and opening again


def test_everything_is_there_after_opening_again(event_log_factory: EventLogFactory) -> None:
    log, kept = event_log_factory(), attached(b"<alert/>")
    log.append(noted("a", 1, 2), attachments=[kept], moves=[Move("merge", 4)])
    before = list(log.read())
    log.close()
    again = event_log_factory()
    assert list(again.read()) == before
    assert again.head() == 2
    assert again.follower_position("merge") == 4
    assert again.attachment(kept.sha256) == b"<alert/>"
    assert list(again.append(noted("a", 3))) == [3]


def test_a_closed_log_refuses_clearly_and_closes_twice(log: EventLog) -> None:
    log.append(noted("a", 1))
    log.close()
    log.close()
    refused: list[Callable[[], object]] = [
        lambda: log.append(noted("a", 2)),
        lambda: list(log.read()),
        lambda: list(log.stream(stream("a"))),
        log.head,
        lambda: log.follower_position("merge"),
        lambda: log.attachment("0" * 64),
        lambda: log.wait(after=0, timeout_seconds=1),
    ]
    for call in refused:
        with pytest.raises(EventLogClosedError):
            call()
