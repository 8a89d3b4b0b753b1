"""Drills: one at a time, under ids that never repeat; only exercises take part; with the drill all of it ends."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.drill_events import DrillStarted, DrillStopped
from domain.drills import (
    BAD_TITLE,
    EMPTY,
    LONGEST_TITLE,
    NOT_RUNNING,
    RUNNING,
    DrillError,
    a_running_drill_is_stopped_with_a_reason,
    everything_that_stands_ends,
    nothing_is_waited_for_any_more,
    only_exercises_take_part,
    only_one_drill_runs_at_a_time,
    running,
)
from domain.events import ContributionEnded, WaitEnded
from domain.findings import Code
from domain.levels import Level
from domain.messages import MessageType, Mode, Status
from domain.outlet import evolve
from domain.release import Consider
from tests.domain.builders import RAIN, SHENGZHOU, SKY, YUECHENG, World, info, message, policy_with, released
from tests.domain.strategies import Said, conversations

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ZONE = timezone(timedelta(hours=8))
POLICY = policy_with()


def begun(newest: DrillStarted | DrillStopped | None = None, *, now: datetime = NOW) -> DrillStarted:
    return only_one_drill_runs_at_a_time(newest, title="Autumn drill", by="officer 7", zone=ZONE, now=now)


def over(started: DrillStarted) -> DrillStopped:
    return a_running_drill_is_stopped_with_a_reason(started, by="officer 7", reason="all done", now=started.at)


def test_only_one_drill_runs_at_a_time_and_the_next_one_begins_after_it() -> None:
    first = begun()
    with pytest.raises(DrillError, match=r"drill-20261123-1 \(Autumn drill\) runs since") as refused:
        begun(first)
    assert refused.value.code == RUNNING
    assert begun(over(first)).drill == "drill-20261123-2"


def test_a_drill_bears_the_outlets_day() -> None:
    assert begun(now=datetime(2026, 11, 23, 16, 30, tzinfo=UTC)).drill == "drill-20261124-1"


@given(st.lists(st.integers(-5, 5), max_size=12))
def test_no_id_comes_twice_however_the_clock_is_set(days: Sequence[int]) -> None:
    newest: DrillStopped | None = None
    ids: list[str] = []
    for day in days:
        started = begun(newest, now=NOW + timedelta(days=day))
        ids.append(started.drill)
        newest = over(started)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("title", ["", "  ", "two\nlines", "turned \u202e round", "x" * (LONGEST_TITLE + 1)])
def test_a_title_that_nobody_could_type_is_refused(title: str) -> None:
    with pytest.raises(DrillError) as refused:
        only_one_drill_runs_at_a_time(None, title=title, by="officer 7", zone=ZONE, now=NOW)
    assert refused.value.code == BAD_TITLE


def test_a_drill_is_started_by_somebody_and_stopped_by_somebody_who_says_why() -> None:
    with pytest.raises(DrillError) as refused:
        only_one_drill_runs_at_a_time(None, title="Drill", by=" ", zone=ZONE, now=NOW)
    assert refused.value.code == EMPTY
    for by, reason in ((" ", "why"), ("officer 7", " ")):
        with pytest.raises(DrillError) as refused:
            a_running_drill_is_stopped_with_a_reason(begun(), by=by, reason=reason, now=NOW)
        assert refused.value.code == EMPTY


def test_what_does_not_run_cannot_be_stopped() -> None:
    for newest in (None, over(begun())):
        assert running(newest) is None
        with pytest.raises(DrillError) as refused:
            a_running_drill_is_stopped_with_a_reason(newest, by="officer 7", reason="why", now=NOW)
        assert refused.value.code == NOT_RUNNING


@given(st.lists(st.sampled_from(Status), max_size=4))
def test_whatever_says_that_it_is_live_takes_no_part_in_a_drill(statuses: Sequence[Status]) -> None:
    messages = [message(f"m{place}", info(), status=status) for place, status in enumerate(statuses)]
    found = only_exercises_take_part(messages)
    assert len(found) == sum(status is Status.ACTUAL for status in statuses)
    assert all(one.refuses and one.code is Code.STATUS and one.path == "/alert/status" for one in found)


@given(said=conversations())
def test_with_a_drill_all_of_it_is_lifted_and_nothing_live_changes(said: Sequence[Said]) -> None:
    world = World(POLICY)
    for place, one in enumerate(said):
        status = Status.ACTUAL if place % 2 else Status.EXERCISE
        world.send(one.agency, one.message.model_copy(update={"status": status}))
    world.wait(minutes=3)
    live = {key: state for key, state in world.states.items() if key[1] is Mode.LIVE}
    for district in (YUECHENG, SHENGZHOU):
        before = world.state(district, Mode.DRILL)
        events = everything_that_stands_ends(before, policy=POLICY, now=world.now)
        for event in events:
            world.states[district, Mode.DRILL] = evolve(world.state(district, Mode.DRILL), world.record(event))
        public = released(world.act(Consider(), district, Mode.DRILL))
        after = world.state(district, Mode.DRILL)
        assert (after.contributions, after.sections, after.released, dict(after.holds)) == ({}, (), (), {})
        assert {event.chain for event in events if isinstance(event, ContributionEnded)} == set(before.contributions)
        assert len(public) == (1 if before.released else 0)
        assert all((one.message_type, one.mode) == (MessageType.CANCEL, Mode.DRILL) for one in public)
    assert {key: state for key, state in world.states.items() if key[1] is Mode.LIVE} == live


def test_a_drill_that_waits_for_an_approval_ends_without_a_word() -> None:
    world = World(policy_with("[release]\napprovals = { red = 1 }\n"))
    world.send(SKY, message("d", info(RAIN, Level.RED), status=Status.EXERCISE))
    for event in everything_that_stands_ends(world.state(mode=Mode.DRILL), policy=world.policy, now=world.now):
        world.states[YUECHENG, Mode.DRILL] = evolve(world.state(mode=Mode.DRILL), event)
    world.act(Consider(), mode=Mode.DRILL)
    assert released(world.log) == []
    assert world.state(mode=Mode.DRILL).holds == {}


def test_no_drill_ends_a_live_warning() -> None:
    world = World(POLICY)
    world.send(SKY, message("r", info(RAIN, Level.RED)))
    with pytest.raises(ValueError, match="ends nothing that is live"):
        everything_that_stands_ends(world.state(), policy=POLICY, now=world.now)


def test_what_waits_for_its_alert_does_not_speak_after_the_drill() -> None:
    world = World(POLICY)
    world.send(SKY, message("u", info(RAIN, Level.RED), refs=["lost"], status=Status.EXERCISE))
    [(agency, waited)] = world.waits
    book = world.book(SKY, Mode.DRILL)
    events = nothing_is_waited_for_any_more(book, agency=agency, chain_name=waited.chain, now=world.now)
    assert [type(event) for event in events] == [WaitEnded]
    assert nothing_is_waited_for_any_more(book, agency=agency, chain_name=waited.chain, now=world.now) == []
    world.wait(hours=1)
    assert world.sections(mode=Mode.DRILL) == ()


def test_a_chain_of_one_drill_may_go_on_in_the_next() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, Level.RED), status=Status.EXERCISE))
    for event in everything_that_stands_ends(world.state(mode=Mode.DRILL), policy=POLICY, now=world.now):
        world.states[YUECHENG, Mode.DRILL] = evolve(world.state(mode=Mode.DRILL), event)
    world.send(SKY, message("u", info(RAIN, Level.ORANGE), refs=["a"], minute=5, status=Status.EXERCISE))
    assert [section.level for section in world.sections(mode=Mode.DRILL)] == [Level.ORANGE]
