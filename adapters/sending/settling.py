"""What became of messages: results of hand-overs, receipts whenever they come, and the way of both into the log.

A result counts only while its lease does. An outcome is stored with its row in one transaction, and goes to the log in
batches, each under a name of its own, so that a batch is in the log once whatever is killed when.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, assert_never
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from adapters.channels.port import DeliveryReceipt
from adapters.sending.gone import note_gone
from adapters.sending.letters import Handed, Lease, NextChannel, PutBack, Result, Withdrawn, moment
from adapters.sending.rows import Changes, MessageRow, queue_of, rows_by_reference, rows_of_plans
from adapters.sending.tables import (
    ACCEPTED,
    DELIVERED,
    EARLY_RECEIPTS,
    FAILED,
    LEASED,
    ONCE,
    OUTCOMES,
    WAITING,
    WITHDRAWN,
    insert_new,
)
from domain.messages import Mode
from domain.outlet import stream_id_of
from domain.ports import EventLog, NewEvent, VersionConflictError
from domain.recipients import ChannelKind
from domain.sending import Ending
from domain.telling_events import DeliveriesRecorded, DeliveryRecorded, DeliveryState

BATCH: Final = 1_000
EARLY_KEPT_SECONDS: Final = 7 * 24 * 3600.0
REPEATED: Final = "repeated"
LONGEST_REASON: Final = 200

_STATES: Final[Mapping[str, DeliveryState]] = {
    ACCEPTED: "accepted",
    DELIVERED: "delivered",
    FAILED: "failed",
    WITHDRAWN: "withdrawn",
    REPEATED: "repeated",
}


class Settling:
    """Results and receipts of one outbox."""

    def __init__(self, engine: Engine, identity: str) -> None:
        """`identity` is the outbox's own, which its batches are named after."""
        self._engine = engine
        self._identity = identity

    def settle(self, results: Sequence[tuple[Lease, Result]]) -> None:
        """Store results; one whose lease has passed to somebody else is left out."""
        if not results:
            return
        plans = sorted({plan for lease, _ in results for plan in lease.plans})
        with self._engine.begin() as connection:
            rows = rows_of_plans(connection, plans, [lease.number for lease, _ in results])
            changes = Changes()
            receipts = _early(connection, [result for _, result in results if isinstance(result, Handed)])
            for lease, result in results:
                found = (rows.get((plan, lease.number)) for plan in lease.plans)
                held = [row for row in found if row is not None and _holds(row, lease, result)]
                _settle(changes, lease, held, result)
                if isinstance(result, NextChannel) and lease.purpose is None:
                    note_gone(connection, held, result)
                if isinstance(result, Handed) and held:
                    receipt = receipts.get((result.route, result.reference))
                    if receipt is not None:
                        _receive(changes, result.route, held, receipt)
            changes.write(connection)

    def received(self, route: str, receipts: Sequence[DeliveryReceipt], now: datetime) -> None:
        """Match receipts with what was handed over; those that come before it is recorded wait for it."""
        seconds = now.timestamp()
        with self._engine.begin() as connection:
            changes = Changes()
            rows: dict[str, list[MessageRow]] = {}
            for row in rows_by_reference(connection, route, [one.reference for one in receipts]):
                rows.setdefault(row.reference, []).append(row)
            for receipt in receipts:
                accepted = [row for row in rows.get(receipt.reference, ()) if row.state == ACCEPTED]
                if receipt.reference not in rows:
                    _keep_early(connection, route, receipt, seconds)
                elif accepted:  # else it came already; what was delivered is not taken back
                    _receive(changes, route, accepted, receipt)
                    rows[receipt.reference] = []
            changes.write(connection)
            connection.execute(delete(EARLY_RECEIPTS).where(EARLY_RECEIPTS.c.came < seconds - EARLY_KEPT_SECONDS))

    def first_with_these_words(self, lease: Lease, first_number: int, now: datetime, window_seconds: float) -> bool:
        """Whether, of several numbers with one address, this one gets these words; `first_number` stands for all.

        After the window the same words may go to the same address again.
        """
        key = {
            "warning": lease.warning,
            "kind": lease.kind.value,
            "first_number": first_number,
            "words": f"{lease.said} {lease.text.language}",
        }
        seconds = now.timestamp()
        with self._engine.begin() as connection:
            connection.execute(delete(ONCE).where(ONCE.c.at < seconds - window_seconds))
            connection.execute(insert_new(self._engine, ONCE).values(**key, number=lease.number, at=seconds))
            return bool(connection.execute(select(ONCE.c.number).filter_by(**key)).scalar_one() == lease.number)

    def named_batch(self) -> Sequence[Row[Any]]:
        """The outcomes to be reported next, under a name that they keep; none when all are in the log."""
        with self._engine.begin() as connection:
            named = connection.execute(select(OUTCOMES.c.batch).where(OUTCOMES.c.batch != "").limit(1)).scalar()
            batch = named or uuid4().hex
            if named is None:
                some = select(OUTCOMES.c.id).where(OUTCOMES.c.batch == "").order_by(OUTCOMES.c.id).limit(BATCH)
                if not connection.execute(update(OUTCOMES).where(OUTCOMES.c.id.in_(some)).values(batch=batch)).rowcount:
                    return ()
            return connection.execute(select(OUTCOMES).where(OUTCOMES.c.batch == batch).order_by(OUTCOMES.c.id)).all()

    def append(self, events: EventLog, rows: Sequence[Row[Any]], now: datetime) -> None:
        """Bring a named batch to the log, once whatever is killed when.

        Raises:
            LogUnavailableError: the log cannot be written now; the batch waits.
        """
        for mode in sorted({row.mode for row in rows}):
            event = _event(Mode(mode), [row for row in rows if row.mode == mode], now)
            try:
                events.append([NewEvent(self._stream(rows[0].batch, mode), 1, event)])
            except VersionConflictError:  # it is there: whoever named the batch was stopped before it said so here
                continue

    def forget(self, rows: Sequence[Row[Any]]) -> None:
        """The log has this batch."""
        with self._engine.begin() as connection:
            connection.execute(delete(OUTCOMES).where(OUTCOMES.c.batch == rows[0].batch))

    def _stream(self, batch: str, mode: str) -> UUID:
        return stream_id_of("deliveries", self._identity, batch, mode)


