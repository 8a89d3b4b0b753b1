"""Call-ups over the real path: a release comes in, people are asked, the clock goes on, and it is lifted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.callup import CallUpCode, CallUpError
from domain.callup_events import (
    CALL_UP_EVENTS,
    CallUpConfirmed,
    CallUpEnd,
    CallUpsEnded,
    CallUpsOpened,
    CallUpsReported,
    CallUpStep,
)
from domain.callup_state import call_up_subject
from domain.events import EventParked, WarningReleased
from domain.levels import Level
from domain.messages import Mode
from domain.notices import LINK_PLACE, NoticesPlanned, Purpose
from projections import PROJECTIONS
from projections.follow import rebuild
from streams.callup import call_up, call_ups_of, climb_call_ups, confirm, stop_call_ups
from streams.callup_notices import NOTICES_AT_ONCE, WITHOUT_AN_END, plan_notices
from tests.domain.test_routing import section
from tests.projections.test_follow import rows_of
from tests.streams.called import (
    DISTRICT,
    EMAIL,
    OTHER_TOWN,
    SCREEN,
    SMS,
    TOWN,
    VOICE,
    Bureau,
    bureau_in,
    person,
)
from tests.streams.messages import at

ASKED, CALLED, NEXT, DUE = CallUpStep.ASKED, CallUpStep.CALLED, CallUpStep.NEXT_ASKED, CallUpStep.QUESTIONS_DUE


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    with bureau_in(tmp_path) as opened:
        yield opened
        assert opened.events(EventParked) == []


def ends(bureau: Bureau) -> list[tuple[CallUpEnd, tuple[str, ...]]]:
    return [(event.reason, event.posts) for event in bureau.events(CallUpsEnded)]


def asked(bureau: Bureau) -> set[int]:
    return {number for _, step, _, number in bureau.steps() if step is ASKED}


def test_from_the_red_flash_flood_to_the_report(bureau: Bureau) -> None:
    bureau.roster(
        person(1, "dam", 1),
        person(2, "dam", 2),
        person(3, "hall"),
        person(4, "slope", 1, channels=(EMAIL, VOICE)),
        person(5, "slope", 2),
        person(9, role="resident"),
    )
    bureau.deliver("f1", 0)
    bureau.wait_until(1)
    assert bureau.confirm(3) == ("duty/hall",)
    assert bureau.confirm(3) == ()
    bureau.wait_until(3)
    assert bureau.steps() == [
        (0, ASKED, "dam", 1),
        (0, ASKED, "hall", 3),
        (0, ASKED, "slope", 4),
        (3, CALLED, "dam", 1),
        (3, NEXT, "dam", 2),
        (3, CALLED, "slope", 4),
        (3, NEXT, "slope", 5),
    ]
    bureau.wait_until(4)
    bureau.answer(5, command="the mayor", villages="6", moved="yes")
    bureau.wait_until(15)
    assert bureau.steps()[7:] == [
        (6, CALLED, "dam", 2),
        (15, DUE, "dam", 0),
        (15, DUE, "hall", 0),
        (15, DUE, "slope", 0),
    ]
    assert ends(bureau) == [(CallUpEnd.EXHAUSTED, ("duty/dam",))]
    bureau.deliver("f2", 20, kind="Cancel", references=(("f1", 0),))
    assert ends(bureau)[1:] == [(CallUpEnd.LIFTED, ("duty/dam", "duty/hall", "duty/slope"))]
    steps = bureau.steps()
    bureau.answer(5, is_report=True, rain="120 mm", moved="40")
    bureau.wait_until(50)
    [report] = bureau.events(CallUpsReported)
    assert (report.posts, report.confirmed, report.reported, report.unconfirmed) == (3, 2, 1, ("duty/dam",))
    assert (report.median_seconds, report.longest_seconds) == (150, 240)
    assert bureau.steps() == steps
    assert bureau.withdrawn() == [(1, "confirmed", (3,)), (4, "confirmed", (4, 5)), (20, "lifted", (1, 2))]
    tables = bureau.platform.tables
    before = rows_of(tables)
    assert rebuild(bureau.platform.log, tables, PROJECTIONS) == bureau.platform.log.head()
    tables_after = {name: rows for name, rows in rows_of(tables).items() if name != "deadlines"}
    assert tables_after == {name: rows for name, rows in before.items() if name != "deadlines"}


def test_each_is_asked_in_their_language_by_their_own_channels_and_telephoned_only_later(bureau: Bureau) -> None:
    bureau.roster(
        person(1, "dam", 1, channels=(VOICE, EMAIL, SMS), language="en"),
        person(2, "dam", 2, channels=(VOICE,)),
        person(3, channels=(SCREEN,)),
    )
    bureau.deliver("f1", 0, hours=10)
    bureau.wait_until(7)
    found = {(minute, notice.number): notice for minute, notice in bureau.notices()}
    assert {key: notice.channels for key, notice in found.items()} == {
        (0, 1): (EMAIL, SMS),
        (0, 3): (SCREEN,),
        (3, 1): (VOICE,),
        (3, 2): (VOICE,),
        (6, 2): (VOICE,),
    }
    first, in_place, aloud = found[0, 1].text, found[3, 2].text, found[6, 2].text
    assert (first.language, in_place.language) == ("en", "zh-CN")
    assert first.sms.startswith("[Shaoxing] CALL-UP 上虞区: ")
    assert first.sms.endswith(LINK_PLACE)
    assert "前一责任人未确认" in in_place.sms
    assert LINK_PLACE not in aloud.sms
    assert "山洪灾害红色预警" in aloud.body
    assert all("【演练】" not in notice.text.sms for notice in found.values())
    plans = bureau.events(NoticesPlanned)
    assert {plan.expires for plan in plans} == {at(600)}
    assert {(plan.subject, plan.purpose) for plan in plans} == {
        (call_up_subject(Mode.LIVE, bureau.warning_id), Purpose.CALL_UP)
    }


def test_a_drill_calls_up_drill_rosters_alone_and_every_word_bears_its_mark(bureau: Bureau) -> None:
    bureau.roster(person(1, "dam"))
    bureau.roster(person(2, "dam", mode=Mode.DRILL, roster="exercise"), name="exercise", mode=Mode.DRILL)
    bureau.deliver("f1", 0, status="Exercise")
    [(_, notice)] = bureau.notices()
    assert notice.number == 2
    assert notice.text.sms.startswith("【绍兴发布】【演练】")
    assert all(text.endswith("【演练】") for text in (notice.text.sms, notice.text.body, notice.text.subject))
    runner, warning = bureau.platform.runner, bureau.warning_id
    runner.act(lambda house, now: stop_call_ups(house, Mode.DRILL, warning, now))
    assert ends(bureau) == [(CallUpEnd.STOPPED, ("exercise/dam",))]
    assert bureau.withdrawn() == [(0, "stopped", (2,))]
    head = bureau.platform.log.head()
    runner.act(lambda house, now: stop_call_ups(house, Mode.DRILL, warning, now))
    bureau.wait_until(20)
    assert bureau.platform.log.head() == head


def test_only_who_is_concerned_wants_it_and_can_be_reached_is_called_up(bureau: Bureau) -> None:
    bureau.roster(
        person(1),
        person(2, "", 1, "330683"),
        person(3, hazards=("11B03",)),
        person(4, role="媒体"),
        person(5, "dam", 1, "330683"),
        person(6, "dam", 2),
        person(7, level_min="red"),
        person(8),
    )
    bureau.rosters.erase(8)
    bureau.deliver("f1", 0, level="orange")
    bureau.wait_until(0.5)
    assert {(post, number) for _, _, post, number in bureau.steps()} == {("#1", 1), ("dam", 6)}
    bureau.deliver("f2", 1, kind="Update", references=(("f1", 0),))
    assert asked(bureau) == {1, 6, 7}


def test_a_level_below_that_of_the_policy_calls_nobody_up_and_its_rise_does(bureau: Bureau) -> None:
    bureau.roster(person(1))
    bureau.deliver("f1", 0, level="yellow")
    bureau.wait_until(2)
    assert bureau.topics() == []
    bureau.deliver("f2", 3, level="orange", kind="Update", references=(("f1", 0),))
    bureau.confirm(1)
    bureau.deliver("f3", 5, level="orange", kind="Update", references=(("f1", 0),), text="It goes on.")
    bureau.wait_until(7)
    assert [step for _, step, _, _ in bureau.steps()] == [ASKED]
    bureau.deliver("f4", 8, level="red", kind="Update", references=(("f1", 0),))
    assert [event.round for event in bureau.events(CallUpsOpened)] == [1, 2]
    assert ends(bureau) == [(CallUpEnd.RAISED, ("duty/#1",))]
    bureau.deliver("f5", 9, level="yellow", kind="Update", references=(("f1", 0),))
    bureau.wait_until(60)
    assert ends(bureau)[1:] == [(CallUpEnd.LOWERED, ("duty/#1",))]
    assert len(bureau.events(CallUpsReported)) == 1
    assert [step for _, step, _, _ in bureau.steps()] == [ASKED, ASKED]


def test_a_level_that_falls_and_rises_again_asks_again(bureau: Bureau) -> None:
    bureau.roster(person(1))
    bureau.deliver("f1", 0)
    bureau.confirm(1)
    bureau.deliver("f2", 1, level="orange", kind="Update", references=(("f1", 0),))
    bureau.wait_until(3)
    bureau.deliver("f3", 4, level="red", kind="Update", references=(("f1", 0),))
    assert [(minute, step) for minute, step, _, _ in bureau.steps()] == [(0, ASKED), (4, ASKED)]


def test_a_township_that_is_lifted_ends_its_own_call_ups_and_one_that_comes_later_opens_its_own(
    bureau: Bureau,
) -> None:
    bureau.roster(person(1, "", 1, TOWN), person(2, "", 1, OTHER_TOWN))
    bureau.deliver("f1", 0, codes=(TOWN,))
    assert asked(bureau) == {1}
    bureau.deliver("f2", 1, codes=(TOWN, OTHER_TOWN), kind="Update", references=(("f1", 0),))
    bureau.wait_until(2)
    assert asked(bureau) == {1, 2}
    bureau.deliver("f3", 2.5, codes=(OTHER_TOWN,), kind="Update", references=(("f1", 0),))
    bureau.wait_until(8)
    assert ends(bureau) == [(CallUpEnd.LIFTED, ("duty/#1",))]
    assert {number for minute, step, _, number in bureau.steps() if step is CALLED} == {2}


def test_townships_at_different_levels_are_asked_about_their_own(bureau: Bureau) -> None:
    bureau.roster(person(1, "", 1, TOWN), person(2, "", 1, OTHER_TOWN))
    bureau.deliver("f1", 0, codes=(TOWN,), level="red")
    bureau.deliver("r1", 0, codes=(OTHER_TOWN,), level="orange")
    bureau.wait_until(2)
    opened = {event.posts[0].post: event.hazards[0].level.value for event in bureau.events(CallUpsOpened)}
    assert opened == {"duty/#1": "red", "duty/#2": "orange"}


def test_another_hazard_beside_the_first_asks_about_both(bureau: Bureau) -> None:
    bureau.roster(person(1))
    bureau.deliver("f1", 0)
    bureau.deliver("r1", 1, agency="meteorology", hazard="11B03", level="red")
    first, second = bureau.events(CallUpsOpened)
    assert [one.hazard for one in first.hazards] == ["11A51"]
    assert [one.hazard for one in second.hazards] == ["11A51", "11B03"]
    bureau.deliver("f2", 2, kind="Cancel", references=(("f1", 0),))
    bureau.wait_until(4)
    assert ends(bureau) == [(CallUpEnd.RAISED, ("duty/#1",))]
    [text] = [notice.text for minute, notice in bureau.notices() if minute == 4]
    assert "暴雨" in text.sms
    assert "山洪" not in text.sms


def test_what_expires_while_the_platform_is_away_telephones_nobody(bureau: Bureau) -> None:
    bureau.roster(person(1, "dam", 1), person(2, "dam", 2))
    bureau.deliver("f1", 0, hours=0.04)
    clock = bureau.platform.clock
    clock.set(at(30))  # type: ignore[attr-defined]  # the tests' clock is set by hand
    bureau.platform.runner.pump()
    assert bureau.steps() == [(0, ASKED, "dam", 1)]
    assert ends(bureau) == [(CallUpEnd.LIFTED, ("duty/dam",))]


def test_who_comes_onto_a_roster_while_the_warning_stands_is_asked_with_the_next_release(bureau: Bureau) -> None:
    bureau.roster(person(1))
    bureau.deliver("f1", 0)
    bureau.roster(person(1), person(2))
    bureau.deliver("f2", 1, kind="Update", references=(("f1", 0),), text="It goes on.")
    bureau.wait_until(2)
    assert [(post, number) for _, step, post, number in bureau.steps() if step is ASKED] == [("#1", 1), ("#2", 2)]


def test_a_post_whose_people_have_all_left_the_roster_ends_with_its_hazard_and_not_before(bureau: Bureau) -> None:
    bureau.roster(person(1))
    bureau.deliver("f1", 0)
    bureau.roster(person(2))
    bureau.deliver("f2", 1, kind="Update", references=(("f1", 0),), text="It goes on.")
    bureau.wait_until(10)
    assert ends(bureau) == []
    bureau.deliver("f3", 20, level="yellow", kind="Update", references=(("f1", 0),))
    bureau.wait_until(21)
    assert ends(bureau) == [
        (CallUpEnd.EXHAUSTED, ("duty/#1",)),
        (CallUpEnd.EXHAUSTED, ("duty/#2",)),
        (CallUpEnd.LOWERED, ("duty/#1",)),
        (CallUpEnd.LOWERED, ("duty/#2",)),
    ]


def test_the_same_release_again_calls_nobody_up_twice(bureau: Bureau) -> None:
    bureau.roster(person(1))
    bureau.deliver("f1", 0)
    house, head = bureau.platform.house, bureau.platform.log.head()
    [release] = [one for one in bureau.platform.log.read() if isinstance(one.event, WarningReleased)]
    house.ledger.refresh()
    call_up(house, release, at(1))
    assert house.ledger.pending == ()
    assert bureau.platform.log.head() == head


def test_the_stage_reads_releases_alone(bureau: Bureau) -> None:
    bureau.roster(person(1))
    bureau.deliver("f1", 0)
    [confirmed] = [recorded for recorded in bureau.platform.log.read() if recorded.event.TOPIC == "call-ups-opened"]
    with pytest.raises(TypeError, match="do not read"):
        call_up(bureau.platform.house, confirmed, at(1))


def test_a_refused_reply_stores_nothing(bureau: Bureau) -> None:
    bureau.roster(person(1))
    bureau.deliver("f1", 0)
    head = bureau.platform.log.head()
    with pytest.raises(CallUpError) as refused:
        bureau.confirm(7)
    assert refused.value.code is CallUpCode.NOT_CALLED
    assert bureau.platform.log.head() == head


def test_an_officer_confirms_under_their_name(bureau: Bureau) -> None:
    bureau.roster(person(1, "dam", 1), person(2, "dam", 2))
    bureau.deliver("f1", 0)
    bureau.confirm(2, "officer", by=" Duty officer ")
    [confirmed] = bureau.events(CallUpConfirmed)
    assert (confirmed.number, confirmed.how, confirmed.by) == (2, "officer", "Duty officer")


def test_many_people_are_asked_in_events_of_bounded_size(bureau: Bureau) -> None:
    count = NOTICES_AT_ONCE + 3
    bureau.roster(*(person(number) for number in range(1, count + 1)))
    bureau.deliver("f1", 0)
    assert [len(plan.notices) for plan in bureau.events(NoticesPlanned)] == [NOTICES_AT_ONCE, 3]
    assert len(asked(bureau)) == count


def test_what_has_no_end_is_asked_about_for_some_hours(bureau: Bureau) -> None:
    bureau.roster(person(1))
    bureau.deliver("f1", 0)
    house, subject = bureau.platform.house, call_up_subject(Mode.LIVE, bureau.warning_id)
    state = call_ups_of(house, Mode.LIVE, bureau.warning_id)
    asking = [recorded.event for recorded in bureau.platform.log.stream(subject)]
    plan_notices(house, state, asking, [section("11A51", {DISTRICT: Level.RED})], at(5))
    [planned] = [new.event for new in house.ledger.pending]
    assert isinstance(planned, NoticesPlanned)
    assert planned.expires == at(5) + WITHOUT_AN_END


def test_a_deadline_of_a_warning_that_called_nobody_up_comes_to_nothing(bureau: Bureau) -> None:
    house = bureau.platform.house
    climb_call_ups(house, Mode.LIVE, "no warning of ours", at(1))
    assert house.ledger.pending == ()


def test_every_event_names_its_district_also_after_a_restart_and_after_a_reply_that_came_too_early(
    bureau: Bureau,
) -> None:
    bureau.roster(person(1, "dam", 1), person(2, "dam", 2))
    bureau.deliver("f1", 0, level="yellow")
    bureau.wait_until(1)
    [warning] = {release.warning_id for release in bureau.events(WarningReleased)}
    runner = bureau.platform.runner
    with pytest.raises(CallUpError) as refused:
        runner.act(lambda house, now: confirm(house, Mode.LIVE, warning, 1, "sms", now))
    assert refused.value.code is CallUpCode.UNKNOWN
    call_ups_of(bureau.platform.house, Mode.LIVE, warning)
    bureau.deliver("f2", 2, kind="Update", references=(("f1", 0),))
    for minutes in (5, 6):
        bureau.wait_until(minutes)
        bureau.platform.house.ledger.forget()
    bureau.confirm(2)
    found = bureau.events(*CALL_UP_EVENTS)
    assert {(event.district, event.mode, event.warning_id) for event in found} == {(DISTRICT, Mode.LIVE, warning)}
    assert [type(event) for event in found][-1] is CallUpConfirmed
