"""The ladder of a call-up: who is asked, telephoned and asked in whose place, and when all of it stops."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import callup
from domain.callup import LONGEST_ANSWER, CallUpCode, CallUpError
from domain.callup_events import (
    CallUpAnswer,
    CallUpAnswered,
    CallUpConfirmed,
    CallUpEnd,
    CallUpsEnded,
    CallUpsOpened,
    CallUpsReported,
    CallUpStep,
    CallUpStepTaken,
)
from domain.callup_policy import CallUpDefinition
from domain.callup_state import CallUps, evolve, evolve_all
from domain.event import Event
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind
from domain.telling_events import SendingStopped
from tests.domain.callups import DEFINITION, START, Ladder, duty, summons

ASKED, CALLED, NEXT, DUE = CallUpStep.ASKED, CallUpStep.CALLED, CallUpStep.NEXT_ASKED, CallUpStep.QUESTIONS_DUE


def ends(events: list[Event]) -> list[tuple[CallUpEnd, tuple[str, ...]]]:
    return [(event.reason, event.posts) for event in events if isinstance(event, CallUpsEnded)]


def said(**answers: str) -> list[CallUpAnswer]:
    return [CallUpAnswer(question=question, text=text) for question, text in answers.items()]


def refusal(action: Callable[[], object]) -> CallUpCode:
    with pytest.raises(CallUpError) as refused:
        action()
    assert str(refused.value) == refused.value.sentence
    return refused.value.code


def test_the_ladder_is_climbed_to_its_end_and_stays_visibly_unconfirmed() -> None:
    ladder = Ladder()
    ladder.release(summons("dam", 1, 2, 3))
    for seconds in (179, 180, 360, 540, 720, 900, 1080, 5000):
        ladder.tick(seconds)
    assert ladder.steps() == [
        (0, ASKED, 1),
        (180, CALLED, 1),
        (180, NEXT, 2),
        (360, CALLED, 2),
        (360, NEXT, 3),
        (540, CALLED, 3),
        (900, DUE, 0),
    ]
    assert ends(ladder.events) == [(CallUpEnd.EXHAUSTED, ("dam",))]
    assert ladder.state.calls["dam"].is_waiting
    assert ladder.confirm(3) != []


def test_who_has_no_telephone_is_not_said_to_have_been_telephoned() -> None:
    ladder = Ladder(duties={1: duty(1, ChannelKind.EMAIL), 2: duty(2, ChannelKind.VOICE)})
    ladder.release(summons("dam", 1, 2))
    ladder.tick(180)
    ladder.tick(360)
    assert ladder.steps() == [(0, ASKED, 1), (180, NEXT, 2), (360, CALLED, 2)]


def test_who_has_left_the_roster_meanwhile_is_passed_over() -> None:
    ladder = Ladder()
    ladder.release(summons("dam", 1, 2, 3))
    del ladder.duties[1], ladder.duties[2]
    ladder.tick(180)
    assert ladder.steps() == [(0, ASKED, 1), (180, NEXT, 3)]


def test_a_platform_that_was_away_takes_one_rung_at_a_time() -> None:
    ladder = Ladder()
    ladder.release(summons("dam", 1, 2, 3))
    [first, second, questions] = ladder.steps(ladder.tick(2000))
    assert (first, second, questions) == ((2000, CALLED, 1), (2000, NEXT, 2), (2000, DUE, 0))
    assert ladder.steps(ladder.tick(2180)) == [(2180, CALLED, 2), (2180, NEXT, 3)]


def test_the_same_level_again_is_silent_and_a_rise_asks_again_who_had_confirmed() -> None:
    ladder = Ladder()
    ladder.release(summons("dam", 1, 2, level=Level.ORANGE))
    ladder.confirm(1)
    assert ladder.release(summons("dam", 1, 2, level=Level.ORANGE)) == []
    raised = ladder.release(summons("dam", 1, 2, level=Level.RED))
    assert ends(list(raised)) == [(CallUpEnd.RAISED, ("dam",))]
    assert ladder.steps(raised) == [(0, ASKED, 1)]
    assert ladder.state.calls["dam"].confirmed is None
    assert ladder.state.rounds == 2


def test_a_lower_level_that_still_calls_up_is_silent_and_its_rise_asks_again() -> None:
    ladder = Ladder()
    ladder.release(summons("dam", 1))
    assert ladder.release(summons("dam", 1, level=Level.ORANGE)) == []
    assert ladder.steps(ladder.release(summons("dam", 1, has_risen=True))) == [(0, ASKED, 1)]


def test_a_post_that_a_hazard_reaches_later_is_asked_alone() -> None:
    ladder = Ladder()
    ladder.release(summons("dam", 1))
    ladder.confirm(1)
    events = ladder.release(summons("dam", 1), summons("village", 2))
    assert ladder.steps(events) == [(0, ASKED, 2)]
    assert ladder.state.calls["dam"].confirmed is not None


def test_posts_that_are_asked_about_different_things_have_rounds_of_their_own() -> None:
    ladder = Ladder()
    events = ladder.release(summons("dam", 1), summons("village", 2, level=Level.ORANGE), summons("lake", 3))
    opened = [(one.round, [post.post for post in one.posts]) for one in events if isinstance(one, CallUpsOpened)]
    assert opened == [(1, ["dam", "lake"]), (2, ["village"])]


def test_what_is_lifted_at_this_moment_is_left_to_its_end() -> None:
    ladder = Ladder()
    ladder.release(summons("dam", 1, 2))
    assert ladder.tick(180, standing=()) == []


def test_the_report_counts_each_post_by_its_newest_round() -> None:
    ladder = Ladder()
    ladder.release(summons("dam", 1), summons("village", 2), summons("lake", 3))
    ladder.seconds = 60
    ladder.confirm(1)
    ladder.seconds = 100
    ladder.confirm(2)
    ladder.seconds = 600
    ladder.release()
    ladder.add(callup.answer(ladder.state, 2, said(damage="none"), DEFINITION, ladder.now, is_report=True))
    assert ladder.tick(2399) == []
    [report] = ladder.tick(2400)
    assert isinstance(report, CallUpsReported)
    assert (report.posts, report.confirmed, report.reported) == (3, 2, 1)
    assert (report.median_seconds, report.longest_seconds, report.unconfirmed) == (80, 100, ("lake",))
    assert ladder.tick(9999) == []


def test_a_warning_that_calls_up_again_before_its_report_is_reported_on_once_after_its_end() -> None:
    ladder = Ladder()
    ladder.release(summons("dam", 1))
    ladder.seconds = 600
    ladder.release()
    ladder.seconds = 1000
    ladder.release(summons("dam", 1))
    assert not [one for one in ladder.tick(2400) if isinstance(one, CallUpsReported)]
    ladder.release()
    assert [type(one) for one in ladder.tick(4200)] == [CallUpsReported]


def test_confirming_twice_is_nothing_new_and_answers_for_the_whole_post() -> None:
    ladder = Ladder()
    ladder.release(summons("dam", 1, 2), summons("village", 3))
    [confirmed] = ladder.confirm(2)  # asked or not, they are of the post
    assert isinstance(confirmed, CallUpConfirmed)
    assert (confirmed.post, confirmed.number) == ("dam", 2)
    assert ladder.confirm(1) == []
    ladder.release()
    assert ladder.confirm(1) == []
    assert refusal(lambda: ladder.confirm(3)) is CallUpCode.OVER


def test_a_reply_that_does_not_fit_is_refused_with_its_code() -> None:
    ladder = Ladder()
    nobody = CallUps(Mode.LIVE, "w", "330604")
    assert refusal(lambda: callup.confirm(nobody, 1, "sms", START)) is CallUpCode.UNKNOWN
    ladder.release(summons("dam", 1))

    def answers(*given: CallUpAnswer, number: int = 1, is_report: bool = False) -> CallUpCode:
        return refusal(lambda: callup.answer(ladder.state, number, given, DEFINITION, ladder.now, is_report=is_report))

    assert refusal(lambda: ladder.confirm(2)) is CallUpCode.NOT_CALLED
    assert refusal(lambda: callup.confirm(ladder.state, 1, "officer", START, by=" ")) is CallUpCode.NO_NAME
    assert answers(*said(command="me"), number=2) is CallUpCode.NOT_CALLED
    assert answers(*said(damage="none")) is CallUpCode.UNKNOWN_QUESTION
    assert answers(*said(command="me"), *said(command="you")) is CallUpCode.QUESTION_TWICE
    assert answers(*said(command=" ")) is CallUpCode.NO_ANSWER
    assert answers() is CallUpCode.NO_ANSWER
    assert answers(*said(command="x" * (LONGEST_ANSWER + 1))) is CallUpCode.TOO_LONG
    assert answers(*said(damage="none"), is_report=True) is CallUpCode.NOT_OVER
    ladder.release()
    assert answers(*said(command="me")) is CallUpCode.OVER


def test_who_answers_the_questions_has_confirmed_and_the_same_answers_are_nothing_new() -> None:
    ladder = Ladder()
    ladder.release(summons("dam", 1, 2))
    first = ladder.add(callup.answer(ladder.state, 2, said(command="me"), DEFINITION, ladder.now))
    assert [type(one) for one in first] == [CallUpConfirmed, CallUpAnswered]
    assert callup.answer(ladder.state, 1, said(command="me"), DEFINITION, ladder.now) == []
    ladder.add(callup.answer(ladder.state, 1, said(command="you", moved="yes"), DEFINITION, ladder.now))
    assert ladder.state.calls["dam"].answers == {"command": "you", "moved": "yes"}


def test_without_questions_none_fall_due() -> None:
    ladder = Ladder(definition=CallUpDefinition(roles=("duty",)))
    ladder.release(summons("dam", 1))
    for seconds in (180, 360, 900, 1800):
        ladder.tick(seconds)
    assert ladder.steps() == [(0, ASKED, 1), (180, CALLED, 1)]
    assert ends(ladder.events) == [(CallUpEnd.EXHAUSTED, ("dam",))]


def test_a_stop_ends_all_that_is_not_over_and_asks_for_no_report() -> None:
    ladder = Ladder()
    ladder.release(summons("dam", 1), summons("village", 2))
    ladder.confirm(1)
    [stopped] = ladder.add(callup.stop(ladder.state, CallUpEnd.STOPPED, ladder.now))
    assert isinstance(stopped, CallUpsEnded)
    assert (stopped.posts, stopped.report_due) == (("dam", "village"), None)
    assert ladder.tick(180) == []
    assert callup.stop(ladder.state, CallUpEnd.STOPPED, ladder.now) == []


def test_events_of_another_warning_or_of_none_are_refused() -> None:
    ladder = Ladder()
    [opened, *_] = ladder.release(summons("dam", 1))
    with pytest.raises(ValueError, match="is none of"):
        evolve(CallUps(Mode.DRILL, "w", "330604"), opened)
    with pytest.raises(TypeError, match="belongs to no call-ups"):
        evolve(ladder.state, SendingStopped(at=START, by="duty officer", reason="a wrong text"))


# --- whatever happens, in whatever order ----------------------------------------------------------------------

POSTS = {"dam": (1, 2, 3), "village": (4,), "lake": (5, 6)}

moves = st.one_of(
    st.tuples(st.just("tick"), st.sampled_from([1.0, 60.0, 180.0, 181.0, 400.0, 900.0, 2000.0])),
    st.tuples(st.just("confirm"), st.integers(1, 6)),
    st.tuples(
        st.just("release"),
        st.dictionaries(st.sampled_from(sorted(POSTS)), st.sampled_from([Level.ORANGE, Level.RED]), max_size=3),
    ),
    st.tuples(st.just("stop"), st.none()),
)


def play(story: list[tuple[str, object]]) -> Ladder:
    ladder = Ladder()
    for kind, what in story:
        match kind, what:
            case "tick", float(seconds):
                ladder.tick(ladder.seconds + seconds)
            case "confirm", int(number):
                try:
                    ladder.confirm(number)
                except CallUpError:
                    continue
            case "release", dict(levels):
                ladder.release(*(summons(post, *POSTS[post], level=level) for post, level in levels.items()))
            case _:
                ladder.add(callup.stop(ladder.state, CallUpEnd.STOPPED, ladder.now))
    return ladder


stories = st.lists(moves, max_size=25)


@given(story=stories)
def test_nobody_is_asked_or_telephoned_once_their_post_has_confirmed_or_its_call_up_is_over(
    story: list[tuple[str, object]],
) -> None:
    done: set[tuple[int, str]] = set()
    for event in play(story).events:
        match event:
            case CallUpConfirmed(round=round_, post=post):
                assert (round_, post) not in done
                done.add((round_, post))
            case CallUpsEnded(round=round_, posts=posts, reason=reason) if reason is not CallUpEnd.EXHAUSTED:
                done.update((round_, post) for post in posts)
            case CallUpStepTaken(round=round_, post=post, step=step) if step is not DUE:
                assert (round_, post) not in done
            case _:
                pass


@given(story=stories)
def test_every_step_is_taken_once_for_a_person_and_round_and_the_people_of_a_post_in_their_turn(
    story: list[tuple[str, object]],
) -> None:
    taken = [
        (event.round, event.step, event.post, event.number)
        for event in play(story).events
        if isinstance(event, CallUpStepTaken)
    ]
    assert len(taken) == len(set(taken))
    asked: dict[tuple[int, str], list[int]] = {}
    for round_, step, post, number in taken:
        before = asked.setdefault((round_, post), [])
        if step in {ASKED, NEXT}:
            before.append(number)
            assert tuple(before) == POSTS[post][: len(before)]
        elif step is CALLED:
            assert number in before


@given(story=stories)
def test_between_two_rungs_of_a_post_lie_the_seconds_of_the_policy(story: list[tuple[str, object]]) -> None:
    rungs: dict[tuple[int, str], list[float]] = {}
    for event in play(story).events:
        if isinstance(event, CallUpStepTaken) and event.step is not DUE:
            rungs.setdefault((event.round, event.post), []).append((event.at - START).total_seconds())
    for moments in rungs.values():
        steps = sorted(set(moments))
        assert all(later - earlier >= 180 for earlier, later in pairwise(steps))


@given(story=stories, at=st.integers(0, 60))
def test_the_state_is_the_same_however_the_events_are_folded(story: list[tuple[str, object]], at: int) -> None:
    ladder = play(story)
    beginning = CallUps(Mode.LIVE, "w", "330604")
    in_two = evolve_all(evolve_all(beginning, ladder.events[:at]), ladder.events[at:])
    one_by_one = beginning
    for event in ladder.events:
        one_by_one = evolve(one_by_one, event)
    assert ladder.state == in_two == one_by_one
