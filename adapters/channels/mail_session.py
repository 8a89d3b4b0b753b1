"""One connection to a mail server, already open and logged in, as an asyncio protocol around its dialogue."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, cast

from adapters.channels.mail_dialogue import Abilities, Dialogue, Job

_CHECKS_IN_TIMEOUT: Final = 4


class Pool(Protocol):
    """Whoever has the letters and keeps the connections."""

    def take(self) -> Job | None:
        """The next letter to be sent, if there is one."""
        ...

    def has_gone_idle(self, session: "MailSession") -> None:
        """Nothing is under way on this connection."""
        ...

    def has_been_lost(self, session: "MailSession", why: str) -> None:
        """This connection is no more; its dialogue knows what was under way."""
        ...


class MailSession(asyncio.Protocol):
    """Writes and reads; a server that is silent for `timeout_seconds` while it owes a reply is given up."""

    def __init__(self, abilities: Abilities, pool: Pool, timeout_seconds: float) -> None:
        """Not in use yet: `connection_made` is called with a transport whose EHLO and login are done."""
        self.dialogue = Dialogue(abilities, pool.take)
        self.is_gone = asyncio.Event()
        self._pool = pool
        self._timeout_seconds = timeout_seconds
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._heard_at = self._loop.time()
        self._check: asyncio.TimerHandle | None = None

    @property
    def is_usable(self) -> bool:
        """Whether a letter can be begun on it now."""
        return self._transport is not None and not self._transport.is_closing() and self.dialogue.is_idle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over."""
        # Every loop's transport can be written to; uvloop's says so by no base class.
        self._transport = cast("asyncio.Transport", transport)
        self._watch()

    def start(self) -> None:
        """Take letters until there are none."""
        self._say(self.dialogue.go_on)

    def ask(self) -> None:
        """Keep the connection alive, or find that it is not."""
        self._say(self.dialogue.noop)

    def data_received(self, data: bytes) -> None:
        """Go on with the dialogue."""
        assert self._transport is not None
        self._heard_at = self._loop.time()
        answer = self.dialogue.hear(data)
        if self.dialogue.broken:
            self._transport.abort()
            return
        if answer:
            self._transport.write(answer)
        elif self.dialogue.is_idle:
            self._pool.has_gone_idle(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the pool, once."""
        if self._check is not None:
            self._check.cancel()
        why = self.dialogue.broken or (f"the connection broke ({exc})" if exc else "the server closed the connection")
        self.dialogue.broken = why
        self._pool.has_been_lost(self, why)
        self.is_gone.set()

    async def leave(self, within_seconds: float) -> None:
        """Disconnect; call it when nothing is under way."""
        if self._transport is None or self.is_gone.is_set():
            return
        if self.is_usable:
            self._say(self.dialogue.quit)
        else:
            self._transport.abort()
        try:
            await asyncio.wait_for(self.is_gone.wait(), within_seconds)
        except TimeoutError:
            self._transport.abort()
            await self.is_gone.wait()

    def _say(self, make: Callable[[], bytes]) -> None:
        assert self._transport is not None
        self._heard_at = self._loop.time()
        if command := make():
            self._transport.write(command)
        else:
            self._pool.has_gone_idle(self)

    def _watch(self) -> None:
        """Look now and then, which is cheaper than a timer for every reply."""
        assert self._transport is not None
        if not self.dialogue.is_idle and self._loop.time() - self._heard_at >= self._timeout_seconds:
            self.dialogue.broken = self.dialogue.broken or f"no reply within {self._timeout_seconds:g} s"
            self._transport.abort()
            return
        self._check = self._loop.call_later(self._timeout_seconds / _CHECKS_IN_TIMEOUT, self._watch)
