"""When a feed is asked again."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.pollers.pacing import (
    LONGEST_OBEYED_SECONDS,
    LONGEST_PAUSE_SECONDS,
    entry_pause_seconds,
    pause_seconds,
    retry_after_seconds,
)

NOON = datetime(2031, 3, 4, 12, tzinfo=UTC)


def test_a_feed_that_answers_is_asked_at_its_interval() -> None:
    assert pause_seconds(60, 0, wished_seconds=0, chance=0) == 60


def test_pauses_grow_with_failures() -> None:
    pauses = [pause_seconds(60, failures, wished_seconds=0, chance=0.99) for failures in range(2, 6)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 8 * pauses[0] / 2


@given(st.floats(1, 86_400), st.integers(0, 10_000), st.floats(0, 1e9), st.floats(0, 1, exclude_max=True))
def test_no_pause_is_shorter_than_half_the_interval_or_longer_than_its_limits(
    interval: float, failures: int, wished: float, chance: float
) -> None:
    pause = pause_seconds(interval, failures, wished_seconds=wished, chance=chance)
    assert interval / 2 <= pause <= max(LONGEST_PAUSE_SECONDS, LONGEST_OBEYED_SECONDS, interval * 1.1)
    assert pause >= min(wished, LONGEST_OBEYED_SECONDS)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 5 ", 5.0),
        ("Tue, 04 Mar 2031 12:01:00 GMT", 60.0),
        ("Tue, 04 Mar 2031 11:00:00 GMT", 0.0),
        ("", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("９", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float) -> None:
    assert retry_after_seconds(header, NOON) == seconds


def test_an_entry_that_fails_is_left_alone_for_longer_each_time_up_to_an_hour() -> None:
    assert [entry_pause_seconds(attempts) for attempts in (1, 2, 3, 7, 100)] == [60, 120, 240, 3600, 3600]
