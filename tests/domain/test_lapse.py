"""What the clock ends, and what it must not."""

from datetime import timedelta

from domain.events import (
    ContributionRecorded,
    OutletRevised,
    WarningReleased,
)
from domain.levels import Level
from domain.messages import MessageType
from domain.release import Consider
from tests.domain.builders import (
    FLOOD,
    GALE,
    RAIN,
    SKY,
    World,
    hazards_of,
    info,
    message,
    only,
    policy_with,
    public,
    released,
)

POLICY = policy_with()


def test_a_message_that_had_expired_before_it_came_never_flashes_up() -> None:
    world = World(POLICY)
    world.now += timedelta(hours=2)
    world.send(SKY, message("old", info(RAIN, Level.RED, hours=1)))
    assert not any(isinstance(event, ContributionRecorded | OutletRevised | WarningReleased) for event in world.log)


def test_an_update_that_had_expired_before_it_came_ends_what_its_chain_said() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, Level.RED, hours=9)))
    world.now += timedelta(hours=2)
    world.send(SKY, message("b", info(RAIN, Level.RED, hours=1), refs=["a"], minute=1))
    assert world.sections() == ()


def test_the_clock_ends_only_what_has_expired() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, hours=1), info(FLOOD, hours=3)), message("b", info(GALE, hours=2)))
    world.wait(minutes=59)
    assert {section.hazard for section in world.sections()} == {RAIN, FLOOD, GALE}
    world.wait(minutes=1)
    assert {section.hazard for section in world.sections()} == {FLOOD, GALE}
    world.wait(hours=1)
    assert public(world) == {FLOOD: Level.YELLOW}
    world.wait(hours=1)
    assert (public(world), world.state().contributions) == ({}, {})
    assert released(world.log)[-1].message_type is MessageType.CANCEL


def test_an_update_revives_what_has_expired() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, hours=1)))
    world.wait(hours=2)
    world.send(SKY, message("b", info(RAIN, hours=9), refs=["a"], minute=100))
    assert [section.hazard for section in world.sections()] == [RAIN]


def test_what_has_expired_while_it_waited_for_its_group_is_never_released() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, hours=20 / 3600), info(GALE, hours=1)))
    world.now += timedelta(seconds=30)
    events = world.act(Consider())  # before any lapse
    assert isinstance(events[0], OutletRevised)
    assert hazards_of(only(events, WarningReleased)) == [GALE]
