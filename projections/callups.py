"""Call-ups (叫应): which post was asked when and how, who confirmed, what was answered, and who has not replied yet.

Read from the rows of `callup_tables.py`. How long ago something was is for who shows it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from msgspec.json import decode

from domain.callup_events import CallUpEnd, CallUpStep
from domain.callup_state import call_up_subject
from domain.levels import Level
from domain.messages import Mode
from projections.base import Condition, ReadTables, RowT, Table, equal, moment_of
from projections.callup_tables import (
    ANSWERS,
    CALLED,
    CONFIRMED,
    ENDS,
    REPORTS,
    STEPS,
    WAITING,
    AnswerRow,
    CalledRow,
    ConfirmedRow,
    EndRow,
    ReportRow,
    StepRow,
)

V = TypeVar("V")


class Step(NamedTuple):
    """What was done to reach somebody; `number` is 0 for the questions."""

    step: CallUpStep
    number: int
    at: datetime


class Confirmed(NamedTuple):
    """Who of the post confirmed, how and when; `by` is the officer who heard it."""

    number: int
    how: str
    by: str
    at: datetime


class Answer(NamedTuple):
    """The newest answer to a question, and who gave it."""

    question: str
    text: str
    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class PostCall:
    """One post in one round, with all that happened to it. Moments are in UTC.

    `next_step` is when the next ones are asked or telephoned; None where nothing more follows. `questions_due` is when
    the questions are to be answered by, None where there are none, and `report_due` when the report is made up.
    """

    district: str
    mode: Mode
    warning_id: str
    subject: UUID
    round: int
    post: str
    role: str
    numbers: tuple[int, ...]
    hazards: Mapping[str, Level]
    opened: datetime
    steps: tuple[Step, ...]
    confirmed: Confirmed | None
    answers: tuple[Answer, ...]
    report: tuple[Answer, ...]
    ended: CallUpEnd | None
    ended_at: datetime | None
    next_step: datetime | None
    questions_due: datetime | None
    report_due: datetime | None

    @property
    def level(self) -> Level:
        """The highest level that it was called up for."""
        return max(self.hazards.values())

    @property
    def is_over(self) -> bool:
        """Whether nobody is asked any more. After every step in vain somebody may still confirm."""
        return self.ended is not None and self.ended is not CallUpEnd.EXHAUSTED

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to confirm."""
        return self.confirmed is None and not self.is_over

    @property
    def asked(self) -> Mapping[int, datetime]:
        """Who was asked, and when."""
        kinds = {CallUpStep.ASKED, CallUpStep.NEXT_ASKED}
        return {step.number: step.at for step in self.steps if step.step in kinds}


class Waiting(NamedTuple):
    """Somebody has been asked to confirm, and nobody of the post has."""

    mode: Mode
    warning_id: str
    district: str
    round: int
    post: str
    number: int


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a warning's call-ups; seconds are from the opening of a post's round to its confirmation."""

    district: str
    mode: Mode
    warning_id: str
    at: datetime
    rounds: int
    posts: int
    confirmed: int
    reported: int
    median_seconds: float | None
    longest_seconds: float | None
    unconfirmed: tuple[str, ...]


def call_ups(
    tables: ReadTables,
    *,
    mode: Mode,
    warning_id: str | None = None,
    district: str | None = None,
    open_only: bool = False,
) -> Sequence[PostCall]:
    """Posts that were called up, the newest round first; with `open_only` those that still have to confirm."""
    where = equal(mode=mode.value)
    if warning_id is not None:
        where += equal(warning_id=warning_id)
    if district is not None:
        where += equal(district=district)
    if not open_only:
        return _calls(tables, tables.select(CALLED, where, order=("-opened", "-round", "post")))
    waiting = {_key(row) for row in tables.select(WAITING, where)}
    rows = [
        row
        for warning in sorted({key[1] for key in waiting})
        for row in tables.select(CALLED, equal(mode=mode.value, warning_id=warning))
        if _key(row) in waiting
    ]
    return _calls(tables, sorted(rows, key=lambda row: (-row.opened, -row.round, row.post)))


def waiting_for(tables: ReadTables, numbers: Collection[int]) -> Sequence[Waiting]:
    """The unconfirmed call-ups in which one of these was asked, for a reply that does not say which it answers."""
    found = [row for number in sorted(set(numbers)) for row in tables.select(WAITING, equal(number=number))]
    return [
        Waiting(Mode(row.mode), row.warning_id, row.district, row.round, row.post, row.number)
        for row in sorted(found, key=lambda row: (row.mode, row.warning_id, row.round, row.post, row.number))
    ]


def of_subject(tables: ReadTables, subject: UUID, number: int) -> PostCall | None:
    """What somebody's page shows: of the posts for which they were asked, the one called up last; None without any.

    One that waits for them goes before others.
    """
    keys = {_key(step) for step in tables.select(STEPS, equal(number=number))}
    own = [key for key in keys if call_up_subject(Mode(key[0]), key[1]) == subject]
    calls = [call for key in own for call in _calls(tables, tables.select(CALLED, _where(key)), _where(key))]
    return max(calls, key=lambda call: (call.is_open, not call.is_over, call.round), default=None)


def report_on(tables: ReadTables, *, mode: Mode, warning_id: str) -> Report | None:
    """The newest report on a warning's call-ups; None while there is none."""
    rows = tables.select(REPORTS, equal(mode=mode.value, warning_id=warning_id))
    return _report(rows[0]) if rows else None


