"""What came from each agency, and what became of it: a row for each message, folded into windows when one asks.

A handler sees one fact and no rows, so it cannot add to a count; and a window's fold is the domain's, here as in the
watcher of the distributed run. Drills are left out. What was refused says no mode, so a refused drill counts.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from domain import events
from domain.arrivals import OUTCOMES, Arrived, Outcome, Window, begin_of, windows_of
from domain.messages import Mode
from projections import facts
from projections.base import (
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


class ArrivalRow(NamedTuple):
    """A message that came; `agency` is empty where nobody knows whose it is, `outcome` one of `domain.arrivals`."""

    position: int
    at: int
    agency: str
    outcome: str


ARRIVALS = Table("arrivals", ArrivalRow, key=("position",), indexes=(("at",),))


def _rows(position: int, at: datetime, agency: str, outcome: Outcome) -> Iterable[RowChange]:
    return (Insert(ARRIVALS, ArrivalRow(position, microseconds_of(at), agency, outcome.value)),)


def _of_message(outcome: Outcome) -> Handler:
    """Facts about a message that was understood."""

    def handle(
        position: int, fact: facts.MessageAccepted | facts.DuplicateArrived | facts.ConflictingCopyArrived
    ) -> Iterable[RowChange]:
        return _rows(position, fact.at, fact.agency, outcome) if fact.mode == Mode.LIVE.value else ()

    return handle


def _rejected(position: int, fact: facts.MessageRejected) -> Iterable[RowChange]:
    return _rows(position, fact.at, fact.agency, Outcome.REFUSED)


ARRIVAL_PROJECTION = Projection(
    name="arrivals",
    version=1,
    tables=(ARRIVALS,),
    handlers={
        **{topic: _of_message(outcome) for topic, outcome in OUTCOMES.items()},
        events.MessageRejected.TOPIC: _rejected,
    },
)


def arrival_windows(tables: ReadTables, since: datetime, *, agency: str | None = None) -> list[Window]:
    """The windows from the one in which `since` lies, by begin and agency; one in which nothing came is not there."""
    where = (Condition("at", ">=", microseconds_of(begin_of(since))), *(equal(agency=agency) if agency else ()))
    rows = tables.select(ARRIVALS, where, order=("position",))
    return windows_of(Arrived(row.agency, Outcome(row.outcome), moment_of(row.at), row.position) for row in rows)
