"""Several routes as one channel: a letter goes by the first route of its number's carrier that is not down.

A route that is down is left alone for a wait that grows; then one letter finds out whether it is back. A letter that
may have arrived is not handed to another route at once: it goes back in doubt, so that its repetition is on record.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, assert_never

from adapters.channels.carriers_definition import CarriersDefinition
from adapters.channels.carriers_numbers import carrier_of
from adapters.channels.port import Accepted, Channel, DeliveryReceipt, Incoming, Later, Letter, Outcome, Refused
from adapters.channels.smpp_inbox import Inbox
from domain.back_off import back_off
from domain.recipients import ChannelKind

log = logging.getLogger(__name__)

_RANDOM: Final = secrets.SystemRandom()
_ROOM_SECONDS: Final = 10.0
"""How long a letter waits for room in a route that is full; the worker breaks a hand-over off after longer."""

SEPARATOR: Final = ":"


@dataclass(eq=False, slots=True)
class Member:
    """One route, and how it fares. All times are the event loop's."""

    channel: Channel
    room: asyncio.Semaphore
    failures: int = 0
    down_until: float = 0.0
    is_probed: bool = False

    def may_be_tried(self, now: float) -> bool:
        """Whether it is not known to be down; after its wait one letter at a time finds out."""
        return not self.failures or (now >= self.down_until and not self.is_probed)


class CarriersChannel:
    """Routes of one kind, chosen by carrier. The members are opened, heard and closed by it and by nobody else."""

    def __init__(
        self,
        definition: CarriersDefinition,
        members: Mapping[str, Channel],
        *,
        chance: Callable[[], float] = _RANDOM.random,
    ) -> None:
        """`members` are the routes that the definition names, all of one kind."""
        self._definition = definition
        self._members = {name: Member(channel, asyncio.Semaphore(channel.window)) for name, channel in members.items()}
        [self._kind] = {channel.kind for channel in members.values()}
        self._chance = chance
        self._inbox = Inbox()
        self._hearing: list[asyncio.Task[None]] = []
        self._is_closing = False

    @property
    def name(self) -> str:
        """The route's name in `connections.toml`."""
        return self._definition.id

    @property
    def kind(self) -> ChannelKind:
        """What all members are routes of."""
        return self._kind

    @property
    def window(self) -> int:
        """As many as all members take together."""
        return sum(member.channel.window for member in self._members.values())

    @property
    def members(self) -> Sequence[Channel]:
        """The routes."""
        return [member.channel for member in self._members.values()]

    async def open(self) -> None:
        """Open every member at once, and begin to hear them."""
        if self._hearing or self._is_closing:
            return
        await asyncio.gather(*(member.channel.open() for member in self._members.values()))
        for member in self._members.values():
            task = asyncio.create_task(self._hear(member.channel))
            task.add_done_callback(partial(_tell_defect, member.channel.name))
            self._hearing.append(task)

    async def close(self) -> None:
        """Close every member, then end `receipts`; what was not worked off is left to each member."""
        self._is_closing = True
        await asyncio.gather(*(member.channel.close() for member in self._members.values()))
        for task in self._hearing:
            task.cancel()
        await asyncio.gather(*self._hearing, return_exceptions=True)
        self._inbox.close()

    def receipts(self) -> AsyncIterator[DeliveryReceipt | Incoming]:
        """What every member brings; a receipt's reference begins with its member's name."""
        return self._inbox

    async def send(self, letter: Letter) -> Outcome:
        """Hand one letter over by the first route that is not down."""
        definition = self._definition
        if letter.mode is not definition.mode:
            return Refused(f"{self.name} is a route for {definition.mode.value}, and this is {letter.mode.value}")
        reasons: list[str] = []
        for name in definition.carriers.get(carrier_of(letter.address), definition.default):
            member = self._members[name]
            if not member.may_be_tried(asyncio.get_running_loop().time()):
                continue
            outcome = await self._tried(member, letter)
            match outcome:
                case Accepted(reference):
                    return Accepted(f"{name}{SEPARATOR}{reference}" if reference else "")
                case Refused():
                    return outcome
                case Later(reason, is_route_down=True, in_doubt=False):
                    reasons.append(f"{name}: {reason}")
                case Later():
                    return replace(outcome, reason=f"{name}: {outcome.reason}", is_route_down=False)
                case _:
                    assert_never(outcome)
        return self._all_down(letter, reasons)

    async def _tried(self, member: Member, letter: Letter) -> Outcome:
        is_probe = member.failures > 0
        if is_probe:
            member.is_probed = True
        try:
            if not await _has_room(member.room):
                return Later("no room in this route")
            try:
                if member.failures and not is_probe:
                    return Later("it went down meanwhile", is_route_down=True)
                outcome = await member.channel.send(letter)
            finally:
                member.room.release()
            self._judge(member, outcome)
            return outcome
        finally:
            if is_probe:
                member.is_probed = False

    def _judge(self, member: Member, outcome: Outcome) -> None:
        now = asyncio.get_running_loop().time()
        match outcome:
            case Later(after_seconds=seconds) if outcome.is_route_down or outcome.in_doubt:
                if now < member.down_until:  # those that were under way with the first
                    return
                member.failures += 1
                wait = back_off(
                    member.failures,
                    chance=self._chance(),
                    at_least_seconds=seconds,
                    first_seconds=self._definition.first_wait_seconds,
                    longest_seconds=self._definition.longest_wait_seconds,
                )
                member.down_until = now + wait.total_seconds()
            case Accepted() | Refused() | Later():
                member.failures = 0
                member.down_until = 0.0
            case _:
                assert_never(outcome)

    def _all_down(self, letter: Letter, reasons: Sequence[str]) -> Later:
        now = asyncio.get_running_loop().time()
        order = self._definition.carriers.get(carrier_of(letter.address), self._definition.default)
        wait = max(0.0, min(self._members[name].down_until for name in order) - now)
        reason = "; ".join(reasons) or "every route is down"
        everything = all(not member.may_be_tried(now) for member in self._members.values())
        return Later(reason, after_seconds=wait, is_route_down=everything)

    async def _hear(self, channel: Channel) -> None:
        async for came in channel.receipts():
            done = asyncio.Event()
            self._inbox.put(self._named(channel.name, came), done.set)
            await done.wait()  # only then is the next asked for, which says that this one has been worked off

    @staticmethod
    def _named(name: str, came: DeliveryReceipt | Incoming) -> DeliveryReceipt | Incoming:
        if isinstance(came, DeliveryReceipt):
            return replace(came, reference=f"{name}{SEPARATOR}{came.reference}")
        return came


async def _has_room(room: asyncio.Semaphore) -> bool:
    """Whether there was room within the time for it; it is taken then."""
    try:
        async with asyncio.timeout(_ROOM_SECONDS):
            return await room.acquire()
    except TimeoutError:
        return False


def _tell_defect(name: str, task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:  # by its kind alone: its words might repeat an address
        log.error("a defect ended what the route %s hears: %s", name, type(error).__name__)
