"""Windows of what came from whom: the same whatever is delivered again, and wherever a stream is broken off."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.arrivals import OUTCOMES, WINDOW_SECONDS, Arrived, Outcome, Window, begin_of, folded, together, windows_of
from domain.events import ConflictingCopyArrived, DuplicateArrived, MessageAccepted, MessageRejected

NOON = datetime(2031, 3, 4, 12, tzinfo=UTC)
ZONES = [UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=9, minutes=30))]


@st.composite
def logs(draw: st.DrawFn) -> list[Arrived]:
    """Arrivals in the order of a log; clocks of several processes do not quite agree."""
    seconds = st.floats(0, 4 * WINDOW_SECONDS, allow_nan=False)
    parts = draw(
        st.lists(st.tuples(st.sampled_from(["", "met", "water"]), st.sampled_from(Outcome), seconds), max_size=40)
    )
    zone = draw(st.sampled_from(ZONES))
    return [
        Arrived(agency, outcome, (NOON + timedelta(seconds=late)).astimezone(zone), position)
        for position, (agency, outcome, late) in enumerate(parts, start=1)
    ]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Arrived], list[Arrived]]:
    """A log, and how at-least-once delivers it: from where it was broken off, some of it comes again."""
    log = draw(logs())
    delivered: list[Arrived] = []
    at = 0
    while at < len(log):
        until = draw(st.integers(at + 1, len(log)))
        delivered += log[at:until]
        at = until if draw(st.booleans()) else draw(st.integers(0, until))
        if len(delivered) > 200:
            delivered += log[at:]
            break
    return log, delivered


@given(logs())
def test_every_arrival_is_counted_in_the_window_in_which_it_came(log: list[Arrived]) -> None:
    expected = Counter((begin_of(one.at), one.agency, one.outcome) for one in log)
    windows = windows_of(log)
    found = {(window.begin, window.agency, outcome): window.of(outcome) for window in windows for outcome in Outcome}
    assert {key: count for key, count in found.items() if count} == dict(expected)
    assert [(window.begin, window.agency) for window in windows] == sorted({key[:2] for key in expected})
    for window in windows:
        own = [one for one in log if (begin_of(one.at), one.agency) == (window.begin, window.agency)]
        assert (window.last, window.position) == (max(one.at for one in own), own[-1].position)
        assert window.begin <= window.last < window.end


@given(deliveries())
def test_what_is_delivered_again_changes_nothing(delivery: tuple[list[Arrived], list[Arrived]]) -> None:
    log, delivered = delivery
    assert windows_of(delivered) == windows_of(log)


@given(logs(), st.randoms(use_true_random=False))
def test_agencies_need_no_order_between_them(log: list[Arrived], chance: Random) -> None:
    """Kafka keeps the order of one key."""
    agencies = [one.agency for one in log]
    chance.shuffle(agencies)
    waiting = {agency: iter([one for one in log if one.agency == agency]) for agency in set(agencies)}
    assert windows_of(next(waiting[agency]) for agency in agencies) == windows_of(log)


@given(logs(), st.integers(1, 5))
def test_windows_that_are_counted_in_parts_come_together_as_one(log: list[Arrived], parts: int) -> None:
    counted = [window for part in range(parts) for window in windows_of(log[part::parts])]
    assert together(counted) == windows_of(log)


@given(logs())
def test_a_window_survives_being_written_and_read_between_any_two_arrivals(log: list[Arrived]) -> None:
    kept: dict[tuple[datetime, str], str] = {}
    for one in log:
        key = begin_of(one.at), one.agency
        before = Window.model_validate_json(kept[key]) if key in kept else None
        kept[key] = folded(before, one).model_dump_json()
    assert [Window.model_validate_json(kept[key]) for key in sorted(kept)] == windows_of(log)


def test_windows_begin_at_whole_multiples_of_their_length_in_every_zone() -> None:
    for zone in ZONES:
        moment = datetime(2031, 3, 4, 12, 4, 59, 999_999, tzinfo=UTC).astimezone(zone)
        assert begin_of(moment) == NOON
        assert begin_of(moment + timedelta(microseconds=1)) == NOON + timedelta(seconds=WINDOW_SECONDS)
    assert begin_of(NOON) == NOON


def test_these_events_are_arrivals_and_no_others() -> None:
    assert OUTCOMES == {
        MessageAccepted.TOPIC: Outcome.ACCEPTED,
        MessageRejected.TOPIC: Outcome.REFUSED,
        DuplicateArrived.TOPIC: Outcome.REPEATED,
        ConflictingCopyArrived.TOPIC: Outcome.REPEATED,
    }
