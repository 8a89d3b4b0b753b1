"""A real Kafka for tests: the broker that KAFKA_BOOTSTRAP_SERVERS names, or one that starts here, once for a process.

It is Apache Kafka itself, from Maven's jars: broker and controller in one process (KRaft), on loopback, at free ports.
What is kept here lies in a temporary folder and goes with the process.
"""

import atexit
import functools
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from tests.kafka.jars import NoKafkaError, class_path, java
from tests.kafka.keeper import Keeper

HOST = "127.0.0.1"
START_SECONDS = 120.0
LOOK_SECONDS = 0.1

PORTS = range(20_000, 32_000)
"""Below those that the system gives to connections, so that a broker that was stopped finds its port free again."""

NAME = "broker"
CLUSTER_ID = "c2luZ2xlLW91dGxldC10MQ"
JAVA_OPTIONS = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC")
LOGGING = Path(__file__).with_name("log4j2.properties")

SETTINGS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # Topics are declared by us; one that appears by itself hides a mistake.
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Nobody else joins: a group begins at once.
    "group.initial.rebalance.delay.ms": "0",
    # Compaction begins soon after it may, and takes little memory.
    "log.cleaner.backoff.ms": "500",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.cleaner.io.buffer.size": "262144",
    "log.segment.delete.delay.ms": "1000",
    # One that was killed has to wait until its former life is taken for dead: 9 seconds, if nothing is said.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "1",
}


class Broker:
    """A broker. One of ours may be stopped, killed and started again, at the same port on the same data."""

    def __init__(self, bootstrap_servers: str, keeper: Keeper | None = None) -> None:
        """Without a keeper it is somebody else's."""
        self.bootstrap_servers = bootstrap_servers
        self.id = 0
        self._keeper = keeper

    @property
    def own(self) -> bool:
        """Whether it was started here."""
        return self._keeper is not None

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            NoKafkaError: it ended, or did not answer; with the end of its log.
        """
        keeper = self._own_keeper()
        command = [java(), *JAVA_OPTIONS, f"-Dlog4j2.configurationFile={LOGGING}", "-cp", class_path()]
        properties = str(keeper.folder / "server.properties")
        self.id = keeper.start(NAME, [*command, "kafka.Kafka", properties], log=self.log)
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.bootstrap_servers):
            if self.code() is not None or time.monotonic() > deadline:
                raise NoKafkaError(f"the broker did not start: {self.log.read_text(encoding='utf-8')[-2000:]}")
            time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """End it in order; returns when it has ended."""
        self._own_keeper().end(NAME)

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever it is doing; returns when it has ended."""
        self._own_keeper().end(NAME, signal.SIGKILL)

    def code(self) -> int | None:
        """Its exit code, if it has ended."""
        return self._own_keeper().code(NAME)

    @property
    def log(self) -> Path:
        """What it says."""
        return self._own_keeper().folder / "broker.log"

    def close(self) -> None:
        """Kill it, and remove its data."""
        self._own_keeper().close()

    @contextmanager
    def prefix(self) -> Iterator[str]:
        """The beginning of names that are one test's own; topics that bear it are deleted in the end."""
        beginning = f"outlet-test-{uuid.uuid4().hex[:12]}"
        try:
            yield beginning
        finally:
            with admin(self.bootstrap_servers) as client:
                if made := [topic for topic in client.list_topics() if topic.startswith(beginning)]:
                    client.delete_topics(made)

    def _own_keeper(self) -> Keeper:
        if self._keeper is None:
            raise NoKafkaError("the broker that KAFKA_BOOTSTRAP_SERVERS names is not ours to start and stop")
        return self._keeper


@functools.cache
def _found() -> Broker | NoKafkaError:
    named = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if named:
        return Broker(named)
    found = _tried()
    if isinstance(found, Broker):
        atexit.register(found.close)
    return found


def _tried(settings: Mapping[str, str] | None = None) -> Broker | NoKafkaError:
    try:
        return started(settings)
    except (NoKafkaError, OSError, subprocess.SubprocessError) as error:
        return NoKafkaError(f"no Kafka to test against: {error}")


def server() -> Broker:
    """The broker of this process; skips where there is none, and fails in CI, where there must be one."""
    return _or_skip(_found())


@contextmanager
def prefix() -> Iterator[tuple[str, str]]:
    """The bootstrap servers of it, and the beginning of names that are one test's own."""
    broker = server()
    with broker.prefix() as beginning:
        yield broker.bootstrap_servers, beginning


@contextmanager
def broker_of_its_own(settings: Mapping[str, str] | None = None) -> Iterator[Broker]:
    """A broker that nobody else uses, to be stopped and killed; `settings` win over those of this file."""
    broker = _or_skip(_tried(settings))
    try:
        yield broker
    finally:
        broker.close()


def need_kafka() -> None:
    """Skip where Kafka's jars or Java cannot be had, and fail in CI, where they must be."""
    try:
        java(), class_path()
    except (NoKafkaError, OSError, subprocess.SubprocessError) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


def _or_skip(found: Broker | NoKafkaError) -> Broker:
    if isinstance(found, Broker):
        return found
    if os.environ.get("CI"):
        raise found
    pytest.skip(str(found))


def started(settings: Mapping[str, str] | None = None) -> Broker:
    """A broker of ours that runs, to be closed when it is no longer wanted; `settings` win over those of this file.

    Raises:
        NoKafkaError: it cannot be had, or did not start.
    """
    java(), class_path()
    keeper = Keeper(Path(tempfile.mkdtemp(prefix="outlet-kafka-")))
    try:
        port, controller_port = free_ports(2)
        places = _places(keeper.folder, port, controller_port)
        _format(keeper.folder, {**SETTINGS, **(settings or {}), **places})
        broker = Broker(f"{HOST}:{port}", keeper)
        broker.start()
    except BaseException:
        keeper.close()
        raise
    return broker


def _places(folder: Path, port: int, controller_port: int) -> dict[str, str]:
    return {
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "log.dirs": str(folder / "data"),
    }


def _format(folder: Path, settings: Mapping[str, str]) -> None:
    """Write the settings, and what a node has to find in an empty data folder."""
    properties = folder / "server.properties"
    properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    command = [
        *(java(), "-XX:TieredStopAtLevel=1", f"-Dlog4j2.configurationFile={LOGGING}", "-cp", class_path()),
        *("kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID, "--config", str(properties)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_SECONDS)
    if done.returncode != 0:
        raise NoKafkaError(f"the broker's folder could not be made: {(done.stderr or done.stdout).strip()[-2000:]}")


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens at."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(PORTS)
        with socket.socket() as trial:
            if port not in found and trial.connect_ex((HOST, port)) != 0:
                found.append(port)
    return found


@contextmanager
def admin(bootstrap_servers: str) -> Iterator[KafkaAdminClient]:
    """A client that makes and deletes topics."""
    client = KafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        yield client
    finally:
        client.close()


def answers(bootstrap_servers: str) -> bool:
    """Whether a broker answers there, and can be given work."""
    host, _, port = bootstrap_servers.partition(",")[0].rpartition(":")
    with socket.socket() as trial:
        # The client would wait ever longer between its own trials.
        if trial.connect_ex((host, int(port))) != 0:
            return False
    try:
        with admin(bootstrap_servers) as client:
            return bool(client.describe_cluster()["brokers"])
    except KafkaError:
        return False
