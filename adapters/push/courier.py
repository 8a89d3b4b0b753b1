"""Hands releases over to targets: one thread with one event loop, each target at its own pace.

A target that fails is tried by one release at a time, and all failing targets together have places of their own, so
that they never take one from a target that answers.
"""

import asyncio
import logging
import random
import threading
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Final, Self

import uvloop

from adapters.push.lane import Chance, Lane
from adapters.push.pace import Pace, Places
from adapters.push.shelf import Shelf
from adapters.push.state import PushState
from adapters.push.target import Delivered, GivenUp, Gone, Outcome, Parcel, Target, TargetEvents, TryAgain
from domain.ports import Clock, EventLog, LogUnavailableError
from streams.park import Failed, attempt

log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 0.25
"""How long the log is waited for at most, so that an end is not waited for longer."""


class Courier:
    """Serves targets while it is entered."""

    def __init__(  # noqa: PLR0913 -- everything outside of it is an argument
        self,
        log: EventLog,
        clock: Clock,
        state: PushState,
        targets: Callable[[], Mapping[str, Target]],
        events: TargetEvents,
        *,
        pace: Pace | None = None,
        chance: Callable[[], float] = random.random,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`targets` gives those that are to be served by their ids; it is asked before each sending, so it is quick.

        `close` closes what the targets hold open, in the courier's event loop.
        """
        self._log = log
        self._clock = clock
        self._state = state
        self._targets = targets
        self._events = events
        self._pace = pace or Pace()
        self._chance = chance
        self._close = close
        self._shelf = Shelf(log)
        self._lanes: dict[str, Lane] = {}
        self._dirty: set[Lane] = set()
        self._calm = Places(self._pace.releases_at_once)
        self._failing = Places(self._pace.failing_at_once)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier")
        self._listener = threading.Thread(target=self._listen, name="courier-listener")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news, self._marks = asyncio.Event(), asyncio.Event()
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        self._ready.wait()
        self._listener.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End: what is on its way is broken off, and repeated under the same key by the next run."""
        self._stop.set()
        self._wake()
        self._thread.join()
        self._listener.join()

    def _wake(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    def _listen(self) -> None:
        """Wakes the loop when the log has grown."""
        while not self._stop.is_set():
            waited = attempt(lambda: self._log.wait(after=self._shelf.head, timeout_seconds=WAIT_SECONDS))
            if isinstance(waited, Failed):
                log.error("the courier cannot wait for the log", exc_info=waited.error)
                self._stop.wait(1.0)
            elif waited:
                self._wake()
                # Until the loop has looked, waiting for more would return at once and burn the processor.
                self._stop.wait(0.001)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        marking = asyncio.create_task(self._mark())
        self._ready.set()
        try:
            await self._rounds()
        finally:
            marking.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(marking, *self._tasks, return_exceptions=True)
            self._write_marks()
            if self._close is not None:
                await self._close()

    async def _rounds(self) -> None:
        next_look = 0.0
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            self._news.clear()
            looks = loop.time() >= next_look
            if looks:
                next_look = loop.time() + self._pace.tick_seconds
            done = attempt(partial(self._round, looks_for_targets=looks))
            if isinstance(done, Failed):
                log.error("a round of the courier failed, and is tried again", exc_info=done.error)
                await asyncio.sleep(1.0)
            elif done:  # there is more to read; what is on its way goes first
                await asyncio.sleep(0)
            else:
                await self._news_or_tick()

    async def _news_or_tick(self) -> None:
        try:
            async with asyncio.timeout(self._pace.tick_seconds):
                await self._news.wait()
        except TimeoutError:
            return

    def _round(self, *, looks_for_targets: bool) -> bool:
        """Read what is new, take in changes of targets, and send what may be sent; True when more is to be read."""
        try:
            if looks_for_targets:
                self._look_for_targets()
            is_more = self._shelf.look()
        except LogUnavailableError as error:
            log.warning("the courier cannot read the log now: %s", error)
            return False
        for lane in self._lanes.values():
            is_more |= self._fill(lane)
            self._queue(lane)
        self._send()
        return is_more

    def _look_for_targets(self) -> None:
        targets, epochs = self._targets(), self._state.epochs()
        for identifier, target in targets.items():
            lane = self._lanes.get(identifier)
            if lane is None:
                standing = self._state.begin(identifier, self._log.head())
                self._lanes[identifier] = Lane(target, standing, self._pace.districts_at_once)
            elif lane.epoch != epochs.get(identifier):
                # Somebody has moved it: what is on its way ends first, then it begins again from there.
                lane.is_stopped = True
                if lane.is_idle:
                    self._forget(lane)
            else:
                lane.target = target
        for identifier in self._lanes.keys() - targets.keys():
            lane = self._lanes[identifier]
            lane.is_stopped = True
            if lane.is_idle:
                self._forget(lane)

    def _forget(self, lane: Lane) -> None:
        self._write_marks()
        del self._lanes[lane.target.id]

    def _fill(self, lane: Lane) -> bool:
        """Read for a lane; True when there is more."""
        if not lane.has_room() or lane.position >= self._shelf.head:
            return False
        try:
            page, until = self._shelf.after(lane.position)
        except LogUnavailableError:  # the next round tells
            return False
        for parcel in page:
            if lane.target.wants(parcel.release):
                lane.take(parcel)
        lane.position = until
        self._touch(lane)
        return lane.has_room() and lane.position < self._shelf.head

    def _queue(self, lane: Lane) -> None:
        if not lane.is_queued and not lane.is_stopped:
            lane.is_queued = True
            (self._failing if lane.is_failing else self._calm).queue.append(lane)

    def _send(self) -> None:
        """Each lane in its turn, one release a turn."""
        now = self._clock.now()
        for places in (self._calm, self._failing):
            while places.queue and places.taken < places.most:
                lane = places.queue.popleft()
                lane.is_queued = False
                position = lane.next(now)
                if position is None:
                    continue
                target = self._targets().get(lane.target.id)
                if target is None:  # disabled in this moment
                    lane.put_back(position)
                    lane.is_stopped = True
                    continue
                lane.target = target
                places.taken += 1
                task = asyncio.get_running_loop().create_task(self._carry(lane, position, places))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                self._queue(lane)

    async def _carry(self, lane: Lane, position: int, places: Places) -> None:
        """Hand one release over, and act on what became of it."""
        try:
            parcel = self._shelf.at(position)
            [outcome] = await asyncio.gather(self._handed(lane.target, parcel), return_exceptions=True)
        except LogUnavailableError as error:
            log.warning("the courier cannot read the log now: %s", error)
            lane.put_back(position)
            return
        finally:
            places.taken -= 1
        if isinstance(outcome, BaseException):
            log.error("a defect in the target %s", lane.target.id, exc_info=outcome)
            outcome = TryAgain(f"a defect: {type(outcome).__name__}")
        self._act(lane, parcel, outcome)
        self._touch(lane)
        if self._fill(lane):
            self._news.set()
        self._queue(lane)
        self._send()

    async def _handed(self, target: Target, parcel: Parcel) -> Outcome:
        try:
            async with asyncio.timeout(self._pace.longest_hand_over_seconds):
                return await target.hand_over(parcel)
        except TimeoutError:
            return TryAgain(f"not done within {self._pace.longest_hand_over_seconds:g} seconds")

    def _act(self, lane: Lane, parcel: Parcel, outcome: Outcome) -> None:
        now, target = self._clock.now(), lane.target
        match outcome:
            case Delivered():
                lane.delivered(parcel.position, now)
            case GivenUp(reason):
                lane.given_up(parcel.position, reason)
                self._tell(lambda: self._events.given_up(target, parcel, reason))
            case TryAgain(reason):
                if lane.failed(parcel.position, outcome, now, Chance(self._chance(), self._pace.patience)):
                    self._stop_lane(lane, lambda: self._events.failing_too_long(target, parcel, reason))
            case Gone(reason):
                lane.failed(parcel.position, TryAgain(reason), now, Chance(self._chance(), self._pace.patience))
                self._stop_lane(lane, lambda: self._events.gone(target, reason))

    def _stop_lane(self, lane: Lane, tell: Callable[[], None]) -> None:
        if not lane.is_stopped:
            lane.is_stopped = True
            self._touch(lane)
            self._tell(self._write_marks)
            self._tell(tell)

    def _tell(self, tell: Callable[[], None]) -> None:
        told = attempt(tell)
        if isinstance(told, Failed):
            log.error("what became of a target could not be recorded", exc_info=told.error)

    def _touch(self, lane: Lane) -> None:
        self._dirty.add(lane)
        self._marks.set()

    async def _mark(self) -> None:
        """Keep what was done, many lanes and releases in one transaction."""
        while True:
            await self._marks.wait()
            await asyncio.sleep(self._pace.mark_seconds)
            self._marks.clear()
            kept = attempt(self._write_marks)
            if isinstance(kept, Failed):
                log.error("the courier's marks cannot be kept, and are tried again", exc_info=kept.error)
                await asyncio.sleep(1.0)
                self._marks.set()

    def _write_marks(self) -> None:
        changed = list(self._dirty)
        if changed:
            self._state.write((lane.target.id, lane.standing()) for lane in changed)
            self._dirty.difference_update(changed)
