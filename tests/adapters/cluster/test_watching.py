"""What a watcher tells Prometheus of agencies."""

from datetime import UTC, datetime, timedelta

from adapters.cluster.watching import agency_samples
from domain.arrivals import WINDOW_SECONDS, Window

NOON = datetime(2031, 3, 4, 12, tzinfo=UTC)
NOW = NOON + timedelta(seconds=60)


def window(agency: str, ago: int, accepted: int = 0, refused: int = 0, repeated: int = 0) -> Window:
    """One that began so many windows before the present one; the last of it came with its first second."""
    begin = NOON - timedelta(seconds=ago * WINDOW_SECONDS)
    last = begin + timedelta(seconds=1)
    return Window(
        agency=agency, begin=begin, accepted=accepted, refused=refused, repeated=repeated, last=last, position=1
    )


def figures(*windows: Window) -> dict[tuple[str, ...], float]:
    return {(sample.name, *sample.labels.values()): sample.value for sample in agency_samples(windows, NOW)}


def test_the_present_window_and_the_one_before_it_are_shown_for_each_agency() -> None:
    found = figures(window("met", 0, accepted=3, repeated=1), window("met", 1, refused=2), window("water", 1, 5))
    counts = {key[1:]: value for key, value in found.items() if key[0] == "outlet_agency_messages"}
    assert len(counts) == 2 * 3 * 2
    assert {key: value for key, value in counts.items() if value} == {
        ("met", "accepted", "current"): 3,
        ("met", "repeated", "current"): 1,
        ("met", "refused", "previous"): 2,
        ("water", "accepted", "previous"): 5,
    }


def test_an_agency_that_fell_silent_counts_nothing_and_its_silence_grows() -> None:
    found = figures(window("met", 3, accepted=9), window("met", 7, accepted=9))
    assert {value for key, value in found.items() if key[0] == "outlet_agency_messages"} == {0}
    assert found["outlet_agency_last_message_age_seconds", "met"] == 3 * WINDOW_SECONDS + 59


def test_nothing_is_said_where_nothing_ever_came() -> None:
    assert figures() == {}
