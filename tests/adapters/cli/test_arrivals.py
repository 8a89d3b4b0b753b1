"""`outlet feed arrivals`."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.cli.arrivals import bar
from domain.arrivals import Outcome, Window
from tests.adapters.cli.conftest import Outlet
from tests.adapters.cli.samples import cap

AT = "2031-03-04T08:00:00+00:00"


def test_what_came_is_shown_by_window_and_agency_in_the_documented_shape(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"), cap("a1"), "<alert", at=AT, code=1)
    outlet.ingest(cap("a2"), at="2031-03-04T08:06:00+00:00")
    shown = outlet.json("feed", "arrivals", "--since", "2031-03-04T17:04:00+09:00")
    assert (shown["since"], shown["window_seconds"]) == ("2031-03-04T17:00:00+09:00", 300)
    assert [(one["agency"], one["accepted"], one["refused"], one["repeated"]) for one in shown["windows"]] == [
        (None, 0, 1, 0),
        ("weather", 1, 0, 1),
        ("weather", 1, 0, 0),
    ]
    assert shown["windows"][1] == {
        "agency": "weather",
        "begin": "2031-03-04T17:00:00+09:00",
        "end": "2031-03-04T17:05:00+09:00",
        "accepted": 1,
        "refused": 0,
        "repeated": 1,
        "last": "2031-03-04T17:00:00+09:00",
    }


def test_a_table_shows_counts_and_bars(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"), cap("a1"), "<alert", at=AT, code=1)
    lines = outlet("feed", "arrivals", "--since", AT).stdout.splitlines()
    assert lines[0].split("\t")[:5] == ["window", "agency", "accepted", "refused", "repeated"]
    assert [line.split("\t")[1:5] for line in lines[1:]] == [["(nobody's)", "0", "1", "0"], ["weather", "1", "0", "1"]]
    assert "█" in lines[2]
    assert "(nobody's)" not in outlet("feed", "arrivals", "--since", AT, "--agency", "weather").stdout


def test_without_a_moment_it_is_the_last_hour_and_that_nothing_came_is_said(outlet: Outlet) -> None:
    earlier = datetime.now(UTC) - timedelta(hours=3)
    outlet.ingest(cap("a1"), at=earlier.isoformat())
    assert "nothing came since" in outlet("feed", "arrivals").stdout
    assert len(outlet.json("feed", "arrivals", "--hours", "4")["windows"]) == 1


def test_two_ways_to_say_since_when_are_wrong_usage(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"))
    assert "--since" in outlet("feed", "arrivals", "--hours", "1", "--since", AT, code=2).stderr


@pytest.mark.parametrize(("accepted", "refused", "most", "drawn"), [(100, 1, 101, "█" * 32 + "▓"), (1, 0, 1000, "█")])
def test_a_bar_leaves_nothing_out_however_little_it_is(accepted: int, refused: int, most: int, drawn: str) -> None:
    moment = datetime(2031, 3, 4, tzinfo=UTC)
    window = Window(agency="met", begin=moment, accepted=accepted, refused=refused, last=moment, position=1)
    assert sum(map(window.of, Outcome)) == accepted + refused
    assert bar(window, most).plain == drawn
