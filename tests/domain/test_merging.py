"""Promises 3, 5 and 6: levels by area, names and texts, and conflicts held up for consultation (会商)."""

from collections.abc import Iterable
from datetime import timedelta

from hypothesis import assume, example, given
from hypothesis import strategies as st

from domain.areas import Area
from domain.contributions import Contribution, Statement
from domain.events import EVENT_TYPES, ConflictFlagged, ConflictSettled, MessageAccepted
from domain.levels import Level, levels_apart
from domain.merging import MERGE_RULES, merge
from domain.outlet import Recompose, SettleConflict
from domain.sections import Section, level_at
from domain.texts import headline_in, relayed_text
from tests.domain.builders import (
    AREAS,
    GALE,
    LAND,
    LANDSLIDE,
    RAIN,
    SKY,
    TASHAN,
    VILLAGE,
    WATER,
    YUECHENG,
    World,
    info,
    message,
    only,
    policy_with,
    stored,
)
from tests.domain.strategies import SENDERS, Said, claims, conversations, hazards, levels

POLICY = policy_with()
HERE = [area for area in AREAS if area.district == YUECHENG]


def spoken(said: Iterable[Said]) -> World:
    world = World(POLICY)
    for one in said:
        world.send(one.agency, one.message)
    world.wait(seconds=121)
    return world


def highest_said(contributions: Iterable[Contribution], hazard: str, area: Area, world: World) -> Level | None:
    """The oracle: the highest level in force that any statement sets at the place or around it."""
    codes = {area.code, *area.within}
    found = [
        statement.level
        for contribution in contributions
        for statement in contribution.statements
        if statement.hazard == hazard and (statement.expires is None or world.now < statement.expires)
        if any(stated.code in codes for stated in statement.areas)
    ]
    return max(found, default=None)


@given(said=conversations())
def test_the_highest_level_in_force_wins_in_each_area_and_folding_changes_none(said: list[Said]) -> None:
    world = spoken(said)
    contributions = world.state().contributions.values()
    sections = {section.hazard: section for section in world.sections()}
    for hazard in (RAIN, GALE, LANDSLIDE, "11A51"):
        for area in HERE:
            section = sections.get(hazard)
            shown = level_at(section, area.code, area.within) if section else None
            assert shown == highest_said(contributions, hazard, area, world)


@given(said=conversations())
def test_no_level_appears_that_no_agency_set(said: list[Said]) -> None:
    for section in spoken(said).sections():
        stated = {contributor.level for contributor in section.contributors}
        assert {area.level for area in section.areas} <= stated
        assert section.level == max(stated) == max(area.level for area in section.areas)


@given(said=conversations())
def test_a_finer_area_is_named_only_where_it_is_above_the_larger_ones(said: list[Said]) -> None:
    for section in spoken(said).sections():
        named = {area.code: area.level for area in section.areas}
        assert all(named[code] < area.level for area in section.areas for code in area.within if code in named)


def test_a_countys_level_covers_its_townships() -> None:
    world = World(POLICY)
    world.send(SKY, message("rain", info(RAIN, Level.ORANGE, YUECHENG), info(RAIN, Level.BLUE, TASHAN, VILLAGE)))
    (section,) = world.sections()
    assert [(area.code, area.level) for area in section.areas] == [(YUECHENG, Level.ORANGE)]


@given(said=conversations())
def test_issuers_are_named_once_in_the_policys_order(said: list[Said]) -> None:
    order = list(POLICY.agency_order)
    for section in spoken(said).sections():
        assert set(section.issuers) == {contributor.agency for contributor in section.contributors}
        assert list(section.issuers) == sorted(set(section.issuers), key=order.index)
        for language in POLICY.outlet.languages:
            headline = headline_in(section, language)
            named = [_named(agency, language, first=place == 0) for place, agency in enumerate(section.issuers)]
            places = [headline.index(name) for name in named]
            assert places == sorted(places)
            assert POLICY.texts[language].levels[section.level] in headline


def _named(agency_id: str, language: str, *, first: bool) -> str:
    agency = POLICY.agency(agency_id)
    assert agency is not None
    return agency.name(language) if first else agency.short_names.get(language, agency.name(language))


