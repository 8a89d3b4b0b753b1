"""A worker's outer boundary: a batch is finished or tried again, and a worker that stands still is noticed."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from domain.ports import LogUnavailableError, VersionConflictError
from streams import kafka_boundary
from streams.kafka_boundary import Boundary, Watchdog, WorkerHealth
from streams.kafka_records import Consumed

BATCH = [Consumed("outlet.contributions", 2, offset, b"330604", b"{}") for offset in (7, 8)]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_boundary, "RETRY_SECONDS", 0.0)


def finished(take: Callable[[Sequence[Consumed]], int]) -> WorkerHealth:
    health = WorkerHealth()
    asyncio.run(Boundary(health).finish("merge", take, BATCH))
    return health


def test_what_was_dealt_with_is_counted_up_to_the_offset_behind_it() -> None:
    health = finished(lambda batch: len(batch) - 1)
    assert health.records["merge"] == 2
    assert health.news["merge"] == 1
    assert health.done == {("outlet.contributions", 2): 9}
    assert health.trouble == ""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LogUnavailableError("the database is away"), "LogUnavailableError: the database is away"),
        (VersionConflictError("again and again"), "other processes keep being faster"),
        (RuntimeError("a defect of ours"), "RuntimeError: a defect of ours"),
    ],
)
def test_a_batch_that_cannot_be_taken_is_tried_until_it_is_and_its_trouble_is_said_meanwhile(
    error: Exception, said: str
) -> None:
    health = WorkerHealth()
    troubles: list[str] = []

    def take(batch: Sequence[Consumed]) -> int:
        troubles.append(health.trouble)
        if len(troubles) <= 2:
            raise error
        return len(batch)

    asyncio.run(Boundary(health).finish("merge", take, BATCH))
    assert troubles == ["", f"merge: {said}", f"merge: {said}"]
    assert health.trouble == ""
    assert health.records["merge"] == 2


def test_a_batch_that_is_broken_off_counts_as_not_done() -> None:
    """Whoever acknowledges what was not finished loses it."""
    health = WorkerHealth()

    async def broken_off() -> None:
        def take(_: Sequence[Consumed]) -> int:
            raise LogUnavailableError("away for ever")

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await Boundary(health).finish("merge", take, BATCH)

    asyncio.run(broken_off())
    assert health.done == {}


# --- the watchdog


class Hours:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def watched() -> tuple[WorkerHealth, Hours, Watchdog]:
    hours = Hours()
    health = WorkerHealth(lags={("outlet.contributions", 0): 3})
    watchdog = Watchdog(60.0, hours)
    assert not watchdog.is_stalled(health)
    return health, hours, watchdog


def test_a_worker_that_has_records_before_it_and_deals_with_none_is_stalled() -> None:
    health, hours, watchdog = watched()
    hours.now = 59.0
    assert not watchdog.is_stalled(health)
    hours.now = 61.0
    assert watchdog.is_stalled(health)


def test_a_worker_with_nothing_before_it_may_wait_for_ever() -> None:
    health, hours, watchdog = watched()
    health.lags = {("outlet.contributions", 0): 0}
    assert not watchdog.is_stalled(health)
    hours.now = 1_000_000.0
    assert not watchdog.is_stalled(health)


def test_a_worker_that_deals_with_records_is_not_stalled_however_many_wait() -> None:
    health, hours, watchdog = watched()
    for second in range(0, 600, 30):
        hours.now = float(second)
        health.done["outlet.contributions", 0] = second
        assert not watchdog.is_stalled(health)


def test_a_worker_whose_database_is_away_is_in_trouble_and_not_stalled() -> None:
    """Starting it again would not bring the database back."""
    health, hours, watchdog = watched()
    health.troubles["merge"] = "the database is away"
    hours.now = 600.0
    assert not watchdog.is_stalled(health)
    health.troubles.clear()
    hours.now = 630.0
    assert not watchdog.is_stalled(health)
    hours.now = 700.0
    assert watchdog.is_stalled(health)