def _holds(row: MessageRow, lease: Lease, result: Result) -> bool:
    """Whether a result is still about this row: nobody else has leased it.

    That a server took it holds even when the lease has run out and the row waits again: so it need not be repeated.
    But not when it waits for another channel: then this is known already, and so is what came of it.
    """
    if row.lease != lease.lease:
        return False
    waits_again = row.state == WAITING and row.queue == queue_of(lease.mode, lease.kind.value)
    return row.state == LEASED or (isinstance(result, Handed) and waits_again)


def _settle(changes: Changes, lease: Lease, rows: Sequence[MessageRow], result: Result) -> None:
    for row in rows:
        match result:
            case Handed():
                changes.change(row, state=ACCEPTED, worker="", in_doubt=False, **_handed(result))
                for state in (ACCEPTED, REPEATED) if lease.repeated else (ACCEPTED,):
                    changes.tell(row, state, result.at.timestamp(), route=result.route)
            case PutBack(due, is_attempt, in_doubt):
                changes.change(
                    row,
                    state=WAITING,
                    worker="",
                    due=due.timestamp(),
                    attempts=row.attempts + is_attempt,
                    in_doubt=row.in_doubt or in_doubt,
                    said=row.said if row.in_doubt or in_doubt else None,  # else it surely said nothing
                )
            case NextChannel():
                _next_channel(changes, row, result)
            case Withdrawn(ending, at):
                changes.withdraw(row, ending, at.timestamp())
            case _:
                assert_never(result)


def _handed(handed: Handed) -> dict[str, Any]:
    at = handed.at.timestamp()
    return {"route": handed.route, "reference": handed.reference, "handed_at": at, "ended_at": at}


def _next_channel(changes: Changes, row: MessageRow, result: NextChannel) -> None:
    """Try the next channel of the person's preference; where there is none, it has failed."""
    kinds, place, at = row.kinds.split(","), row.place + 1, result.at.timestamp()
    said = row.said if row.in_doubt else None
    if place < len(kinds):
        queue = queue_of(Mode(row.queue.partition("/")[0]), kinds[place])
        changes.change(row, state=WAITING, place=place, queue=queue, due=at, attempts=0, said=said, worker="")
        return
    reason = f"{result.ending.value}: {result.reason}"[:LONGEST_REASON] if result.reason else result.ending.value
    changes.change(row, state=FAILED, reason=reason, ended_at=at, route=result.route, said=said, worker="")
    changes.tell(row, FAILED, at, route=result.route, reason=reason)


def _receive(changes: Changes, route: str, rows: Sequence[MessageRow], receipt: DeliveryReceipt) -> None:
    """Rows that were handed over are delivered, or go on to the next channel."""
    for row in rows:
        if receipt.state == "failed":
            _next_channel(changes, row, NextChannel(route, Ending.FAILED, receipt.reason, receipt.at))
            continue
        at = receipt.at.timestamp()
        changes.change(row, state=DELIVERED, ended_at=at)
        changes.tell(row, DELIVERED, at, route=route)


def _early(connection: Connection, handed: Sequence[Handed]) -> dict[tuple[str, str], DeliveryReceipt]:
    """Receipts that came before these, which are matched now and kept no longer."""
    named = [one.reference for one in handed if one.reference]
    if not named or connection.execute(select(EARLY_RECEIPTS.c.route).limit(1)).first() is None:
        return {}
    found: dict[tuple[str, str], DeliveryReceipt] = {}
    for one in handed:
        key = {"route": one.route, "reference": one.reference}
        row = connection.execute(select(EARLY_RECEIPTS).filter_by(**key)).first()
        if row is not None:
            connection.execute(delete(EARLY_RECEIPTS).filter_by(**key))
            found[one.route, one.reference] = DeliveryReceipt(one.reference, row.state, moment(row.at), row.reason)
    return found


def _keep_early(connection: Connection, route: str, receipt: DeliveryReceipt, seconds: float) -> None:
    key = {"route": route, "reference": receipt.reference}
    connection.execute(delete(EARLY_RECEIPTS).filter_by(**key))
    row = {"state": receipt.state, "at": receipt.at.timestamp(), "reason": receipt.reason[:LONGEST_REASON]}
    connection.execute(insert(EARLY_RECEIPTS).values(**key, **row, came=seconds))


def _event(mode: Mode, rows: Sequence[Row[Any]], now: datetime) -> DeliveriesRecorded:
    return DeliveriesRecorded(
        at=now,
        mode=mode,
        deliveries=tuple(
            DeliveryRecorded(
                planned=row.plan,
                number=row.number,
                channel=ChannelKind(row.kind),
                route=row.route,
                state=_STATES[row.state],
                at=moment(row.at),
                reason=row.reason,
            )
            for row in rows
        ),
    )
