"""Releases that wait for people: approvals, refusals, deadlines, and what goes out beside a hold."""

from datetime import timedelta

import pytest

from domain.events import (
    EndReason,
    HoldEnded,
    ReleaseApproved,
    ReleaseHeld,
    ReleaseRefused,
    WarningReleased,
)
from domain.levels import Level
from domain.messages import MessageType
from domain.outlet import End, Recompose, Record
from domain.release import Approve, Consider, Refuse, ReleaseError, decide_release, releasable_sections
from tests.domain.builders import (
    GALE,
    LANDSLIDE,
    RAIN,
    SKY,
    VILLAGE,
    World,
    asking,
    info,
    message,
    only,
    public,
    released,
)


def test_red_waits_for_an_approval_and_is_public_with_it() -> None:
    world = World(asking())
    held = only(world.send(SKY, message("a", info(RAIN, Level.RED))), ReleaseHeld)
    assert (held.hazard, held.level, held.approvals_needed) == (RAIN, Level.RED, 1)
    assert held.deadline == world.now + timedelta(seconds=300)
    assert world.act(Consider()) == []
    events = world.act(Approve(RAIN, by="wang"))
    assert [type(event) for event in events] == [ReleaseApproved, HoldEnded, WarningReleased]
    assert only(events, HoldEnded).cause == "approved"
    assert public(world) == {RAIN: Level.RED}


def test_two_approvals_need_two_people() -> None:
    world = World(asking("red = 2"))
    world.send(SKY, message("a", info(RAIN, Level.RED)))
    assert [type(event) for event in world.act(Approve(RAIN, by="wang"))] == [ReleaseApproved]
    with pytest.raises(ReleaseError, match="already approved"):
        world.act(Approve(RAIN, by="wang"))
    assert released(world.act(Approve(RAIN, by="li"))) != []


@pytest.mark.parametrize("command", [Approve(RAIN, by="wang"), Refuse(RAIN, by="wang", reason="?")])
def test_where_nothing_is_held_there_is_nothing_to_decide(command: Approve | Refuse) -> None:
    world = World(asking())
    world.send(SKY, message("a", info(RAIN, Level.BLUE), info(GALE, Level.RED)))
    with pytest.raises(ReleaseError, match="nothing is held"):
        world.act(command)


def test_a_refused_section_is_not_asked_about_again_until_its_level_changes() -> None:
    world = World(asking())
    world.send(SKY, message("a", info(RAIN, Level.RED)))
    assert only(world.act(Refuse(RAIN, by="wang", reason="sensor fault")), ReleaseRefused).reason == "sensor fault"
    world.send(SKY, message("b", info(RAIN, Level.RED, hours=30), refs=["a"], minute=1))
    assert world.wait(minutes=10) == []
    assert public(world) == {}
    world.send(SKY, message("c", info(RAIN, Level.ORANGE), refs=["a"], minute=2))
    world.wait(minutes=1)
    assert public(world) == {RAIN: Level.ORANGE}
    assert (
        only(world.send(SKY, message("d", info(RAIN, Level.RED), refs=["a"], minute=3)), ReleaseHeld).level is Level.RED
    )


def test_when_nobody_answers_the_deadline_releases() -> None:
    world = World(asking(seconds=300))
    world.send(SKY, message("a", info(RAIN, Level.RED)))
    assert world.wait(seconds=299) == []
    events = world.wait(seconds=1)
    assert [type(event) for event in events] == [HoldEnded, WarningReleased]
    assert only(events, HoldEnded).cause == "deadline"


def test_when_nobody_answers_the_deadline_withholds_if_the_policy_says_so() -> None:
    world = World(asking(action="withhold"))
    world.send(SKY, message("a", info(RAIN, Level.RED)))
    events = world.wait(seconds=300)
    assert only(events, ReleaseRefused).by == "deadline"
    assert released(world.log) == []


def test_lifting_goes_out_at_once_beside_a_held_red() -> None:
    world = World(asking())
    world.send(SKY, message("rain", info(RAIN, Level.ORANGE)))
    world.wait(minutes=1)
    world.send(SKY, message("slide", info(LANDSLIDE, Level.RED), minute=2))
    release = only(world.send(SKY, message("end", refs=["rain"], minute=3)), WarningReleased)
    assert (release.cause, release.sections, release.message_type) == ("lifted", (), MessageType.CANCEL)
    alert = only(world.act(Approve(LANDSLIDE, by="wang")), WarningReleased)
    assert alert.message_type is MessageType.ALERT  # nothing was public any more: to the public this is new
    assert (alert.number, len(alert.references)) == (3, 2)
    assert alert.warning_id == release.warning_id


def test_while_a_higher_level_is_held_the_released_one_stays_public() -> None:
    world = World(asking())
    world.send(SKY, message("a", info(RAIN, Level.ORANGE)))
    world.wait(minutes=1)
    world.send(SKY, message("b", info(RAIN, Level.RED), refs=["a"], minute=1))
    world.send(SKY, message("c", info(GALE, Level.BLUE), minute=1))
    world.wait(minutes=1)
    assert public(world) == {RAIN: Level.ORANGE, GALE: Level.BLUE}
    world.act(Approve(RAIN, by="wang"))
    assert public(world) == {RAIN: Level.RED, GALE: Level.BLUE}


