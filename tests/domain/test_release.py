"""When a revision becomes public: at once, grouped, or after approval; and that what is public never changes."""

from datetime import timedelta

import pytest
from hypothesis import given

from domain.events import (
    EndReason,
    OutletRevised,
    ReleaseScheduled,
    WarningReleased,
)
from domain.levels import Level
from domain.messages import MessageType, Mode, Status
from domain.outlet import End, Record
from domain.release import MOST_REFERENCES, Consider
from domain.sections import ChangeKind
from tests.domain.builders import (
    FLOOD,
    GALE,
    LANDSLIDE,
    RAIN,
    SKY,
    TASHAN,
    WATER,
    YUECHENG,
    World,
    asking,
    hazards_of,
    info,
    message,
    only,
    policy_with,
    public,
    released,
)
from tests.domain.strategies import SENDERS, Said, conversations

POLICY = policy_with()


def test_a_new_hazard_below_red_is_grouped_with_what_follows() -> None:
    world = World(POLICY)
    events = world.send(SKY, message("a", info(RAIN, Level.YELLOW)))
    assert only(events, ReleaseScheduled).due == world.now + timedelta(seconds=30)
    world.now += timedelta(seconds=20)
    assert released(world.send(SKY, message("b", info(GALE, Level.BLUE)))) == []
    assert released(world.wait(seconds=9)) == []
    release = only(world.wait(seconds=1), WarningReleased)
    assert (release.cause, release.message_type, release.number) == ("grouped", MessageType.ALERT, 1)
    assert hazards_of(release) == [RAIN, GALE]
    assert release.references == ()


@pytest.mark.parametrize(
    ("infos", "cause"),
    [
        ([info(RAIN, Level.RED)], "red"),
        ([info(RAIN, Level.ORANGE)], "raised"),
        ([info(RAIN, Level.YELLOW), info(GALE, Level.RED)], "red"),
        ([info(RAIN, Level.YELLOW, TASHAN)], "area-lifted"),
        ([info(GALE, Level.YELLOW)], "lifted"),
    ],
)
def test_it_is_public_at_once_when_a_level_rises_a_red_is_involved_or_something_is_lifted(
    infos: list[object], cause: str
) -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, Level.YELLOW)))
    world.wait(minutes=1)
    release = only(world.send(SKY, message("b", *infos, refs=["a"], minute=1)), WarningReleased)  # type: ignore[arg-type]  # infos
    assert release.cause == cause
    assert release.message_type is MessageType.UPDATE


def test_a_township_that_rises_into_its_rising_county_is_public_at_once() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, Level.BLUE, TASHAN)))
    world.wait(minutes=1)
    assert (
        only(world.send(SKY, message("b", info(RAIN, Level.YELLOW), refs=["a"], minute=1)), WarningReleased).cause
        == "raised"
    )


@pytest.mark.parametrize(
    "infos", [[info(RAIN, Level.BLUE)], [info(RAIN, Level.YELLOW, hours=30)], [info(RAIN, Level.YELLOW), info(GALE)]]
)
def test_what_is_lowered_continued_or_new_below_red_waits_for_its_group(infos: list[object]) -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, Level.YELLOW)))
    world.wait(minutes=1)
    events = world.send(SKY, message("b", *infos, refs=["a"], minute=1))  # type: ignore[arg-type]  # infos
    assert released(events) == []
    assert only(world.wait(seconds=30), WarningReleased).cause == "grouped"


def test_without_a_group_wait_everything_is_public_at_once() -> None:
    world = World(asking("", wait=0))
    assert only(world.send(SKY, message("a", info(RAIN, Level.BLUE))), WarningReleased).cause == "no-grouping"


def test_what_is_lifted_before_it_became_public_is_never_mentioned() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN)))
    world.send(SKY, message("end", refs=["a"], minute=1))
    assert world.wait(hours=1) == []
    assert released(world.log) == []
    assert world.state().due is None


