"""Faults and bad input on the distributed outlet: said plainly, waited for or parked, and then it goes on.

One cluster serves all of them; each test leaves it whole. Losses and kills while many messages flow are figures
(`tests/figures`).
"""

import json
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import MessageSizeTooLargeError

from adapters.cluster.lease import Lease
from streams.kafka_brokers import Brokers
from streams.kafka_clients import producer_of
from tests import postgres
from tests.adapters.channels.smpp_routes import need_node
from tests.cluster.cluster import Cluster
from tests.cluster.parts import Program, answers
from tests.cluster.test_cluster import call, hazards_in_force, message, metrics, produce
from tests.figures import r5, r5_cluster, sizes
from tests.figures.cluster_feed import clients_without_a_broker
from tests.figures.figure import unseen
from tests.figures.outlets import at_once_policy, wait_for
from tests.figures.r5_cluster import trouble_of
from tests.kafka import broker
from tests.kafka.broker import HOST, free_ports
from tests.kafka.jars import class_path, java

pytestmark = [pytest.mark.long, pytest.mark.kafka, pytest.mark.postgres]

PATIENCE_SECONDS = 120.0
DISTRICT = b"330604"
CONTRIBUTIONS = "outlet.contributions"
OF_WATER = "outlet.agency-messages.water"
MEGABYTE = 1_000_000

PARTNER_IN_JAVA = """
import java.util.Properties;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.ByteArraySerializer;

class Partner {
    public static void main(String[] words) throws Exception {
        var settings = new Properties();
        settings.put("bootstrap.servers", words[0]);
        settings.put("compression.type", words[2]);
        var bytes = new ByteArraySerializer();
        try (var producer = new KafkaProducer<byte[], byte[]>(settings, bytes, bytes)) {
            producer.send(new ProducerRecord<>(words[1], System.in.readAllBytes())).get();
        }
    }
}
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Skips, or fails in CI, where there is no Kafka or no PostgreSQL."""
    postgres.server()
    broker.need_kafka()
    with Cluster({"OUTLET_POLICY": str(at_once_policy(tmp_path_factory.mktemp("policy")))}) as running:
        yield running


def send(cluster: Cluster, hazard: str, agency: str = "water") -> None:
    """A red warning by Kafka. Each test has a hazard of its own."""
    produce(cluster, message(f"of-{hazard}", agency, hazard, "red"), agency)


def produced(cluster: Cluster, topic: str, value: bytes | None, key: bytes | None = None) -> Any:
    """Produce a record whatever its size; where it lies."""
    producer = KafkaProducer(bootstrap_servers=cluster.broker.bootstrap_servers, max_request_size=16 * MEGABYTE)
    try:
        return producer.send(topic, value, key=key).get(timeout=PATIENCE_SECONDS)
    finally:
        producer.close()


def records_in(cluster: Cluster, topic: str) -> int:
    """How many records a topic has had."""
    consumer = KafkaConsumer(bootstrap_servers=cluster.broker.bootstrap_servers)
    try:
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        return sum(consumer.end_offsets(places).values())
    finally:
        consumer.close()


def wait_for_hazard(cluster: Cluster, hazard: str) -> None:
    wait_for(lambda: hazard in hazards_in_force(cluster), PATIENCE_SECONDS, f"{hazard} is on the board")


def wait_until_ready(cluster: Cluster, name: str) -> None:
    wait_for(lambda: answers(cluster.probe_url(name)), PATIENCE_SECONDS, f"{name} is ready")


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
        text: str = answer.read().decode()
        return text


def parked(cluster: Cluster, kind: str) -> list[dict[str, Any]]:
    """What `outlet parked` lists."""
    items: list[dict[str, Any]] = json.loads(call(cluster, "parked", "--kind", kind, "--json"))["items"]
    return items


def record_of_the_district(cluster: Cluster) -> Any:
    """The newest record of the district in the topic of contributions, as a worker consumes it."""
    consumer = KafkaConsumer(bootstrap_servers=cluster.broker.bootstrap_servers, enable_auto_commit=False)
    found: Any = None
    try:
        places = [TopicPartition(CONTRIBUTIONS, number) for number in consumer.partitions_for_topic(CONTRIBUTIONS)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < end for place, end in ends.items()):
            for records in consumer.poll(timeout_ms=500).values():
                found = next((record for record in reversed(records) if record.key == DISTRICT), found)
    finally:
        consumer.close()
    assert found is not None
    return found


@pytest.mark.slow
def test_after_postgresql_and_both_servers_were_away_everything_goes_out_by_priority_and_nothing_that_expired(
    cluster: Cluster, tmp_path: Path
) -> None:
    """And every process has said meanwhile that it is not ready and why, and has gone on by itself."""
    need_node()
    figure = r5_cluster.measure_on(cluster, tmp_path, sizes.R5_CLUSTER_SMALL, unseen)
    cluster.stop("courier")  # from here on nobody is told
    assert [shortfall for shortfall in figure.shortfalls if not shortfall.startswith(r5.TIMED)] == []
    assert figure.counts["people waiting at the return"] > 0


def test_without_a_broker_worker_and_relay_say_so_from_their_start_and_go_on_by_themselves_once_it_is_there(
    cluster: Cluster,
) -> None:
    names = ("worker-1", "relay")
    for name in (*names, "kafka"):
        cluster.stop(name)
    for name in names:
        part = cluster.parts[name]
        assert isinstance(part, Program)
        part.begin()
    for name in names:
        wait_for(
            lambda name=name: "no broker answers at" in trouble_of(cluster, name),  # type: ignore[misc]
            PATIENCE_SECONDS,
            f"{name} says why it is not ready",
        )
    waiting = cluster.parts["worker-1"]
    wait_for(lambda: "cannot begin yet, and tries again" in waiting.log.read_text(), PATIENCE_SECONDS, "it says so")
    cluster.start("kafka")
    for name in names:
        wait_until_ready(cluster, name)
        assert cluster.parts[name].code() is None
    send(cluster, "11A01")
    wait_for_hazard(cluster, "11A01")


