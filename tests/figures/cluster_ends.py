"""Whether a distributed outlet has dealt with everything, and what it has come to: log, tables and Kafka's topics.

The same messages through one process on SQLite are what it is held against; judging is each figure's own.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from kafka import KafkaConsumer, TopicPartition

from adapters.cluster.topics import identities_of
from adapters.settings import KafkaSettings, Settings
from adapters.wiring import Part, Platform, build
from domain.ports import RecordedEvent
from projections import PROJECTIONS
from streams.by_district import follower_of, mode_of, slices
from streams.intake import Delivery
from streams.kafka_brokers import Brokers
from streams.kafka_records import CloudEvent
from streams.kafka_relay import FOLLOWER as RELAY
from streams.kafka_steps import INTAKE
from streams.kafka_topics import Subject
from streams.pipeline import STAGES
from tests.cluster.cluster import Cluster
from tests.figures.r1_ends import End, end_of_platform
from tests.figures.r1_feed import Letter

OURS = ("web", "relay", "worker-1", "worker-2", "projector")
BATCH = 100
LOOK_SECONDS = 1.0
DRAIN_SECONDS = 1_800.0
CONSUME_SECONDS = 60.0
"""How long a consumer may get nothing before the end of a topic."""


def kafka_of(cluster: Cluster) -> KafkaSettings:
    """The cluster's Kafka, as a process of its own has it."""
    return KafkaSettings(Brokers(cluster.broker.bootstrap_servers))


@contextmanager
def looking_at(cluster: Cluster) -> Iterator[Platform]:
    """The outlet's log and tables; nothing of its work is done here."""
    settings = Settings(data_dir=cluster.data, database_url=cluster.database_url, kafka=kafka_of(cluster))
    with build(settings, part=Part.EDGE) as platform:
        yield platform


class Drain:
    """Follows the log, and knows what each stage has to have dealt with."""

    def __init__(self, cluster: Cluster, platform: Platform) -> None:
        """Nothing is read yet."""
        self._platform = platform
        self._kafka = kafka_of(cluster)
        self._read_to = 0
        self._last: dict[str, int] = {}

    def behind(self) -> str:
        """What is not dealt with yet, empty when nothing is."""
        log = self._platform.log
        head = log.head()
        for recorded in log.read(after=self._read_to):
            self._note(recorded)
            self._read_to = recorded.position
        if (missing := self._records_before_the_intake()) > 0:
            return f"{missing} records before the intake"
        if (position := log.follower_position(RELAY)) < head:
            return f"{head - position} events before the relay"
        reached = log.follower_positions(list(self._last))
        if late := [name for name, position in self._last.items() if reached.get(name, 0) < position]:
            return f"districts before their stages: {', '.join(late)}"
        shown = min(self._platform.tables.positions(PROJECTIONS).values())
        if shown < head:
            return f"{head - shown} events before the projector"
        return "" if log.head() == head else "new events"

    def _note(self, recorded: RecordedEvent) -> None:
        for stage in STAGES:
            if recorded.event.TOPIC in stage.topics:
                for district, _ in slices(recorded):
                    self._last[follower_of(stage, mode_of(recorded.event), district)] = recorded.position

    def _records_before_the_intake(self) -> int:
        topics = [self._kafka.names.of_agency(agency.id) for agency in self._platform.policy.agencies]
        identities = identities_of(self._kafka, topics)
        consumer = KafkaConsumer(bootstrap_servers=self._kafka.brokers.list)
        try:
            ends = consumer.end_offsets([TopicPartition(topic, 0) for topic in topics])
        finally:
            consumer.close()
        names = {topic: f"{INTAKE}/{identities[topic]}/0" for topic in topics}
        reached = self._platform.log.follower_positions(list(names.values()))
        return sum(max(0, end - reached.get(names[place.topic], 0)) for place, end in ends.items())


def drained(cluster: Cluster) -> None:
    """Return when every stage has dealt with everything, and nothing has come after it.

    Raises:
        AssertionError: it took half an hour.
    """
    end = time.monotonic() + DRAIN_SECONDS
    with looking_at(cluster) as platform:
        drain, quiet = Drain(cluster, platform), 0
        while quiet < 2:
            cluster.tend()
            behind = drain.behind()
            quiet = 0 if behind else quiet + 1
            assert time.monotonic() < end, f"not dealt with: {behind}"
            time.sleep(LOOK_SECONDS)


def end_of_cluster(cluster: Cluster, digests: set[str]) -> tuple[End, "Carried"]:
    """Stop what works on it, and look at everything."""
    for name in OURS:
        cluster.stop(name)
    with looking_at(cluster) as platform:
        return end_of_platform(platform, digests), carried(cluster, platform)


class Carried(msgspec.Struct):
    """What Kafka has of the log: how many records, and which events and slices no record is there for."""

    records: int
    repeated: int
    missing: list[str]


def carried(cluster: Cluster, platform: Platform) -> Carried:
    """Hold the topics of events and of contributions against the log."""
    found: list[tuple[str, str, int]] = []
    names = kafka_of(cluster).names
    for subject in (Subject.EVENTS, Subject.CONTRIBUTIONS):
        for topic in names.both(subject):
            found += [(topic, about, position) for about, position in _consumed(cluster, topic)]
    there = set(found)
    events = {position for topic, _, position in there if topic in names.both(Subject.EVENTS)}
    missing: list[str] = []
    for recorded in platform.log.read():
        if recorded.position not in events:
            missing.append(f"event {recorded.position}")
        topic = names.of(Subject.CONTRIBUTIONS, mode_of(recorded.event))
        for district, slice_ in slices(recorded):
            if slice_.event.TOPIC in STAGES[0].topics and (topic, district, recorded.position) not in there:
                missing.append(f"slice {district}@{recorded.position}")
    return Carried(records=len(found), repeated=len(found) - len(there), missing=missing)


def _consumed(cluster: Cluster, topic: str) -> Iterator[tuple[str, int]]:
    """The subject and the position of each record of a topic."""
    consumer = KafkaConsumer(bootstrap_servers=cluster.broker.bootstrap_servers, enable_auto_commit=False)
    decoder = msgspec.json.Decoder(CloudEvent)
    try:
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        last = time.monotonic()
        while any(consumer.position(place) < end for place, end in ends.items()):
            assert time.monotonic() < last + CONSUME_SECONDS, f"{topic} cannot be read to its end"
            for records in consumer.poll(timeout_ms=500).values():
                last = time.monotonic()
                for record in records:
                    event = decoder.decode(record.value)
                    yield event.subject, int(event.sequence)
    finally:
        consumer.close()


def embedded_end(folder: Path, conversations: Sequence[Sequence[Letter]]) -> End:
    """What the same messages come to in one process on SQLite, undisturbed."""
    letters = [letter for conversation in conversations for letter in conversation]
    with build(Settings(data_dir=folder)) as platform:
        for start in range(0, len(letters), BATCH):
            some = letters[start : start + BATCH]
            platform.runner.submit([Delivery(one.content, one.agency, "figure") for one in some])
            platform.runner.pump()
        return end_of_platform(platform, ())