def test_a_joint_headline_reads_as_the_city_prints_it() -> None:
    world = World(POLICY)
    world.send(SKY, message("s", info(LANDSLIDE, Level.YELLOW)))
    world.send(LAND, message("l", info(LANDSLIDE, Level.ORANGE), minute=120, sender=SENDERS[LAND]))
    headline = world.sections()[0].headlines["zh-CN"]
    assert headline == "绍兴市自然资源和规划局、市气象局2022年09月13日18时联合发布地质灾害橙色预警"


ODD = "\r\n\t \u3000\u202e\u2066\u200b\ufeff😀🏔️\x00"
odd_texts = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(ODD)), min_size=1)


@given(text=odd_texts)
@example(text="\r\n 暴雨 \t\r\n\r\n😀\u202egnol\u2069  ")
def test_relayed_text_is_byte_for_byte_the_agencys(text: str) -> None:
    world = World(POLICY)
    events = world.send(SKY, message("rain", info(RAIN, description=text, headline=text, instruction=text)))
    read = EVENT_TYPES["message-accepted"].model_validate_json(only(events, MessageAccepted).model_dump_json())
    assert isinstance(read, MessageAccepted)
    assert read.message.infos[0].description.encode() == text.encode()
    world.wait(minutes=1)
    last = stored(world.log[-1])
    assert last.sections[0].contributors[0].wordings[0].description.encode() == text.encode()  # type: ignore[attr-defined]  # a release
    assert last.texts[0].description.encode() == text.encode()  # type: ignore[attr-defined]  # a release
    world.send(WATER, message("w", info(RAIN, description="水\r\n"), sender=SENDERS[WATER]))
    joint = relayed_text(world.sections()[0], "zh-CN")
    assert joint.startswith(headline_in(world.sections()[0], "zh-CN"))
    assert text in joint
    assert "水\r\n" in joint


@given(mine=levels, theirs=levels, my_claim=claims, their_claim=claims, apart=st.integers(1, 4), hazard=hazards)
def test_agencies_far_apart_on_one_area_are_flagged_and_the_higher_level_stands(
    mine: Level, theirs: Level, my_claim: object, their_claim: object, apart: int, hazard: str
) -> None:
    policy = policy_with(f"[merge]\nconflict_levels_apart = {apart}\n")
    world = World(policy)
    world.send(SKY, message("s", info(hazard, mine, areas=(my_claim,))))
    world.send(WATER, message("w", info(hazard, theirs, areas=(their_claim,)), sender=SENDERS[WATER]))
    assume(world.sections())
    (section,) = world.sections()
    by_agency = {said.agency: [said] for said in world.state().contributions.values()}
    disputed = []
    for area in HERE:
        sky = highest_said(by_agency.get(SKY, []), hazard, area, world)
        water = highest_said(by_agency.get(WATER, []), hazard, area, world)
        if sky is not None and water is not None and levels_apart(sky, water) >= apart:
            disputed.append(area.code)
            assert level_at(section, area.code, area.within) == max(sky, water)
    assert (section.conflict is not None) == bool(disputed)
    assert set(section.conflict.areas if section.conflict else ()) <= set(disputed)
    flagged = [event for event in world.log if isinstance(event, ConflictFlagged) and event.district == YUECHENG]
    assert bool(flagged) == bool(disputed)


def in_conflict() -> World:
    world = World(POLICY)
    world.send(SKY, message("s", info(RAIN, Level.RED)))
    world.send(WATER, message("w", info(RAIN, Level.BLUE), sender=SENDERS[WATER]))
    return world


def conflict_is_open(section: Section) -> bool:
    return section.conflict is not None and section.conflict.is_open


def test_a_conflict_stays_until_somebody_settles_it_with_a_reason() -> None:
    world = in_conflict()
    world.send(WATER, message("w2", info(RAIN, Level.BLUE, hours=30), refs=["w"], minute=3, sender=SENDERS[WATER]))
    assert conflict_is_open(world.sections()[0])
    assert len([event for event in world.log if isinstance(event, ConflictFlagged)]) == 1
    events = world.act(SettleConflict(RAIN, by="wang", reason="会商: gauges agree with meteorology"))
    assert only(events, ConflictSettled).levels == {SKY: Level.RED, WATER: Level.BLUE}
    settled = world.sections()[0].conflict
    assert settled is not None
    assert (settled.settled_by, settled.settled_reason) == ("wang", "会商: gauges agree with meteorology")
    assert world.sections()[0].level is Level.RED
    assert world.act(SettleConflict(RAIN, by="li", reason="again")) == []


