"""What the one writer of a log takes: events appended a second to PostgreSQL by several processes, beside one process.

Every append takes the log's lock, so processes wait for each other; what makes up for it is the number of events that
share a transaction. Each process appends groups of one size, one after the other, as a worker does, for a while.
Run as a program, this file is one of these processes.
"""

import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from statistics import median
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from adapters.bench.p1_processes import child, line_of
from adapters.bench.p4 import AT, CODEC, Measured
from adapters.bench.postgres import database, schema
from adapters.bench.row import Row
from adapters.store.postgres_log import PostgresEventLog
from domain.ports import NewEvent

SECONDS: Final = 2.0

BESIDE: Final = (1, 10)
SIDES: Final = ((2, 10), (4, 10), (1, 1), (1, 100), (1, 500), (4, 100))
"""Processes, and events in each group."""

LEAST: Final = {(2, 10): 0.5, (4, 10): 0.4, (1, 1): 0.0, (1, 100): 1.0, (1, 500): 1.0, (4, 100): 1.0}
"""Below which the lock would cost more than it orders, or a group would gain nothing."""


def measure(rounds: int = 5, seconds: float = SECONDS, *, database_url: str | None = None) -> list[Row]:
    """A row for each number of processes and size of groups.

    Raises:
        PeerMissingError: there is no PostgreSQL.
    """
    found: dict[tuple[int, int], list[float]] = {side: [] for side in SIDES}
    with database(database_url) as url:
        for number in range(rounds):
            sides = (BESIDE, *SIDES) if number % 2 == 0 else (*reversed(SIDES), BESIDE)
            rates = {side: events_per_second(url, *side, seconds=seconds) for side in sides}
            for side in SIDES:
                found[side].append(rates[side] / rates[BESIDE])
    return [_row(side, ratios) for side, ratios in found.items()]


def events_per_second(url: str, processes: int, size: int, *, seconds: float) -> float:
    """Of all processes together.

    Raises:
        AssertionError: the log does not hold what they were told it does.
    """
    with schema(url) as place, ExitStack() as stack, closing(PostgresEventLog(place, codec=CODEC)) as log:
        words = (place, str(size), str(seconds))
        begun = [stack.enter_context(child(__spec__.name, *words, str(number))) for number in range(processes)]
        for process in begun:
            line_of(process)
        for process in begun:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [json.loads(line_of(process)) for process in begun]
        if log.head() != sum(one["events"] for one in told):
            raise AssertionError("an append was lost")
    return sum(float(one["events"]) / float(one["seconds"]) for one in told)


def _row(side: tuple[int, int], ratios: Sequence[float]) -> Row:
    processes, size = side
    what = f"events appended to PostgreSQL, {processes} process{'es' if processes > 1 else ''}, groups of {size}"
    return Row("P12-LOG", what, "one process, groups of 10, events/s", median(ratios), LEAST[side], tuple(ratios))


def main() -> None:
    """Say that all is ready; when told, append for a while, and say what came of it."""
    place, size, seconds, number = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    stream, version = uuid5(NAMESPACE_URL, f"process {number}"), 0
    with closing(PostgresEventLog(place, codec=CODEC)) as log:
        log.head()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        began = time.perf_counter()
        while (elapsed := time.perf_counter() - began) < seconds:
            log.append([NewEvent(stream, version + 1 + one, Measured(at=AT, number=one)) for one in range(size)])
            version += size
        sys.stdout.write(json.dumps({"events": version, "seconds": elapsed}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