def _report(row: ReportRow) -> Report:
    return Report(
        district=row.district,
        mode=Mode(row.mode),
        warning_id=row.warning_id,
        at=moment_of(row.at),
        rounds=row.rounds,
        posts=row.posts,
        confirmed=row.confirmed,
        reported=row.reported,
        median_seconds=None if row.median_milliseconds is None else row.median_milliseconds / 1000,
        longest_seconds=None if row.longest_milliseconds is None else row.longest_milliseconds / 1000,
        unconfirmed=tuple(decode(row.unconfirmed)),
    )


Key = tuple[str, str, int, str]


def _key(row: Any) -> Key:  # noqa: ANN401 -- every row here begins with these
    return row.mode, row.warning_id, row.round, row.post


def _numbers(row: CalledRow) -> tuple[int, ...]:
    return decode(row.numbers, type=tuple[int, ...])


def _where(key: Key) -> tuple[Condition, ...]:
    mode, warning_id, round_, post = key
    return equal(mode=mode, warning_id=warning_id, round=round_, post=post)


def _calls(tables: ReadTables, rows: Sequence[CalledRow], where: tuple[Condition, ...] = ()) -> list[PostCall]:
    """The posts of these rows with all that happened to them, in the same order; `where` may narrow what is read."""
    warnings = sorted({(row.mode, row.warning_id) for row in rows})

    def of(table: Table[RowT]) -> dict[Key, list[RowT]]:
        found: defaultdict[Key, list[RowT]] = defaultdict(list)
        for mode, warning_id in warnings:
            for row in tables.select(table, where or equal(mode=mode, warning_id=warning_id)):
                found[_key(row)].append(row)
        return found

    steps, confirmed, answers, ends = of(STEPS), of(CONFIRMED), of(ANSWERS), of(ENDS)
    return [
        _call(row, steps[key], _one(confirmed[key]), answers[key], _one(ends[key]))
        for row in rows
        for key in [_key(row)]
    ]


def _one(rows: Sequence[V]) -> V | None:
    return rows[0] if rows else None


def _call(
    row: CalledRow,
    steps: Sequence[StepRow],
    confirmed: ConfirmedRow | None,
    answers: Iterable[AnswerRow],
    end: EndRow | None,
) -> PostCall:
    answers = sorted(answers, key=lambda one: (one.at, one.question))
    is_done = confirmed is not None or end is not None
    last = max((step for step in steps if step.due is not None), key=lambda step: step.at, default=None)
    return PostCall(
        district=row.district,
        mode=Mode(row.mode),
        warning_id=row.warning_id,
        subject=call_up_subject(Mode(row.mode), row.warning_id),
        round=row.round,
        post=row.post,
        role=row.role,
        numbers=_numbers(row),
        hazards={one["hazard"]: Level(one["level"]) for one in decode(row.hazards)},
        opened=moment_of(row.opened),
        steps=tuple(Step(CallUpStep(s.step), s.number, moment_of(s.at)) for s in sorted(steps, key=_in_order)),
        confirmed=None
        if confirmed is None
        else Confirmed(confirmed.number, confirmed.how, confirmed.by, moment_of(confirmed.at)),
        answers=tuple(_answer(one) for one in answers if not one.of_report),
        report=tuple(_answer(one) for one in answers if one.of_report),
        ended=None if end is None else CallUpEnd(end.reason),
        ended_at=None if end is None else moment_of(end.at),
        next_step=None if is_done or last is None else _moment(last.due),
        questions_due=_moment(row.questions_due),
        report_due=None if end is None else _moment(end.report_due),
    )


def _in_order(step: StepRow) -> tuple[int, int]:
    return step.at, step.number


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else moment_of(microseconds)


def _answer(row: AnswerRow) -> Answer:
    return Answer(row.question, row.text, row.number, moment_of(row.at))
