"""One feed's health while it is looked at: figures in the store, alarms as events in the log.

The log says whether an alarm stands; the figures are a memory that may be lost.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from adapters.pollers.definition import FeedDefinition
from adapters.pollers.looks import Look
from adapters.pollers.store import FeedStore
from domain.edge_events import FeedFellSilent, FeedHeardAgain
from domain.event import Event
from domain.feed_health import (
    FeedHealth,
    Poll,
    alarmed,
    an_alarm_is_raised_once_and_ends_once,
    listened,
    polled,
    started,
)
from domain.outlet import stream_id_of
from domain.ports import EventLog, LogUnavailableError, VersionConflictError
from streams.park import Failed, attempt

log = logging.getLogger(__name__)

Record = Callable[[UUID, Event], None]

FEED_STREAM: Final = "feed"


class Watch:
    """The health of one feed. Its methods are called one after the other, from threads that may wait."""

    def __init__(self, definition: FeedDefinition, store: FeedStore, event_log: EventLog, record: Record) -> None:
        """Go on with the figures of the last run and the alarm that is on record."""
        self._definition = definition
        self._store = store
        self._record = record
        self._stream = stream_id_of(FEED_STREAM, definition.id)
        self.health: FeedHealth = started(store.health(definition.id), _silent_since(event_log, self._stream))

    def looked(self, look: Look, seconds: float, now: datetime) -> None:
        """Note what a look came to."""
        poll = Poll(
            at=now,
            outcome=look.outcome,
            reason=look.reason,
            messages=look.messages,
            refused=look.refused,
            seconds=seconds if look.latency_seconds is None else look.latency_seconds,
        )
        self.health = polled(self.health, poll)
        self._alarm(now)
        self._store.keep_health(self._definition.id, self.health)

    def listened(self, now: datetime) -> None:
        """Note that time went by between two looks."""
        self.health = listened(self.health, now)
        if self._alarm(now):
            self._store.keep_health(self._definition.id, self.health)

    def _alarm(self, now: datetime) -> bool:
        event = an_alarm_is_raised_once_and_ends_once(
            self.health,
            self._definition.patience,
            feed=self._definition.id,
            agency=self._definition.agency or "",
            now=now,
        )
        if event is None:
            return False
        try:
            recorded = attempt(lambda: self._record(self._stream, event))
        except (LogUnavailableError, VersionConflictError) as error:
            recorded = Failed(error)
        if isinstance(recorded, Failed):  # it is due again at the next look
            log.error("the alarm of feed %s could not be recorded: %s", self._definition.id, recorded.error)
            return False
        self.health = alarmed(self.health, event)
        if isinstance(event, FeedFellSilent):
            log.warning("feed %s is silent: %s", event.feed, event.reason)
        else:
            log.warning("feed %s is heard again; it was silent since %s", event.feed, event.silent_since.isoformat())
        return True


def _silent_since(event_log: EventLog, stream: UUID) -> datetime | None:
    since: datetime | None = None
    for recorded in event_log.stream(stream):
        match recorded.event:
            case FeedFellSilent(at=at):
                since = at
            case FeedHeardAgain():
                since = None
    return since
