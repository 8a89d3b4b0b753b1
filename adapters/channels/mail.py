"""The e-mail channel: a few lasting connections to one SMTP server, and the letters that wait for one of them.

What to write and what replies mean is decided in `mail_dialogue` and `mail_replies`; how a mail looks in
`mail_message`. Here letters, connections and waiting are brought together.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

from adapters.channels.mail_addresses import NotAnAddressError, mailbox
from adapters.channels.mail_connecting import Connector, NotConnectedError
from adapters.channels.mail_dialogue import Job, lost
from adapters.channels.mail_message import MessageWriter
from adapters.channels.mail_session import MailSession
from adapters.channels.port import DeliveryReceipt, Later, Letter, Outcome, Refused
from domain.back_off import back_off
from domain.messages import Mode
from domain.recipients import ChannelKind

log = logging.getLogger(__name__)

LETTERS_PER_CONNECTION: Final = 4
"""One whose content is being taken, one whose commands follow it, and two that are made ready meanwhile."""

LONGEST_REST_SECONDS: Final = 30.0
_LEAVE_SECONDS: Final = 2.0
_RANDOM: Final = secrets.SystemRandom()


class MailChannel:
    """One mail route. A letter that cannot be sent now comes back as `Later` at once: nothing is kept here."""

    def __init__(  # noqa: PLR0913 -- what one line of configuration each says
        self,
        name: str,
        connector: Connector,
        writer: MessageWriter,
        *,
        sender: str,
        mode: Mode = Mode.LIVE,
        connections: int = 4,
        keep_alive_seconds: float = 60.0,
        chance: Callable[[], float] = _RANDOM.random,
    ) -> None:
        """Nothing is connected before `open` or the first letter."""
        self._name = name
        self._connector = connector
        self._writer = writer
        self._sender = sender
        self._mode = mode
        self._most_connections = connections
        self._keep_alive_seconds = keep_alive_seconds
        self._chance = chance
        self._queue: deque[Job] = deque()
        self._open_letters: set[asyncio.Future[Outcome]] = set()
        self._sessions: set[MailSession] = set()
        self._idle: dict[MailSession, None] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._keeping_alive: asyncio.Task[None] | None = None
        self._failures = 0
        self._rests_until = 0.0
        self._why_down = ""
        self._is_closing = False
        self._is_closed = asyncio.Event()

    @property
    def name(self) -> str:
        """The route's name in `connections.toml`."""
        return self._name

    @property
    def kind(self) -> ChannelKind:
        """E-mail."""
        return ChannelKind.EMAIL

    @property
    def window(self) -> int:
        """How many letters keep all connections busy."""
        return self._most_connections * LETTERS_PER_CONNECTION

    async def open(self) -> None:
        """Connect as often as is allowed; what fails is tried again with the first letters."""
        self._keeping_alive = asyncio.create_task(self._keep_alive())
        attempts = [self._begin_to_connect() for _ in range(self._most_connections - self._connections)]
        await asyncio.gather(*attempts, return_exceptions=True)

    async def send(self, letter: Letter) -> Outcome:
        """Hand one letter over; the outcome is the server's reply to it, or why there is none."""
        if self._is_closing:
            return Later("the route is being closed", is_route_down=True)
        if letter.mode is not self._mode:
            return Refused(f"{self._name} is a route for {self._mode.value}, and this is {letter.mode.value}")
        try:
            to = mailbox(letter.address)
        except NotAnAddressError as error:
            return Refused(str(error), address_is_dead=True)
        if not self._sessions and (down := self._rest()) is not None:
            return down
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def finish(found: Outcome) -> None:
            if not isinstance(found, Later):
                # The server has decided about a letter: it works.
                self._failures = 0
            if not outcome.done():
                outcome.set_result(found)

        job = Job(
            sender=self._sender,
            address=to.address,
            content=self._writer.content(letter, to),
            finish=finish,
            # A caller that has gone away wants it no more; once it is on the wire it takes its course.
            is_wanted=lambda: not outcome.done(),
            needs_utf8=to.needs_utf8,
        )
        self._open_letters.add(outcome)
        self._queue.append(job)
        self._stir()
        try:
            return await outcome
        finally:
            self._open_letters.discard(outcome)

    async def receipts(self) -> AsyncIterator[DeliveryReceipt]:
        """SMTP has none: what comes back later comes as mail to the envelope's sender."""
        await self._is_closed.wait()
        nothing: tuple[DeliveryReceipt, ...] = ()
        for receipt in nothing:
            yield receipt

    async def close(self) -> None:
        """Finish what is under way, then take leave of the server."""
        self._is_closing = True
        if self._open_letters:
            await asyncio.wait(set(self._open_letters))
        tasks = [*self._connecting, *([self._keeping_alive] if self._keeping_alive else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(session.leave(_LEAVE_SECONDS) for session in set(self._sessions)))
        self._is_closed.set()

    # --- what sessions ask and tell (mail_session.Pool) ---------------------------------------------------------

    def take(self) -> Job | None:
        """The next letter that is still wanted."""
        while self._queue:
            job = self._queue.popleft()
            if job.is_wanted():
                return job
        return None

    def has_gone_idle(self, session: MailSession) -> None:
        """Remember it for the next letter."""
        self._idle[session] = None

    def has_been_lost(self, session: MailSession, why: str) -> None:
        """What it had under way is tried once more elsewhere if the server cannot have it, else left to the caller."""
        self._sessions.discard(session)
        self._idle.pop(session, None)
        under_way = session.dialogue.under_way
        if session.dialogue.is_told_to_leave and not self._is_closing:
            self._fail(why)
        elif under_way:
            log.warning("%s: %s", self._name, why)
            self._failures += 1
            if self._failures > 1:
                self._set_rest(why)
        for job, content_was_written in reversed(under_way.items()):
            if content_was_written or job.losses:
                job.finish(lost(content_was_written=content_was_written, why=why))
            else:
                job.losses += 1
                self._queue.appendleft(job)
        self._stir()

    # --- connections --------------------------------------------------------------------------------------------

    @property
    def _connections(self) -> int:
        return len(self._sessions) + len(self._connecting)

    def _stir(self) -> None:
        """Bring waiting letters and connections together."""
        while self._queue and self._idle:
            session, _ = self._idle.popitem()
            if session.is_usable:
                session.start()
        if not self._queue or len(self._sessions) == self._most_connections:
            return
        if (down := self._rest()) is None:
            while self._connections < self._most_connections and len(self._connecting) < len(self._queue):
                self._begin_to_connect()
        elif not self._connections:
            while (job := self.take()) is not None:
                job.finish(down)

    def _begin_to_connect(self) -> asyncio.Task[None]:
        task = asyncio.create_task(self._connect())
        self._connecting.add(task)
        task.add_done_callback(self._has_tried_to_connect)
        return task

    def _has_tried_to_connect(self, task: asyncio.Task[None]) -> None:
        self._connecting.discard(task)
        self._stir()

    async def _connect(self) -> None:
        try:
            session = await self._connector.connect(self)
        except NotConnectedError as error:
            self._fail(f"not connected: {error}")
            return
        self._sessions.add(session)
        session.start()

    def _fail(self, why: str) -> None:
        """The server wants or takes no connection now: leave it alone for a while."""
        if self._rest() is None:
            # Several connections that fail together are one failure.
            self._failures += 1
        self._set_rest(why)
        log.warning("%s: %s", self._name, why)

    def _set_rest(self, why: str) -> None:
        wait = back_off(self._failures, chance=self._chance(), longest_seconds=LONGEST_REST_SECONDS)
        self._why_down = why
        self._rests_until = asyncio.get_running_loop().time() + wait.total_seconds()

    def _rest(self) -> Later | None:
        """While no new connection is tried: the answer to whoever needs one."""
        left = self._rests_until - asyncio.get_running_loop().time()
        return Later(self._why_down, after_seconds=left, is_route_down=True) if left > 0 else None

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._keep_alive_seconds)
            for session in list(self._idle):
                self._idle.pop(session, None)
                if session.is_usable:
                    session.ask()
