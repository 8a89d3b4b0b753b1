"""Follows the event log and produces it to Kafka: every event, in order, from where it was recorded to have come.

Producing is idempotent and waits for all replicas; how far it came is recorded after that, in the event log. After a
crash the last batch is produced once more: who consumes knows records by their `sequence`, and nothing is skipped.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol

from domain.events import ContributionsChanged, EventParked, MessageRejected, WarningReleased
from domain.messages import Mode
from domain.ports import EventLog, Move, RecordedEvent
from domain.telling_events import DeliveriesRecorded
from streams.by_district import mode_of, slices
from streams.kafka_records import EventForms, record_of, subject_of
from streams.kafka_topics import Subject, TopicNames

log = logging.getLogger(__name__)

FOLLOWER: Final = "kafka-relay"
"""Under this name the log knows how far it was produced; once it has begun, stages belong to the workers."""

BATCH: Final = 500

HEADERS: Final = [("content-type", b"application/cloudevents+json; charset=utf-8")]
"""By which readers of CloudEvents know that the whole event is in the value."""

SEND_SECONDS: Final = 120.0
"""How long Kafka may take to confirm a batch."""

_SUBJECTS: Final[Mapping[str, tuple[Subject, ...]]] = {
    ContributionsChanged.TOPIC: (Subject.CONTRIBUTIONS,),
    WarningReleased.TOPIC: (Subject.RELEASES, Subject.WARNINGS),
    DeliveriesRecorded.TOPIC: (Subject.DELIVERIES,),
    EventParked.TOPIC: (Subject.PARKED,),
    MessageRejected.TOPIC: (Subject.PARKED,),
}
"""Where an event goes beside `events`, by its topic in the log."""


class Outgoing(NamedTuple):
    """A record to be produced."""

    topic: str
    key: bytes
    value: bytes


class Confirmation(Protocol):
    """What a producer gives for a record on its way."""

    def get(self, timeout: float | None = None) -> Any:  # noqa: ANN401 -- the client's own
        """Wait until all replicas have it; raise what hindered it."""
        ...


class Producer(Protocol):
    """What is asked of kafka-python's producer: idempotent, `acks=all`, murmur2."""

    def send(
        self, topic: str, value: bytes, key: bytes, headers: Sequence[tuple[str, bytes]] | None = None
    ) -> Confirmation:
        """Put a record on its way."""
        ...

    def flush(self, timeout: float | None = None) -> None:
        """Wait until nothing is on its way any more."""
        ...

    def close(self, timeout: float | None = None) -> None:
        """Give up what is on its way after so many seconds, and release the connections."""
        ...


@dataclass(slots=True)
class RelayCounts:
    """What a relay has done since it began."""

    position: int = 0
    head: int = 0
    records: Counter[str] = field(default_factory=Counter)


class Relay:
    """One relay. Several may run; the lease of whoever runs them lets one work at a time."""

    def __init__(
        self, *, events: EventLog, forms: EventForms, producer: Callable[[], Producer], names: TopicNames, source: str
    ) -> None:
        """`producer` makes one when it is needed, and again after it has failed; `source` is the outlet's URI."""
        self.counts = RelayCounts()
        self._events = events
        self._forms = forms
        self._make_producer = producer
        self._producer: Producer | None = None
        self._names = names
        self._source = source
        self._recorded = 0
        self._previous: dict[tuple[str, str], int] = {}

    def begin(self, again_from: int | None = None) -> int:
        """Go on behind the position that is recorded, or produce again what lies behind `again_from`; that position."""
        self._recorded = recorded = self._events.follower_position(FOLLOWER)
        # What was produced before this life is not known any more: nothing is said of it.
        self._previous.clear()
        self.counts.position = recorded if again_from is None else min(again_from, recorded)
        return self.counts.position

    def step(self) -> int:
        """Produce the next batch; how many events it had, 0 at the log's head.

        Raises:
            LogUnavailableError: the log cannot be read or written.
            VersionConflictError: another relay has gone on from here; `begin` again.
            Exception: what Kafka's client raises; nothing is skipped, `begin` again.
        """
        counts = self.counts
        counts.head = self._events.head()
        batch = list(islice(self._events.read(after=counts.position, limit=BATCH), BATCH))
        if not batch:
            return 0
        self._produce([outgoing for recorded in batch for outgoing in self.records_of(recorded)])
        reached = batch[-1].position
        if reached > self._recorded:  # else it is produced again
            self._events.append((), moves=[Move(FOLLOWER, reached, self._recorded)])
            self._recorded = reached
        counts.position = reached
        return len(batch)

    def _produce(self, records: list[Outgoing]) -> None:
        if self._producer is None:
            self._producer = self._make_producer()
        producer = self._producer
        try:
            confirmations = [producer.send(one.topic, one.value, one.key, HEADERS) for one in records]
            producer.flush(SEND_SECONDS)
            for confirmation in confirmations:
                confirmation.get(SEND_SECONDS)
        except BaseException:
            self.close()
            raise
        for one in records:
            self.counts.records[one.topic] += 1

    def close(self) -> None:
        """Give the producer up; what it had on its way may still arrive, and is produced again."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=0)

    def records_of(self, recorded: RecordedEvent) -> Iterator[Outgoing]:
        """Every record that an event becomes."""
        mode = mode_of(recorded.event)
        yield self._outgoing(Subject.EVENTS, mode, subject_of(recorded), recorded)
        for subject in _SUBJECTS.get(recorded.event.TOPIC, ()):
            if subject in {Subject.CONTRIBUTIONS, Subject.RELEASES, Subject.WARNINGS}:
                for district, slice_ in slices(recorded):
                    yield self._outgoing(subject, mode, district, slice_)
            else:
                yield self._outgoing(subject, mode, subject_of(recorded), recorded)

    def _outgoing(self, subject: Subject, mode: Mode, about: str, recorded: RecordedEvent) -> Outgoing:
        topic = self._names.of(subject, mode)
        previous = self._previous.get((topic, about))
        if subject in {Subject.CONTRIBUTIONS, Subject.RELEASES}:
            self._previous[topic, about] = recorded.position
        value = record_of(recorded, self._forms, self._source, about, previous)
        return Outgoing(topic, about.encode(), value)
