"""P12: messages merged a second by workers on Kafka, each with a partition of its own, beside one worker on one.

Every side is an outlet of its own in one PostgreSQL and on one Kafka, with the same messages over the same districts;
its workers have divided the partitions and stand still until every record lies in Kafka. Only the stage that merges
has anything to do, for no relay brings releases back. A message that is missing from the log, or stands there twice,
makes the round worthless.

The parts that are one process each (intake, relay, projector) are measured in the same rounds, each alone, with all the
events of the same messages, beside the same worker: what lies below 1 holds the workers up, what lies above does not.
"""

import os
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from adapters.bench.p1 import write_policy
from adapters.bench.p12_outlet import Place, outlet
from adapters.bench.p12_workers import held, workers
from adapters.bench.postgres import database
from adapters.bench.row import PeerMissingError, Row
from streams.kafka_brokers import Brokers

VARIABLE: Final = "OUTLET_BENCH_KAFKA"
"""Where a broker is named; `outlet bench` reads it."""

MESSAGES: Final = 2_400

BESIDE: Final = (1, 1)
SIDES: Final = ((2, 2), (4, 4), (1, 4))
"""Workers and partitions."""

INTAKE, RELAY, PROJECTOR = "intake", "relay", "projector"

GOALS: Final = {
    "2 workers on 2 partitions": 1.0,
    "4 workers on 4 partitions": 1.0,
    "1 worker on 4 partitions": 0.9,
    INTAKE: 1.0,
    RELAY: 1.0,
    PROJECTOR: 1.0,
}
NOTE: Final = (
    "{messages} messages, one county each, every one merged once; {cores} cores for workers, Kafka, PostgreSQL with "
    "fsync and the bench together"
)


def measure(
    rounds: int = 5, messages: int = MESSAGES, *, kafka: str | None, database_url: str | None = None
) -> list[Row]:
    """A row for each number of workers, and for each other part.

    Raises:
        PeerMissingError: no Kafka is named, or there is no PostgreSQL.
    """
    if not kafka:
        raise PeerMissingError(f"{VARIABLE} names no Kafka; `python -m tests.kafka` starts one and prints its address")
    found: dict[str, list[float]] = {name: [] for name in GOALS}
    with TemporaryDirectory() as name, database(database_url) as url:
        folder = Path(name)
        place = Place(Brokers(kafka), url, write_policy(folder), folder)
        for number in range(rounds):
            rates: dict[str, float] = {}
            for side in (BESIDE, *SIDES) if number % 2 == 0 else (*reversed(SIDES), BESIDE):
                rates |= _rates(place, messages, *side)
            for what, ratios in found.items():
                ratios.append(rates[what] / rates[_name(*BESIDE)])
    return [_row(what, ratios, messages) for what, ratios in found.items()]


def _rates(place: Place, messages: int, count: int, partitions: int) -> dict[str, float]:
    """Messages a second of one side, by what dealt with them."""
    with outlet(place, messages, partitions) as one:
        with workers(one, count) as processes:
            with held(processes):
                one.produce()
            rates = {_name(count, partitions): one.merged_per_second()}
        if (count, partitions) == BESIDE:
            rates[INTAKE] = one.taken_in_per_second
            rates[RELAY] = one.relayed_per_second()
            rates[PROJECTOR] = one.projected_per_second()
        return rates


def _name(count: int, partitions: int) -> str:
    return f"{count} worker{'s' if count > 1 else ''} on {partitions} partition{'s' if partitions > 1 else ''}"


def _row(what: str, ratios: list[float], messages: int) -> Row:
    note = NOTE.format(messages=messages, cores=os.cpu_count())
    return Row("P12", what, f"{_name(*BESIDE)}, messages/s", median(ratios), GOALS[what], tuple(ratios), note)
