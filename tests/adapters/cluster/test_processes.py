"""The processes of a distributed outlet, each by its command, on a real broker and a real database, until a signal.

Here they run within the tests, one at a time; `tests/cluster` runs all of them together, as processes.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from typer.testing import CliRunner, Result

from adapters.cli.app import app
from adapters.settings import from_environment
from adapters.wiring import Part, build, opened_log
from domain.events import ContributionRecorded, MessageAccepted, WarningReleased
from domain.ports import EventLog
from streams.kafka_relay import FOLLOWER
from tests import postgres
from tests.kafka import broker
from tests.streams.messages import START, cap

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

PATIENCE_SECONDS = 90.0
LOOK_SECONDS = 0.1


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An outlet that `outlet topics` has made; gives the beginning of its topics' names."""
    with postgres.schema() as url, broker.prefix() as (servers, beginning):
        settings = {
            "OUTLET_DATA": str(tmp_path / "data"),
            "OUTLET_DATABASE_URL": url,
            "OUTLET_KAFKA_BOOTSTRAP_SERVERS": servers,
            "OUTLET_KAFKA_TOPIC_PREFIX": beginning,
            "OUTLET_KAFKA_PARTITIONS": "2",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        assert run("topics").exit_code == 0
        yield beginning


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def until(reached: Callable[[], bool], *arguments: str) -> Result:
    """Run a command in this thread, and end it by a signal as soon as something is so."""
    found: list[bool] = []

    def watch() -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (is_so := reached()) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        found.append(is_so)
        os.kill(os.getpid(), signal.SIGTERM)

    # One that comes when the command listens no more, or not yet, must not end the tests.
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    watching = threading.Thread(target=watch)
    watching.start()
    try:
        result = run(*arguments)
        watching.join()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert found == [True], result.output
    return result


def log() -> EventLog:
    return opened_log(from_environment())


def found_in_log(kind: type[Any], count: int) -> Callable[[], bool]:
    def reached() -> bool:
        events = log()
        try:
            return sum(isinstance(recorded.event, kind) for recorded in events.read()) >= count
        finally:
            events.close()

    return reached


def relayed() -> bool:
    events = log()
    try:
        return events.follower_position(FOLLOWER) == events.head()
    finally:
        events.close()


def sends() -> bool:
    return any(thread.name == "sending-log" for thread in threading.enumerate())


def produce(prefix: str, *contents: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=os.environ["OUTLET_KAFKA_BOOTSTRAP_SERVERS"])
    for content in contents:
        producer.send(f"{prefix}.agency-messages.water", content)
    producer.flush()
    producer.close()


def message(identifier: str, level: str = "red") -> bytes:
    minutes = int((datetime.now(UTC) - START).total_seconds() // 60)
    return cap(identifier, agency="water", hazard="11A51", level=level, minutes=minutes)


def test_messages_become_one_warning_by_relay_worker_and_projector_each_in_its_turn(prefix: str) -> None:
    produce(prefix, message("one"), b"<torn", message("one"))
    worker = until(found_in_log(MessageAccepted, 1), "worker", "--health", "127.0.0.1:0")
    assert "worker, health at http://127.0.0.1:" in worker.output
    until(relayed, "relay", "--health", "127.0.0.1:0")
    until(found_in_log(ContributionRecorded, 1), "worker")
    assert found_in_log(WarningReleased, 1)()
    until(relayed, "relay")

    with build(from_environment(), part=Part.EDGE) as platform:

        def projected() -> bool:
            return bool(platform.districts_in_force())

        until(projected, "projector", "--health", "127.0.0.1:0")
    board = json.loads(run("board", "--json").stdout)
    assert [district["code"] for district in board["districts"]] == ["330604"]


def test_a_command_waits_for_nobody_who_is_not_there_and_says_so(
    prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("adapters.cluster.barrier.PATIENCE_SECONDS", 0.5)
    (tmp_path / "message.xml").write_bytes(message("by-hand"))
    done = run("ingest", str(tmp_path / "message.xml"), "--agency", "water")
    assert done.exit_code == 0
    assert "the relay has not come to position" in caplog.text


def test_a_courier_hands_over_what_is_planned_until_it_is_told_to_stop(prefix: str) -> None:
    done = until(sends, "courier", "--health", "127.0.0.1:0")
    assert "courier, health at" in done.output
    assert done.output.rstrip().endswith("stopped")


def test_a_process_whose_outlet_is_not_there_says_so_and_waits(
    prefix: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with postgres.schema() as empty:
        monkeypatch.setenv("OUTLET_DATABASE_URL", empty)
        for command in ("relay", "worker", "projector", "courier"):
            caplog.clear()
            done = until(lambda: "there is no outlet" in caplog.text, command)
            assert done.output.rstrip().endswith("stopped")
