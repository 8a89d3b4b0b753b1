"""The outer boundary of a worker's stages, and what is known of how they fare. Knows nothing of faust.

A step is tried until it is done: what is wrong with a record is parked within the step, so what comes out of it is the
log's trouble or a defect of ours, and neither may cost a record. While a step cannot go on, its partitions wait, and
`/readyz` says why.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.ports import LogUnavailableError, VersionConflictError
from streams.kafka_records import Consumed
from streams.park import Failed, attempt

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0

Take = Callable[[Sequence[Consumed]], int]
Partition = tuple[str, int]


@dataclass(slots=True)
class WorkerHealth:
    """How a worker fares; read by other threads.

    `done` is, for each partition, the offset behind the last record that was dealt with.
    """

    records: Counter[str] = field(default_factory=Counter)
    news: Counter[str] = field(default_factory=Counter)
    done: dict[Partition, int] = field(default_factory=dict)
    lags: dict[Partition, int] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    is_consuming: bool = False

    @property
    def trouble(self) -> str:
        """Why stages cannot go on, empty while they can."""
        return "; ".join(f"{stage}: {why}" for stage, why in sorted(self.troubles.items()))


class Boundary:
    """Runs steps in threads, each until it is done."""

    def __init__(self, health: WorkerHealth) -> None:
        """Nothing runs yet."""
        self.health = health

    async def finish(self, stage: str, take: Take, batch: Sequence[Consumed]) -> None:
        """Return when the batch is dealt with, and only then: what is not may be delivered again."""
        while (done := await asyncio.to_thread(_attempted, take, batch)) is None or isinstance(done, Failed):
            why = "other processes keep being faster" if done is None else f"{type(done.error).__name__}: {done.error}"
            if self.health.troubles.get(stage) != why:
                log.error("the stage %s cannot go on, and tries again: %s", stage, why)
            self.health.troubles[stage] = why
            await asyncio.sleep(RETRY_SECONDS)
        if self.health.troubles.pop(stage, None) is not None:
            log.warning("the stage %s goes on", stage)
        self.health.records[stage] += len(batch)
        self.health.news[stage] += done
        for consumed in batch:
            self.health.done[consumed.topic, consumed.partition] = consumed.offset + 1


def _attempted(take: Take, batch: Sequence[Consumed]) -> int | Failed | None:
    try:
        return attempt(lambda: take(batch))
    except VersionConflictError:
        return None
    except LogUnavailableError as error:
        return Failed(error)


class Watchdog:
    """Notices a worker that has records before it and deals with none of them, though nothing hinders it.

    Consumers have been seen to stall so; another life of the process goes on from where this one ended.
    """

    def __init__(self, stall_seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Give it so long."""
        self._stall_seconds = stall_seconds
        self._monotonic = monotonic
        self._seen: tuple[Mapping[Partition, int], int] = ({}, 0)
        self._since = monotonic()

    def is_stalled(self, health: WorkerHealth) -> bool:
        """Whether it has stood still for too long. To be asked now and then."""
        seen = (dict(health.done), health.records.total())
        has_lag = any(lag > 0 for lag in health.lags.values())
        if seen != self._seen or not has_lag or health.trouble:
            self._seen, self._since = seen, self._monotonic()
            return False
        return self._monotonic() - self._since >= self._stall_seconds
