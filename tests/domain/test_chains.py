"""Chains, given and then: scopes of updates and cancels, waits, joins, and what is answered for messages in vain."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from pydantic import ValidationError

from domain.chains import Arrival, ChainBook, end_wait
from domain.contributions import Contribution, MessageKey, key_of
from domain.events import (
    ChainWaited,
    ConflictingCopyArrived,
    ContributionRecorded,
    ContributionsChanged,
    DuplicateArrived,
    EndReason,
    MessageHadNoEffect,
    NoEffect,
    WaitEnded,
)
from domain.levels import Level
from domain.messages import MessageType, Mode, Status
from domain.sections import ChangeKind
from tests.domain.builders import (
    FLOOD,
    GALE,
    LUSHAN,
    RAIN,
    SHENGZHOU,
    SKY,
    START,
    TASHAN,
    WATER,
    YUECHENG,
    World,
    claim,
    info,
    message,
    only,
    policy_with,
    released,
    revised,
)

POLICY = policy_with()
WAIT_SECONDS = POLICY.chains.update_without_alert_waits_seconds


def hazards(world: World, district: str = YUECHENG) -> list[str]:
    return [section.hazard for section in world.sections(district)]


def test_a_cancel_ends_only_its_own_chain() -> None:
    world = World(POLICY)
    world.send(SKY, message("rain", info(RAIN)), message("gale", info(GALE)))
    world.send(SKY, message("end", refs=["rain"], minute=5))
    assert hazards(world) == [GALE]


def test_an_update_replaces_only_its_own_chain() -> None:
    world = World(POLICY)
    world.send(SKY, message("rain", info(RAIN, Level.RED)), message("more", info(RAIN, Level.YELLOW)))
    world.send(SKY, message("less", info(RAIN, Level.BLUE), refs=["rain"], minute=5))
    assert world.sections()[0].level is Level.YELLOW


def test_an_update_that_drops_a_district_ends_it_there() -> None:
    world = World(POLICY)
    world.send(SKY, message("rain", info(RAIN, Level.BLUE, YUECHENG, SHENGZHOU)))
    events = world.send(SKY, message("less", info(RAIN, Level.BLUE, LUSHAN), refs=["rain"], minute=5))
    assert [ended.reason for ended in only(events, ContributionsChanged).ended] == [EndReason.AREA_DROPPED]
    assert hazards(world) == []
    assert hazards(world, SHENGZHOU) == [RAIN]


def test_an_update_that_moves_wholly_outside_ends_what_its_chain_said_here() -> None:
    world = World(POLICY)
    world.send(SKY, message("rain", info(RAIN)))
    world.send(SKY, message("gone", info(RAIN, Level.BLUE, "330102"), refs=["rain"], minute=5))
    assert hazards(world) == []


def test_a_late_older_message_is_recorded_and_changes_nothing() -> None:
    world = World(POLICY)
    world.send(SKY, message("rain", info(RAIN)), message("newer", info(RAIN, Level.RED), refs=["rain"], minute=10))
    before = world.sections()
    events = world.send(SKY, message("older", info(RAIN, Level.BLUE), refs=["rain"], minute=5))
    assert only(events, MessageHadNoEffect).reason is NoEffect.OLDER_THAN_THE_NEWEST
    assert world.sections() == before


def test_at_the_same_second_a_cancel_is_newer_than_an_update() -> None:
    world = World(POLICY)
    world.send(SKY, message("rain", info(RAIN)))
    world.send(SKY, message("a", refs=["rain"], minute=5))
    world.send(SKY, message("b", info(RAIN), refs=["rain"], minute=5))
    assert hazards(world) == []


def test_a_message_is_newer_than_those_it_references_whatever_the_clocks_say() -> None:
    world = World(POLICY)
    world.send(SKY, message("rain", info(RAIN, Level.RED), minute=10))
    world.send(SKY, message("later", info(RAIN, Level.BLUE), refs=["rain"], minute=5))
    assert world.sections()[0].level is Level.BLUE


def test_the_same_message_again_is_a_duplicate_and_other_bytes_are_a_conflict() -> None:
    world = World(POLICY)
    first = message("rain", info(RAIN))
    world.send(SKY, first)
    assert [type(event) for event in world.send(SKY, first)] == [DuplicateArrived]
    other = message("rain", info(RAIN, Level.RED))
    conflict = only(world.send(SKY, other), ConflictingCopyArrived)
    assert conflict.first_sha256 == world.book(SKY).digest_of(key_of(first)) != conflict.raw_sha256
    assert world.sections()[0].level is Level.YELLOW


def test_the_same_moment_in_another_zone_is_the_same_message() -> None:
    world = World(POLICY)
    zone = POLICY.zone
    first = message("rain", info(RAIN))
    world.send(SKY, first)
    again = first.model_copy(update={"sent": first.sent.astimezone(zone)})
    assert len(world.send(SKY, again)) == 1


def test_a_foreign_agencys_cancel_has_no_effect() -> None:
    world = World(POLICY)
    mine = message("rain", info(RAIN))
    world.send(SKY, mine)
    events = world.send(WATER, message("end", refs=[(mine.sender, "rain")], minute=5))
    assert only(events, MessageHadNoEffect).reason is NoEffect.WAITS_FOR_ITS_ALERT
    world.wait(hours=1)
    assert hazards(world) == [RAIN]


def test_a_foreign_agency_with_the_same_sender_and_identifier_touches_nothing() -> None:
    world = World(POLICY)
    mine = message("rain", info(RAIN, Level.RED))
    world.send(SKY, mine)
    world.send(WATER, mine.model_copy(update={"infos": (info(RAIN, Level.BLUE),)}))
    assert world.sections()[0].level is Level.RED
    world.send(WATER, message("end", refs=["rain"], minute=5))
    assert [section.level for section in world.sections()] == [Level.RED]
    assert world.sections()[0].issuers == (SKY,)


def test_commas_in_senders_do_not_mix_chains_up() -> None:
    world = World(POLICY)
    world.send(SKY, message("b,c", info(RAIN), sender="a"), message("c", info(GALE), sender="a,b"))
    world.send(SKY, message("end", refs=["c"], sender="a,b", minute=5))
    assert hazards(world) == [RAIN]
    assert world.send(SKY, message("end-2", refs=["b,c"], sender="a", minute=5))
    assert hazards(world) == []


def test_an_update_before_its_alert_waits_for_it() -> None:
    world = World(POLICY)
    events = world.send(SKY, message("more", info(RAIN, Level.RED), refs=["rain"], minute=5))
    assert only(events, MessageHadNoEffect).reason is NoEffect.WAITS_FOR_ITS_ALERT
    assert only(events, ChainWaited).until == world.now + timedelta(seconds=WAIT_SECONDS)
    assert hazards(world) == []
    events = world.send(SKY, message("rain", info(RAIN, Level.BLUE)))
    assert only(events, ContributionRecorded).contribution.message.identifier == "more"
    assert world.sections()[0].level is Level.RED
    assert world.wait(hours=1) == []


def test_a_cancel_before_its_alert_lets_the_alert_never_flash_up() -> None:
    world = World(POLICY)
    world.send(SKY, message("end", refs=["rain"], minute=5))
    assert world.wait(hours=1) == []
    events = world.send(SKY, message("rain", info(RAIN, Level.RED)))
    assert only(events, MessageHadNoEffect).reason is NoEffect.OLDER_THAN_THE_NEWEST
    assert revised(world.log) == []


def test_an_update_whose_alert_never_comes_speaks_for_itself_when_the_wait_is_over() -> None:
    world = World(POLICY)
    world.send(SKY, message("more", info(RAIN, Level.BLUE), refs=["rain"], minute=5))
    world.send(SKY, message("most", info(RAIN, Level.RED), refs=["rain"], minute=6))
    assert world.wait(seconds=WAIT_SECONDS - 1) == []
    events = world.wait(seconds=1)
    assert [type(event) for event in events[:2]] == [WaitEnded, ContributionsChanged]
    assert world.sections()[0].level is Level.RED
    late = world.send(SKY, message("rain", info(RAIN, Level.BLUE)))
    assert only(late, MessageHadNoEffect).reason is NoEffect.OLDER_THAN_THE_NEWEST


def test_a_chain_that_spoke_without_its_alert_is_ended_by_its_cancel() -> None:
    world = World(POLICY)
    world.send(SKY, message("more", info(RAIN), refs=["rain"], minute=5))
    world.wait(seconds=WAIT_SECONDS)
    assert hazards(world) == [RAIN]
    world.send(SKY, message("end", refs=["rain"], minute=9))
    assert hazards(world) == []
    late = world.send(SKY, message("old", info(RAIN), refs=["rain"], minute=6))
    assert only(late, MessageHadNoEffect).reason is NoEffect.OLDER_THAN_THE_NEWEST


def test_a_wait_that_ends_behind_a_cancel_changes_nothing() -> None:
    world = World(POLICY)
    world.send(SKY, message("end", refs=["rain"], minute=9), message("more", info(RAIN), refs=["rain"], minute=5))
    assert [type(event) for event in world.wait(seconds=WAIT_SECONDS)] == [WaitEnded]
    assert hazards(world) == []


def test_a_cancel_of_what_says_nothing_here_says_nothing_here() -> None:
    world = World(POLICY)
    world.send(SKY, message("rain", info(RAIN)), message("end", refs=["rain"], minute=2))
    again = world.send(SKY, message("end-again", refs=["rain"], minute=3))
    assert only(again, MessageHadNoEffect).reason is NoEffect.SAYS_NOTHING_HERE


def test_no_wait_ends_early_twice_or_under_an_unknown_name() -> None:
    world = World(POLICY)
    events = world.send(SKY, message("more", info(RAIN), refs=["rain"], minute=5))
    name, book = only(events, ChainWaited).chain, world.book(SKY)

    def ended(chain: str, seconds: float) -> list[object]:
        now = world.now + timedelta(seconds=seconds)
        return [*end_wait(book, agency=SKY, mode=Mode.LIVE, chain_name=chain, now=now)]

    assert ended("nobody's", 1000) == []
    assert ended(name, WAIT_SECONDS - 1) == []
    assert ended(name, WAIT_SECONDS) != []
    assert ended(name, WAIT_SECONDS) == []


def test_chains_that_turn_out_to_be_one_are_joined_without_lifting_anything_in_between() -> None:
    world = World(POLICY)
    world.send(SKY, message("b", info(RAIN, Level.ORANGE)), message("a", info(RAIN, Level.YELLOW, TASHAN)))
    world.wait(minutes=1)
    events = world.send(SKY, message("c", info(RAIN, Level.ORANGE), refs=["b", "a"], minute=5))
    changed = [event for event in events if isinstance(event, ContributionsChanged)]
    assert [[ended.reason for ended in event.ended] for event in changed] == [[], [EndReason.JOINED]]
    kinds = {change.kind for event in revised(events) for change in event.changes}
    assert kinds == {ChangeKind.CONTINUED}
    assert [len(section.contributors) for section in world.sections()] == [1]


def test_a_cancel_that_joins_two_chains_ends_both_as_cancelled() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN)), message("b", info(GALE)))
    events = world.send(SKY, message("end", refs=["a", "b"], minute=5))
    reasons = {ended.reason for event in events if isinstance(event, ContributionsChanged) for ended in event.ended}
    assert reasons == {EndReason.CANCELLED}
    assert hazards(world) == []


def test_joined_chains_wait_for_the_earlier_of_their_waits_and_not_at_all_once_one_speaks() -> None:
    world = World(POLICY)
    world.send(SKY, message("u1", info(RAIN), refs=["a1"], minute=1))
    world.now += timedelta(seconds=60)
    world.send(SKY, message("u2", info(GALE), refs=["a2"], minute=2))
    world.send(SKY, message("u3", info(FLOOD), refs=["u1", "u2"], minute=3))
    assert hazards(world) == []
    world.wait(seconds=WAIT_SECONDS - 60)
    assert hazards(world) == [FLOOD]
    world.send(SKY, message("u4", info(GALE), refs=["a4"], minute=2))
    world.send(SKY, message("u5", info(GALE), refs=["u4", "u3"], minute=5))
    assert hazards(world) == [GALE]
    assert not any(isinstance(event, WaitEnded | ContributionsChanged) for event in world.wait(hours=1))


def test_messages_that_reference_each_other_in_a_ring_speak_by_the_newest() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, Level.BLUE), refs=["b"], kind=MessageType.ALERT, minute=1))
    world.send(SKY, message("b", info(RAIN, Level.RED), refs=["a"], minute=2))
    world.send(SKY, message("a", info(RAIN, Level.ORANGE), refs=["a"], kind=MessageType.ALERT, minute=0))
    assert world.sections()[0].level is Level.RED


@pytest.mark.parametrize("order", list(permutations("xyz")), ids="".join)
def test_a_ring_with_an_earlier_message_beside_it_speaks_the_same_in_any_order(order: tuple[str, ...]) -> None:
    ring = {
        "x": message("x", info(RAIN, Level.BLUE), refs=["y", "z"], kind=MessageType.ALERT, minute=1),
        "y": message("y", info(RAIN, Level.YELLOW), refs=["x"], minute=2),
        "z": message("z", info(RAIN, Level.RED), kind=MessageType.ALERT, minute=3),
    }
    world = World(POLICY)
    world.send(SKY, *(ring[name] for name in order))
    assert [section.level for section in world.sections()] == [Level.RED]


def test_a_chain_goes_by_its_agency_and_its_first_message() -> None:
    world = World(POLICY)
    world.send(SKY, message("b", info(RAIN)), message("a", info(RAIN), refs=["b"], minute=1))
    assert list(world.state().contributions) == ["meteorology,33060041600000,b"]


def test_a_long_chain_holds_only_the_texts_that_may_still_speak() -> None:
    world = World(POLICY)
    world.send(SKY, message("0", info(RAIN)))
    for number in range(1, 20):
        refs = [str(earlier) for earlier in range(number)]
        world.send(SKY, message(str(number), info(RAIN), refs=refs, minute=number))
    chain = world.book(SKY).chain_of((message("0").sender, "19"))
    assert chain is not None
    assert len(chain.heads) == 1


def test_a_drill_message_never_reaches_a_live_stream() -> None:
    world = World(POLICY)
    for number, status in enumerate([Status.EXERCISE, Status.TEST]):
        world.send(SKY, message(f"drill-{number}", info(RAIN, Level.RED), status=status))
    assert hazards(world) == []
    assert {mode for _, mode in [*world.states, *world.books]} == {Mode.DRILL}
    assert all(event.mode is Mode.DRILL for event in released(world.log))
    world.send(SKY, message("live", info(GALE)))
    world.send(SKY, message("end", refs=["live"], minute=5, status=Status.EXERCISE))
    assert hazards(world) == [GALE]


@pytest.mark.parametrize("status", [Status.EXERCISE, Status.TEST, Status.SYSTEM, Status.DRAFT])
def test_nothing_but_actual_can_be_taken_in_as_live(status: Status) -> None:
    drill = message("drill", info(RAIN), status=status)
    with pytest.raises(ValidationError, match="never be live"):
        Arrival(agency=SKY, mode=Mode.LIVE, message=drill, statements=(), findings=(), raw_sha256="")


def test_what_is_no_longer_listed_has_ended_and_may_be_listed_again() -> None:
    world = World(POLICY)
    shown: dict[str, Any] = {"listed": True, "source": "city-list", "incidents": ("item-1",)}
    world.send(SKY, message("item-1", info(RAIN, hours=None), **shown))
    assert world.sections()[0].expires is None
    assert list(world.book(SKY).listed("city-list")) == ["item-1"]
    world.wait(hours=1000)
    assert hazards(world) == [RAIN]
    events = world.send(SKY, message("item-1#unlisted", refs=["item-1"], minute=9, **shown))
    assert only(events, ContributionsChanged).ended[0].reason is EndReason.UNLISTED
    assert world.book(SKY).listed("city-list") == {}
    assert hazards(world) == []
    world.send(SKY, message("item-1@2", info(RAIN, hours=None), refs=["item-1"], minute=10, **shown))
    assert hazards(world) == [RAIN]


def test_a_book_ignores_what_is_not_of_its_chains() -> None:
    book = ChainBook()
    key = MessageKey(sender="s", identifier="i", sent=START)
    book.apply(
        ContributionsChanged(
            at=START, agency=SKY, mode=Mode.LIVE, chain="x", message=key, message_type=MessageType.ALERT
        )
    )
    book.apply(ChainWaited(at=START, agency=SKY, mode=Mode.LIVE, chain="x", until=START))
    book.apply(WaitEnded(at=START, agency=SKY, mode=Mode.LIVE, chain="x"))
    book.apply(DuplicateArrived(at=START, agency=SKY, mode=Mode.LIVE, message=key))
    assert book.chain_named("x") is None


def test_a_contribution_ends_with_its_last_statement_and_never_while_one_is_listed() -> None:
    world = World(POLICY)
    world.send(SKY, message("rain", info(RAIN, hours=3), info(GALE, hours=6)))
    (said,) = world.state().contributions.values()
    assert said.expires == START + timedelta(hours=6)
    open_ended = said.statements[0].model_copy(update={"expires": None})
    assert said.model_copy(update={"statements": (open_ended, said.statements[1])}).expires is None
    nothing = Contribution(chain="", agency="", district="", message=said.message, statements=())
    assert nothing.expires is None
    assert str(said.message) == "33060041600000,rain,2022-09-13T08:00:00+00:00"


def test_places_may_be_claimed_in_several_areas_of_one_info() -> None:
    world = World(POLICY)
    world.send(SKY, message("rain", info(RAIN, areas=(claim(TASHAN), claim(LUSHAN)))))
    assert hazards(world) == hazards(world, SHENGZHOU) == [RAIN]
