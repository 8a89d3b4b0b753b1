"""Equality: the same messages through one process on SQLite, on PostgreSQL, and over Kafka come to the same.

Compared are every stream, event for event with the texts of every release, and every row of every read table. Only in
which order streams were written to the log may differ, so a position is named by the event that stands there.
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from kafka import KafkaProducer

from adapters.clocks import ManualClock
from adapters.cluster.topics import ensured, identities_of
from adapters.policies import shipped_policies
from adapters.settings import KafkaSettings, Settings
from adapters.wiring import Platform, build
from domain.events import WarningReleased
from projections import PROJECTIONS
from streams.by_district import follower_of, mode_of, slices
from streams.intake import Delivery
from streams.kafka_brokers import Brokers
from streams.kafka_steps import INTAKE
from streams.kafka_topics import TopicNames
from streams.pipeline import STAGES
from tests import postgres
from tests.conftest import PROJECT
from tests.figures.equality_feed import Fed, waves
from tests.figures.equality_worker import FileClock
from tests.figures.figure import Figure, Progress
from tests.kafka import broker
from tests.streams.messages import START, at

PROMISE = "one process on SQLite, one on PostgreSQL, and workers over Kafka leave the same streams, rows and texts"
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.01


@dataclass(frozen=True)
class Size:
    """How many messages, over how many districts of the province, taken through by how many workers."""

    messages: int
    districts: int
    workers: int = 2


@dataclass(frozen=True)
class Left:
    """What a run has left: hashes of its streams, rows and texts, and how much of each there was."""

    streams: str
    rows: str
    texts: str
    counts: Mapping[str, int]


def measure(folder: Path, size: Size, seed: int, progress: Progress) -> Figure:
    """Run all three and compare."""
    figure = Figure("EQUALITY", PROMISE)
    policy = province_policy(folder)
    with ExitStack() as stack:
        files = run_embedded(Settings(data_dir=folder / "files", policy=policy), size, seed, progress)
        url = stack.enter_context(postgres.schema())
        server = run_embedded(
            Settings(data_dir=folder / "server", policy=policy, database_url=url), size, seed, progress
        )
        other_url = stack.enter_context(postgres.schema())
        servers, prefix = stack.enter_context(broker.prefix())
        kafka = KafkaSettings(Brokers(servers), names=TopicNames(prefix), partitions=4)
        settings = Settings(data_dir=folder / "carried", policy=policy, database_url=other_url, kafka=kafka)
        carried = run_carried(settings, size, seed, progress)
    for name, left in (("SQLite", files), ("PostgreSQL", server), ("Kafka", carried)):
        figure.counts[f"{name}: streams"] = left.streams
        figure.counts[f"{name}: rows"] = left.rows
        figure.counts[f"{name}: texts"] = left.texts
    figure.counts |= files.counts
    for name, left in (("PostgreSQL", server), ("Kafka", carried)):
        figure.must(left == files, f"{name} differs from SQLite: {left.counts} and {files.counts}")
    figure.must(files.counts["releases"] > 0, "nothing was released, so nothing was compared")
    return figure


def province_policy(folder: Path) -> str:
    """Shaoxing's policy over the whole of Zhejiang."""
    text = shipped_policies()["shaoxing"]
    districts = 'districts = ["330602", "330603", "330604", "330624", "330681", "330683"]'
    assert districts in text
    path = folder / "policy.toml"
    path.write_text(text.replace(districts, 'districts = ["33"]'), encoding="utf-8")
    return str(path)


def run_embedded(settings: Settings, size: Size, seed: int, progress: Progress) -> Left:
    """One process, with all stages in it."""
    with build(settings, clock=ManualClock(START)) as platform:
        offsets: dict[str, int] = {}
        for done, wave in _waves(platform, size, seed):
            platform.runner.submit([_delivery(one, offsets) for one in wave])
            platform.runner.pump()
            progress(done, size.messages, f"embedded, {'PostgreSQL' if settings.database_url else 'SQLite'}")
        return _left(platform)


def _delivery(one: Fed, offsets: dict[str, int]) -> Delivery:
    """As it would come by Kafka: where a message came from is recorded with it."""
    offset = offsets[one.agency] = offsets.get(one.agency, -1) + 1
    return Delivery(one.content, one.agency, f"kafka:{one.agency}/0@{offset}")


def _waves(platform: Platform, size: Size, seed: int) -> Iterator[tuple[int, Sequence[Fed]]]:
    """Each wave at its moment, every deadline before it acted on; then time enough for all that expires."""
    districts = [area.code for area in platform.gazetteer.districts()][: size.districts]
    done, last = 0, 0.0
    for minutes, wave in waves(size.messages, districts, seed):
        platform.advance(at(minutes))
        done, last = done + len(wave), minutes
        yield done, wave
    platform.advance(at(last + 120))
    platform.runner.pump()


def run_carried(settings: Settings, size: Size, seed: int, progress: Progress) -> Left:
    """Relay and workers as processes of their own; messages come by Kafka, this process projects and is the clock."""
    assert settings.kafka is not None
    settings.data_dir.mkdir(parents=True)
    clock = FileClock(settings.data_dir / "clock")
    clock.set(START)
    with build(settings, clock=clock) as platform:
        agencies = [agency.id for agency in platform.policy.agencies]
        ensured(settings.kafka, agencies)
        with _processes(settings, size.workers), _Producing(platform, settings.kafka, agencies) as producing:
            platform.runner.take_through = producing.wait_until_merged  # type: ignore[method-assign]
            for done, wave in _waves(platform, size, seed):
                producing.produce(wave)
                platform.runner.pump()
                progress(done, size.messages, "over Kafka")
            producing.wait_until_all_is_done()
        return _left(platform)


