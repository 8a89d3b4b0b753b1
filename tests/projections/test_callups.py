"""What is asked of call-ups: who has not answered, what a reply answers, and what one person's page shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.callup_events import CallUpEnd, CallUpStep
from domain.callup_state import call_up_subject
from domain.levels import Level
from domain.messages import Mode
from projections.callups import PostCall, call_ups, of_subject, report_on, waiting_for
from projections.deadlines import due, next_due
from tests.streams.called import DISTRICT, Bureau, bureau_in, person
from tests.streams.messages import at

OTHER = "330683"


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    people = [person(1, "dam", 1), person(2, "dam", 2), person(3, "hall"), person(4, "slope", 1, OTHER)]
    with bureau_in(tmp_path, people) as opened:
        yield opened


def page(bureau: Bureau, number: int) -> PostCall:
    found = of_subject(bureau.platform.tables, call_up_subject(Mode.LIVE, bureau.warning_id), number)
    assert found is not None
    return found


def posts(found: object) -> list[str]:
    assert isinstance(found, list)
    return [call.post for call in found]


def test_a_post_shows_who_was_asked_and_what_follows_until_it_is_confirmed(bureau: Bureau) -> None:
    bureau.deliver("f1", 0)
    bureau.wait_until(4)
    [dam, hall] = call_ups(bureau.platform.tables, mode=Mode.LIVE)
    assert (dam.post, dam.role, dam.numbers, dam.hazards) == ("duty/dam", "乡镇值班员", (1, 2), {"11A51": Level.RED})
    assert (dam.level, dam.district, dam.round, dam.opened) == (Level.RED, DISTRICT, 1, at(0))
    assert dam.asked == {1: at(0), 2: at(3)}
    assert [(one.step, one.number) for one in dam.steps] == [
        (CallUpStep.ASKED, 1),
        (CallUpStep.CALLED, 1),
        (CallUpStep.NEXT_ASKED, 2),
    ]
    assert (dam.next_step, dam.questions_due, dam.is_open) == (at(6), at(15), True)
    assert hall.asked == {3: at(0)}
    bureau.confirm(2, "officer", by="the desk")
    [dam, _] = call_ups(bureau.platform.tables, mode=Mode.LIVE)
    assert dam.confirmed is not None
    assert (dam.confirmed.number, dam.confirmed.how, dam.confirmed.by, dam.confirmed.at) == (
        2,
        "officer",
        "the desk",
        at(4),
    )
    assert (dam.next_step, dam.is_open) == (None, False)


def test_call_ups_are_found_by_mode_warning_and_district_and_by_whether_somebody_is_waited_for(bureau: Bureau) -> None:
    tables = bureau.platform.tables
    bureau.deliver("f1", 0)
    first = bureau.warning_id
    bureau.deliver("f2", 1, codes=(OTHER,))
    second = bureau.warning_id
    bureau.confirm(4)
    assert posts(call_ups(tables, mode=Mode.LIVE)) == ["duty/slope", "duty/dam", "duty/hall"]
    assert posts(call_ups(tables, mode=Mode.LIVE, open_only=True)) == ["duty/dam", "duty/hall"]
    assert posts(call_ups(tables, mode=Mode.LIVE, warning_id=second)) == ["duty/slope"]
    assert posts(call_ups(tables, mode=Mode.LIVE, district=DISTRICT)) == ["duty/dam", "duty/hall"]
    assert posts(call_ups(tables, mode=Mode.LIVE, district=OTHER, open_only=True)) == []
    assert posts(call_ups(tables, mode=Mode.LIVE, warning_id=first, open_only=True)) == ["duty/dam", "duty/hall"]
    assert posts(call_ups(tables, mode=Mode.DRILL)) == []


def test_a_reply_finds_what_it_answers_among_those_who_were_asked(bureau: Bureau) -> None:
    tables = bureau.platform.tables
    bureau.deliver("f1", 0)
    assert [(one.post, one.number, one.warning_id, one.mode) for one in waiting_for(tables, [1, 2, 3, 99])] == [
        ("duty/dam", 1, bureau.warning_id, Mode.LIVE),
        ("duty/hall", 3, bureau.warning_id, Mode.LIVE),
    ]
    bureau.wait_until(3)
    assert [one.number for one in waiting_for(tables, [2])] == [2]
    bureau.confirm(1)
    assert waiting_for(tables, [1, 2]) == []
    bureau.wait_until(20)
    assert [one.number for one in waiting_for(tables, [3])] == [3]  # every step in vain, and still waited for
    bureau.deliver("f2", 21, kind="Cancel", references=(("f1", 0),))
    assert waiting_for(tables, [1, 2, 3]) == []


def test_the_page_of_one_person_follows_their_call_up_to_its_report(bureau: Bureau) -> None:
    tables = bureau.platform.tables
    bureau.deliver("f1", 0)
    subject = call_up_subject(Mode.LIVE, bureau.warning_id)
    assert of_subject(tables, subject, 2) is None  # not asked yet, so no link leads here
    assert of_subject(tables, call_up_subject(Mode.DRILL, bureau.warning_id), 1) is None
    assert (page(bureau, 3).post, page(bureau, 3).subject, page(bureau, 3).answers) == ("duty/hall", subject, ())
    bureau.answer(3, command="the mayor")
    bureau.answer(3, command="the deputy", moved="yes")
    shown = page(bureau, 3)
    assert {(one.question, one.text, one.number) for one in shown.answers} == {
        ("command", "the deputy", 3),
        ("moved", "yes", 3),
    }
    assert shown.confirmed is not None
    assert shown.confirmed.how == "link"
    bureau.deliver("f2", 10, kind="Cancel", references=(("f1", 0),))
    bureau.answer(3, is_report=True, rain="120 mm")
    shown = page(bureau, 3)
    assert (shown.is_over, shown.ended, shown.ended_at, shown.report_due) == (True, CallUpEnd.LIFTED, at(10), at(40))
    assert [(one.question, one.text) for one in shown.report] == [("rain", "120 mm")]


def test_the_page_shows_the_newest_round(bureau: Bureau) -> None:
    bureau.deliver("f1", 0, level="orange")
    bureau.wait_until(1)
    bureau.confirm(1)
    bureau.deliver("f2", 2, kind="Update", references=(("f1", 0),))
    shown = page(bureau, 1)
    assert (shown.round, shown.level, shown.confirmed) == (2, Level.RED, None)
    rounds = [
        (one.round, one.ended) for one in call_ups(bureau.platform.tables, mode=Mode.LIVE) if one.post == "duty/dam"
    ]
    assert rounds == [(2, None), (1, CallUpEnd.RAISED)]


def test_the_report_stands_beside_the_posts(bureau: Bureau) -> None:
    tables = bureau.platform.tables
    bureau.deliver("f1", 0)
    bureau.wait_until(0.5)
    bureau.confirm(1)
    bureau.deliver("f2", 10, kind="Cancel", references=(("f1", 0),))
    assert report_on(tables, mode=Mode.LIVE, warning_id=bureau.warning_id) is None
    bureau.wait_until(40)
    found = report_on(tables, mode=Mode.LIVE, warning_id=bureau.warning_id)
    assert found is not None
    assert (found.posts, found.confirmed, found.median_seconds, found.longest_seconds) == (2, 1, 30, 30)
    assert (found.at, found.unconfirmed, found.district) == (at(40), ("duty/hall",), DISTRICT)
    assert next_due(tables) is None


def test_a_report_of_which_nobody_confirmed_has_no_seconds(bureau: Bureau) -> None:
    bureau.deliver("f1", 0)
    bureau.deliver("f2", 1, kind="Cancel", references=(("f1", 0),))
    bureau.wait_until(31)
    found = report_on(bureau.platform.tables, mode=Mode.LIVE, warning_id=bureau.warning_id)
    assert found is not None
    assert (found.confirmed, found.median_seconds, found.longest_seconds) == (0, None, None)


def test_a_call_up_falls_due_step_by_step_and_then_with_its_questions_and_its_report(bureau: Bureau) -> None:
    tables = bureau.platform.tables
    bureau.deliver("f1", 0, hours=2)
    moments = []
    for minutes in (0, 3, 6, 15):
        bureau.wait_until(minutes)
        moments.append([one.due for one in due(tables, at(600)) if one.kind == "call-up"])
    assert moments == [[at(3), at(15)], [at(6), at(15)], [at(9), at(15)], []]
    bureau.deliver("f2", 20, kind="Cancel", references=(("f1", 0),))
    assert [(one.owner, one.mode, one.due) for one in due(tables, at(600))] == [(bureau.warning_id, "live", at(50))]
