"""When a feed's silence is an alarm, and when the alarm ends."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.edge_events import FeedFellSilent, FeedHeardAgain
from domain.feed_health import (
    WINDOW,
    FeedHealth,
    Patience,
    Poll,
    PollOutcome,
    alarmed,
    an_alarm_is_raised_once_and_ends_once,
    listened,
    polled,
    started,
    why_silent,
)

NOON = datetime(2031, 3, 4, 12, tzinfo=UTC)
PATIENCE = Patience(quiet_seconds=600)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def ok(minutes: float, messages: int = 0, seconds: float = 0.1) -> Poll:
    return Poll(at=at(minutes), outcome=PollOutcome.OK, messages=messages, seconds=seconds)


def bad(minutes: float) -> Poll:
    return Poll(at=at(minutes), outcome=PollOutcome.FAILED, reason="http-status: it answered 500")


def after(*polls: Poll, health: FeedHealth | None = None) -> FeedHealth:
    found = health or FeedHealth()
    for poll in polls:
        found = polled(found, poll)
    return found


def due(health: FeedHealth, minutes: float, patience: Patience = PATIENCE) -> FeedFellSilent | FeedHeardAgain | None:
    return an_alarm_is_raised_once_and_ends_once(health, patience, feed="f", agency="a", now=at(minutes))


def test_a_feed_that_answers_is_not_silent() -> None:
    assert due(after(*(ok(minute) for minute in range(60))), 60) is None


def test_a_feed_without_success_for_longer_than_its_patience_is_an_alarm_once() -> None:
    health = after(ok(0), bad(5), bad(10))
    assert due(health, 10) is None
    health = after(bad(10.5), health=health)
    event = due(health, 10.5)
    assert isinstance(event, FeedFellSilent)
    assert (event.last_success, event.quiet_seconds) == (at(0), 600)
    assert event.reason.endswith("the last failure was http-status: it answered 500")
    assert due(after(bad(20), health=alarmed(health, event)), 20) is None


def test_a_feed_that_never_succeeded_is_an_alarm_too() -> None:
    health = after(bad(0), bad(11))
    event = due(health, 11)
    assert isinstance(event, FeedFellSilent)
    assert event.last_success is None
    assert "none ever came" in event.reason


def test_silence_between_two_looks_is_seen_without_a_third() -> None:
    assert isinstance(due(listened(after(ok(0)), at(11)), 11), FeedFellSilent)


def test_the_time_in_which_nobody_listened_is_not_the_feeds_silence() -> None:
    health = started(after(ok(0)), None)
    assert due(after(bad(600), health=health), 600) is None


def test_silence_adds_up_over_restarts() -> None:
    health = FeedHealth()
    for hour in range(4):
        health = after(bad(60 * hour), bad(60 * hour + 3), health=started(health, None))
    assert isinstance(due(health, 183), FeedFellSilent)


def test_a_feed_that_is_heard_after_an_alarm_ends_it_once() -> None:
    health = started(FeedHealth(), at(0))
    assert due(after(bad(1), health=health), 1) is None
    health = after(ok(2), health=health)
    event = due(health, 2)
    assert isinstance(event, FeedHeardAgain)
    assert event.silent_since == at(0)
    assert due(alarmed(health, event), 2) is None


def test_figures_that_were_lost_end_no_alarm() -> None:
    assert due(started(FeedHealth(), at(0)), 5) is None


def test_a_feed_that_answers_and_brings_nothing_new_is_an_alarm_where_that_was_asked_for() -> None:
    patience = Patience(quiet_seconds=600, message_quiet_seconds=3600)
    health = after(ok(0, messages=1), *(ok(minute) for minute in range(1, 62)))
    assert due(health, 61) is None
    event = due(health, 61, patience)
    assert isinstance(event, FeedFellSilent)
    assert (event.quiet_seconds, event.last_message) == (3600, at(0))
    health = alarmed(health, event)
    assert due(after(ok(62), health=health), 62, patience) is None
    assert isinstance(due(after(ok(63, messages=1), health=health), 63, patience), FeedHeardAgain)


def test_a_clock_that_is_set_back_takes_no_silence_away() -> None:
    health = listened(listened(after(ok(0)), at(9)), at(3))
    assert health.unheard_seconds == 540
    assert why_silent(listened(health, at(5)), PATIENCE)


def test_rates_and_latencies_are_of_the_last_looks() -> None:
    assert (FeedHealth().error_rate, FeedHealth().median_seconds, FeedHealth().last_seconds) == (None, None, None)
    health = after(bad(0), ok(1, seconds=0.1), ok(2, seconds=0.3), ok(3, seconds=0.2))
    assert (health.error_rate, health.median_seconds, health.last_seconds) == (0.25, 0.2, 0.2)
    health = after(*(ok(minute) for minute in range(4, 4 + WINDOW)), health=health)
    assert (health.error_rate, health.polls, health.failures) == (0.0, 4 + WINDOW, 1)
    assert health.failures_in_a_row == 0


def test_what_half_a_list_brought_counts_as_heard_messages() -> None:
    half = Poll(at=at(1), outcome=PollOutcome.FAILED, reason="pages-disagree: x", messages=2, refused=1)
    health = after(half)
    assert (health.messages, health.refused, health.last_message, health.last_success) == (2, 1, at(1), None)


@given(st.lists(st.tuples(st.sampled_from(["ok", "bad", "wait", "restart"]), st.floats(0, 30)), max_size=40))
def test_alarms_and_their_ends_take_turns_whatever_happens(steps: list[tuple[str, float]]) -> None:
    health, minute = FeedHealth(), 0.0
    kinds: list[type] = []
    for step, minutes in steps:
        minute += minutes
        match step:
            case "ok":
                health = after(ok(minute), health=health)
            case "bad":
                health = after(bad(minute), health=health)
            case "wait":
                health = listened(health, at(minute))
            case _:
                health = started(FeedHealth.model_validate_json(health.model_dump_json()), health.silent_since)
        event = due(health, minute)
        if event is not None:
            health = alarmed(health, event)
            kinds.append(type(event))
        assert due(health, minute) is None
    assert kinds == [FeedFellSilent, FeedHeardAgain] * (len(kinds) // 2) + [FeedFellSilent] * (len(kinds) % 2)
