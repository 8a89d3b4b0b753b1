"""Everything that happened to a district or a warning, one row for each event, in the log's order.

A row holds what a sentence about the event needs, and no texts: those are in the log, at the row's position. Why a
warning says what it says is put together in `explanation.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import Raw, Struct
from msgspec.json import Encoder, decode

from domain import events
from domain.messages import Mode
from domain.policy import Policy
from projections import facts
from projections.base import (
    EPOCH,
    MICROSECOND,
    Condition,
    Handler,
    Insert,
    Projection,
    ReadTables,
    RowChange,
    Table,
    equal,
    microseconds_of,
    moment_of,
)
from projections.words import sentence


class HistoryRow(NamedTuple):
    """One event. `kind` is its topic; `message` the triple as `message_name` writes it; `parts` its fields as JSON.

    What an event does not speak of is None, and the mode of a refused message is empty.
    """

    position: int
    at: int
    mode: str
    district: str | None
    agency: str
    warning_id: str | None
    kind: str
    chain: str
    message: str | None
    parts: bytes


HISTORY = Table(
    "history",
    HistoryRow,
    key=("position",),
    indexes=(("district", "mode", "position"), ("warning_id", "position"), ("message",)),
)

_encode = Encoder().encode


def message_name(sender: str, identifier: str, sent: datetime) -> str:
    """A triple as one text, the same for every way of writing the same instant."""
    return f"{sender},{identifier},{(sent - EPOCH) // MICROSECOND}"


def _of_message(kind: str) -> Handler:
    """Facts about a message of an agency; found again by the message's triple."""

    def handle(position: int, fact: facts.MessageAccepted | facts.DuplicateArrived) -> Iterable[RowChange]:
        key = fact.message
        name = message_name(key.sender, key.identifier, key.sent)
        at = microseconds_of(fact.at)
        row = HistoryRow(position, at, fact.mode, None, fact.agency, None, kind, "", name, _encode(fact))
        return (Insert(HISTORY, row),)

    return handle


def _rejected(position: int, fact: facts.MessageRejected) -> Iterable[RowChange]:
    at = microseconds_of(fact.at)
    kind = events.MessageRejected.TOPIC
    row = HistoryRow(position, at, "", None, fact.agency, None, kind, "", None, _encode(fact))
    return (Insert(HISTORY, row),)


def _parked(position: int, fact: facts.EventParked) -> Iterable[RowChange]:
    kind = events.EventParked.TOPIC
    row = HistoryRow(position, microseconds_of(fact.at), "", None, "", None, kind, "", None, _encode(fact))
    return (Insert(HISTORY, row),)


def _of_chain(kind: str) -> Handler:
    """Facts about a chain of an agency."""

    def handle(position: int, fact: facts.WaitEnded) -> Iterable[RowChange]:
        at = microseconds_of(fact.at)
        row = HistoryRow(position, at, fact.mode, None, fact.agency, None, kind, fact.chain, None, _encode(fact))
        return (Insert(HISTORY, row),)

    return handle


def _recorded(position: int, fact: facts.ContributionRecorded) -> Iterable[RowChange]:
    said = fact.contribution
    at = microseconds_of(fact.at)
    kind = events.ContributionRecorded.TOPIC
    row = HistoryRow(position, at, fact.mode, fact.district, said.agency, None, kind, said.chain, None, _encode(said))
    return (Insert(HISTORY, row),)


def _ended(position: int, fact: facts.ContributionEnded) -> Iterable[RowChange]:
    at = microseconds_of(fact.at)
    kind = events.ContributionEnded.TOPIC
    row = HistoryRow(position, at, fact.mode, fact.district, fact.agency, None, kind, fact.chain, None, _encode(fact))
    return (Insert(HISTORY, row),)


class _Revision(Struct, frozen=True, gc=False):
    """What a sentence needs of a revision: all but its sections."""

    episode: int
    revision: int
    changes: Raw


def _revised(position: int, fact: facts.OutletRevised) -> Iterable[RowChange]:
    parts = _encode(_Revision(fact.episode, fact.revision, fact.changes))
    at = microseconds_of(fact.at)
    kind = events.OutletRevised.TOPIC
    row = HistoryRow(position, at, fact.mode, fact.district, "", fact.warning_id, kind, "", None, parts)
    return (Insert(HISTORY, row),)


class _Release(Struct, frozen=True, gc=False):
    """What a sentence needs of a release: all but its content."""

    revision: int
    number: int
    message_type: str
    identifier: str
    cause: str


def _released(position: int, fact: facts.WarningReleased) -> Iterable[RowChange]:
    parts = _encode(_Release(fact.revision, fact.number, fact.message_type, fact.identifier, fact.cause))
    at = microseconds_of(fact.at)
    kind = events.WarningReleased.TOPIC
    row = HistoryRow(position, at, fact.mode, fact.district, "", fact.warning_id, kind, "", None, parts)
    return (Insert(HISTORY, row),)


def _flagged(position: int, fact: facts.ConflictFlagged) -> Iterable[RowChange]:
    at = microseconds_of(fact.at)
    kind = events.ConflictFlagged.TOPIC
    row = HistoryRow(position, at, fact.mode, fact.district, "", fact.warning_id, kind, "", None, _encode(fact))
    return (Insert(HISTORY, row),)


def _of_district(kind: str) -> Handler:
    """Facts about holds, schedules and settlements; they belong to the warning of their time."""

    def handle(position: int, fact: facts.OfDistrict) -> Iterable[RowChange]:
        at = microseconds_of(fact.at)
        row = HistoryRow(position, at, fact.mode, fact.district, "", None, kind, "", None, _encode(fact))
        return (Insert(HISTORY, row),)

    return handle


