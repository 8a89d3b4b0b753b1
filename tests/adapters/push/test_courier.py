"""The courier with targets in memory: what it does about their defects, their end, and their number."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.clocks import ManualClock
from adapters.push.courier import Courier
from adapters.push.pace import Pace
from adapters.push.state import PushState
from adapters.push.target import Delivered, GivenUp, Outcome, Parcel, Target, TryAgain
from adapters.store.sqlite_log import SqliteEventLog
from domain.events import WarningReleased
from domain.ports import NewEvent
from tests.adapters.http.public.samples import START
from tests.adapters.push.test_lane import release

QUICK = Pace(tick_seconds=0.02)


class Memory:
    """A target that keeps what it was handed."""

    def __init__(self, identifier: str, answer: Callable[[Parcel], Outcome] | None = None) -> None:
        self.id = identifier
        self.handed: list[int] = []
        self._answer = answer or (lambda _parcel: Delivered())

    def wants(self, release: WarningReleased) -> bool:
        return release.district != "unwanted"

    async def hand_over(self, parcel: Parcel) -> Outcome:
        self.handed.append(parcel.position)
        return self._answer(parcel)


class Told:
    """What the courier told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def failing_too_long(self, target: Target, parcel: Parcel, reason: str) -> None:
        self.said.append(("failing-too-long", target.id))

    def given_up(self, target: Target, parcel: Parcel, reason: str) -> None:
        self.said.append((f"given-up {parcel.position}", target.id))

    def gone(self, target: Target, reason: str) -> None:
        self.said.append(("gone", target.id))


class Outlet:
    """A log, a clock and a courier's marks."""

    def __init__(self, folder: Path) -> None:
        self.log = SqliteEventLog(folder / "log.sqlite")
        self.state = PushState(folder / "push.sqlite")
        self.clock = ManualClock(START)
        self.told = Told()

    def release(self, *districts: str) -> list[int]:
        return list(self.log.append([NewEvent(uuid4(), 1, release(district)) for district in districts]))

    @contextmanager
    def serving(self, targets: Mapping[str, Target], pace: Pace = QUICK) -> Iterator[None]:
        with Courier(self.log, self.clock, self.state, lambda: targets, self.told, pace=pace):
            yield


@pytest.fixture
def outlet(tmp_path: Path) -> Iterator[Outlet]:
    made = Outlet(tmp_path)
    yield made
    made.state.close()
    made.log.close()


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until, "it never came to hold"
        time.sleep(0.005)


def test_a_thousand_targets_get_everything_and_their_places_are_kept(outlet: Outlet) -> None:
    targets = {f"t{number}": Memory(f"t{number}") for number in range(1_000)}
    for name in targets:
        outlet.state.begin(name, 0)
    positions = outlet.release("a", "unwanted", "b", "a", "a")
    wanted = [positions[place] for place in (0, 2, 3, 4)]
    with outlet.serving(targets):
        wait_until(lambda: all(_delivered(outlet, name) == 4 for name in targets))
    assert all(sorted(target.handed) == wanted for target in targets.values())
    for name in targets:
        progress = outlet.state.of(name)
        assert progress is not None
        assert progress.done_up_to == positions[-1]


def _delivered(outlet: Outlet, target: str) -> int:
    progress = outlet.state.of(target)
    return progress.delivered if progress is not None else 0


def test_a_target_that_is_far_behind_catches_up_in_order(outlet: Outlet) -> None:
    target = Memory("t")
    outlet.state.begin("t", 0)
    positions = [place for _ in range(3) for place in outlet.release(*["a", "b", "c", "unwanted"] * 150)]
    with outlet.serving({"t": target}):
        wait_until(lambda: len(target.handed) == 1_350)
    for letter in range(3):
        own = [place for place in target.handed if (place - positions[0]) % 4 == letter]
        assert own == sorted(own)


def test_a_defect_in_a_target_is_a_failure_that_is_tried_again_and_touches_no_other(
    outlet: Outlet, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [ValueError("a bug")]

    def breaks(_parcel: Parcel) -> Outcome:
        if failures:
            raise failures.pop()
        return Delivered()

    broken, well = Memory("broken", breaks), Memory("well")
    with outlet.serving({"broken": broken, "well": well}):
        wait_until(lambda: outlet.state.of("broken") is not None and outlet.state.of("well") is not None)
        outlet.release("a")
        wait_until(lambda: len(well.handed) == 1)
        wait_until(lambda: (found := outlet.state.of("broken")) is not None and bool(found.failures))
        outlet.clock.set(outlet.clock.now().replace(hour=9))
        wait_until(lambda: len(broken.handed) == 2)
    assert "a defect in the target broken" in caplog.text


def test_a_release_that_is_given_up_is_told_and_the_next_follows(outlet: Outlet) -> None:
    target = Memory("t", lambda parcel: GivenUp("no document") if parcel.position == 1 else Delivered())
    outlet.state.begin("t", 0)
    outlet.release("a", "a")
    with outlet.serving({"t": target}):
        wait_until(lambda: _delivered(outlet, "t") == 1)
    assert outlet.told.said == [("given-up 1", "t")]
    progress = outlet.state.of("t")
    assert progress is not None
    assert (progress.given_up, progress.delivered, progress.done_up_to) == (1, 1, 2)


def test_hanging_targets_take_no_place_from_those_that_answer(outlet: Outlet) -> None:
    class Hanging(Memory):
        async def hand_over(self, parcel: Parcel) -> Outcome:
            self.handed.append(parcel.position)
            await asyncio.sleep(3600)
            return Delivered()

    hanging = {f"h{number}": Hanging(f"h{number}", lambda _: TryAgain("never")) for number in range(20)}
    well = Memory("well")
    outlet.state.begin("well", 0)
    for name in hanging:
        outlet.state.begin(name, 0)
    positions = outlet.release(*"abcdefgh" * 5)
    pace = Pace(tick_seconds=0.02, releases_at_once=20, longest_hand_over_seconds=0.2)
    with outlet.serving({**hanging, "well": well}, pace):
        wait_until(lambda: len(well.handed) == len(positions))


def test_a_torn_down_courier_leaves_marks_that_repeat_at_most_what_was_under_way(outlet: Outlet) -> None:
    outlet.state.begin("t", 0)
    positions = outlet.release(*"abcdefghij" * 20)
    first, second = Memory("t"), Memory("t")
    with outlet.serving({"t": first}):
        wait_until(lambda: len(first.handed) >= 50)
    with outlet.serving({"t": second}):
        wait_until(lambda: set(first.handed) | set(second.handed) == set(positions))
        wait_until(lambda: (found := outlet.state.of("t")) is not None and found.done_up_to == positions[-1])
    repeated = set(first.handed) & set(second.handed)
    assert len(repeated) <= 16
