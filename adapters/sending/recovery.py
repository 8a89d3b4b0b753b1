"""An outbox that was deleted, or restored from an older backup, learns from the log what was handed over before.

The log keeps up to which position any outbox has entered its plans, and nothing of a plan is leased before. So an
outbox that has come less far than the log says stands in for one that was lost: for what lies between, the log's
outcomes count, and what it does not speak of may have been handed over. Until all that is marked, nothing is leased,
and nothing is reported a second time. Receipts of what an earlier outbox handed over can no longer be matched.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, and_, delete, or_, select, update

from adapters.sending.contents import Contents
from adapters.sending.letters import Standing
from adapters.sending.marks import RECOVERING, drop_mark, marks_of, set_mark
from adapters.sending.rows import Changes, queue_of
from adapters.sending.said import SaidItems
from adapters.sending.tables import (
    ACCEPTED,
    DELIVERED,
    FAILED,
    LEASED,
    MESSAGES,
    OUTCOMES,
    SENDS,
    WAITING,
    WITHDRAWN,
)
from domain.messages import Mode
from domain.ports import EventLog, Move, VersionConflictError
from domain.routing import Item
from domain.sending import Ending
from domain.telling_events import DeliveriesRecorded, DeliveryRecorded

log = logging.getLogger(__name__)

FOLLOWER: Final = "sending"
_TOPICS: Final = frozenset({DeliveriesRecorded.TOPIC})
_AT_ONCE: Final = 20
"""Events of outcomes in one transaction, each of as many as a thousand."""

_MAY_HAVE_BEEN_SAID: Final = or_(
    MESSAGES.c.state.in_((ACCEPTED, DELIVERED)),
    MESSAGES.c.in_doubt.is_(True),
    MESSAGES.c.reason == Ending.SAME_ADDRESS.value,
)


class Recovery:
    """What an outbox has to catch up on. Used by one thread at a time."""

    def __init__(self, engine: Engine, events: EventLog, contents: Contents, standing: Standing) -> None:
        """Nothing is read yet; until `begin` the outbox counts as recovering."""
        self._engine = engine
        self._events = events
        self._contents = contents
        self._standing = standing
        standing.is_recovering = True
        self._claimed: int | None = None

    def begin(self, head: int) -> None:
        """At the first call find out whether another outbox has come further than this one.

        Raises:
            LogUnavailableError: the log cannot be read or written now.
        """
        if self._claimed is not None:
            return
        claimed, position = self._events.follower_position(FOLLOWER), self._standing.position
        if head < position:
            log.error(
                "the outbox has followed the log to %s, and the log ends at %s: run `outlet doctor`", position, head
            )
        with self._engine.begin() as connection:
            is_recovering = RECOVERING in marks_of(connection)
            if claimed > position and not is_recovering:
                set_mark(connection, RECOVERING, _as_text(position, claimed, head))
        self._standing.is_recovering = is_recovering or claimed > position
        self._claimed = claimed
        self.claim(position)

    def claim(self, position: int) -> None:
        """Have the log know that plans up to here may be handed over from now on.

        Raises:
            LogUnavailableError: the log cannot be written now; nothing may be leased that lies behind it.
        """
        if self._claimed is None or position <= self._claimed:
            return
        try:
            self._events.append((), moves=[Move(FOLLOWER, position)])
        except VersionConflictError:  # another process has said so
            position = max(position, self._events.follower_position(FOLLOWER))
        self._claimed = position

    def step(self) -> int:
        """Mark what the log says of some more messages; how many, 0 when there is nothing to recover.

        All that was planned must be filled in.

        Raises:
            LogUnavailableError: the log cannot be read now.
        """
        if not self._standing.is_recovering:
            return 0
        with self._engine.begin() as connection:
            mark = marks_of(connection).get(RECOVERING)
            if mark is None:  # another process has finished it
                self._standing.is_recovering = False
                return 0
            after, planned_to, head = (int(part) for part in mark.split())
            found = self._events.read(after=after, limit=_AT_ONCE, topics=_TOPICS)
            some = [recorded for recorded in found if recorded.position <= head]
            if some:
                said = [one.event for one in some if isinstance(one.event, DeliveriesRecorded)]
                set_mark(connection, RECOVERING, _as_text(some[-1].position, planned_to, head))
                return max(1, sum(_mark(connection, event) for event in said))
            in_doubt = self._finish(connection, planned_to)
        self._standing.is_recovering = False
        return max(1, in_doubt)

    def _finish(self, connection: Connection, planned_to: int) -> int:
        """What the log does not speak of may have been handed over; and all of it may be in people's minds."""
        open_rows = MESSAGES.c.plan <= planned_to, MESSAGES.c.state.in_((WAITING, LEASED))
        in_doubt = connection.execute(update(MESSAGES).where(*open_rows).values(in_doubt=True)).rowcount
        unknown = and_(MESSAGES.c.plan <= planned_to, MESSAGES.c.said.is_(None), _MAY_HAVE_BEEN_SAID)
        sends = select(SENDS.c.id, SENDS.c.plan).where(SENDS.c.plan <= planned_to, SENDS.c.hazards != "")
        of_plan: dict[int, int] = {}
        said = SaidItems()
        for row in connection.execute(sends.order_by(SENDS.c.id)).all():
            place = of_plan[row.plan] = of_plan.get(row.plan, -1) + 1
            planned = self._contents.of(row.plan).plan.sends[place].items
            items = tuple(Item(item.hazard, item.kind, item.level) for item in planned)
            words = said.number(connection, items)
            its_rows = MESSAGES.c.plan == row.plan, MESSAGES.c.send == row.id
            connection.execute(update(MESSAGES).where(*its_rows, unknown).values(said=words))
        drop_mark(connection, RECOVERING)
        return in_doubt


def _mark(connection: Connection, event: DeliveriesRecorded) -> int:
    changes = Changes()
    for one in event.deliveries:
        values = _values(event.mode, one)
        if values is not None:
            changes.change_at(one.planned, one.number, values)
    changes.write(connection)
    _forget_reported(connection, event.deliveries)
    return len(event.deliveries)


def _values(mode: Mode, one: DeliveryRecorded) -> Mapping[str, Any] | None:
    """The columns of a message with this outcome; None for what says nothing of its state."""
    at = one.at.timestamp()
    ended = {"ended_at": at, "queue": queue_of(mode, one.channel.value), "worker": ""}
    match one.state:
        case "accepted":
            return {**ended, "state": ACCEPTED, "route": one.route, "handed_at": at, "in_doubt": False}
        case "delivered":
            return {**ended, "state": DELIVERED, "route": one.route, "in_doubt": False}
        case "failed":
            return {**ended, "state": FAILED, "route": one.route, "reason": one.reason}
        case "withdrawn":
            return {**ended, "state": WITHDRAWN, "reason": one.reason}
        case "repeated":
            return None


def _forget_reported(connection: Connection, deliveries: Sequence[DeliveryRecorded]) -> None:
    """A restored outbox may still hold outcomes that were reported after the backup was made."""
    if connection.execute(select(OUTCOMES.c.id).limit(1)).first() is None:
        return
    for one in deliveries:
        same = OUTCOMES.c.plan == one.planned, OUTCOMES.c.number == one.number, OUTCOMES.c.state == one.state
        connection.execute(delete(OUTCOMES).where(*same))


def _as_text(after: int, planned_to: int, head: int) -> str:
    return f"{after} {planned_to} {head}"