_OF_A_MESSAGE = (
    events.MessageAccepted,
    events.DuplicateArrived,
    events.ConflictingCopyArrived,
    events.MessageHadNoEffect,
)
_OF_A_DISTRICT = (
    events.ConflictSettled,
    events.ReleaseScheduled,
    events.ReleaseHeld,
    events.ReleaseApproved,
    events.ReleaseRefused,
    events.HoldEnded,
)

HISTORY_PROJECTION = Projection(
    name="history",
    version=1,
    tables=(HISTORY,),
    handlers={
        **{kind.TOPIC: _of_message(kind.TOPIC) for kind in _OF_A_MESSAGE},
        **{kind.TOPIC: _of_chain(kind.TOPIC) for kind in (events.ChainWaited, events.WaitEnded)},
        **{kind.TOPIC: _of_district(kind.TOPIC) for kind in _OF_A_DISTRICT},
        events.MessageRejected.TOPIC: _rejected,
        events.ContributionRecorded.TOPIC: _recorded,
        events.ContributionEnded.TOPIC: _ended,
        events.OutletRevised.TOPIC: _revised,
        events.ConflictFlagged.TOPIC: _flagged,
        events.WarningReleased.TOPIC: _released,
        events.EventParked.TOPIC: _parked,
    },
)


class Entry(NamedTuple):
    """One thing that happened; `parts` are the event's own fields."""

    position: int
    at: datetime
    mode: str
    district: str | None
    agency: str
    warning_id: str | None
    kind: str
    chain: str
    parts: Mapping[str, Any]

    def as_json(self, policy: Policy, language: str) -> dict[str, Any]:
        """The entry with its sentence, the time in the outlet's zone."""
        at = self.at.astimezone(policy.zone).isoformat()
        words = sentence(self.kind, self.parts, agency=self.agency, policy=policy, language=language)
        return {**self._asdict(), "at": at, "sentence": words}


class Warned(NamedTuple):
    """A warning that history knows: where it was, and which of the district's positions belong to it."""

    warning_id: str
    district: str
    mode: str
    after: int
    until: int | None


def history(
    tables: ReadTables,
    *,
    district: str | None = None,
    warning_id: str | None = None,
    agency: str | None = None,
    mode: Mode | None = None,
    limit: int | None = None,
) -> Sequence[Entry]:
    """What happened to a warning, a district, or by an agency, in order; with a limit, the newest of it.

    Raises:
        LookupError: no warning has this id.
    """
    where = [*(equal(mode=mode.value) if mode else ()), *(equal(agency=agency) if agency else ())]
    if warning_id is not None:
        warned = warning_of(tables, warning_id)
        where += [*equal(district=warned.district, mode=warned.mode), Condition("position", ">", warned.after)]
        if warned.until is not None:
            where.append(Condition("position", "<=", warned.until))
    elif district is not None:
        where += equal(district=district)
    rows = tables.select(HISTORY, where, order=("-position",), limit=limit)
    return [entry_of(row) for row in reversed(rows)]


def entry_of(row: HistoryRow) -> Entry:
    """The row with its parts decoded."""
    parts: Mapping[str, Any] = decode(row.parts)
    at = moment_of(row.at)
    return Entry(row.position, at, row.mode, row.district, row.agency, row.warning_id, row.kind, row.chain, parts)


def warning_of(tables: ReadTables, warning_id: str) -> Warned:
    """Where a warning's own part of its district's history lies.

    What names no warning (contributions, holds, schedules) belongs to the one that is named next, or to the last.

    Raises:
        LookupError: no warning has this id.
    """
    named = equal(warning_id=warning_id)
    first = tables.select(HISTORY, named, order=("position",), limit=1)
    last = tables.select(HISTORY, named, order=("-position",), limit=1)
    if not first or first[0].district is None:
        raise LookupError(f"no warning has the id {warning_id}")
    row = first[0]
    before = _neighbour(tables, row, Condition("position", "<", row.position), "-position")
    later = _neighbour(tables, row, Condition("position", ">", last[0].position), "position")
    return Warned(
        warning_id,
        first[0].district,
        row.mode,
        after=before.position if before else 0,
        until=last[0].position if later else None,
    )


def _neighbour(tables: ReadTables, row: HistoryRow, side: Condition, order: str) -> HistoryRow | None:
    """The nearest row of the district on one side that names another warning: every warning begins as a revision."""
    where = (*equal(district=row.district or "", mode=row.mode), side, Condition("warning_id", ">", ""))
    return next(iter(tables.select(HISTORY, where, order=(order,), limit=1)), None)


def find_warning(tables: ReadTables, wanted: str, *, mode: Mode = Mode.LIVE) -> str:
    """The id of the warning meant by a whole id, the beginning of one, or a district's code (its newest warning).

    Raises:
        LookupError: none is meant, or the beginning fits several.
    """
    where = (*equal(district=wanted, mode=mode.value), Condition("warning_id", ">", ""))
    newest = tables.select(HISTORY, where, order=("-position",), limit=1)
    if newest and newest[0].warning_id:  # a district's code looks like the beginning of an id, and means the district
        return newest[0].warning_id
    begins = (Condition("warning_id", "begins", wanted),) if wanted else (Condition("warning_id", "=", ""),)
    first = tables.select(HISTORY, begins, order=("warning_id",), limit=1)
    last = tables.select(HISTORY, begins, order=("-warning_id",), limit=1)
    if not first or first[0].warning_id is None:
        raise LookupError(f"no warning has an id that begins with {wanted!r}, and no district {wanted!r} had one")
    if first[0].warning_id != last[0].warning_id:
        raise LookupError(f"several warnings begin with {wanted}: {first[0].warning_id}, {last[0].warning_id}")
    return first[0].warning_id
