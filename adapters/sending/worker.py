"""Hands letters over: one thread with one event loop for the channels, and one that follows the log for both.

Right before each hand-over it is asked once more whether it may be: not after an emergency stop, not when a newer plan
of the warning has come, not past its end, and not by a worker that others take for dead. Addresses are asked of the
vault at that moment; they are in no row and no line of any log.
"""

import asyncio
import logging
import random
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Self, TypeVar, assert_never

from adapters.channels.port import (
    Accepted,
    DeliveryReceipt,
    Incoming,
    Later,
    Outcome,
    Refused,
)
from adapters.sending.addressing import Addresses, addressed
from adapters.sending.filling import Preferences
from adapters.sending.following import TRY_AGAIN_SECONDS, LogFollower, attempted
from adapters.sending.lane import Lane, Pace, Route
from adapters.sending.letters import Handed, Lease, NextChannel, PutBack, Result, Withdrawn, letter_of, where, without
from adapters.sending.outbox import Outbox
from domain.back_off import back_off
from domain.messages import Mode
from domain.ports import Clock, EventLog
from domain.recipients import ChannelKind
from domain.sending import Ending, gives_up
from streams.park import Failed, attempt

log = logging.getLogger(__name__)

T = TypeVar("T")


class SendingWorker:
    """Empties the outbox while it is entered."""

    def __init__(  # noqa: PLR0913 -- what it works with is all of these
        self,
        *,
        outbox: Outbox,
        events: EventLog,
        addresses: Addresses,
        preferences: Preferences,
        routes: Sequence[Route],
        clock: Clock,
        pace: Pace | None = None,
        incoming: Callable[[str, Incoming], None] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`incoming` is given what people send to us, with the route's name, in the loop's thread: it is quick."""
        self._outbox = outbox
        self._events = events
        self._addresses = addresses
        self._preferences = preferences
        self._routes = routes
        self._clock = clock
        self._pace = pace or Pace()
        self._incoming = incoming
        self._chance = chance
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sending")
        self._follower = LogFollower(outbox, events, preferences, clock, self._pace, self._wake)
        self._database = ThreadPoolExecutor(1, thread_name_prefix="sending-outbox")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lanes: list[Lane] = []
        self._results: list[tuple[Lane, Lease, Result]] = []
        self.handed = 0
        self._receipts: dict[str, list[DeliveryReceipt]] = {}
        self._to_settle = asyncio.Event()
        self._serves = True

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        self._ready.wait()
        self._follower.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End: what is under way may finish for a while, and what is broken off is in doubt."""
        self._stop.set()
        self._wake()
        self._thread.join()
        self._follower.end()
        self._database.shutdown()
        for last in (partial(self._outbox.report, self._clock.now()), self._outbox.leave):
            done = attempted(last)
            if isinstance(done, Failed):
                log.error(
                    "the outbox could not be left in order; the next start finds what is open", exc_info=done.error
                )

    # --- the channels' thread -------------------------------------------------------------------------------

    def _wake(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news_for_all)

    def _news_for_all(self) -> None:
        for lane in self._lanes:
            lane.news.set()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lanes = [Lane(route, self._pace, self._chance) for route in self._routes]
        settling = asyncio.create_task(self._settle())
        hearing = [asyncio.create_task(self._again_and_again(self._hear, lane)) for lane in self._lanes]
        serving = [asyncio.create_task(self._again_and_again(self._serve_lane, lane)) for lane in self._lanes]
        self._ready.set()
        await asyncio.gather(*serving)
        await self._break_off(self._pace.close_seconds)
        for lane in self._lanes:
            await lane.route.channel.close()
        for task in hearing:
            task.cancel()
        await asyncio.gather(*hearing, return_exceptions=True)
        self._serves = False  # only now: a lease that was being made when the end came has its results too
        self._to_settle.set()
        await settling

    async def _again_and_again(self, do: Callable[[Lane], Awaitable[None]], lane: Lane) -> None:
        """A defect in one route must end neither it nor the others."""
        while not self._stop.is_set():
            [ended] = await asyncio.gather(do(lane), return_exceptions=True)
            if not isinstance(ended, Exception):
                return
            log.error("a defect in the route %s, which goes on: %s", lane.route.channel.name, where(ended))
            await asyncio.sleep(TRY_AGAIN_SECONDS)

    async def _serve_lane(self, lane: Lane) -> None:
        await lane.route.channel.open()
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            lane.news.clear()
            if self._outbox.standing.is_stopped:
                await self._break_off(self._pace.stop_grace_seconds, lane)
            elif lane.room > 0 and loop.time() >= lane.down_until and await self._lease(lane):
                continue
            await _news_or(lane.news, self._pace.look_seconds)

    async def _lease(self, lane: Lane) -> bool:
        """Lease and begin; True when there was something."""
        channel = lane.route.channel
        modes = [mode for mode in Mode if mode in lane.route.modes]
        if lane.is_back:
            lane.is_back = False  # before it is done: it may go down and be back meanwhile
            forward = partial(self._outbox.bring_forward, modes, channel.kind, self._clock.now())
            if isinstance(await self._done(forward), Failed):
                lane.is_back = True
                return False
        found: list[Lease] = []
        for mode in modes:
            got = await self._done(
                partial(self._outbox.lease, mode, channel.kind, lane.room - len(found), self._clock.now())
            )
            found += [] if isinstance(got, Failed) else got
        if not found:
            return False
        lane.leased += len(found)
        known = await self._done(partial(self._addressed, channel.kind, found))
        for lease in found:
            if isinstance(known, Failed):
                due = self._clock.now() + timedelta(seconds=TRY_AGAIN_SECONDS)
                self._end(lane, lease, PutBack(due))
            elif lane.is_back:  # more urgent ones may go before it
                self._end(lane, lease, PutBack(self._clock.now()))
            else:
                self._begin(lane, lease, known[lease.number])
        self._start(lane)
        return True

    def _addressed(self, kind: ChannelKind, leases: Sequence[Lease]) -> dict[int, str | Ending]:
        reached = self._addresses.reached([lease.number for lease in leases], kind)
        return addressed(leases, reached, self._outbox, self._clock.now(), self._pace.same_words_seconds)

    def _begin(self, lane: Lane, lease: Lease, address: str | Ending) -> None:
        now = self._clock.now()
        match address:
            case Ending.NO_ADDRESS:
                self._end(lane, lease, NextChannel(lane.route.channel.name, Ending.NO_ADDRESS, "", now))
            case Ending():
                self._end(lane, lease, Withdrawn(address, now))
            case str():
                lane.add(lease, address)

    def _start(self, lane: Lane) -> None:
        """Begin what is leased, the most urgent first, as far as the route's window goes."""
        loop = asyncio.get_running_loop()
        while (next_one := lane.take()) is not None:
            lease, address = next_one
            task = loop.create_task(self._carry(lane, lease, address))
            lane.under_way[task] = lease
            task.add_done_callback(partial(self._carried, lane))

    def _carried(self, lane: Lane, task: asyncio.Task[None]) -> None:
        """A hand-over that was broken off, or met a defect, may have gone out: its lease ends in doubt."""
        lease, begun = lane.under_way.pop(task), task in lane.begun
        lane.begun.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("a defect in the route %s: %s", lane.route.channel.name, where(error))
            self._end(lane, lease, self._later(lane, lease, Later(type(error).__name__), in_doubt=begun))
        elif task.cancelled():
            self._end(lane, lease, PutBack(self._clock.now(), in_doubt=begun))

    async def _carry(self, lane: Lane, lease: Lease, address: str) -> None:
        task = asyncio.current_task()
        assert task is not None, "within a task of its own"
        wait = lane.slot(asyncio.get_running_loop().time())
        if wait > 0:
            await asyncio.sleep(wait)
        if not self._may_go(lane, lease):
            self._end(lane, lease, PutBack(self._clock.now()))
            return
        lane.begun.add(task)
        seconds = self._pace.longest_hand_over_seconds
        try:
            async with asyncio.timeout(seconds):
                outcome = await lane.route.channel.send(letter_of(lease, address))
        except TimeoutError:
            late = Later(f"no answer within {seconds:g} seconds")
            self._end(lane, lease, self._later(lane, lease, late, in_doubt=True))
            return
        self._end(lane, lease, self._result(lane, lease, without(outcome, address)))

    def _may_go(self, lane: Lane, lease: Lease) -> bool:
        """What was true at the lease must still be true now."""
        standing = self._outbox.standing
        return not (
            self._stop.is_set()
            or standing.is_stopped
            or standing.newest.get(lease.warning, 0) > lease.as_of
            or (lease.expires is not None and lease.expires <= self._clock.now())
            or not self._follower.is_awake
            or asyncio.get_running_loop().time() < lane.down_until
        )

    def _result(self, lane: Lane, lease: Lease, outcome: Outcome) -> Result:
        now, name = self._clock.now(), lane.route.channel.name
        match outcome:
            case Accepted(reference):
                self._served(lane)
                return Handed(name, reference, now)
            case Refused(reason, is_dead):
                self._served(lane)
                return NextChannel(name, Ending.REFUSED, reason, now, is_dead)
            case Later():
                return self._later(lane, lease, outcome)
            case _:
                assert_never(outcome)

    def _later(self, lane: Lane, lease: Lease, later: Later, *, in_doubt: bool = False) -> Result:
        now, pace = self._clock.now(), self._pace
        age = (now - lease.planned_at).total_seconds()
        attempts = lease.attempts + (0 if later.is_route_down else 1)
        if gives_up(attempts, age, most_attempts=pace.most_attempts, longest_seconds=pace.longest_seconds):
            return NextChannel(lane.route.channel.name, Ending.GIVEN_UP, later.reason, now)
        if later.is_route_down:
            lane.went_down(asyncio.get_running_loop().time(), later.after_seconds)
            self._give_back(lane)
            return PutBack(now, in_doubt=in_doubt or later.in_doubt)
        lane.put_off(asyncio.get_running_loop().time(), is_asked=later.after_seconds > 0)
        wait = back_off(
            attempts,
            chance=self._chance(),
            at_least_seconds=later.after_seconds,
            first_seconds=pace.first_wait_seconds,
            longest_seconds=pace.longest_wait_seconds,
        )
        return PutBack(now + wait, is_attempt=True, in_doubt=in_doubt or later.in_doubt)

    def _served(self, lane: Lane) -> None:
        lane.served()
        if lane.is_back:
            self._give_back(lane)

    def _give_back(self, lane: Lane) -> None:
        """What has not begun goes back, for other routes or for later."""
        for lease in lane.given_back():
            self._end(lane, lease, PutBack(self._clock.now()))

    async def _break_off(self, grace_seconds: float, lane: Lane | None = None) -> None:
        """Let what is under way finish for so long, then break it off; what has not begun goes back at once."""
        lanes = self._lanes if lane is None else [lane]
        for one in lanes:
            self._give_back(one)
        tasks = [task for one in lanes for task in one.under_way]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace_seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    # --- what comes back ------------------------------------------------------------------------------------

    def _end(self, lane: Lane, lease: Lease, result: Result) -> None:
        self._results.append((lane, lease, result))
        self.handed += isinstance(result, Handed)
        self._to_settle.set()

    async def _settle(self) -> None:
        """Store results and receipts, many in one transaction; until they are stored they are kept here."""
        while True:
            if not self._results and not self._receipts:
                if self._is_over():
                    return
                await _news_or(self._to_settle, self._pace.look_seconds)
                self._to_settle.clear()
                continue
            results, self._results = self._results, []
            receipts, self._receipts = self._receipts, {}
            done = await self._done(partial(self._store, results, receipts))
            if isinstance(done, Failed):
                self._results = results + self._results
                for route, some in receipts.items():
                    self._receipts[route] = some + self._receipts.get(route, [])
                if not self._serves:
                    return
                await asyncio.sleep(TRY_AGAIN_SECONDS)
                continue
            for lane, lease, _ in results:
                lane.settled(lease)
            for lane in {lane for lane, _, _ in results}:
                self._start(lane)
                lane.news.set()

    def _is_over(self) -> bool:
        return not self._serves and not any(lane.leased or lane.under_way for lane in self._lanes)

    def _store(
        self, results: Sequence[tuple[Lane, Lease, Result]], receipts: Mapping[str, Sequence[DeliveryReceipt]]
    ) -> None:
        self._outbox.settle([(lease, result) for _, lease, result in results])
        for route, some in receipts.items():
            self._outbox.received(route, some, self._clock.now())

    async def _hear(self, lane: Lane) -> None:
        name = lane.route.channel.name
        async for came in lane.route.channel.receipts():
            match came:
                case DeliveryReceipt():
                    self._receipts.setdefault(name, []).append(came)
                    self._to_settle.set()
                case Incoming():
                    self._tell_incoming(name, came)
                case _:
                    assert_never(came)

    def _tell_incoming(self, name: str, came: Incoming) -> None:
        if self._incoming is None:
            log.warning("the route %s brought a message, and nobody takes in messages", name)
            return
        told = attempt(partial(self._incoming, name, came))
        if isinstance(told, Failed):
            log.error("a message that the route %s brought could not be taken in", name, exc_info=told.error)

    async def _done(self, do: Callable[[], T]) -> T | Failed:
        """Do something with the outbox beside the loop; what fails is told and may be tried again."""
        done = await asyncio.get_running_loop().run_in_executor(self._database, attempted, do)
        if isinstance(done, Failed):
            log.error("the outbox refuses now", exc_info=done.error)
        return done


async def _news_or(news: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return