@pytest.mark.parametrize(("action", "then"), [("withhold", {}), ("release", {RAIN: Level.RED})])
def test_when_what_was_released_before_a_hold_ends_the_deadline_has_come(action: str, then: dict[str, Level]) -> None:
    """Its end must not read as a lifting while the hazard stands, unless the policy withholds what nobody approves."""
    world = World(asking("red = 1", seconds=100_000, action=action))
    world.send(SKY, message("a", info(RAIN, Level.ORANGE, hours=1)))
    world.wait(minutes=1)
    world.send(SKY, message("b", info(RAIN, Level.RED, hours=9), refs=["a"], minute=1))
    world.now += timedelta(minutes=58)
    assert [section.level for section in releasable_sections(world.state(), world.policy, world.now)] == [Level.ORANGE]
    world.wait(minutes=1)
    assert public(world) == then


def test_a_hold_beside_a_shorter_public_section_is_answered_for_by_then() -> None:
    world = World(asking(seconds=7200))
    world.send(SKY, message("a", info(RAIN, Level.BLUE, hours=1)))
    world.wait(minutes=1)
    ends = world.state().released[0].expires
    held = only(world.send(SKY, message("b", info(RAIN, Level.RED, hours=9), refs=["a"], minute=2)), ReleaseHeld)
    assert held.deadline == ends


@pytest.mark.parametrize("action", ["release", "withhold"])
def test_a_hold_whose_section_has_gone_ends_and_decides_nothing_about_the_next_one(action: str) -> None:
    """The same hazard and level come again before anybody looked: people are asked again, with a new deadline."""
    world = World(asking("red = 2", action=action))
    world.send(SKY, message("a", info(RAIN, Level.RED)))
    world.act(Approve(RAIN, by="wang"))
    (contribution,) = world.state().contributions.values()

    world.act(End(contribution.chain, EndReason.CANCELLED), release=False)
    world.act(Record(contribution.model_copy(update={"chain": "next"})), release=False)
    with pytest.raises(ReleaseError, match="nothing is held"):
        world.act(Approve(RAIN, by="li"))
    world.now += timedelta(seconds=300)
    events = world.act(Consider())
    assert [type(event) for event in events] == [HoldEnded, ReleaseHeld]
    assert only(events, HoldEnded).cause == "gone"
    assert only(events, ReleaseHeld).deadline == world.now + timedelta(seconds=300)
    assert world.state().holds[RAIN].approved_by == frozenset()


def test_a_held_section_that_is_lifted_needs_no_decision_any_more() -> None:
    world = World(asking())
    world.send(SKY, message("a", info(RAIN, Level.RED)))
    events = world.send(SKY, message("end", refs=["a"], minute=1))
    assert only(events, HoldEnded).cause == "gone"
    assert world.state().holds == {}
    assert released(world.log) == []


def test_a_held_section_that_changes_its_level_is_held_anew() -> None:
    world = World(asking("orange = 1, red = 2"))
    world.send(SKY, message("a", info(RAIN, Level.ORANGE)))
    events = world.send(SKY, message("b", info(RAIN, Level.RED), refs=["a"], minute=1))
    assert (only(events, HoldEnded).level, only(events, ReleaseHeld).level) == (Level.ORANGE, Level.RED)


def test_a_level_that_people_have_freed_needs_no_second_yes_while_it_stands() -> None:
    world = World(asking())
    world.send(SKY, message("a", info(RAIN, Level.RED)))
    world.act(Approve(RAIN, by="wang"))
    assert not any(isinstance(event, ReleaseHeld) for event in world.act(Recompose()))
    world.send(SKY, message("b", info(RAIN, Level.RED, VILLAGE, hours=30), refs=["a"], minute=1))
    assert world.state().holds == {}
    world.send(SKY, message("c", info(RAIN, Level.YELLOW), refs=["a"], minute=2))
    world.wait(minutes=1)
    assert only(world.send(SKY, message("d", info(RAIN, Level.RED), refs=["a"], minute=3)), ReleaseHeld).hazard == RAIN


def test_what_was_approved_after_it_had_expired_is_never_released() -> None:
    world = World(asking(seconds=10_000))
    world.send(SKY, message("a", info(RAIN, Level.RED, hours=1)))
    world.now += timedelta(hours=1)
    with pytest.raises(ReleaseError, match="nothing is held"):
        world.act(Approve(RAIN, by="wang"))
    world.wait()
    assert released(world.log) == []


def test_considering_again_does_nothing_more() -> None:
    world = World(asking())
    world.send(SKY, message("a", info(RAIN, Level.RED), info(GALE)))
    world.wait(minutes=1)
    assert world.act(Consider()) == []


def test_decisions_are_pure() -> None:
    world = World(asking())
    world.send(SKY, message("a", info(RAIN, Level.RED)))
    state = world.state()
    first = decide_release(state, Approve(RAIN, by="wang"), policy=world.policy, now=world.now)
    assert first == decide_release(state, Approve(RAIN, by="wang"), policy=world.policy, now=world.now)
    assert state == world.state()
