"""The watcher on a real Kafka: it counts what the read side has, whatever comes twice and whenever it is killed."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from adapters.clocks import ManualClock
from adapters.cluster.relaying import relay_of
from adapters.cluster.topics import ensured
from adapters.settings import KafkaSettings, Settings
from adapters.wiring import Part, Platform, build
from domain.arrivals import WINDOW_SECONDS, Outcome, Window, begin_of, together
from domain.messages import Mode
from projections.arrivals import arrival_windows
from streams.intake import Delivery
from streams.kafka_arrivals import window_in
from streams.kafka_brokers import Brokers
from streams.kafka_topics import Subject, TopicNames
from tests import postgres
from tests.conftest import PROJECT
from tests.figures.outlets import wait_for
from tests.kafka import broker
from tests.streams.messages import cap

pytestmark = [pytest.mark.long, pytest.mark.kafka, pytest.mark.postgres]

PATIENCE_SECONDS = 120.0
STEP = 10
PARTITIONS = 3
HEALTH = re.compile(r"health at (http://\S+)")
FIGURE = re.compile(r'outlet_agency_messages\{agency="([^"]*)",outcome="(\w+)",window="(\w+)"\} (\d+)')
LAG = re.compile(r"^outlet_watcher_lag\{.*\} (\d+)$", re.MULTILINE)

Figures = dict[tuple[str, str, str], int]


class Outlet:
    """An outlet that takes messages in and produces its events to Kafka, its read side, and its watcher."""

    def __init__(self, platform: Platform, clock: ManualClock, kafka: KafkaSettings, folder: Path) -> None:
        self.platform = platform
        self._clock = clock
        self._kafka = kafka
        self._folder = folder
        self._taken = 0
        self._lives = count()
        self._relay = relay_of(platform.log, platform.policy, kafka)
        self._relay.begin()

    def take_in(self, messages: int, begin: datetime, seconds: float) -> None:
        """So many more messages, spread over a time."""
        for first in range(0, messages, STEP):
            self._clock.set(begin + timedelta(seconds=seconds * first / messages))
            numbers = range(self._taken + first, self._taken + min(first + STEP, messages))
            self.platform.runner.submit([delivery(number) for number in numbers])
        self._taken += messages

    def relay(self, *, again_from: int | None = None) -> None:
        """Produce what is recorded; with `again_from` also what lies behind that position, once more."""
        if again_from is not None:
            self._relay.begin(again_from)
        while self._relay.step():
            pass

    def close(self) -> None:
        self._relay.close()

    @property
    def rows(self) -> list[Window]:
        """What the read side says."""
        self.platform.project()
        return arrival_windows(self.platform.tables, datetime(2000, 1, 1, tzinfo=UTC))

    @property
    def shown(self) -> Figures:
        """What is to be shown of it now, but for what is 0."""
        now = begin_of(datetime.now(UTC))
        names = {now: "current", now - timedelta(seconds=WINDOW_SECONDS): "previous"}
        return {
            (window.agency, outcome.value, names[window.begin]): number
            for window in self.rows
            if window.begin in names
            for outcome in Outcome
            if (number := window.of(outcome))
        }

    @property
    def kept(self) -> list[Window]:
        """What the watcher has kept: the newest of each key of its changelog."""
        consumer: Any = KafkaConsumer(bootstrap_servers=self._kafka.brokers.servers, auto_offset_reset="earliest")
        topic = self._kafka.names.changelog_of_windows
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        newest: dict[tuple[int, bytes], Any] = {}
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(timeout_ms=200).values():
                newest |= {(record.partition, record.key): json.loads(record.value) for record in records}
        consumer.close()
        return together(map(window_in, newest.values()))

    @property
    def is_acknowledged(self) -> bool:
        """Whether the watchers' group has nothing left to read."""
        names = self._kafka.names
        consumer: Any = KafkaConsumer(bootstrap_servers=self._kafka.brokers.servers, group_id=names.watchers)
        places = [TopicPartition(names.of(Subject.EVENTS, Mode.LIVE), number) for number in range(PARTITIONS)]
        ends = consumer.end_offsets(places)
        committed = {place: consumer.committed(place) or 0 for place in places}
        consumer.close()
        return bool(ends == committed)

    @contextmanager
    def watched(self) -> Iterator["Watcher"]:
        """A watcher's life, which ends by SIGKILL."""
        environment = {
            **os.environ,
            "OUTLET_DATA": str(self._folder),
            "OUTLET_DATABASE_URL": self.platform.settings.database_url or "",
            "OUTLET_KAFKA_BOOTSTRAP_SERVERS": self._kafka.brokers.servers,
            "OUTLET_KAFKA_TOPIC_PREFIX": self._kafka.names.prefix,
            "OUTLET_KAFKA_PARTITIONS": str(PARTITIONS),
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, "-m", "adapters.cli", "watcher", "--health", "127.0.0.1:0"]
        said = self._folder / f"watcher-{next(self._lives)}.log"
        with said.open("wb") as log:
            process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)
        try:
            yield Watcher(process, said)
        finally:
            process.kill()
            process.wait()


