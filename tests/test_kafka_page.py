"""`docs/kafka.md`: its programs, run as they are printed, on a real broker, database, relay and worker."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from adapters.clocks import SystemClock
from tests import postgres
from tests.conftest import PROJECT
from tests.kafka import broker
from tests.kafka.keeper import Keeper
from tests.streams.messages import START, cap

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

PATIENCE_SECONDS = 120.0
OUTLET = (sys.executable, "-m", "adapters.cli")


def programs() -> tuple[str, str]:
    """The partner's and the subscriber's."""
    partner, subscriber = re.findall(r"```python\n(.*?)```", (PROJECT / "docs/kafka.md").read_text("utf-8"), re.DOTALL)
    return partner, subscriber


@dataclass
class House:
    """An outlet's processes, its topics, and people outside."""

    keeper: Keeper
    servers: str
    prefix: str
    environment: Mapping[str, str]

    def outlet(self, *arguments: str) -> str:
        """What a command says that ends by itself."""
        done = subprocess.run(
            [*OUTLET, *arguments], cwd=PROJECT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name: str, *arguments: str) -> None:
        """A process of the outlet that does not."""
        log = self.keeper.folder / f"{name}.log"
        self.keeper.start(name, [*OUTLET, *arguments], log=log, environment=self.environment)

    def produce(self, content: bytes) -> str:
        """As the water bureau does, by the partner's program; the record's place, as it tells it."""
        (self.keeper.folder / "message.xml").write_bytes(content)
        outside = {**os.environ, "KAFKA": self.servers, "OUTLET_AGENCY_TOPIC": f"{self.prefix}.agency-messages.water"}
        done = subprocess.run(
            [sys.executable, "-c", programs()[0]],
            cwd=self.keeper.folder,
            env=outside,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def subscriber(self) -> Iterator[list[str]]:
        """The subscriber's program, and the lines that it has printed so far."""
        outside = {**os.environ, "KAFKA": self.servers, "OUTLET_TOPIC": f"{self.prefix}.warnings"}
        lines: list[str] = []
        with subprocess.Popen(
            [sys.executable, "-c", programs()[1]], env=outside, stdout=subprocess.PIPE, text=True
        ) as process:
            out = process.stdout
            assert out is not None
            reading = threading.Thread(target=lambda: lines.extend(line.rstrip() for line in out), daemon=True)
            reading.start()
            try:
                yield lines
            finally:
                process.kill()
                reading.join()

    def records(self, subject: str) -> list[tuple[str, dict[str, Any]]]:
        """Every record of a topic as it is now: key and value."""
        topic = f"{self.prefix}.{subject}"
        consumer = KafkaConsumer(bootstrap_servers=self.servers, enable_auto_commit=False)
        try:
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            ends = consumer.end_offsets(partitions)
            found: list[tuple[str, dict[str, Any]]] = []
            while any(consumer.position(partition) < end for partition, end in ends.items()):
                for records in consumer.poll(timeout_ms=200).values():
                    found += [(record.key.decode(), json.loads(record.value)) for record in records]
        finally:
            consumer.close()
        return found

    def districts(self, subject: str) -> list[str]:
        """The key of every record of a topic, repeats included."""
        return [key for key, _ in self.records(subject)]

    def until(self, happened: Callable[[], bool], what: str) -> None:
        """Wait for it; what the processes have said is told where it does not happen."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            if time.monotonic() > deadline:
                said = [path.read_text(errors="replace")[-1500:] for path in self.keeper.folder.glob("*.log")]
                raise AssertionError("\n".join([f"never: {what}", *said]))
            time.sleep(0.1)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with (
        broker.prefix() as (servers, prefix),
        postgres.schema() as database,
        Keeper(Path(tempfile.mkdtemp(prefix="outlet-page-"))) as keeper,
    ):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OUTLET_")}
        environment = kept | {
            "PYTHONPATH": str(PROJECT),
            "OUTLET_DATA": str(keeper.folder / "data"),
            "OUTLET_DATABASE_URL": database,
            "OUTLET_KAFKA_BOOTSTRAP_SERVERS": servers,
            "OUTLET_KAFKA_TOPIC_PREFIX": prefix,
            "OUTLET_KAFKA_PARTITIONS": "2",
        }
        house = House(keeper, servers, prefix, environment)
        house.outlet("topics")
        house.start("relay", "relay")
        house.start("worker", "worker")
        yield house


def flood(identifier: str, district: str, *, status: str = "Actual") -> bytes:
    """A red flash flood of now."""
    minutes = int((SystemClock().now() - START).total_seconds() // 60)
    return cap(
        identifier, agency="water", hazard="11A51", level="red", minutes=minutes, codes=(district,), status=status
    )


def test_a_partner_produces_and_subscribers_see_the_state_then_every_release_once(house: House) -> None:
    house.produce(flood("one", "330604"))
    house.produce(flood("drill", "330681", status="Exercise"))
    house.until(lambda: "330604" in house.districts("warnings"), "the warning is released")
    house.until(lambda: house.districts("drill.warnings") == ["330681"], "the drill's is")
    with house.subscriber() as first:
        house.until(lambda: "news:" in first, "the state was told")
        assert "330604 shaoxing-330604-1-1 11A51=red" in first[: first.index("news:")]
        house.produce(flood("two", "330683"))
        house.until(lambda: first[-1] != "news:", "the second is news")

        house.keeper.end("relay")
        house.start("relay again", "relay", "--from", "0")
        house.until(lambda: house.districts("warnings").count("330683") == 2, "both were produced again")
        house.produce(flood("three", "330602"))
        house.until(lambda: first[-1].startswith("330602"), "the third is news")
        news = first[first.index("news:") + 1 :]
        assert news == ["330683 shaoxing-330683-1-1 11A51=red", "330602 shaoxing-330602-1-1 11A51=red"]
    with house.subscriber() as second:
        house.until(lambda: "news:" in second, "the state was told")
        state = [line.split()[0] for line in second[: second.index("news:")]]
        assert len(state) == len(set(state))
        assert {"330602", "330604", "330683"} <= set(state)
        assert "330681" not in state


def test_a_partner_finds_in_events_what_became_of_each_message(house: House) -> None:
    accepted, refused = flood("answered", "330624"), b"<alert"
    house.produce(accepted)
    place = house.produce(refused)
    house.produce(accepted)

    def told(kind: str) -> list[dict[str, Any]]:
        events = [event for key, event in house.records("events") if key == "water"]
        return [event["data"] for event in events if event["type"] == f"single-outlet.{kind}.v1"]

    house.until(lambda: any(told("duplicate-arrived")), "the last one is answered")
    digest = hashlib.sha256(accepted).hexdigest()
    [first] = [data for data in told("message-accepted") if data["raw_sha256"] == digest]
    [second], [third] = told("message-rejected"), told("duplicate-arrived")
    assert second["raw_sha256"] == hashlib.sha256(refused).hexdigest()
    assert second["source"] == f"kafka:{place}"
    assert third["message"]["identifier"] == first["message"]["identifier"] == "answered"
    assert ("water", second) in [(key, event["data"]) for key, event in house.records("parked")]