def test_a_change_that_was_taken_back_before_it_became_public_leaves_nothing_due() -> None:
    world = World(POLICY)
    world.send(WATER, message("w", info(RAIN, Level.YELLOW), sender=SENDERS[WATER]))
    world.wait(minutes=1)
    world.send(SKY, message("a", info(GALE, Level.BLUE)))
    assert world.state().due is not None
    world.send(SKY, message("end", refs=["a"], minute=1))
    assert world.state().due is None
    events = world.send(SKY, message("b", info(GALE, Level.BLUE), minute=2))
    assert only(events, ReleaseScheduled).due == world.now + timedelta(seconds=30)


def test_a_section_below_its_published_level_stays_inside() -> None:
    world = World(asking("blue = 1"))
    world.send(SKY, message("a", info(LANDSLIDE, Level.BLUE)))
    world.wait(hours=1)
    assert [type(event).__name__ for event in world.log[-2:]] == ["ContributionRecorded", "OutletRevised"]
    world.send(SKY, message("b", info(LANDSLIDE, Level.YELLOW), refs=["a"], minute=1))
    world.wait(minutes=1)
    assert public(world) == {LANDSLIDE: Level.YELLOW}
    release = only(world.send(SKY, message("c", info(LANDSLIDE, Level.BLUE), refs=["a"], minute=2)), WarningReleased)
    assert (release.message_type, release.sections) == (MessageType.CANCEL, ())


def test_a_lifted_rainstorm_leaves_the_landslide_warning_in_force() -> None:
    world = World(POLICY)
    world.send(SKY, message("rain", info(RAIN, Level.ORANGE), info(LANDSLIDE, Level.ORANGE)))
    world.wait(minutes=1)
    release = only(
        world.send(SKY, message("less", info(LANDSLIDE, Level.ORANGE), refs=["rain"], minute=9)), WarningReleased
    )
    assert release.cause == "lifted"
    assert hazards_of(release) == [LANDSLIDE]
    assert {sent.hazard: sent.message_type for sent in release.section_messages} == {
        LANDSLIDE: MessageType.UPDATE,
        RAIN: MessageType.CANCEL,
    }


def test_the_last_lifting_is_a_cancel_and_the_next_episode_begins_anew() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN)))
    world.wait(minutes=1)
    first = world.state().warning_id
    cancel = only(world.send(SKY, message("end", refs=["a"], minute=1)), WarningReleased)
    assert (cancel.message_type, cancel.sections, cancel.number) == (MessageType.CANCEL, (), 2)
    assert cancel.section_messages[0].first == released(world.log)[0].section_messages[0].identifier
    world.send(SKY, message("b", info(RAIN), minute=2))
    alert = only(world.wait(seconds=30), WarningReleased)
    assert (alert.message_type, alert.number, alert.references) == (MessageType.ALERT, 1, ())
    assert alert.warning_id != first
    assert alert.section_messages[0].first == alert.section_messages[0].identifier != cancel.section_messages[0].first


def test_a_lifting_is_never_overtaken_by_the_next_warning() -> None:
    """The lifting has not become public when the next contribution comes: the same warning goes on, and lifts it."""
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, Level.RED)))
    before = world.state()
    (rain,) = before.contributions.values()
    gale = rain.model_copy(
        update={"chain": "next", "statements": (rain.statements[0].model_copy(update={"hazard": GALE}),)}
    )
    world.act(End(rain.chain, EndReason.CANCELLED), release=False)
    world.act(Record(gale), release=False)
    release = only(world.act(Consider()), WarningReleased)
    assert (release.warning_id, release.number) == (before.warning_id, 2)
    assert [(change.hazard, change.kind) for change in release.changes] == [
        (GALE, ChangeKind.NEW_HAZARD),
        (RAIN, ChangeKind.LIFTED),
    ]