def test_a_settlement_outlives_updates_that_leave_the_levels_as_they_are() -> None:
    world = in_conflict()
    world.act(SettleConflict(RAIN, by="wang", reason="agreed"))
    world.send(WATER, message("w2", info(RAIN, Level.BLUE, hours=30), refs=["w"], minute=3, sender=SENDERS[WATER]))
    assert not conflict_is_open(world.sections()[0])


def test_a_settled_conflict_is_open_again_once_a_level_changes_and_even_when_it_changes_back() -> None:
    world = in_conflict()
    world.act(SettleConflict(RAIN, by="wang", reason="agreed"))
    world.send(WATER, message("w2", info(RAIN, Level.YELLOW), refs=["w"], minute=3, sender=SENDERS[WATER]))
    assert conflict_is_open(world.sections()[0])
    world.send(WATER, message("w3", info(RAIN, Level.BLUE), refs=["w"], minute=4, sender=SENDERS[WATER]))
    assert conflict_is_open(world.sections()[0])
    assert len([event for event in world.log if isinstance(event, ConflictFlagged)]) == 3


def test_where_nothing_is_in_conflict_nothing_can_be_settled() -> None:
    world = World(POLICY)
    assert world.act(SettleConflict(RAIN, by="wang", reason="?")) == []
    world.send(SKY, message("s", info(RAIN)))
    assert world.act(SettleConflict(RAIN, by="wang", reason="?")) == []
    assert world.act(SettleConflict(GALE, by="wang", reason="?")) == []


def test_one_agency_that_says_two_levels_is_in_no_conflict_with_itself() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, Level.RED)), message("b", info(RAIN, Level.WHITE)))
    assert world.sections()[0].conflict is None


def test_a_hazard_that_merges_into_another_joins_its_section() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info("11D02", Level.RED)))
    world.send(LAND, message("b", info(LANDSLIDE, Level.ORANGE), sender=SENDERS[LAND]))
    assert [(section.hazard, section.issuers) for section in world.sections()] == [(LANDSLIDE, (LAND, SKY))]


def test_sections_stand_highest_level_first_and_then_in_the_policys_order() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info("11A51", Level.BLUE), info(GALE, Level.BLUE), info(LANDSLIDE, Level.RED)))
    assert [section.hazard for section in world.sections()] == [LANDSLIDE, GALE, "11A51"]


def test_a_policy_that_drops_a_hazard_or_an_agency_lifts_nothing() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(GALE, Level.RED), info(RAIN, Level.BLUE)))
    smaller = policy_with(replaced={'code = "11B06"': 'code = "99X99"', 'id = "meteorology"': 'id = "weather"'})
    world.policy = smaller
    world.act(Recompose())
    assert [(section.hazard, section.issuers) for section in world.sections()] == [(GALE, (SKY,)), (RAIN, (SKY,))]
    assert "11B06" in world.sections()[0].headlines["zh-CN"]
    world.wait(minutes=1)
    assert [section.hazard for section in world.state().released] == [GALE, RAIN]


def test_recomposing_under_the_same_policy_changes_nothing() -> None:
    world = in_conflict()
    assert world.act(Recompose()) == []


def test_every_rule_of_the_merge_is_in_the_list() -> None:
    assert len(MERGE_RULES) == 4
    assert all(rule.__doc__ for rule in MERGE_RULES)
    assert merge((), policy=POLICY, now=World(POLICY).now) == ()


def test_a_section_begins_with_its_earliest_and_ends_with_its_latest_statement() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, hours=3, effective=world.now + timedelta(hours=1)), info(RAIN, hours=9)))
    (section,) = world.sections()
    assert (section.effective, section.expires) == (world.now, world.now + timedelta(hours=9))
    statement: Statement = next(iter(world.state().contributions.values())).statements[0]
    assert statement.areas[0].code == YUECHENG
