"""What did not go through: refused messages, parked events, conflicting copies, and updates that wait.

Each with its codes, a sentence, where it came from, and the digest under which the raw bytes are kept.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from domain import events
from domain.chains import chain_name
from domain.messages import MessageType
from projections import facts
from projections.base import (
    Delete,
    Insert,
    Projection,
    ReadTables,
    RowChange,
    Table,
    Upsert,
    equal,
    microseconds_of,
    moment_of,
)

REJECTED = "rejected"
EVENT = "event"
CONFLICTING_COPY = "conflicting-copy"
WAITING = "waiting"


class ParkedRow(NamedTuple):
    """One thing that did not go through.

    `key` is the message's identifier, the chain that waits, or the position of the event; `codes` are separated by
    spaces; `source` is the feed or the stage; `until` only where something waits.
    """

    position: int
    at: int
    kind: str
    mode: str
    agency: str
    key: str
    source: str
    codes: str
    sentence: str
    raw_sha256: str
    until: int | None


PARKED = Table(
    "parked", ParkedRow, key=("position",), indexes=(("kind", "position"), ("agency", "kind", "mode", "key"))
)

_WAIT = ("agency", "kind", "mode", "key")


def _rejected(position: int, fact: facts.MessageRejected) -> Iterable[RowChange]:
    refusals = [found for found in fact.findings if found.refuses] or list(fact.findings)
    row = ParkedRow(
        position=position,
        at=microseconds_of(fact.at),
        kind=REJECTED,
        mode="",
        agency=fact.agency,
        key=fact.identifier,
        source=fact.source,
        codes=" ".join(dict.fromkeys(found.code for found in refusals)),
        sentence="; ".join(dict.fromkeys(found.sentence for found in refusals)),
        raw_sha256=fact.raw_sha256,
        until=None,
    )
    yield Insert(PARKED, row)


def _conflicting(position: int, fact: facts.ConflictingCopyArrived) -> Iterable[RowChange]:
    row = ParkedRow(
        position=position,
        at=microseconds_of(fact.at),
        kind=CONFLICTING_COPY,
        mode=fact.mode,
        agency=fact.agency,
        key=fact.message.identifier,
        source="",
        codes=CONFLICTING_COPY,
        sentence=f"the message stands as it first came, with the SHA-256 {fact.first_sha256}",
        raw_sha256=fact.raw_sha256,
        until=None,
    )
    yield Insert(PARKED, row)


def _parked(position: int, fact: facts.EventParked) -> Iterable[RowChange]:
    row = ParkedRow(
        position=position,
        at=microseconds_of(fact.at),
        kind=EVENT,
        mode="",
        agency="",
        key=str(fact.position),
        source=fact.stage,
        codes=fact.reason,
        # What a stage was given from outside the log, and what the clock asked for, has no position there.
        sentence=f"{fact.topic} at position {fact.position}: {fact.detail}" if fact.position else fact.detail,
        raw_sha256="",
        until=None,
    )
    yield Insert(PARKED, row)


def _waited(position: int, fact: facts.ChainWaited) -> Iterable[RowChange]:
    row = ParkedRow(
        position=position,
        at=microseconds_of(fact.at),
        kind=WAITING,
        mode=fact.mode,
        agency=fact.agency,
        key=fact.chain,
        source="",
        codes="waits-for-its-alert",
        sentence="an update came before its first message and waits for it",
        raw_sha256="",
        until=microseconds_of(fact.until),
    )
    yield Upsert(PARKED, row)


def _wait_ended(_position: int, fact: facts.WaitEnded) -> Iterable[RowChange]:
    yield Delete(PARKED, _WAIT, (fact.agency, WAITING, fact.mode, fact.chain))


def _accepted(_position: int, fact: facts.MessageAccepted) -> Iterable[RowChange]:
    """The alert that a chain waited for has come: a chain goes by its first message's name."""
    message = fact.message
    if message.message_type == MessageType.ALERT:
        chain = chain_name(fact.agency, message.sender, message.identifier)
        yield Delete(PARKED, _WAIT, (fact.agency, WAITING, fact.mode, chain))


PARKED_PROJECTION = Projection(
    name="parked",
    version=2,
    tables=(PARKED,),
    handlers={
        events.MessageAccepted.TOPIC: _accepted,
        events.MessageRejected.TOPIC: _rejected,
        events.ConflictingCopyArrived.TOPIC: _conflicting,
        events.EventParked.TOPIC: _parked,
        events.ChainWaited.TOPIC: _waited,
        events.WaitEnded.TOPIC: _wait_ended,
    },
)


class ParkedItem(NamedTuple):
    """One thing that did not go through, as `outlet parked` lists it; `mode` is empty where none is known."""

    position: int
    at: datetime
    kind: str
    mode: str
    agency: str
    key: str
    source: str
    codes: tuple[str, ...]
    sentence: str
    raw_sha256: str
    until: datetime | None

    def as_json(self) -> dict[str, Any]:
        """The item for `--json`, times in ISO 8601 with their zone."""
        until = None if self.until is None else self.until.isoformat()
        return {**self._asdict(), "at": self.at.isoformat(), "codes": list(self.codes), "until": until}


def parked(
    tables: ReadTables, *, now: datetime, kind: str | None = None, agency: str | None = None, limit: int | None = None
) -> Sequence[ParkedItem]:
    """What did not go through, newest first; times in the zone of `now`. A wait that is over is no longer listed."""
    where = [*(equal(kind=kind) if kind else ()), *(equal(agency=agency) if agency else ())]
    rows = tables.select(PARKED, where, order=("-position",), limit=limit)
    moment = microseconds_of(now)
    return [_item(row, now) for row in rows if row.until is None or row.until > moment]


def _item(row: ParkedRow, now: datetime) -> ParkedItem:
    zone = now.tzinfo
    return ParkedItem(
        **{
            **row._asdict(),
            "at": moment_of(row.at, zone) if zone else moment_of(row.at),
            "codes": tuple(row.codes.split()),
            "until": None if row.until is None else moment_of(row.until, zone) if zone else moment_of(row.until),
        }
    )