class Watcher:
    """A process that counts."""

    def __init__(self, process: "subprocess.Popen[bytes]", said: Path) -> None:
        self._process = process
        self._said = said

    def asked(self, path: str) -> str:
        """What it answers; empty while it does not."""
        assert self._process.poll() is None, self._said.read_text()
        found = HEALTH.search(self._said.read_text())
        if found is None:
            return ""
        try:
            with urllib.request.urlopen(found.group(1) + path, timeout=PATIENCE_SECONDS) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError:
            return ""

    def wait_until_ready(self) -> None:
        wait_for(lambda: bool(self.asked("/readyz")), PATIENCE_SECONDS, "the watcher is ready")

    def figures(self) -> Figures:
        """Its figures of agencies, but for those that are 0."""
        found = FIGURE.findall(self.asked("/metrics"))
        return {(agency, outcome, window): int(text) for agency, outcome, window, text in found if text != "0"}


def delivery(number: int) -> Delivery:
    """A message by its number.

    Of each seven: one, a copy of it, one of that name with other words, one that is refused, one that is refused and
    nobody's, one of a drill, and another one.
    """
    group, kind = divmod(number, 7)
    agency = ("meteorology", "water")[group % 2]
    match kind:
        case 0 | 1:
            return Delivery(cap(f"first-{group}", agency=agency), agency, "test")
        case 2:
            return Delivery(cap(f"first-{group}", agency=agency, text="Hail."), agency, "test")
        case 3:
            return Delivery(b"<alert", agency, f"test {number}")
        case 4:
            return Delivery(b"<alert", None, f"test {number}")
        case 5:
            return Delivery(cap(f"drill-{group}", agency=agency, status="Exercise"), agency, "test")
        case _:
            return Delivery(cap(f"second-{group}", agency=agency), agency, "test")


@pytest.fixture
def outlet(tmp_path: Path) -> Iterator[Outlet]:
    with postgres.schema() as url, broker.prefix() as (servers, prefix):
        kafka = KafkaSettings(Brokers(servers), names=TopicNames(prefix), partitions=PARTITIONS)
        settings = Settings(data_dir=tmp_path, policy="shaoxing", database_url=url, kafka=kafka)
        clock = ManualClock(datetime.now(UTC))
        with build(settings, clock=clock, part=Part.WHOLE) as platform:
            ensured(kafka, [])
            made = Outlet(platform, clock, kafka, tmp_path)
            yield made
            made.close()


def test_a_watcher_that_is_killed_counts_what_the_read_side_has(outlet: Outlet) -> None:
    """Five windows, the last of which is the present one, and everything produced once more in between."""
    begin = begin_of(datetime.now(UTC)) - timedelta(seconds=4 * WINDOW_SECONDS)
    outlet.take_in(300, begin, 4 * WINDOW_SECONDS)
    with outlet.watched() as watcher:
        watcher.wait_until_ready()
        outlet.relay()
        wait_for(lambda: bool(outlet.kept), PATIENCE_SECONDS, "it has begun to count")
    outlet.relay(again_from=outlet.platform.log.head() // 2)
    outlet.take_in(300, datetime.now(UTC), 1)
    outlet.relay()
    expected = outlet.rows
    with outlet.watched() as watcher:
        watcher.wait_until_ready()
        wait_for(lambda: outlet.kept == expected, PATIENCE_SECONDS, "the changelog has what the rows have")
        wait_for(lambda: watcher.figures() == outlet.shown, PATIENCE_SECONDS, "and /metrics, too")
    assert {window.agency for window in expected} == {"", "meteorology", "water"}
    assert len({window.begin for window in expected}) >= 5
    assert all(sum(window.of(outcome) for window in expected) > 50 for outcome in Outcome)


def test_a_watcher_that_comes_back_has_read_its_table_from_its_changelog(outlet: Outlet) -> None:
    """Nothing is left in the topic to count again: what it shows can come from nowhere else."""
    outlet.take_in(60, datetime.now(UTC), 1)
    outlet.relay()
    with outlet.watched() as watcher:
        wait_for(lambda: watcher.figures() == outlet.shown, PATIENCE_SECONDS, "it counts")
        wait_for(lambda: outlet.is_acknowledged, PATIENCE_SECONDS, "nothing is left to be counted")
    with outlet.watched() as watcher:
        watcher.wait_until_ready()
        wait_for(lambda: watcher.figures() == outlet.shown, PATIENCE_SECONDS, "it has read")


def test_watchers_divide_the_agencies_and_one_takes_over_what_another_had(outlet: Outlet) -> None:
    """Joining and dying both divide the partitions anew, while there is something to count."""
    begin = datetime.now(UTC)
    outlet.take_in(120, begin, 1)
    with outlet.watched() as first:
        first.wait_until_ready()
        outlet.relay()
        with outlet.watched() as second:
            outlet.take_in(120, begin, 1)
            outlet.relay()
            second.wait_until_ready()
            wait_for(
                lambda: Counter(first.figures()) + Counter(second.figures()) == outlet.shown,
                PATIENCE_SECONDS,
                "both together show what the rows have",
            )
            assert second.figures()
            assert first.figures() != outlet.shown
            outlet.take_in(120, begin, 1)
            outlet.relay()
        wait_for(lambda: first.figures() == outlet.shown, PATIENCE_SECONDS, "one alone shows it all")
