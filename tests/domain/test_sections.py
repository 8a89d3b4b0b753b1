"""How two contents differ: every place whose level changes is told of, and nothing is told where nothing changed."""

from hypothesis import given
from hypothesis import strategies as st

from domain.levels import Level, levels_apart
from domain.merging import merge
from domain.sections import Change, ChangeKind, Section, changes_between, level_at
from tests.domain.builders import (
    AREAS,
    BY_CODE,
    FUSHAN,
    RAIN,
    SKY,
    START,
    TASHAN,
    VILLAGE,
    YUECHENG,
    World,
    info,
    message,
    policy_with,
)

POLICY = policy_with()
HERE = [area for area in AREAS if area.district == YUECHENG]
said_levels = st.dictionaries(st.sampled_from([area.code for area in HERE]), st.sampled_from(Level), min_size=1)


def section(levels: dict[str, Level]) -> Section:
    world = World(POLICY)
    blocks = [info(RAIN, level, code) for code, level in levels.items()]
    world.send(SKY, message("a", *blocks))
    (one,) = merge(world.state().contributions.values(), policy=POLICY, now=START)
    return one


def kinds(before: dict[str, Level], after: dict[str, Level]) -> list[tuple[ChangeKind, tuple[str, ...]]]:
    return [(change.kind, change.areas) for change in changes_between([section(before)], [section(after)])]


@given(before=said_levels, after=said_levels)
def test_every_rise_fall_gain_and_loss_of_any_place_shows_in_the_changes(
    before: dict[str, Level], after: dict[str, Level]
) -> None:
    old, new = section(before), section(after)
    found = {change.kind for change in changes_between([old], [new])}
    happened = set()
    for area in HERE:
        was, now = level_at(old, area.code, area.within), level_at(new, area.code, area.within)
        if was is None and now is not None:
            happened.add(ChangeKind.NEW_AREA)
        elif was is not None and now is None:
            happened.add(ChangeKind.AREA_LIFTED)
        elif was is not None and now is not None and was != now:
            happened.add(ChangeKind.RAISED if was < now else ChangeKind.LOWERED)
    assert happened <= found
    if not happened:
        assert found <= {ChangeKind.CONTINUED}


@given(before=said_levels, after=said_levels)
def test_each_change_names_the_places_it_speaks_of(before: dict[str, Level], after: dict[str, Level]) -> None:
    old, new = section(before), section(after)
    for change in changes_between([old], [new]):
        for code in change.areas:
            was, now = (level_at(one, code, BY_CODE[code].within) for one in (old, new))
            match change.kind:
                case ChangeKind.RAISED:
                    assert was is not None
                    assert now is not None
                    assert was < now
                case ChangeKind.LOWERED:
                    assert was is not None
                    assert now is not None
                    assert was > now
                case ChangeKind.NEW_AREA:
                    assert (was, now is None) == (None, False)
                case _:
                    assert (change.kind, now) == (ChangeKind.AREA_LIFTED, None)


def test_the_same_content_has_no_changes() -> None:
    one = section({YUECHENG: Level.RED})
    assert changes_between([one], [one]) == ()
    assert changes_between([], []) == ()


def test_a_new_hazard_and_a_lifted_one_are_told_with_their_areas() -> None:
    one = section({TASHAN: Level.RED})
    assert changes_between([], [one]) == (
        Change(hazard=RAIN, kind=ChangeKind.NEW_HAZARD, after=Level.RED, areas=(TASHAN,)),
    )
    assert changes_between([one], []) == (
        Change(hazard=RAIN, kind=ChangeKind.LIFTED, before=Level.RED, areas=(TASHAN,)),
    )


def test_a_township_that_falls_back_to_its_countys_level_is_lowered() -> None:
    before = {YUECHENG: Level.BLUE, TASHAN: Level.RED}
    assert kinds(before, {YUECHENG: Level.BLUE}) == [(ChangeKind.LOWERED, (TASHAN,))]


def test_a_township_whose_county_rises_above_it_is_raised() -> None:
    assert kinds({TASHAN: Level.BLUE}, {YUECHENG: Level.YELLOW}) == [
        (ChangeKind.RAISED, (TASHAN,)),
        (ChangeKind.NEW_AREA, (YUECHENG,)),
    ]


def test_a_county_that_shrinks_to_one_township_is_lifted_as_a_whole() -> None:
    assert kinds({YUECHENG: Level.BLUE}, {TASHAN: Level.BLUE}) == [(ChangeKind.AREA_LIFTED, (YUECHENG,))]


def test_the_same_places_under_other_words_are_continued() -> None:
    one = section({TASHAN: Level.BLUE, FUSHAN: Level.RED, VILLAGE: Level.ORANGE})
    (change,) = changes_between([one], [one.model_copy(update={"headlines": {}})])
    assert (change.kind, change.before, change.after) == (ChangeKind.CONTINUED, Level.RED, Level.RED)


def test_levels_are_ordered_by_rank_and_by_nothing_else() -> None:
    assert [level.value for level in sorted(Level)] == ["white", "blue", "yellow", "orange", "red"]
    assert [level.cap_severity for level in Level] == ["Minor", "Minor", "Moderate", "Severe", "Extreme"]
    assert levels_apart(Level.RED, Level.BLUE) == levels_apart(Level.BLUE, Level.RED) == 3
    assert Level.RED.__lt__("white") is NotImplemented
