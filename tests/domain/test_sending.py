"""What one person is still to hear: the rules, and the promise that no order of events makes them say a wrong thing."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from domain.event import Event
from domain.levels import Level
from domain.routing import Item, Kind
from domain.sending import (
    Ending,
    Heard,
    Pending,
    PendingNotice,
    Stands,
    after_hearing,
    dead_address_ends,
    due_at,
    gives_up,
    newest_notice_counts,
    no_channel_is_left,
    what_to_say,
    with_places_filled,
)
from domain.telling_events import PersonErased, SendText, SubscriptionConfirmed, SubscriptionEnded

NOW = datetime(2022, 9, 13, 8, tzinfo=UTC)
RAIN, FLOOD = "11B03", "11A51"
YELLOW, RED = Level.YELLOW, Level.RED


def pending(planned: int, *hazards: str) -> Pending:
    return Pending(planned, frozenset(hazards))


def test_who_heard_nothing_hears_of_what_stands_as_new() -> None:
    said = what_to_say([pending(1, RAIN)], {}, {RAIN: Stands(RED)}, NOW)
    assert said.items == (Item(RAIN, Kind.NEW, RED),)
    assert said.plans == (1,)


@pytest.mark.parametrize(("before", "kind"), [(YELLOW, Kind.RAISED), (RED, Kind.LOWERED)])
def test_who_heard_of_another_level_hears_how_it_moved(before: Level, kind: Kind) -> None:
    said = what_to_say([pending(2, RAIN)], {RAIN: Heard(before)}, {RAIN: Stands(Level.ORANGE)}, NOW)
    assert said.items == (Item(RAIN, kind, Level.ORANGE),)


def test_a_newer_plan_takes_the_place_of_one_that_was_not_handed_over() -> None:
    said = what_to_say([pending(1, RAIN), pending(2, RAIN)], {}, {RAIN: Stands(RED)}, NOW)
    assert said.items == (Item(RAIN, Kind.NEW, RED),)
    assert said.withdrawn == {1: Ending.SUPERSEDED}


def test_what_was_lifted_before_it_was_handed_over_is_never_told() -> None:
    said = what_to_say([pending(1, RAIN), pending(2, RAIN)], {}, {}, NOW)
    assert said.items == ()
    assert said.withdrawn == {1: Ending.SUPERSEDED, 2: Ending.NEVER_TOLD}


def test_who_may_have_heard_hears_the_end() -> None:
    said = what_to_say([pending(2, RAIN)], {RAIN: Heard(RED, is_certain=False)}, {}, NOW)
    assert said.items == (Item(RAIN, Kind.LIFTED, RED),)


def test_who_may_have_heard_hears_it_again_as_new() -> None:
    said = what_to_say([pending(2, RAIN)], {RAIN: Heard(YELLOW, is_certain=False)}, {RAIN: Stands(RED)}, NOW)
    assert said.items == (Item(RAIN, Kind.NEW, RED),)


def test_what_has_ended_by_the_clock_is_not_told() -> None:
    said = what_to_say([pending(1, RAIN)], {}, {RAIN: Stands(RED, expires=NOW)}, NOW)
    assert said.items == ()
    assert said.withdrawn == {1: Ending.EXPIRED}


def test_an_all_clear_does_not_expire() -> None:
    said = what_to_say([pending(9, RAIN)], {RAIN: Heard(RED)}, {}, NOW + timedelta(days=30))
    assert said.items == (Item(RAIN, Kind.LIFTED, RED),)


def test_several_pending_changes_are_one_message_the_highest_level_first() -> None:
    stands = {RAIN: Stands(YELLOW), FLOOD: Stands(RED)}
    said = what_to_say([pending(1, RAIN), pending(2, FLOOD)], {}, stands, NOW)
    assert [item.hazard for item in said.items] == [FLOOD, RAIN]
    assert said.plans == (1, 2)


def test_a_plan_of_which_something_is_still_said_is_not_withdrawn() -> None:
    said = what_to_say([pending(1, RAIN, FLOOD), pending(2, RAIN)], {}, {FLOOD: Stands(RED)}, NOW)
    assert said.items == (Item(FLOOD, Kind.NEW, RED),)
    assert said.plans == (1,)
    assert said.withdrawn == {2: Ending.NEVER_TOLD}


def test_an_uncertain_all_clear_leaves_the_hazard_known_in_doubt() -> None:
    lifted = [Item(RAIN, Kind.LIFTED, RED)]
    assert after_hearing({RAIN: Heard(RED)}, lifted, is_certain=False) == {RAIN: Heard(RED, is_certain=False)}
    assert after_hearing({RAIN: Heard(RED)}, lifted, is_certain=True) == {}


def test_what_is_urgent_waits_for_nothing() -> None:
    assert due_at(5.0, is_urgent=True, group_wait_seconds=60) == 5.0
    assert due_at(5.0, is_urgent=False, group_wait_seconds=60) == 65.0


@given(st.integers(0, 40), st.floats(0, 200_000))
def test_a_message_is_given_up_by_attempts_or_by_age(attempts: int, age: float) -> None:
    assert gives_up(attempts, age, most_attempts=30, longest_seconds=86_400) is (attempts >= 30 or age >= 86_400)


def notices(positions: Iterable[int], expires: datetime = NOW + timedelta(hours=1)) -> list[PendingNotice]:
    return [PendingNotice(position, expires) for position in positions]


@given(st.sets(st.integers(1, 50)), st.integers(0, 60), st.booleans())
def test_of_notices_the_newest_alone_goes_out_and_every_other_has_its_reason(
    positions: set[int], needless_to: int, has_expired: bool
) -> None:
    expires = NOW if has_expired else NOW + timedelta(seconds=1)
    choice = newest_notice_counts(notices(positions, expires), needless_to, NOW)
    spoken = set() if choice.planned is None else {choice.planned}
    assert spoken | set(choice.withdrawn) == positions
    assert not spoken & set(choice.withdrawn)
    newest = max(positions, default=0)
    assert spoken == ({newest} if newest > needless_to and not has_expired else set())
    for position, ending in choice.withdrawn.items():
        if position <= needless_to:
            assert ending is Ending.NEEDLESS
        else:
            assert ending is (Ending.EXPIRED if position == newest else Ending.SUPERSEDED)


@given(st.lists(st.sampled_from(("plan", "take back", "hand over")), max_size=20))
def test_whatever_happens_in_whatever_order_no_notice_goes_out_that_was_taken_back_or_replaced(
    steps: list[str],
) -> None:
    needless_to, newest = 0, 0
    waiting: set[int] = set()
    for position, step in enumerate(steps, 1):
        if step == "plan":
            waiting.add(position)
            newest = position
        elif step == "take back":
            needless_to = position
        else:
            choice = newest_notice_counts(notices(waiting), needless_to, NOW)
            waiting.clear()
            if choice.planned is not None:
                assert choice.planned == newest > needless_to


WORDS = st.text(alphabet="ab \n", max_size=12)


@given(WORDS, WORDS, WORDS)
def test_a_notices_places_are_filled_and_without_a_link_leave_no_gap(one: str, two: str, three: str) -> None:
    text = SendText(language="en", subject="s", sms=f"{one}{{link}}{two}{{code}}{three}", body="b")
    assert with_places_filled(text, link="L", code="7").sms == f"{one}L{two}7{three}"
    bare = with_places_filled(text, link="", code="7").sms
    assert bare.split() == f"{one} {two}7{three}".split() or bare.split() == f"{one}{two}7{three}".split()
    before, after = one.rstrip(" "), f"{two}7{three}".lstrip(" ")
    assert bare in {f"{before}{after}", f"{before} {after}"}


def test_a_link_at_the_end_of_a_line_leaves_no_space_behind() -> None:
    text = SendText(
        language="zh-CN", subject="", sms="请确认：{link} 谢谢", body="Open {link}\nor reply {code}", short="{link}"
    )
    bare = with_places_filled(text, link="", code="123456")
    assert (bare.sms, bare.body, bare.short) == ("请确认： 谢谢", "Open\nor reply 123456", "")


@given(st.integers(1, 5), st.integers(0, 5), st.integers(0, 5))
def test_nobody_leaves_while_a_channel_may_still_reach_them(channels: int, dead: int, missing: int) -> None:
    left = no_channel_is_left(channels, dead, missing)
    assert left is (dead > 0 and dead + missing >= channels)


def confirmed(hours: int) -> Event:
    return SubscriptionConfirmed(at=NOW + timedelta(hours=hours), number=1, recipient_sha256="0")


def left(hours: int) -> Event:
    return SubscriptionEnded(at=NOW + timedelta(hours=hours), number=1, reason="")


def erased(hours: int) -> Event:
    return PersonErased(at=NOW + timedelta(hours=hours), numbers=(1,), reason="")


@pytest.mark.parametrize(
    ("history", "ends"),
    [
        ([], True),
        ([confirmed(-1)], True),
        ([confirmed(0)], True),
        ([confirmed(1)], False),
        ([left(-1)], True),
        ([left(0)], False),
        ([left(1)], False),
        ([confirmed(-2), left(-1)], False),
        ([confirmed(-2), left(-1), erased(-1)], False),
        ([confirmed(-3), left(-2), confirmed(-1)], True),
    ],
)
def test_a_dead_address_ends_what_stood_when_it_was_refused_and_once(history: list[Event], ends: bool) -> None:
    found = dead_address_ends(history, 1, NOW, NOW + timedelta(hours=2))
    assert bool(found) is ends
    assert dead_address_ends([*history, *found], 1, NOW, NOW + timedelta(hours=3)) == []


class OnePerson(RuleBasedStateMachine):
    """One person, one warning, and everything that may happen to what they are to hear, in any order.

    `reached` is what truly got to the person, as the outbox cannot know it: a hand-over may succeed and the record of
    it be lost. Whatever happens, the last thing that reached them is nothing that had ended when it was handed over,
    no level they are told is one that did not stand then, and once all is settled they know what stands.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.position = 0
        self.stands: dict[str, Stands] = {}
        self.waiting: list[Pending] = []
        self.heard: dict[str, Heard] = {}
        self.believes: dict[str, Level] = {}
        self.ever: set[str] = set()
        self.leased: tuple[tuple[Item, ...], list[Pending]] | None = None
        self.is_stopped = False
        self.handed_while_stopped = 0

    @initialize(level=st.sampled_from(Level))
    def begins(self, level: Level) -> None:
        self.change(RAIN, level, None)

    def change(self, hazard: str, level: Level | None, hours: int | None) -> None:
        known = self.stands.get(hazard)
        if (known.level if known else None) == level:
            return
        self.position += 1
        if level is None:
            del self.stands[hazard]
        else:
            self.stands[hazard] = Stands(level, self.now + timedelta(hours=hours) if hours else None)
        self.waiting.append(pending(self.position, hazard))

    @rule(
        hazard=st.sampled_from((RAIN, FLOOD)),
        level=st.none() | st.sampled_from(Level),
        hours=st.none() | st.integers(1, 5),
    )
    def a_release_changes_it(self, hazard: str, level: Level | None, hours: int | None) -> None:
        self.change(hazard, level, hours)

    @rule(hours=st.integers(1, 3))
    def time_passes_and_what_has_expired_is_lifted(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        for hazard, stands in list(self.stands.items()):
            if stands.expires is not None and stands.expires <= self.now:
                self.change(hazard, None, None)

    @rule(stopped=st.booleans())
    def sending_is_stopped_or_resumed(self, stopped: bool) -> None:
        self.is_stopped = stopped

    @precondition(lambda self: self.leased is None and not self.is_stopped and self.waiting)
    @rule()
    def it_is_leased(self) -> None:
        saying = what_to_say(self.waiting, self.heard, self.stands, self.now)
        assert set(saying.plans) | set(saying.withdrawn) == {one.planned for one in self.waiting}
        assert not set(saying.plans) & set(saying.withdrawn)
        mine = [one for one in self.waiting if one.planned in saying.plans]
        self.waiting = []
        if saying.items:
            self.leased = saying.items, mine

    def hand_over(self) -> tuple[tuple[Item, ...], list[Pending]]:
        """As the worker does it: only if nothing is newer, nothing has ended and nothing is stopped."""
        assert self.leased is not None
        items, mine = self.leased
        self.leased = None
        for item in items:
            stands = self.stands.get(item.hazard)
            if item.kind is Kind.LIFTED:
                assert stands is None, "an all-clear for what stands"
                assert item.hazard in self.ever or not self.heard[item.hazard].is_certain, "an all-clear for nothing"
                self.believes.pop(item.hazard, None)
            else:
                assert stands is not None, "an alert for what was lifted"
                assert stands.level is item.level, "a level that does not stand"
                assert stands.expires is None or stands.expires > self.now, "something expired"
                self.believes[item.hazard] = item.level
                self.ever.add(item.hazard)
        return items, mine

    def may_go(self) -> bool:
        assert self.leased is not None
        _, mine = self.leased
        newest = max([one.planned for one in self.waiting], default=0) > max(one.planned for one in mine)
        return not newest and not self.is_stopped

    @precondition(lambda self: self.leased is not None)
    @rule(fate=st.sampled_from(("accepted", "lost", "killed before", "not now", "refused")))
    def the_worker_goes_on(self, fate: str) -> None:
        assert self.leased is not None
        items, mine = self.leased
        if not self.may_go() or fate == "not now":
            self.leased = None
            self.waiting += mine
        elif fate == "accepted":
            self.hand_over()
            self.heard = after_hearing(self.heard, items, is_certain=True)
        elif fate == "refused":
            self.leased = None
        else:
            if fate == "lost":
                self.hand_over()
            self.leased = None
            self.heard = after_hearing(self.heard, items, is_certain=False)
            self.waiting += mine

    @invariant()
    def nobody_believes_in_what_was_lifted_and_never_hears_of_it(self) -> None:
        open_hazards = {hazard for one in self.waiting for hazard in one.hazards}
        if self.leased is not None:
            open_hazards |= {hazard for one in self.leased[1] for hazard in one.hazards}
        for hazard in self.believes:
            if hazard not in self.stands and hazard not in open_hazards:
                assert self.gave_up_on(hazard)

    def gave_up_on(self, hazard: str) -> bool:
        """Whether the all-clear was refused by every channel: nothing more can be done."""
        return hazard in self.heard


def run(machine: Any, examples: int) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=30, deadline=None))


def test_a_cancel_is_never_overtaken_and_nothing_expired_or_stopped_is_handed_over() -> None:
    run(OnePerson, 100)


@pytest.mark.slow
def test_a_cancel_is_never_overtaken_in_ten_thousand_runs() -> None:
    run(OnePerson, 10_000)