def test_of_a_producer_that_was_given_up_nothing_comes_later(cluster: Cluster) -> None:
    """It would stand behind what its successor has produced, and in a compacted topic as the newest."""
    topic = "outlet.warnings"
    before = records_in(cluster, topic)
    running = set(threading.enumerate())
    with clients_without_a_broker():
        producer = producer_of(Brokers(cluster.broker.bootstrap_servers), "given-up")
        assert producer.partitions_for(topic)
        cluster.stop("kafka")
        for number in range(10):
            producer.send(topic, b"{}", key=str(number).encode())
        producer.close(timeout=0)
        cluster.start("kafka")
        wait_for(lambda: not set(threading.enumerate()) - running, PATIENCE_SECONDS, "its thread has ended")
        del producer
    assert records_in(cluster, topic) == before


def test_a_record_above_the_limit_is_refused_by_the_broker_and_one_of_white_space_below_it_by_the_intake(
    cluster: Cluster,
) -> None:
    with pytest.raises(MessageSizeTooLargeError):
        produced(cluster, OF_WATER, b" " * 9 * MEGABYTE)
    blank = produced(cluster, OF_WATER, b" " * (7 * MEGABYTE + MEGABYTE // 2))
    send(cluster, "11A03")
    wait_for_hazard(cluster, "11A03")
    place = f"kafka:{OF_WATER}/{blank.partition}@{blank.offset}"
    [refused] = [item for item in parked(cluster, "rejected") if item["source"] == place]
    assert "not-xml" in json.dumps(refused)


def test_records_that_cannot_be_read_are_parked_with_their_place_and_the_partition_goes_on(cluster: Cluster) -> None:
    send(cluster, "11A51")
    wait_for_hazard(cluster, "11A51")
    sound = record_of_the_district(cluster)
    newer = sound.value.replace(b".contributions-changed.v1", b".contributions-changed.v99")
    assert newer != sound.value
    bad = {"record-undecodable": (DISTRICT, b"\xff\xfe"), "record-wrong-key": (b"330602", sound.value)}
    bad |= {"record-unreadable": (DISTRICT, newer), "record-empty": (DISTRICT, None)}
    told = {code: produced(cluster, CONTRIBUTIONS, value, key) for code, (key, value) in bad.items()}
    assert told["record-undecodable"].partition == sound.partition
    send(cluster, "11B01", "meteorology")
    wait_for_hazard(cluster, "11B01")

    def all_parked() -> bool:
        said = json.dumps(parked(cluster, "event"))
        return all(f"{code}: {CONTRIBUTIONS}/{one.partition}@{one.offset}: " in said for code, one in told.items())

    wait_for(all_parked, PATIENCE_SECONDS, "all are parked with their places")
    assert len(parked(cluster, "event")) == len(bad)


@pytest.mark.parametrize(
    ("compression", "hazard"), [("gzip", "11B04"), ("snappy", "11B05"), ("lz4", "11B06"), ("zstd", "11B07")]
)
def test_what_a_partner_compresses_arrives(cluster: Cluster, tmp_path: Path, compression: str, hazard: str) -> None:
    program = tmp_path / "Partner.java"
    program.write_text(PARTNER_IN_JAVA)
    words = (cluster.broker.bootstrap_servers, "outlet.agency-messages.meteorology", compression)
    command = [java(), "-cp", class_path(), str(program), *words]
    content = message(compression, "meteorology", hazard, "red")
    subprocess.run(command, input=content, check=True, capture_output=True)
    wait_for_hazard(cluster, hazard)


@pytest.mark.parametrize("name", ["relay", "projector"])
def test_of_two_one_waits_for_its_turn_and_takes_over_when_the_other_is_killed(cluster: Cluster, name: str) -> None:
    figure = f"outlet_{name}_is_active"
    wait_for(lambda: f"{figure} 1" in metrics(cluster, name), PATIENCE_SECONDS, "the first one works")
    first = cluster.parts[name]
    assert isinstance(first, Program)
    [port] = free_ports(1)
    where = f"{HOST}:{port}"
    second = Program(
        keeper=cluster.keeper,
        name=f"another-{name}",
        command=[*first.command[:-1], where],
        environment=first.environment,
        ready=lambda: answers(f"http://{where}/readyz"),
        log=first.log.with_name(f"another-{name}.log"),
    )
    second.start()
    try:
        assert f"{figure} 0" in read(f"http://{where}/metrics")
        cluster.kill(name)
        wait_for(lambda: f"{figure} 1" in read(f"http://{where}/metrics"), PATIENCE_SECONDS, "the second one works")
    finally:
        cluster.start(name)
        second.stop()


def test_who_waits_for_its_turn_says_so_when_nobody_can_tell_whose_turn_it_is() -> None:
    [port] = free_ports(1)
    lease, stop = Lease(f"postgresql://outlet@{HOST}:{port}/outlet", "relay"), threading.Event()

    def wait() -> None:
        with lease.held(stop) as is_ours:
            assert not is_ours

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        wait_for(lambda: "refused" in lease.trouble, PATIENCE_SECONDS, "it says why")
    finally:
        stop.set()
        waiting.join(PATIENCE_SECONDS)