@contextmanager
def _processes(settings: Settings, workers: int) -> Iterator[None]:
    kafka = settings.kafka
    assert kafka is not None
    environment = {
        **os.environ,
        "OUTLET_DATA": str(settings.data_dir),
        "OUTLET_DATABASE_URL": settings.database_url or "",
        "OUTLET_KAFKA_BOOTSTRAP_SERVERS": kafka.brokers.servers,
        "OUTLET_KAFKA_TOPIC_PREFIX": kafka.names.prefix,
        "OUTLET_KAFKA_PARTITIONS": str(kafka.partitions),
    }
    clock = str(settings.data_dir / "clock")
    commands = [["adapters.cli", "relay"], *[["tests.figures.equality_worker", clock]] * workers]
    started: list[subprocess.Popen[bytes]] = []
    try:
        for place, command in enumerate(commands):
            whole = [sys.executable, "-m", *command]
            with (settings.data_dir / f"process-{place}.log").open("wb") as log:  # the process has its own hold of it
                started.append(subprocess.Popen(whole, cwd=PROJECT, env=environment, stdout=log, stderr=log))
        yield
        assert all(process.poll() is None for process in started), "a process has died"
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)


class _Producing:
    """Produces to agencies' topics, and knows what must have become of it."""

    def __init__(self, platform: Platform, kafka: KafkaSettings, agencies: Sequence[str]) -> None:
        self._platform = platform
        self._names = kafka.names
        topics = [kafka.names.of_agency(agency) for agency in agencies]
        self._identities = identities_of(kafka, topics)
        self._produced = dict.fromkeys(agencies, 0)
        self._producer: Any = KafkaProducer(bootstrap_servers=kafka.brokers.servers)
        self._merged: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.close()

    def produce(self, wave: Sequence[Fed]) -> None:
        for one in wave:
            self._producer.send(self._names.of_agency(one.agency), one.content)
            self._produced[one.agency] += 1
        self._producer.flush()

    def wait_until_merged(self) -> None:
        """Every message is taken in, and every district it concerns has been merged with it."""
        intake = {
            f"{INTAKE}/{self._identities[self._names.of_agency(agency)]}/0": count
            for agency, count in self._produced.items()
            if count
        }
        self._wait(intake)
        self._look()
        self._wait(self._merged)

    def wait_until_all_is_done(self) -> None:
        """The stages behind releases, too."""
        self._look()
        self._wait(self._merged | self._told)

    def _look(self) -> None:
        merge, *behind = STAGES
        for recorded in self._platform.log.read(after=self._read, topics=merge.topics | behind[0].topics):
            self._read = recorded.position
            mode = mode_of(recorded.event)
            for district, _ in slices(recorded):
                if recorded.event.TOPIC in merge.topics:
                    self._merged[follower_of(merge, mode, district)] = recorded.position
                else:
                    self._told |= {follower_of(stage, mode, district): recorded.position for stage in behind}

    def _wait(self, expected: Mapping[str, int]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = self._platform.log.follower_positions(expected) if expected else {}
            missing = {name: (found[name], position) for name, position in expected.items() if found[name] < position}
            if not missing:
                return
            assert time.monotonic() < deadline, f"not dealt with: {dict(list(missing.items())[:5])}"
            time.sleep(LOOK_SECONDS)


def _left(platform: Platform) -> Left:
    platform.project()
    names = {position: f"{stream}/{version}" for position, stream, version in platform.log.versions_since(0)}
    streams: dict[str, Any] = {}
    texts = hashlib.sha256()
    releases: list[tuple[str, str]] = []
    for recorded in platform.log.read():
        event = _without_prefix(recorded.event.model_dump_json(), platform)
        streams.setdefault(str(recorded.stream_id), hashlib.sha256()).update(
            f"{recorded.version} {recorded.event.TOPIC} {event}\n".encode()
        )
        if isinstance(recorded.event, WarningReleased):
            said = "".join(text.model_dump_json() for text in recorded.event.texts) + recorded.event.cap
            releases.append((names[recorded.position], said))
    for name, said in sorted(releases):
        texts.update(f"{name} {said}\n".encode())
    whole = hashlib.sha256()
    for stream in sorted(streams):
        whole.update(f"{stream} {streams[stream].hexdigest()}\n".encode())
    rows, row_count = _rows(platform, names)
    counts = {"streams": len(streams), "events": len(names), "releases": len(releases), "rows": row_count}
    return Left(whole.hexdigest(), rows, texts.hexdigest(), counts)


def _without_prefix(text: str, platform: Platform) -> str:
    """A test's topics have names of their own."""
    kafka = platform.settings.kafka
    return text if kafka is None else text.replace(f"kafka:{kafka.names.prefix}.agency-messages.", "kafka:")


def _rows(platform: Platform, names: Mapping[int, str]) -> tuple[str, int]:
    digest, count = hashlib.sha256(), 0
    for projection in PROJECTIONS:
        for table in projection.tables:
            rows = sorted(
                _without_prefix(
                    repr(tuple(_named(column, value, names) for column, value in zip(table.columns, row, strict=True))),
                    platform,
                )
                for row in platform.tables.select(table)
            )
            count += len(rows)
            digest.update(f"{table.name} {len(rows)}\n".encode())
            for row in rows:
                digest.update(f"{row}\n".encode())
    return digest.hexdigest(), count


def _named(column: str, value: object, names: Mapping[int, str]) -> object:
    return names.get(value, value) if column.endswith("position") and isinstance(value, int) else value
