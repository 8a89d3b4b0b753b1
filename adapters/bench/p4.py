"""P4: durable appends from 32 producers, beside raw sqlite3 with `synchronous=FULL` and one commit per event.

The raw side is one thread on one connection, which is as fast as raw commits go: more connections would only wait
for each other. It is handed ready bytes; ours is handed events, and turns them into bytes within the time taken.
"""

import sqlite3
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from uuid import NAMESPACE_URL, uuid5

from adapters.bench.row import Row
from adapters.store.codec import EventCodec
from adapters.store.sqlite_log import SqliteEventLog
from domain.event import Event
from domain.ports import NewEvent

PRODUCERS = 32
STREAMS_PER_PRODUCER = 10
EVENTS_PER_BATCH = 100
BATCHES_PER_PRODUCER = 6
SINGLES_PER_PRODUCER = 50
RAW_SECONDS = 0.8
"""The raw side runs for a time, not for a count: on a disk with a slow fsync a count would take minutes."""

GOAL = 8.0


class Measured(Event):
    """Of about the size of a warning's shorter events."""

    TOPIC = "measured"

    number: int
    headline: str = "市气象台发布暴雨橙色预警信号"
    description: str = "预计未来六小时,城区及西部山区累计雨量可达一百毫米,请注意防范山洪、滑坡和城市内涝。"
    districts: tuple[str, ...] = ("110101", "110102", "110105", "110106", "110107", "110108")


CODEC = EventCodec({Measured.TOPIC: Measured}, {})
AT = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)


def measure(rounds: int = 5, directory: Path | None = None) -> list[Row]:
    """Both figures of P4; `directory` should lie on the disk that the platform would use (default: the system's)."""
    batches: list[float] = []
    singles: list[float] = []
    with TemporaryDirectory(dir=directory) as folder:
        for number in range(rounds):
            beside = raw_events_per_second(Path(folder, f"raw-{number}.db"))
            batches.append(
                our_events_per_second(
                    Path(folder, f"batches-{number}.db"), appends=BATCHES_PER_PRODUCER, size=EVENTS_PER_BATCH
                )
                / beside
            )
            beside = raw_events_per_second(Path(folder, f"raw-again-{number}.db"))
            singles.append(
                our_events_per_second(Path(folder, f"singles-{number}.db"), appends=SINGLES_PER_PRODUCER, size=1)
                / beside
            )
    return [
        _row("P4", f"durable append, {PRODUCERS} producers, batches of {EVENTS_PER_BATCH}", batches),
        _row(
            "P4-single",
            f"durable append, {PRODUCERS} producers, one event each time",
            singles,
            note="bound by Python's threads, not by the disk: the slower the fsync, the higher the ratio",
        ),
    ]


def raw_events_per_second(path: Path) -> float:
    """The plain way: an indexed insert and a commit that reaches the disk, over and over."""
    state = Measured(at=AT, number=1).model_dump_json().encode()
    stream = uuid5(NAMESPACE_URL, "raw").hex
    version = 0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(
            "CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT, version INTEGER, topic TEXT, "
            "state BLOB, UNIQUE (stream, version))"
        )
        started = time.perf_counter()
        while (elapsed := time.perf_counter() - started) < RAW_SECONDS:
            version += 1
            connection.execute(
                "INSERT INTO events (stream, version, topic, state) VALUES (?,?,?,?)",
                (stream, version, "measured:1", state),
            )
    return version / elapsed


def our_events_per_second(path: Path, *, appends: int, size: int) -> float:
    """All producers at once, each waiting for every one of its appends to be durable before the next."""
    work = [_batches(f"producer {number}", appends, size) for number in range(PRODUCERS)]
    with closing(SqliteEventLog(path, codec=CODEC)) as log, ThreadPoolExecutor(PRODUCERS) as pool:

        def produce(batches: Sequence[Sequence[NewEvent]]) -> None:
            for batch in batches:
                log.append(batch)

        started = time.perf_counter()
        list(pool.map(produce, work))
        elapsed = time.perf_counter() - started
        if log.head() != PRODUCERS * appends * size:
            raise AssertionError("an append was lost")
    return PRODUCERS * appends * size / elapsed


def _batches(producer: str, appends: int, size: int) -> list[list[NewEvent]]:
    """A producer's events, in turn over its streams."""
    streams = [uuid5(NAMESPACE_URL, f"{producer} {number}") for number in range(STREAMS_PER_PRODUCER)]
    events = [
        NewEvent(
            stream_id=streams[number % STREAMS_PER_PRODUCER],
            version=number // STREAMS_PER_PRODUCER + 1,
            event=Measured(at=AT, number=number),
        )
        for number in range(appends * size)
    ]
    return [events[start : start + size] for start in range(0, len(events), size)]


def _row(row_id: str, measure_name: str, ratios: Sequence[float], note: str = "") -> Row:
    return Row(
        id=row_id,
        measure=measure_name,
        beside="raw sqlite3, synchronous=FULL, one commit per event, events/s",
        ratio=median(ratios),
        goal=GOAL,
        rounds=tuple(ratios),
        note=note,
    )
