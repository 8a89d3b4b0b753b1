"""What one target is owed, and what of it may be sent now. No I/O and no clock: time and chance are arguments.

Within a district the order of the log is kept: its next release waits until the one before is dealt with. Districts
wait for each other only while the target as a whole fails: then one release at a time finds out whether it is back.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adapters.push.state import Progress, Standing, Stuck
from adapters.push.target import Parcel, Target, TryAgain
from domain.back_off import back_off

ENOUGH_OPEN: Final = 128
"""While a target has so many releases open nothing more is read for it; then a whole page is."""

FIRST_WINDOW: Final = 2
LONGEST_ERROR: Final = 300


@dataclass(frozen=True, slots=True)
class Chance:
    """What a failure's wait depends on beside their number: chance (0 to 1), and when patience ends."""

    chance: float
    patience: timedelta


class Lane:
    """One target's releases under way."""

    def __init__(self, target: Target, standing: Standing, districts_at_once: int) -> None:
        """Go on from this standing."""
        progress = standing.progress
        self.target = target
        self.epoch = standing.epoch
        self.position = progress.position
        self.is_stopped = False
        self.is_queued = False
        self._districts_at_once = districts_at_once
        self._window = FIRST_WINDOW
        self._progress = progress
        self._failures = progress.failures
        self._failing_since = progress.failing_since
        self._not_before = progress.not_before
        self._last_success = progress.last_success
        self._last_error = progress.last_error
        self._delivered, self._given_up = progress.delivered, progress.given_up
        self._open: dict[int, str] = {}
        self._queues: dict[str, deque[int]] = {}
        self._ready: deque[str] = deque()
        self._stuck = dict(progress.stuck)
        self._in_flight: dict[int, int] = {}
        self._attempts = self._failed_attempt = 0
        for position, district in sorted(progress.open.items()):
            self._add(position, district)

    @property
    def is_failing(self) -> bool:
        """Whether the last thing heard of the target was a failure."""
        return self._failures > 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on its way."""
        return not self._in_flight

    def has_room(self) -> bool:
        """Whether more may be read for it."""
        return len(self._open) < ENOUGH_OPEN and not self.is_stopped

    def take(self, parcel: Parcel) -> None:
        """A release that the target wants."""
        self._add(parcel.position, parcel.release.district)

    def _add(self, position: int, district: str) -> None:
        self._open[position] = district
        queue = self._queues.setdefault(district, deque())
        queue.append(position)
        if len(queue) == 1 and district not in self._stuck:
            self._ready.append(district)

    def next(self, now: datetime) -> int | None:
        """The position of a release that is to be sent now; it is on its way from here on."""
        if self.is_stopped or (self._not_before is not None and now < self._not_before):
            return None
        if len(self._in_flight) >= (1 if self.is_failing else self._window):
            return None
        district = self._next_district(now)
        if district is None:
            return None
        position = self._queues[district][0]
        self._attempts += 1
        self._in_flight[position] = self._attempts
        return position

    def _next_district(self, now: datetime) -> str | None:
        if self._ready:
            return self._ready.popleft()
        due = [
            (self._queues[district][0], district)
            for district, stuck in self._stuck.items()
            if stuck.not_before <= now and self._queues[district][0] not in self._in_flight
        ]
        return min(due)[1] if due else None

    def put_back(self, position: int) -> None:
        """It was not sent after all; it is the next of its district again."""
        del self._in_flight[position]
        if self._open[position] not in self._stuck:
            self._ready.appendleft(self._open[position])

    def delivered(self, position: int, now: datetime) -> None:
        """The target has it."""
        self._delivered += 1
        self._last_success = now
        self._failures, self._failing_since, self._not_before, self._last_error = 0, None, None, ""
        self._window = min(self._window + 1, self._districts_at_once)
        self._done(position)

    def given_up(self, position: int, reason: str) -> None:
        """The target will never take it."""
        self._given_up += 1
        self._last_error = reason[:LONGEST_ERROR]
        self._done(position)

    def failed(self, position: int, outcome: TryAgain, now: datetime, about: Chance) -> bool:
        """It did not work; True when the patience with the release or the target has ended."""
        attempt = self._in_flight.pop(position)
        district = self._open[position]
        before = self._stuck.get(district) or Stuck(0, now, now)
        count = before.failures + 1
        pause = back_off(count, chance=about.chance, at_least_seconds=outcome.after_seconds)
        self._stuck[district] = Stuck(count, before.since, now + pause)
        self._last_error = outcome.reason[:LONGEST_ERROR]
        self._window = FIRST_WINDOW
        self._failing_since = self._failing_since or now
        # Those that were on their way together fail as one: they say nothing new about the target.
        if attempt > self._failed_attempt:
            self._failures += 1
            self._failed_attempt = self._attempts
            # A single release that fails pauses its own district alone, but for a wait that the target asked for.
            if self._failures > 1 or outcome.after_seconds:
                pause = back_off(self._failures, chance=about.chance, at_least_seconds=outcome.after_seconds)
                self._not_before = now + pause
        return now - min(self._failing_since, before.since) >= about.patience

    def standing(self) -> Standing:
        """What is to be kept."""
        return Standing(
            self.epoch,
            Progress(
                self.position,
                dict(self._open),
                dict(self._stuck),
                self._failures,
                self._failing_since,
                self._not_before,
                self._last_success,
                self._last_error,
                self._delivered,
                self._given_up,
            ),
        )

    def _done(self, position: int) -> None:
        del self._in_flight[position]
        district = self._open.pop(position)
        self._stuck.pop(district, None)
        queue = self._queues[district]
        assert queue.popleft() == position, "a district's oldest release is dealt with first"
        if queue:
            self._ready.append(district)
        else:
            del self._queues[district]
