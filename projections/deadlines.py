"""What falls due when: expiries, waits, grouped releases and approvals, for the clock to act on.

A row says only that something is to be looked at then. Acting twice, or on a row whose reason is gone, does nothing:
the decisions themselves look at the clock. A row that was acted on without any event is taken away by `settled`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from domain import callup_events, events
from projections import callup_facts, facts
from projections.base import (
    Condition,
    Delete,
    Projection,
    ReadTables,
    RowChange,
    Table,
    Upsert,
    microseconds_of,
    moment_of,
)

EXPIRY = "expiry"
WAIT = "wait"
RELEASE = "release"
APPROVAL = "approval"
CALL_UP = "call-up"


class DeadlineRow(NamedTuple):
    """Something falls due.

    `owner` is a district, an agency for a wait, a warning for a call-up; `key` a chain, a hazard for an approval, a
    round for a call-up.
    """

    kind: str
    mode: str
    owner: str
    key: str
    due: int


DEADLINES = Table("deadlines", DeadlineRow, key=("kind", "mode", "owner", "key", "due"), indexes=(("due",),))

_ONE = ("kind", "mode", "owner", "key")


def _recorded(_position: int, fact: facts.ContributionRecorded) -> Iterable[RowChange]:
    """A contribution takes the place of what its chain said before: its moments are all that counts now."""
    chain = fact.contribution.chain
    yield Delete(DEADLINES, _ONE, (EXPIRY, fact.mode, fact.district, chain))
    for end in {statement.expires for statement in fact.contribution.statements}:
        if end is not None:  # what a list shows ends with the list
            yield Upsert(DEADLINES, DeadlineRow(EXPIRY, fact.mode, fact.district, chain, microseconds_of(end)))


def _ended(_position: int, fact: facts.ContributionEnded) -> Iterable[RowChange]:
    yield Delete(DEADLINES, _ONE, (EXPIRY, fact.mode, fact.district, fact.chain))


def _revised(_position: int, fact: facts.OutletRevised) -> Iterable[RowChange]:
    """Nothing in force: nothing is left to group or to approve."""
    if fact.is_empty:
        for kind in (RELEASE, APPROVAL):
            yield Delete(DEADLINES, _ONE[:3], (kind, fact.mode, fact.district))


def _scheduled(_position: int, fact: facts.ReleaseScheduled) -> Iterable[RowChange]:
    yield Delete(DEADLINES, _ONE[:3], (RELEASE, fact.mode, fact.district))
    yield Upsert(DEADLINES, DeadlineRow(RELEASE, fact.mode, fact.district, "", microseconds_of(fact.due)))


def _released(_position: int, fact: facts.WarningReleased) -> Iterable[RowChange]:
    yield Delete(DEADLINES, _ONE[:3], (RELEASE, fact.mode, fact.district))


def _held(_position: int, fact: facts.ReleaseHeld) -> Iterable[RowChange]:
    due = microseconds_of(fact.deadline)
    yield Delete(DEADLINES, _ONE, (APPROVAL, fact.mode, fact.district, fact.hazard))
    yield Upsert(DEADLINES, DeadlineRow(APPROVAL, fact.mode, fact.district, fact.hazard, due))


def _hold_ended(_position: int, fact: facts.HoldEnded | facts.ReleaseRefused) -> Iterable[RowChange]:
    yield Delete(DEADLINES, _ONE, (APPROVAL, fact.mode, fact.district, fact.hazard))


def _waited(_position: int, fact: facts.ChainWaited) -> Iterable[RowChange]:
    yield Delete(DEADLINES, _ONE, (WAIT, fact.mode, fact.agency, fact.chain))
    yield Upsert(DEADLINES, DeadlineRow(WAIT, fact.mode, fact.agency, fact.chain, microseconds_of(fact.until)))


def _wait_ended(_position: int, fact: facts.WaitEnded) -> Iterable[RowChange]:
    yield Delete(DEADLINES, _ONE, (WAIT, fact.mode, fact.agency, fact.chain))


def _called_up(_position: int, fact: callup_facts.CallUpsOpened) -> Iterable[RowChange]:
    """The first step after the asking, and the questions; what is not needed any more by then comes to nothing."""
    for seconds in (fact.voice_after_seconds, fact.questions_after_seconds):
        if seconds is not None:
            yield _of_call_up(fact, fact.round, fact.at + timedelta(seconds=seconds))


def _step_taken(_position: int, fact: callup_facts.CallUpStepTaken) -> Iterable[RowChange]:
    if fact.due is not None:
        yield _of_call_up(fact, fact.round, fact.due)


def _call_ups_ended(_position: int, fact: callup_facts.CallUpsEnded) -> Iterable[RowChange]:
    if fact.report_due is not None:
        yield _of_call_up(fact, fact.round, fact.report_due)


def _of_call_up(fact: callup_facts.OfCallUps, round_: int, due: datetime) -> RowChange:
    row = DeadlineRow(CALL_UP, fact.mode, fact.warning_id, str(round_), microseconds_of(due))
    return Upsert(DEADLINES, row)


DEADLINE_PROJECTION = Projection(
    name="deadlines",
    version=2,
    tables=(DEADLINES,),
    handlers={
        events.ContributionRecorded.TOPIC: _recorded,
        events.ContributionEnded.TOPIC: _ended,
        events.OutletRevised.TOPIC: _revised,
        events.ReleaseScheduled.TOPIC: _scheduled,
        events.WarningReleased.TOPIC: _released,
        events.ReleaseHeld.TOPIC: _held,
        events.HoldEnded.TOPIC: _hold_ended,
        events.ReleaseRefused.TOPIC: _hold_ended,
        events.ChainWaited.TOPIC: _waited,
        events.WaitEnded.TOPIC: _wait_ended,
        callup_events.CallUpsOpened.TOPIC: _called_up,
        callup_events.CallUpStepTaken.TOPIC: _step_taken,
        callup_events.CallUpsEnded.TOPIC: _call_ups_ended,
    },
)


class Due(NamedTuple):
    """Something that has fallen due. `owner` and `key` as in DeadlineRow."""

    kind: str
    mode: str
    owner: str
    key: str
    due: datetime


def due(tables: ReadTables, until: datetime, *, limit: int | None = None) -> list[Due]:
    """All that is due at `until`, that moment included, earliest first."""
    where = (Condition("due", "<=", microseconds_of(until)),)
    rows = tables.select(DEADLINES, where, order=("due", *_ONE), limit=limit)
    return [Due(*row[:4], moment_of(row.due)) for row in rows]


def next_due(tables: ReadTables) -> datetime | None:
    """When the next thing falls due; None when nothing does."""
    rows = tables.select(DEADLINES, order=("due",), limit=1)
    return moment_of(rows[0].due) if rows else None


def settled(tables: ReadTables, dues: Sequence[Due]) -> None:
    """These were acted on: they never fire again, whether or not an event came of it.

    After a rebuild they stand there once more, fire once, and again nothing comes of it.
    """
    tables.remove([Delete(DEADLINES, DEADLINES.columns, (*one[:4], microseconds_of(one.due))) for one in dues])
