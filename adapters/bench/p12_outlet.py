"""The outlet of one side of P12: a log that holds messages nobody has merged yet, and the records that they become.

Messages are taken in and made into records before anything is measured: what is measured is the workers alone.
"""

import json
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kafka.partitioner import murmur2

from adapters.bench.p1 import every_county
from adapters.bench.p1_messages import AGENCY, message
from adapters.bench.postgres import schema
from adapters.cluster.relaying import relay_of
from adapters.cluster.topics import ensured
from adapters.settings import KafkaSettings, Settings
from adapters.wiring import Part, Platform, build
from domain.events import ContributionRecorded
from domain.messages import Mode
from streams.intake import Delivery, Outcome
from streams.kafka_brokers import Brokers
from streams.kafka_clients import admin_of, producer_of
from streams.kafka_relay import HEADERS, Outgoing
from streams.kafka_topics import Subject, TopicNames

CLIENT: Final = "outlet-bench"
MOST_PARTITIONS: Final = 4
POSITIVE: Final = 0x7FFFFFFF
TAKEN_IN_AT_ONCE: Final = 200
LOOK_SECONDS: Final = 0.05
STILL_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """What every side of a round shares: a broker, a database, a policy with every county of the country."""

    brokers: Brokers
    database: str
    policy: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class Outlet:
    """One side's outlet. `records` are what the relay makes of its messages for the stage that merges."""

    platform: Platform
    kafka: KafkaSettings
    records: Sequence[Outgoing]
    taken_in_per_second: float

    def produce(self) -> None:
        """Put all records into Kafka."""
        producer = producer_of(self.kafka.brokers, CLIENT)
        try:
            for record in self.records:
                producer.send(record.topic, record.value, record.key, HEADERS)
            producer.flush()
        finally:
            producer.close()

    def merged_per_second(self) -> float:
        """From now, when the workers are let go, to the last merged message that is seen in the log.

        Raises:
            AssertionError: one is missing, or was merged twice.
        """
        seen: Counter[tuple[str, str]] = Counter()
        position = 0
        began = ended = time.monotonic()
        while seen.total() < len(self.records) and time.monotonic() - ended < STILL_SECONDS:
            for recorded in self.platform.log.read(after=position, topics=frozenset({ContributionRecorded.TOPIC})):
                event, position = recorded.event, recorded.position
                assert isinstance(event, ContributionRecorded)
                seen[event.district, str(event.contribution.message)] += 1
                ended = time.monotonic()
            time.sleep(LOOK_SECONDS)
        if len(seen) != len(self.records) or seen.total() != len(self.records):
            raise AssertionError(f"{len(seen)} of {len(self.records)} messages merged, {seen.total()} times in all")
        return seen.total() / (ended - began)

    def relayed_per_second(self) -> float:
        """Messages, with every event that became of each until now, by the relay alone."""
        relay = relay_of(self.platform.log, self.platform.policy, self.kafka)
        began = time.monotonic()
        relay.begin()
        while relay.step():
            pass
        elapsed = time.monotonic() - began
        relay.close()
        return len(self.records) / elapsed

    def projected_per_second(self) -> float:
        """The same for the read tables."""
        began = time.monotonic()
        self.platform.project()
        return len(self.records) / (time.monotonic() - began)


@contextmanager
def outlet(place: Place, messages: int, partitions: int) -> Iterator[Outlet]:
    """An outlet whose districts are divided into so many partitions, each with as many of the messages as the others.

    Its topics and its schema go in the end.
    """
    names = TopicNames(f"{CLIENT}-{uuid.uuid4().hex[:12]}")
    kafka = KafkaSettings(place.brokers, names, partitions)
    folder = place.folder / names.prefix
    with schema(place.database) as url:
        settings = Settings(data_dir=folder, policy=str(place.policy), database_url=url, kafka=kafka)
        with build(settings, part=Part.EDGE) as platform:
            made = [
                checked.topic.name for checked in ensured(kafka, [agency.id for agency in platform.policy.agencies])
            ]
            try:
                began = time.monotonic()
                _take_in(platform, messages)
                taken_in = messages / (time.monotonic() - began)
                yield Outlet(platform, kafka, _records(platform, kafka), taken_in)
            finally:
                admin = admin_of(place.brokers, CLIENT)
                admin.delete_topics(made)
                admin.close()


def _take_in(platform: Platform, messages: int) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    counties = spread(messages)
    for begin in range(0, messages, TAKEN_IN_AT_ONCE):
        numbers = range(begin, min(begin + TAKEN_IN_AT_ONCE, messages))
        contents = [json.dumps(message(number, counties[number], now), ensure_ascii=False) for number in numbers]
        receipts = platform.runner.submit([Delivery(content.encode(), AGENCY, CLIENT) for content in contents])
        assert all(receipt.outcome is Outcome.ACCEPTED for receipt in receipts), receipts


def spread(messages: int) -> list[tuple[str, str]]:
    """A county for each message, such that the partitions take turns, whether there are 4 of them, 2 or 1."""
    by_partition: list[list[tuple[str, str]]] = [[] for _ in range(MOST_PARTITIONS)]
    for county in every_county():
        by_partition[(murmur2(county[0].encode()) & POSITIVE) % MOST_PARTITIONS].append(county)
    each = min(map(len, by_partition))
    return [by_partition[number % MOST_PARTITIONS][number // MOST_PARTITIONS % each] for number in range(messages)]


def _records(platform: Platform, kafka: KafkaSettings) -> list[Outgoing]:
    relay = relay_of(platform.log, platform.policy, kafka)
    wanted = kafka.names.of(Subject.CONTRIBUTIONS, Mode.LIVE)
    made = (record for recorded in platform.log.read() for record in relay.records_of(recorded))
    return [record for record in made if record.topic == wanted]
