"""P5: all projections rebuilt from the log and written, beside reading the same rows and decoding their JSON.

The raw side is one pass of sqlite3 with msgspec over every event; it keeps and writes nothing. The events are a
made-up city's, from the domain's own decisions. A long log repeats them under other districts, senders and warnings.
"""

import shutil
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from uuid import NAMESPACE_URL, uuid5

import msgspec

from adapters.bench.p5_events import City
from adapters.bench.row import Row
from adapters.store.read_tables import open_sqlite_read_tables
from adapters.store.sqlite_log import SqliteEventLog
from projections import PROJECTIONS
from projections.follow import rebuild

EVENTS = 62_000
LONG_EVENTS = 1_000_000
DISTRICTS = tuple(f"1101{number:02d}" for number in range(1, 41))
PAUSES_SECONDS = (0, 20, 60, 300, 1800)
"""Between messages: quiet enough that warnings end and others begin."""

GOAL = 0.4
LONG_GOAL = 0.9


def measure(
    rounds: int = 5,
    *,
    long: bool = False,
    directory: Path | None = None,
    events: int = EVENTS,
    long_events: int = LONG_EVENTS,
) -> list[Row]:
    """P5's figures; the second one, on a log of `long_events`, only when asked for `long` (it takes minutes)."""
    with TemporaryDirectory(dir=directory) as folder:
        path = Path(folder, "events.sqlite")
        made_up_log(path, events)
        ratios = [raw_seconds(path) / rebuild_seconds(path, Path(folder, f"read-{n}.sqlite")) for n in range(rounds)]
        rows = [_ratio_row(ratios, events)]
        if long:
            longer = Path(folder, "longer.sqlite")
            shutil.copy(path, longer)
            lengthen(longer, events, long_events)
            # Once each and close together: a machine changes its pace within minutes.
            elapsed = rebuild_seconds(longer, Path(folder, "read-long.sqlite"))
            beside = rebuild_seconds(path, Path(folder, "read-short.sqlite"))
            rows.append(_rate_row((long_events / elapsed) / (events / beside), events, long_events))
        return rows


def made_up_log(path: Path, count: int) -> None:
    """A log of at least `count` events."""
    city = City(Random(62), districts=DISTRICTS, pauses_seconds=PAUSES_SECONDS)  # noqa: S311 -- the same city each time
    while len(city.events) < count:
        city.step()
    with closing(SqliteEventLog(path)) as log:
        for start in range(0, count, 1_000):
            log.append(city.events[start : min(start + 1_000, count)])


def lengthen(path: Path, count: int, wanted: int) -> None:
    """Repeat the log's first `count` events, in order, under other names, until it holds `wanted`."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT originator_id, originator_version, topic, state FROM stored_events WHERE rowid <= ? ORDER BY rowid",
            (count,),
        ).fetchall()
        for copy in range(1, -(-wanted // count)):
            room = wanted - copy * count
            connection.executemany(
                "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?,?,?,?)",
                (
                    (uuid5(NAMESPACE_URL, f"{stream} {copy}").hex, version, topic, _renamed(state, copy))
                    for stream, version, topic, state in rows[:room]
                ),
            )
            connection.commit()


def _renamed(state: bytes, copy: int) -> bytes:
    """The same event of another city, byte for byte as long."""
    renamed = state.replace(b'"1101', b'"%04d' % (2000 + copy)).replace(b"@example.org", b"@e%06d.org" % copy)
    marker = b'"warning_id":"'
    found = renamed.find(marker)
    if found < 0:
        return renamed
    start = found + len(marker)
    return renamed[:start] + b"%04x" % copy + renamed[start + 4 :]


def raw_seconds(path: Path) -> float:
    """Reading every row and decoding its JSON, and nothing else."""
    decode = msgspec.json.decode
    with closing(sqlite3.connect(path)) as connection:
        started = time.perf_counter()
        for row in connection.execute("SELECT rowid, topic, state FROM stored_events ORDER BY rowid"):
            decode(row[2])
        return time.perf_counter() - started


def rebuild_seconds(path: Path, read_path: Path) -> float:
    """Building every projection from nothing, until the last row is written."""
    with closing(SqliteEventLog(path)) as log, closing(open_sqlite_read_tables(read_path)) as tables:
        started = time.perf_counter()
        head = rebuild(log, tables, PROJECTIONS)
        elapsed = time.perf_counter() - started
        if head != log.head() or any(tables.position(projection.name) != head for projection in PROJECTIONS):
            raise AssertionError("a projection has not come to the log's head")
        return elapsed


def _ratio_row(ratios: Sequence[float], events: int) -> Row:
    return Row(
        id="P5",
        measure=f"rebuild of all projections from {events:,} events, written",
        beside="raw sqlite3 read + msgspec decode of the same rows, events/s",
        ratio=median(ratios),
        goal=GOAL,
        rounds=tuple(ratios),
    )


def _rate_row(ratio: float, events: int, long_events: int) -> Row:
    return Row(
        id="P5-long",
        measure=f"rate of the rebuild at {long_events:,} events",
        beside=f"the rate at {events:,} events",
        ratio=ratio,
        goal=LONG_GOAL,
        rounds=(ratio,),
        note="the longer log repeats the shorter one under other districts, senders and warnings",
    )
