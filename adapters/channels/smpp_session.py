"""One connection to an SMSC: which unit answers which, how many are unanswered, and whether the other side still lives.

What answers mean is decided elsewhere. A session ends once; whoever wants another makes a new one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from adapters.channels.smpp_pace import Pace
from adapters.channels.smpp_pdu import (
    LAST_SEQUENCE,
    RESPONSE,
    Command,
    MalformedError,
    Pdu,
    PduReader,
)
from adapters.channels.smpp_statuses import INVALID_COMMAND, OK

log = logging.getLogger(__name__)

_MOST_LATE: Final = 10_000
_MOST_TOGETHER: Final = 16
_TICKS_PER_TIMEOUT: Final = 10
_LONGEST_TICK_SECONDS: Final = 1.0

Handler = Callable[["Session", Pdu], None]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What was sent may have arrived, or not."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """The connection ended before it was sent."""

    reason: str


@dataclass(slots=True)
class _Asked:
    """A unit that waits for its answer; `on_late` is told an answer that comes after it was given up."""

    future: asyncio.Future[Pdu | Unanswered]
    sent_at: float
    on_late: Callable[[Pdu], None] | None
    has_slot: bool


class Session(asyncio.Protocol):
    """A connection; `ended` is set with the reason when it is gone."""

    def __init__(self, pace: Pace, *, response_seconds: float, enquire_link_seconds: float, deliver: Handler) -> None:
        """`deliver` is told what the SMSC hands over and answers it by `answer`."""
        self._loop = asyncio.get_running_loop()
        self._pace = pace
        self._response_seconds = response_seconds
        self._enquire_link_seconds = enquire_link_seconds
        self._deliver = deliver
        self._reader = PduReader()
        self._transport: asyncio.WriteTransport | None = None
        self._sequence = 0
        self._asked: dict[int, _Asked] = {}
        self._late: dict[int, Callable[[Pdu], None]] = {}
        self._slots_taken = 0
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._outgoing: list[bytes] = []
        self._is_writable = True
        self._heard_at = self._loop.time()
        self._enquiring: asyncio.Future[Pdu | Unanswered] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._resuming: asyncio.TimerHandle | None = None
        self._why = ""
        self.ended: asyncio.Future[str] = self._loop.create_future()

    # What others ask of it.

    async def request(self, command: Command, body: bytes = b"") -> Pdu | Unanswered:
        """Send a unit that takes no part in the window, and wait for its answer."""
        return await self._ask(command, body, None, has_slot=False)

    async def submit(self, body: bytes, on_late: Callable[[Pdu], None]) -> tuple[Pdu | Unanswered | NotSent, float]:
        """Send a `submit_sm` when its turn comes; its answer, and when it was sent."""
        # The line may break between being given a turn and taking it.
        if not await self._turn() or self._transport is None:
            return NotSent(self._why), self._loop.time()
        sent_at = self._loop.time()
        return await self._ask(Command.SUBMIT_SM, body, on_late, has_slot=True), sent_at

    def answer(self, pdu: Pdu, status: int = OK) -> None:
        """Answer what the SMSC has sent."""
        body = b"\0" if pdu.command in {Command.DELIVER_SM, Command.DATA_SM} else b""
        self._write(Pdu(pdu.command | RESPONSE, status, pdu.sequence, body))

    def end(self, why: str) -> None:
        """Drop the connection, after what was written has left."""
        self._why = self._why or why
        if self._transport is not None:
            self._flush()
            self._transport.close()
            # A peer that reads nothing any more would hold an orderly close up for ever.
            self._loop.call_later(_LONGEST_TICK_SECONDS, self._transport.abort)

    # What the connection tells it.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The way is open; nothing is bound yet."""
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's are no subclasses
        self._tick()

    def data_received(self, data: bytes) -> None:
        """Some units, or a piece of one."""
        self._heard_at = self._loop.time()
        try:
            for pdu in self._reader.feed(data):
                self._received(pdu)
        except MalformedError as error:
            log.warning("the SMSC sent what is not SMPP: %s", error)
            self.end(f"what the SMSC sent is not SMPP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        """All that is unanswered stays so."""
        self._why = self._why or (f"connection lost: {exc}" if exc else "the SMSC closed the connection")
        for timer in (self._timer, self._resuming):
            if timer is not None:
                timer.cancel()
        self._transport = None
        for asked in self._asked.values():
            if not asked.future.done():
                asked.future.set_result(Unanswered(f"no answer to what was sent: {self._why}"))
        self._asked.clear()
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(False)
        if not self.ended.done():
            self.ended.set_result(self._why)

    def pause_writing(self) -> None:
        """The SMSC does not read as fast as we write."""
        self._is_writable = False

    def resume_writing(self) -> None:
        """It does again."""
        self._is_writable = True
        self._wake()

    # Units.

    def _received(self, pdu: Pdu) -> None:
        if pdu.command & RESPONSE:
            self._answered(pdu)
            return
        match pdu.command:
            case Command.DELIVER_SM | Command.DATA_SM:
                self._deliver(self, pdu)
            case Command.ENQUIRE_LINK:
                self.answer(pdu)
            case Command.UNBIND:
                self.answer(pdu)
                self.end("the SMSC has unbound")
            case Command.ALERT_NOTIFICATION:
                pass  # has no answer
            case _:
                self._write(Pdu(Command.GENERIC_NACK, INVALID_COMMAND, pdu.sequence))

    def _answered(self, pdu: Pdu) -> None:
        asked = self._asked.pop(pdu.sequence, None)
        if asked is None:
            late = self._late.pop(pdu.sequence, None)
            if late is not None:
                late(pdu)
            return
        if asked.has_slot:
            self._slots_taken -= 1
            if self._waiting:
                self._wake()
        if not asked.future.done():
            asked.future.set_result(pdu)

    def _ask(
        self, command: Command, body: bytes, on_late: Callable[[Pdu], None] | None, *, has_slot: bool
    ) -> asyncio.Future[Pdu | Unanswered]:
        self._sequence = self._sequence % LAST_SEQUENCE + 1
        future: asyncio.Future[Pdu | Unanswered] = self._loop.create_future()
        if self._transport is None:
            future.set_result(Unanswered(self._why))
            return future
        self._asked[self._sequence] = _Asked(future, self._loop.time(), on_late, has_slot)
        self._write(Pdu(command, OK, self._sequence, body))
        return future

    def _write(self, pdu: Pdu) -> None:
        """Together with what else is written in this turn of the loop: one call to the system for all of it."""
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(pdu.packed())
        if len(self._outgoing) >= _MOST_TOGETHER:
            self._flush()

    def _flush(self) -> None:
        if self._outgoing and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    # Turns.

    def _may_go(self) -> bool:
        return (
            self._is_writable and self._slots_taken < self._pace.allowed and self._loop.time() >= self._pace.resume_at
        )

    async def _turn(self) -> bool:
        """Wait for a place in the window, in the order of asking; False if the connection ends before."""
        if self._transport is None or self._why:
            return False
        if not self._waiting and self._may_go():
            self._slots_taken += 1
            return True
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._waiting.append(waiter)
        self._wake()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.result():
                self._slots_taken -= 1
                self._wake()
            raise

    def _wake(self) -> None:
        while self._waiting and self._may_go():
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._slots_taken += 1
                waiter.set_result(True)
        wait = self._pace.resume_at - self._loop.time()
        if self._waiting and wait > 0 and self._resuming is None:
            self._resuming = self._loop.call_later(wait, self._resume)

    def _resume(self) -> None:
        self._resuming = None
        self._wake()

    # The clock.

    def _tick(self) -> None:
        now = self._loop.time()
        self._give_up_the_oldest(now)
        silent = now - self._heard_at
        if self._enquiring is not None and self._enquiring.done():
            self._enquiring = None
        if self._enquiring is None and silent >= self._enquire_link_seconds:
            self._enquiring = self._ask(Command.ENQUIRE_LINK, b"", None, has_slot=False)
        elif silent >= self._enquire_link_seconds + self._response_seconds:
            self.end(f"the SMSC has been silent for {silent:.0f} s")
            return
        self._wake()
        often = min(self._response_seconds / _TICKS_PER_TIMEOUT, self._enquire_link_seconds, _LONGEST_TICK_SECONDS)
        self._timer = self._loop.call_later(often, self._tick)

    def _give_up_the_oldest(self, now: float) -> None:
        """They stand in the order in which they were sent, so that the first that is young enough ends the search."""
        while self._asked:
            sequence = next(iter(self._asked))
            asked = self._asked[sequence]
            if now - asked.sent_at < self._response_seconds:
                return
            del self._asked[sequence]
            if asked.has_slot:
                self._slots_taken -= 1
            if asked.on_late is not None:
                self._late[sequence] = asked.on_late
                if len(self._late) > _MOST_LATE:
                    del self._late[next(iter(self._late))]
            if not asked.future.done():
                asked.future.set_result(Unanswered(f"no answer within {self._response_seconds:g} s"))
