"""The promises of `domain.ports.EventLog` with many threads and processes at it, and with a kill amid appends."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from adapters.store.errors import EventLogClosedError
from domain.ports import EventLog, Move, RecordedEvent, VersionConflictError
from tests.contracts.event_logs import (
    CHILD_STREAMS,
    EventLogFactory,
    attached,
    in_threads,
    noted,
    positions,
    stream,
    versions,
)

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def log(event_log_factory: EventLogFactory) -> EventLog:
    return event_log_factory()


def test_an_append_that_conflicts_does_not_hurt_those_beside_it(log: EventLog) -> None:
    log.append(noted("taken", 1))
    for round_number in range(1, 11):
        good = [
            partial(log.append, noted(name, round_number), attachments=[attached(f"{name} {round_number}".encode())])
            for name in (f"good {number}" for number in range(16))
        ]
        bad = [partial(log.append, [*noted(f"bad {number}", 1), *noted("taken", 1)]) for number in range(16)]
        outcomes = in_threads(*(call for pair in zip(good, bad, strict=True) for call in pair))
        assert [isinstance(outcome, VersionConflictError) for outcome in outcomes] == [False, True] * 16
    assert log.head() == 1 + 160
    assert positions(log.read()) == list(range(1, 162))
    assert all(versions(log.stream(stream(f"good {number}"))) == list(range(1, 11)) for number in range(16))
    assert all(versions(log.stream(stream(f"bad {number}"))) == [] for number in range(16))


def test_close_finishes_the_appends_that_were_accepted(event_log_factory: EventLogFactory) -> None:
    log = event_log_factory()
    acknowledged: list[str] = []
    begun = threading.Barrier(9)

    def append(name: str) -> None:
        begun.wait()
        for version in range(1, 10_000):
            try:
                log.append(noted(name, version))
            except EventLogClosedError:
                return
            acknowledged.append(f"{stream(name)} {version}")

    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            pool.submit(append, f"writer {number}")
        begun.wait()
        time.sleep(0.1)
        log.close()
    stored = [f"{r.stream_id} {r.version}" for r in event_log_factory().read()]
    assert sorted(stored) == sorted(acknowledged)
    assert stored != []


def test_with_32_writers_none_is_lost_and_a_tailing_reader_misses_no_position(log: EventLog) -> None:
    writers, appends = 32, 25
    total = writers * (appends + 2 * (appends // 5))
    tailed: list[RecordedEvent] = []

    def tail() -> None:
        while len(tailed) < total:
            assert log.wait(after=len(tailed), timeout_seconds=30)
            for recorded in log.read(after=len(tailed)):
                assert recorded.position == len(tailed) + 1
                tailed.append(recorded)

    def write(name: str) -> None:
        version = 0
        for number in range(1, appends + 1):
            size = 3 if number % 5 == 0 else 1
            returned = log.append(noted(name, *range(version + 1, version + 1 + size)))
            version += size
            assert list(returned) == list(range(returned[0], returned[0] + size))

    in_threads(tail, tail_free(log, total), *(partial(write, f"writer {n}") for n in range(writers)))
    assert len(tailed) == total == log.head()
    for number in range(writers):
        own = [r.version for r in tailed if r.stream_id == stream(f"writer {number}")]
        assert own == list(range(1, total // writers + 1))


def test_writers_of_several_openings_leave_a_tailing_reader_no_gap(event_log_factory: EventLogFactory) -> None:
    """As several processes do: each opening has a writer of its own."""
    reader, *writers = [event_log_factory() for _ in range(5)]
    appends, threads = 12, 3
    total = len(writers) * threads * appends

    def write(log: EventLog, name: str) -> None:
        for version in range(1, appends + 1):
            log.append(noted(name, version), moves=[Move(name, version)])

    def tail() -> None:
        seen = 0
        while seen < total:
            assert reader.wait(after=seen, timeout_seconds=30)
            for position in positions(reader.read(after=seen)):
                assert position == seen + 1
                seen = position

    named = [(log, f"writer {one}.{two}") for one, log in enumerate(writers) for two in range(threads)]
    in_threads(tail, tail_free(reader, total), *(partial(write, log, name) for log, name in named))
    assert {reader.follower_position(name) for _, name in named} == {appends}


def tail_free(log: EventLog, total: int) -> Callable[[], None]:
    """A second reader, which starts from the beginning each time: it never sees a position missing either."""

    def read_again_and_again() -> None:
        while (seen := positions(log.read())) != list(range(1, total + 1)):
            assert seen == list(range(1, len(seen) + 1))

    return read_again_and_again


def kill_while_appending(factory: EventLogFactory, after_lines: int) -> list[str]:
    """Let a process append, kill it after it has acknowledged so many; return all that it acknowledged."""
    command = [sys.executable, "-m", "tests.contracts.event_logs", factory.adapter, factory.location]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(after_lines)]
        child.kill()
        lines += child.stdout.readlines()
    # A line that the kill has cut in two was not said.
    return [line.strip() for line in lines if line.endswith("\n")]


def test_every_append_that_was_acknowledged_is_there_after_a_kill(event_log_factory: EventLogFactory) -> None:
    acknowledged: list[str] = []
    for after_lines in (1, 40, 250):
        acknowledged += kill_while_appending(event_log_factory, after_lines)
        log = event_log_factory()
        stored = list(log.read())
        assert [r.position for r in stored] == list(range(1, len(stored) + 1))
        assert set(acknowledged) <= {f"{r.stream_id} {r.version}" for r in stored}
        for name in CHILD_STREAMS:
            # The events, the follower's position and the attachment stand or fall together.
            last = len(versions(log.stream(stream(name))))
            assert log.follower_position(name) == last
            assert last == 0 or log.attachment(attached(f"{name} {last}".encode()).sha256) is not None
            assert log.attachment(attached(f"{name} {last + 1}".encode()).sha256) is None
        log.close()
