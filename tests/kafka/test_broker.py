"""The broker that other tests talk to: it is a real one, it may be stopped and killed, and nothing is left of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer

from tests.conftest import PROJECT
from tests.kafka.broker import admin, broker_of_its_own, server

pytestmark = pytest.mark.kafka

PATIENCE_SECONDS = 60.0

# What runs in a shell's background, as a CI's runner may, is born deaf to SIGINT.
TESTS_WITH_A_BROKER = """
import signal
import time
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.kafka.broker import server
server()
print("ready", flush=True)
time.sleep(600)
"""


def produce(bootstrap_servers: str, topic: str, *values: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap_servers)
    try:
        for value in values:
            producer.send(topic, value, key=b"330604").get(timeout=PATIENCE_SECONDS)
    finally:
        producer.close()


def consumed(bootstrap_servers: str, topic: str, count: int) -> Iterator[tuple[bytes, bytes]]:
    """The first records of a topic, from its beginning."""
    consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest")
    try:
        for _ in range(count):
            record = next(consumer)
            yield record.key, record.value
    finally:
        consumer.close()


def make(bootstrap_servers: str, topic: str) -> None:
    with admin(bootstrap_servers) as client:
        client.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})


def test_a_record_that_was_produced_is_consumed() -> None:
    broker = server()
    with broker.prefix() as prefix:
        make(broker.bootstrap_servers, f"{prefix}.events")
        produce(broker.bootstrap_servers, f"{prefix}.events", "暴雨".encode())
        assert list(consumed(broker.bootstrap_servers, f"{prefix}.events", 1)) == [(b"330604", "暴雨".encode())]


def test_topics_of_a_test_go_with_it() -> None:
    broker = server()
    with broker.prefix() as prefix:
        make(broker.bootstrap_servers, f"{prefix}.events")
    with admin(broker.bootstrap_servers) as client:
        assert not [topic for topic in client.list_topics() if topic.startswith(prefix)]


def test_what_was_acknowledged_outlives_a_stop_and_a_kill_at_the_same_address() -> None:
    with broker_of_its_own() as broker:
        make(broker.bootstrap_servers, "events")
        produce(broker.bootstrap_servers, "events", b"1")
        broker.stop()
        broker.start()
        produce(broker.bootstrap_servers, "events", b"2")
        broker.kill()
        broker.start()
        found = [value for _, value in consumed(broker.bootstrap_servers, "events", 2)]
    assert found == [b"1", b"2"]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_the_broker_of_tests_that_ended_or_were_killed(number: int, tmp_path: Path) -> None:
    server()
    environment = {name: value for name, value in os.environ.items() if name != "KAFKA_BOOTSTRAP_SERVERS"}
    environment["TMPDIR"] = str(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", TESTS_WITH_A_BROKER],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as tests:
        assert tests.stdout is not None
        assert tests.stdout.readline() == "ready\n"
        assert processes_that_name(tmp_path)
        tests.send_signal(number)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while processes_that_name(tmp_path) or any(tmp_path.iterdir()):
        assert time.monotonic() < deadline, "something is left"
        time.sleep(0.05)


def processes_that_name(folder: Path) -> list[str]:
    """Command lines of processes that name something in the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found
