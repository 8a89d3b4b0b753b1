"""What the contract suites of `domain.ports.EventLog` share: the adapters, events to append, and ways to race.

An adapter joins with one line in OPENERS. Run as a program, this file is the process that the kill test kills.
"""

import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from adapters.store.codec import EventCodec
from adapters.store.postgres_log import PostgresEventLog
from adapters.store.sqlite_log import SqliteEventLog
from domain.event import Event
from domain.ports import Attachment, EventLog, Move, NewEvent, RecordedEvent, VersionConflictError

AT = datetime(2026, 7, 1, 8, 30, tzinfo=timezone(timedelta(hours=8)))
PROJECT = Path(__file__).resolve().parents[2]


class Noted(Event):
    TOPIC = "noted"

    number: int
    text: str = "台风蓝色预警"


class Struck(Event):
    TOPIC = "struck"

    reason: str


CODEC = EventCodec({kind.TOPIC: kind for kind in (Noted, Struck)}, {})

OPENERS: Mapping[str, Callable[[str], EventLog]] = {
    "postgres": lambda location: PostgresEventLog(location, codec=CODEC),
    "sqlite": lambda location: SqliteEventLog(Path(location), codec=CODEC),
}


class EventLogFactory:
    """Opens the same store again at each call, as another process would; closes all of them in the end."""

    def __init__(self, adapter: str, location: str) -> None:
        self.adapter = adapter
        self.location = location
        self._opened: list[EventLog] = []

    def __call__(self) -> EventLog:
        log = OPENERS[self.adapter](self.location)
        self._opened.append(log)
        return log

    def close(self) -> None:
        for log in self._opened:
            log.close()


def stream(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, name)


def noted(name: str, *versions: int) -> list[NewEvent]:
    return [
        NewEvent(stream_id=stream(name), version=version, event=Noted(at=AT, number=version)) for version in versions
    ]


def attached(content: bytes) -> Attachment:
    return Attachment(sha256=hashlib.sha256(content).hexdigest(), content=content)


def versions(events: Iterator[RecordedEvent]) -> list[int]:
    return [recorded.version for recorded in events]


def positions(events: Iterator[RecordedEvent]) -> list[int]:
    return [recorded.position for recorded in events]


def in_threads(*calls: Callable[[], object]) -> list[object]:
    """Start all calls at one moment; return each one's result, or the conflict it met."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        start.wait()
        try:
            return call()
        except VersionConflictError as conflict:
            return conflict

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


CHILD_STREAMS = tuple(f"child writer {number}" for number in range(8))


def append_until_killed(adapter: str, location: str) -> None:
    """What the child process does: say a stream and version only after append has returned."""
    log = OPENERS[adapter](location)

    def append(name: str) -> None:
        version = log.follower_position(name)
        while True:
            version += 1
            log.append(
                noted(name, version),
                attachments=[attached(f"{name} {version}".encode())],
                moves=[Move(name, version)],
            )
            # One system call for one line: the threads' lines never mix.
            os.write(sys.stdout.fileno(), f"{stream(name)} {version}\n".encode())

    in_threads(*(partial(append, name) for name in CHILD_STREAMS))


if __name__ == "__main__":
    append_until_killed(sys.argv[1], sys.argv[2])
