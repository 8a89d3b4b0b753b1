"""What goes up to a parent, under which code, and when its silence is too long."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.levels import Level
from domain.messages import Mode
from domain.passing_up import (
    Wish,
    acknowledgement_is_overdue,
    release_is_for,
    sender_code_towards,
    verdict_is_news,
)
from domain.sections import Change, ChangeKind

NOW = datetime(2031, 3, 4, tzinfo=UTC)
RAISED = Change(hazard="11B03", kind=ChangeKind.RAISED, before=Level.YELLOW, after=Level.ORANGE)
LOWERED = Change(hazard="11B03", kind=ChangeKind.LOWERED, before=Level.ORANGE, after=Level.BLUE)
LIFTED = Change(hazard="11B03", kind=ChangeKind.LIFTED, before=Level.BLUE)


def is_for(wish: Wish, *changes: Change, mode: Mode = Mode.LIVE, has_begun: bool = False) -> bool:
    return release_is_for(wish, mode=mode, district="330604", changes=changes, has_begun=has_begun)


def test_live_goes_to_live_parents_and_drill_to_drill_parents_alone() -> None:
    for mode in Mode:
        for other in Mode:
            assert is_for(Wish(mode=mode), RAISED, mode=other) is (mode is other)


def test_only_the_districts_and_hazards_asked_for_go_up() -> None:
    assert is_for(Wish(districts=frozenset({"330604"}), hazards=frozenset({"11B03"})), RAISED)
    assert not is_for(Wish(districts=frozenset({"330602"})), RAISED)
    assert not is_for(Wish(hazards=frozenset({"11A01"})), RAISED)


def test_a_parent_that_heard_of_an_orange_hears_of_its_end_at_blue() -> None:
    wish = Wish(level_min=Level.ORANGE)
    assert is_for(wish, RAISED)
    assert is_for(wish, LOWERED)
    assert not is_for(wish, LIFTED)
    assert is_for(wish, LIFTED, has_begun=True)


@pytest.mark.parametrize(
    ("instead", "units", "expected"),
    [
        ("", {}, "33060000000000"),
        ("33060099900000", {}, "33060099900000"),
        ("", {"330604": "00401"}, "33060000000401"),
        ("33060099900000", {"330604": "00401"}, "33060099900401"),
        ("", {"330602": "00201"}, "33060000000000"),
    ],
)
def test_the_sender_code_is_the_parents_for_us_with_its_unit_for_the_district(
    instead: str, units: dict[str, str], expected: str
) -> None:
    assert sender_code_towards("33060000000000", instead=instead, units=units, district="330604") == expected


def test_silence_is_overdue_only_after_the_time_agreed() -> None:
    assert not acknowledgement_is_overdue(NOW, NOW + timedelta(seconds=900), 900)
    assert acknowledgement_is_overdue(NOW, NOW + timedelta(seconds=901), 900)


def test_a_verdict_is_news_once_and_again_when_it_turns() -> None:
    assert verdict_is_news(accepted=True, before=None)
    assert not verdict_is_news(accepted=True, before=True)
    assert verdict_is_news(accepted=False, before=True)
