"""What Kafka does to records, without Kafka: partitions by key, at least once, late, twice, to a worker that then dies.

A platform whose stages are carried so is used like any other: its runner's `take_through` takes what is on the wire.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from kafka.partitioner.default import murmur2

from adapters.clocks import ManualClock
from adapters.settings import KafkaSettings, Settings
from adapters.store.codec import EventCodec
from adapters.wiring import Platform, build
from streams.kafka_brokers import Brokers
from streams.kafka_records import Consumed
from streams.kafka_relay import FOLLOWER, Relay
from streams.kafka_steps import DistrictSteps
from streams.kafka_topics import Subject, TopicNames
from streams.pipeline import STAGES

NAMES = TopicNames("shaped")
PARTITIONS = 3
MOST_AT_ONCE = 5
SOURCE = "urn:single-outlet:test"
SUBJECTS = {"merge": Subject.CONTRIBUTIONS, "dispatch": Subject.RELEASES, "call-up": Subject.RELEASES}

Partition = tuple[str, int]


class Confirmed:
    """What is sent over this wire has arrived."""

    def get(self, timeout: float | None = None) -> object:
        return None


@dataclass
class Wire:
    """Partitions in memory, and how far the group of each stage has committed; a producer of it is itself."""

    partitions: dict[Partition, list[Consumed]] = field(default_factory=dict)
    committed: dict[tuple[str, Partition], int] = field(default_factory=dict)
    lost: set[tuple[str, int]] = field(default_factory=set)
    """(topic, position) of records that never arrive, of which nobody hears."""

    def send(
        self, topic: str, value: bytes, key: bytes, headers: Sequence[tuple[str, bytes]] | None = None
    ) -> Confirmed:
        place = (murmur2(key) & 0x7FFFFFFF) % PARTITIONS
        records = self.partitions.setdefault((topic, place), [])
        if not any(name == topic and f'"sequence":"{position}"'.encode() in value for name, position in self.lost):
            records.append(Consumed(topic, place, len(records), key, value))
        return Confirmed()

    def flush(self, timeout: float | None = None) -> None:
        pass

    def close(self, timeout: float | None = None) -> None:
        pass


class Carried:
    """A platform's relay and worker. Disturbed by `random`, else everything comes once and in order."""

    def __init__(self, platform: Platform, wire: Wire, random: Random | None = None) -> None:
        self.platform = platform
        self.wire = wire
        self.random = random
        self.relay = Relay(events=platform.log, forms=EventCodec(), producer=lambda: wire, names=NAMES, source=SOURCE)
        self.relay.begin()
        self.steps = self._steps()

    def _steps(self) -> dict[str, DistrictSteps]:
        made = partial(DistrictSteps, events=self.platform.log, forms=EventCodec(), clock=self.platform.clock)
        return {stage.name: made(stage, house=self.platform.another_house()) for stage in STAGES}

    def drain(self) -> None:
        """Carry and take everything, the stages' own events included."""
        if self.random is not None and self.random.random() < 0.1:
            # The relay died before it recorded where it was, and produces again.
            self.relay.begin(max(0, self.relay.counts.position - self.random.randint(0, 10)))
        elif self.relay.counts.position != self.platform.log.follower_position(FOLLOWER):
            self.relay.begin()  # another one has gone on
        while self._relayed() or self._taken():
            pass

    def _relayed(self) -> bool:
        if self.relay.step() == 0:
            return False
        while self.relay.step():
            pass
        return True

    def _taken(self) -> bool:
        waiting = [
            (stage.name, partition)
            for stage in STAGES
            for topic in NAMES.both(SUBJECTS[stage.name])
            for partition, records in self.wire.partitions.items()
            if partition[0] == topic and len(records) > self.wire.committed.get((stage.name, partition), 0)
        ]
        if self.random is not None:
            self.random.shuffle(waiting)
        for stage, partition in waiting:
            self._deliver(stage, partition)
        return bool(waiting)

    def _deliver(self, stage: str, partition: Partition) -> None:
        records, random = self.wire.partitions[partition], self.random
        begin = self.wire.committed.get((stage, partition), 0)
        if random is None:
            batch = records[begin:]
        else:
            begin = max(0, begin - random.choice((0, 0, 0, 1, 3)))  # what was not committed comes again
            batch = records[begin : begin + random.randint(1, MOST_AT_ONCE)]
        self.steps[stage].take(batch)
        if random is not None and random.random() < 0.1:
            self.steps = self._steps()  # the worker died after its step was stored, and before it was committed
            return
        end = batch[-1].offset + 1 if batch else begin
        self.wire.committed[stage, partition] = max(self.wire.committed.get((stage, partition), 0), end)


def carried_platform(
    settings: Settings, clock: ManualClock, wire: Wire | None = None, random: Random | None = None
) -> Platform:
    """A platform whose stages run behind a wire; everything else is its own."""
    kafka = KafkaSettings(Brokers("127.0.0.1:9"), names=NAMES, partitions=PARTITIONS)
    platform = build(replace(settings, kafka=kafka), clock=clock)
    carried = Carried(platform, Wire() if wire is None else wire, random)
    take_through: Callable[[], None] = carried.drain
    platform.runner.take_through = take_through  # type: ignore[method-assign]
    return platform


def consumed(values: Sequence[bytes], key: bytes = b"330604", topic: str = "shaped.contributions") -> list[Consumed]:
    """Records of one partition, one behind the other."""
    return [Consumed(topic, 0, offset, key, value) for offset, value in enumerate(values)]
