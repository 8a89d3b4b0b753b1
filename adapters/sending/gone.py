"""Recipients whom no channel reaches any more: noticed when a server says that an address is no more, told to the log.

A message that tells a warning goes through all channels of a person until one takes it. When each of them has ended
without an address, or with one that is dead, the subscription ends; for rostered people that holds until the next
version of their roster. A dead address of somebody whom another channel reaches ends nothing, and is tried again by the
next message: it may have been put right meanwhile. Notices go by chosen channels alone, so they end nothing either.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, select

from adapters.sending.letters import NextChannel, moment
from adapters.sending.rows import MessageRow
from adapters.sending.tables import DEAD, GONE, insert_new
from adapters.store.kept_tables import reading
from domain.ports import EventLog, NewEvent, VersionConflictError
from domain.sending import Ending, dead_address_ends, no_channel_is_left
from domain.subscriptions import subscription_stream


def note_gone(connection: Connection, rows: Sequence[MessageRow], result: NextChannel) -> None:
    """Keep that a channel has no address, or a dead one; whoever has no other is to be reported."""
    if not result.is_dead and result.ending is not Ending.NO_ADDRESS:
        return
    for row in rows:
        key = {"plan": row.plan, "number": row.number}
        kind = row.queue.partition("/")[2]
        connection.execute(insert_new(connection, GONE).values(**key, kind=kind, is_dead=result.is_dead))
        channels = row.kinds.split(",")
        if row.place + 1 < len(channels):
            continue
        counted = select(func.count(), func.count().filter(GONE.c.is_dead)).filter_by(**key)
        gone, dead = connection.execute(counted).one()
        connection.execute(delete(GONE).filter_by(**key))
        if no_channel_is_left(len(channels), dead, gone - dead):
            at = result.at.timestamp()
            connection.execute(insert_new(connection, DEAD).values(number=row.number, refused_at=at))


class GoneRecipients:
    """Brings the log to know of them."""

    def __init__(self, engine: Engine) -> None:
        """Nothing is read yet."""
        self._engine = engine

    def found(self) -> Sequence[tuple[int, datetime]]:
        """Who is to be reported: their numbers, and when the last of their channels was refused."""
        with reading(self._engine) as connection:
            return [(row.number, moment(row.refused_at)) for row in connection.execute(select(DEAD))]

    def append(self, events: EventLog, number: int, refused_at: datetime, now: datetime) -> bool:
        """Record that it ends for one of them, unless more has happened since; False when it must be tried again.

        Raises:
            LogUnavailableError: the log cannot be written now.
        """
        stream = subscription_stream(number)
        history = [recorded.event for recorded in events.stream(stream)]
        ends = dead_address_ends(history, number, refused_at, now)
        new = [NewEvent(stream, len(history) + place, event) for place, event in enumerate(ends, 1)]
        try:
            if new:
                events.append(new)
        except VersionConflictError:  # they subscribe or leave at this moment: decide again
            return False
        return True

    def forget(self, number: int) -> None:
        """The log has heard of it."""
        with self._engine.begin() as connection:
            connection.execute(delete(DEAD).where(DEAD.c.number == number))
