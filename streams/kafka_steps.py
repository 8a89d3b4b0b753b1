"""What a worker does with the records of a batch: the shared stages, each record once, whatever is delivered how often.

Transport-free: records come as values, and what has been dealt with is known from the event log alone, where it is
stored with what it caused. So a record may come twice, late, or to two workers at once. Where one comes before another
of its district that should have come first, or after one that never came, what is missing is read from the log.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from domain.outlet import stream_id_of
from domain.ports import Clock, EventLog, MessageReader, RecordedEvent
from streams.by_district import district_of, follower_of, missed, mode_of
from streams.house import House
from streams.intake import Delivery, refuse_for_a_defect, take_in
from streams.kafka_records import Consumed, EventForms, Read, RecordError, read_record
from streams.kafka_topics import TopicNames
from streams.park import Failed, attempt, park_record, run_step
from streams.pipeline import Stage

log = logging.getLogger(__name__)

INTAKE: Final = "intake"


class DistrictSteps:
    """Takes records of one kind through one stage. Used by one thread at a time."""

    def __init__(self, stage: Stage, *, events: EventLog, house: House, forms: EventForms, clock: Clock) -> None:
        """`house` has a ledger that nobody else uses.

        What the stage had dealt with before the work was shared is behind it: see `_reached`.
        """
        self.stage = stage
        self.parked = 0
        self._events = events
        self._house = house
        self._forms = forms
        self._clock = clock
        self._before = events.follower_position(stage.name)

    def take(self, batch: Sequence[Consumed]) -> int:
        """Take a batch through the stage; how many of its records said something new.

        Raises:
            VersionConflictError: other processes keep being faster; nothing of what is left was stored.
            LogUnavailableError: the log cannot be read or written; what is not stored yet is to be taken again.
        """
        read: list[Read] = []
        for consumed in batch:
            try:
                read.append(read_record(consumed, self._forms))
            except RecordError as error:
                self._park(consumed, error)
        return self._house.ledger.again_on_conflict(lambda: self._take(read))

    def _take(self, read: Sequence[Read]) -> int:
        names = {follower_of(self.stage, one.mode, one.district) for one in read}
        reached = dict(self._reached(names))
        new: list[RecordedEvent] = []
        for one in read:
            name = follower_of(self.stage, one.mode, one.district)
            for recorded in (*self._missing(one, reached[name]), one.recorded):
                if recorded.position > reached[name]:
                    new.append(recorded)
                    reached[name] = recorded.position
        if new:
            stage, now = self.stage, self._clock.now()
            self._house.ledger.expect(stream for one in new for stream in stage.asks_for(one.event))
            run_step(self._house, stage.name, stage.step, new, now, follower_of=self._follower)
        return len(new)

    def _follower(self, recorded: RecordedEvent) -> str:
        return follower_of(self.stage, mode_of(recorded.event), district_of(recorded.event))

    def _reached(self, names: Iterable[str]) -> Mapping[str, int]:
        """How far each district has come; an outlet whose stages ran in one process before goes on where they ended."""
        return {
            name: max(position, self._before) for name, position in self._house.ledger.follow_all(list(names)).items()
        }

    def _missing(self, one: Read, reached: int) -> list[RecordedEvent]:
        """What should have come before this record and has not: it is in the log all the same."""
        if one.previous is None or one.previous <= reached:
            return []
        found = list(
            missed(self._events, self.stage, one.mode, one.district, after=reached, before=one.recorded.position)
        )
        log.warning(
            "%s of %s: %d records before position %d have not come by Kafka and were read from the log",
            self.stage.name,
            one.district,
            len(found),
            one.recorded.position,
        )
        return found

    def _park(self, consumed: Consumed, error: RecordError) -> None:
        self.parked += _parked(self._house, self.stage.name, consumed, error, self._clock)


class MessageSteps:
    """Takes agencies' messages in from their topics. Used by one thread at a time."""

    def __init__(
        self,
        *,
        house: House,
        reader: MessageReader,
        clock: Clock,
        names: TopicNames,
        identities: Mapping[str, str],
    ) -> None:
        """`identities` are the topics' ids: offsets of one that was deleted and made anew begin anew."""
        self._house = house
        self._reader = reader
        self._clock = clock
        self._names = names
        self._identities = identities

    def take(self, batch: Sequence[Consumed]) -> int:
        """Take a batch in; how many of its records had not been before. What is returned from is durable.

        Raises:
            VersionConflictError, LogUnavailableError: see `DistrictSteps.take`.
        """
        taken = attempt(lambda: self._house.ledger.again_on_conflict(lambda: self._take(batch)))
        if not isinstance(taken, Failed):
            return taken
        if len(batch) > 1:
            return sum(self.take([consumed]) for consumed in batch)
        [consumed] = batch
        log.error("a defect refused the message at %s", consumed.place, exc_info=taken.error)
        return self._house.ledger.again_on_conflict(lambda: self._take(batch, refused_for=taken.error))

    def _take(self, batch: Sequence[Consumed], refused_for: Exception | None = None) -> int:
        ledger = self._house.ledger
        ledger.refresh()
        reached = dict(ledger.follow_all([self._follower(consumed) for consumed in batch]))
        before = dict(reached)
        new = 0
        for consumed in batch:
            name = self._follower(consumed)
            if consumed.offset + 1 <= reached[name]:
                continue
            new += 1
            reached[name] = consumed.offset + 1
            self._take_one(consumed, refused_for)
        ledger.commit({name: position for name, position in reached.items() if position > before[name]})
        return new

    def _take_one(self, consumed: Consumed, refused_for: Exception | None) -> None:
        agency = self._names.agency_of(consumed.topic)
        delivery = Delivery(content=consumed.value or b"", agency=agency, source=f"kafka:{consumed.place}")
        now = self._clock.now()
        if refused_for is not None:
            refuse_for_a_defect(self._house, delivery, refused_for, now)
        else:
            take_in(self._house, self._reader, delivery, now)

    def _follower(self, consumed: Consumed) -> str:
        identity = self._identities.get(consumed.topic, consumed.topic)
        return f"{INTAKE}/{identity}/{consumed.partition}"


def _parked(house: House, stage: str, consumed: Consumed, error: RecordError, clock: Clock) -> int:
    """Park a record, unless that was done before; how many were parked."""
    stream = stream_id_of("parked", stage, consumed.place, sha256(consumed.value or b"").hexdigest())

    def decide() -> int:
        house.ledger.refresh()
        if house.ledger.newest(stream) is not None:
            return 0
        detail = f"{error.code}: {consumed.place}: {error}"
        park_record(house, stage, stream, consumed.value or b"", detail, clock.now())
        house.ledger.commit()
        return 1

    return house.ledger.again_on_conflict(decide)
