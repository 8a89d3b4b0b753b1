"""The rows of call-ups (叫应), one for each thing that happened, and what each event does to them.

What is asked of them is in `callups.py`; what falls due when is in `deadlines.py`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.json import encode

from domain import callup_events
from domain.callup_events import CallUpEnd, CallUpStep
from projections import callup_facts as facts
from projections.base import Delete, Projection, RowChange, Table, Upsert, microseconds_of


class CalledRow(NamedTuple):
    """A post in a round; `numbers` and `hazards` are JSON."""

    mode: str
    warning_id: str
    round: int
    post: str
    district: str
    position: int
    opened: int
    role: str
    numbers: bytes
    hazards: bytes
    voice_after: int
    questions_due: int | None


class StepRow(NamedTuple):
    """Somebody was asked or telephoned; 0 for the questions of the post. `due` is when the next step follows."""

    mode: str
    warning_id: str
    round: int
    post: str
    step: str
    number: int
    at: int
    due: int | None


class WaitingRow(NamedTuple):
    """Somebody who was asked for a post that nobody has confirmed for and that is not over."""

    mode: str
    warning_id: str
    round: int
    post: str
    number: int
    district: str


class ConfirmedRow(NamedTuple):
    """A post stands confirmed."""

    mode: str
    warning_id: str
    round: int
    post: str
    number: int
    how: str
    by: str
    at: int


class AnswerRow(NamedTuple):
    """The newest answer to a question of a post; `of_report` is 1 for those after the lifting."""

    mode: str
    warning_id: str
    round: int
    post: str
    of_report: int
    question: str
    number: int
    text: str
    at: int


class EndRow(NamedTuple):
    """Why and when nobody of a post is asked any more."""

    mode: str
    warning_id: str
    round: int
    post: str
    reason: str
    at: int
    report_due: int | None


class ReportRow(NamedTuple):
    """The newest report on a warning's call-ups; `unconfirmed` is JSON."""

    mode: str
    warning_id: str
    district: str
    at: int
    rounds: int
    posts: int
    confirmed: int
    reported: int
    median_milliseconds: int | None
    longest_milliseconds: int | None
    unconfirmed: bytes


ONE = ("mode", "warning_id", "round", "post")

CALLED = Table("call_ups", CalledRow, key=ONE, indexes=(("mode", "district"),))
STEPS = Table("call_up_steps", StepRow, key=(*ONE, "step", "number"), indexes=(("number",),))
WAITING = Table("call_ups_waiting", WaitingRow, key=(*ONE, "number"), indexes=(("number",), ("mode", "district")))
CONFIRMED = Table("call_ups_confirmed", ConfirmedRow, key=ONE)
ANSWERS = Table("call_up_answers", AnswerRow, key=(*ONE, "of_report", "question"))
ENDS = Table("call_up_ends", EndRow, key=ONE)
REPORTS = Table("call_up_reports", ReportRow, key=("mode", "warning_id"))


def _opened(_position: int, fact: facts.CallUpsOpened) -> Iterable[RowChange]:
    opened = microseconds_of(fact.at)
    questions = fact.questions_after_seconds
    hazards = encode(fact.hazards)
    for post in fact.posts:
        row = CalledRow(
            mode=fact.mode,
            warning_id=fact.warning_id,
            round=fact.round,
            post=post.post,
            district=fact.district,
            position=fact.position,
            opened=opened,
            role=post.role,
            numbers=encode(post.numbers),
            hazards=hazards,
            voice_after=_microseconds(fact.voice_after_seconds),
            questions_due=None if questions is None else opened + _microseconds(questions),
        )
        yield Upsert(CALLED, row)


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _step_taken(_position: int, fact: facts.CallUpStepTaken) -> Iterable[RowChange]:
    one = (fact.mode, fact.warning_id, fact.round, fact.post)
    due = None if fact.due is None else microseconds_of(fact.due)
    yield Upsert(STEPS, StepRow(*one, fact.step, fact.number, microseconds_of(fact.at), due))
    if fact.step in {CallUpStep.ASKED, CallUpStep.NEXT_ASKED}:
        yield Upsert(WAITING, WaitingRow(*one, fact.number, fact.district))


def _confirmed(_position: int, fact: facts.CallUpConfirmed) -> Iterable[RowChange]:
    one = (fact.mode, fact.warning_id, fact.round, fact.post)
    yield Upsert(CONFIRMED, ConfirmedRow(*one, fact.number, fact.how, fact.by, microseconds_of(fact.at)))
    yield Delete(WAITING, ONE, one)


def _answered(_position: int, fact: facts.CallUpAnswered) -> Iterable[RowChange]:
    one = (fact.mode, fact.warning_id, fact.round, fact.post, int(fact.is_report))
    for answer in fact.answers:
        yield Upsert(ANSWERS, AnswerRow(*one, answer.question, fact.number, answer.text, microseconds_of(fact.at)))


def _ended(_position: int, fact: facts.CallUpsEnded) -> Iterable[RowChange]:
    report_due = None if fact.report_due is None else microseconds_of(fact.report_due)
    for post in fact.posts:
        one = (fact.mode, fact.warning_id, fact.round, post)
        yield Upsert(ENDS, EndRow(*one, fact.reason, microseconds_of(fact.at), report_due))
        if fact.reason != CallUpEnd.EXHAUSTED:  # whoever was asked in vain may still confirm
            yield Delete(WAITING, ONE, one)


def _reported(_position: int, fact: facts.CallUpsReported) -> Iterable[RowChange]:
    row = ReportRow(
        mode=fact.mode,
        warning_id=fact.warning_id,
        district=fact.district,
        at=microseconds_of(fact.at),
        rounds=fact.rounds,
        posts=fact.posts,
        confirmed=fact.confirmed,
        reported=fact.reported,
        median_milliseconds=_milliseconds(fact.median_seconds),
        longest_milliseconds=_milliseconds(fact.longest_seconds),
        unconfirmed=encode(fact.unconfirmed),
    )
    yield Upsert(REPORTS, row)


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


CALL_UP_PROJECTION = Projection(
    name="call-ups",
    version=1,
    tables=(CALLED, STEPS, WAITING, CONFIRMED, ANSWERS, ENDS, REPORTS),
    handlers={
        callup_events.CallUpsOpened.TOPIC: _opened,
        callup_events.CallUpStepTaken.TOPIC: _step_taken,
        callup_events.CallUpConfirmed.TOPIC: _confirmed,
        callup_events.CallUpAnswered.TOPIC: _answered,
        callup_events.CallUpsEnded.TOPIC: _ended,
        callup_events.CallUpsReported.TOPIC: _reported,
    },
)