@given(said=conversations())
def test_released_content_never_changes_and_is_what_the_revision_said(said: list[Said]) -> None:
    world = World(POLICY)
    for one in said:
        world.send(one.agency, one.message)
        world.wait(seconds=15)
    world.wait(minutes=3)
    stored = [event.model_dump_json() for event in released(world.log)]
    world.wait(hours=30)
    assert [event.model_dump_json() for event in released(world.log)][: len(stored)] == stored
    revisions = {(e.warning_id, e.revision): e for e in world.log if isinstance(e, OutletRevised)}
    for release in released(world.log):
        sections = revisions[release.warning_id, release.revision].sections
        assert set(hazards_of(release)) <= {section.hazard for section in sections}
        assert all(section in sections for section in release.sections)
    for state in world.states.values():
        assert state.released == ()
        assert state.due is None


@given(said=conversations())
def test_drill_texts_begin_and_end_with_the_drill_mark_and_live_ones_hold_none(said: list[Said]) -> None:
    for status in (Status.ACTUAL, Status.EXERCISE, Status.TEST):
        world = World(POLICY)
        for one in said:
            world.send(one.agency, one.message.model_copy(update={"status": status}))
        world.wait(minutes=3)
        world.wait(hours=30)
        for release in released(world.log):
            assert (
                release.identifier.startswith("drill-") == (release.mode is Mode.DRILL) == (status is not Status.ACTUAL)
            )
            for text in release.texts:
                words = POLICY.texts[text.language]
                for part in (text.headline, text.description, text.sms.removeprefix(words.signature)):
                    marks = (
                        part.startswith(words.drill_mark),
                        part.endswith(words.drill_mark),
                        words.drill_mark in part,
                    )
                    assert marks == (status is not Status.ACTUAL,) * 3


def test_live_and_drill_of_the_same_message_share_no_identifier() -> None:
    world = World(POLICY)
    for status in (Status.ACTUAL, Status.EXERCISE):
        world.send(SKY, message("a", info(RAIN, Level.RED), status=status))
    live, drill = released(world.log)
    assert live.identifier != drill.identifier
    assert live.warning_id != drill.warning_id
    assert live.section_messages[0].identifier != drill.section_messages[0].identifier


def test_every_release_of_a_section_is_a_message_of_the_sections_own_chain() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, Level.RED)))
    world.send(SKY, message("b", info(FLOOD, Level.RED), minute=1))
    world.now += timedelta(seconds=5)
    world.send(SKY, message("c", info(RAIN, Level.ORANGE), refs=["a"], minute=2))
    world.wait(minutes=1)
    sent = [sent for release in released(world.log) for sent in release.section_messages]
    assert [(one.hazard, one.message_type) for one in sent] == [
        (RAIN, MessageType.ALERT),
        (FLOOD, MessageType.ALERT),
        (RAIN, MessageType.UPDATE),
    ]
    assert sent[2].first == sent[0].identifier
    assert len({one.identifier for one in sent}) == 3
    assert sent[0].identifier.startswith("33060000000000_20220913160000_")


def test_a_district_that_nobody_named_as_a_whole_is_called_by_its_areas() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, Level.RED, TASHAN, "330602002")))
    assert "（塔山街道、府山街道）" in released(world.log)[0].texts[0].sms
    world.send(SKY, message("end", refs=["a"], minute=1))
    assert "解除塔山街道、府山街道暴雨红色预警" in released(world.log)[1].texts[0].headline
    assert YUECHENG not in "".join(text.model_dump_json() for text in released(world.log)[1].texts)


def test_a_long_episode_names_its_first_release_and_the_newest_ones() -> None:
    world = World(POLICY)
    world.send(SKY, message("m0", info(RAIN, Level.RED)))
    for number in range(1, MOST_REFERENCES + 20):
        level = Level.RED if number % 2 == 0 else Level.ORANGE
        before = f"m{number - 1}"
        world.send(SKY, message(f"m{number}", info(RAIN, level), refs=[before], minute=number))
        world.wait(minutes=1)
    made = released(world.log)
    triples = [f"{one.sender},{one.identifier},{one.at.isoformat()}" for one in made]
    last = made[-1]
    assert last.number == len(made) > MOST_REFERENCES + 1
    assert len(last.references) == MOST_REFERENCES
    assert last.references[0] == triples[0]
    assert list(last.references[1:]) == triples[-MOST_REFERENCES:-1]
