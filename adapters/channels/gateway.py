"""The channel to a gateway over HTTP, for SMS and for voice: one request for each letter, and what is reported later.

Requests, signatures, answers and reports are decided in the modules `gateway_…` by the gateway's profile; here they
are brought together.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from adapters.channels.gateway_callbacks import (
    Callback,
    CallbackAnswer,
    CallbackRefusedError,
    Fault,
    Subject,
)
from adapters.channels.gateway_client import GatewayClient
from adapters.channels.gateway_definition import GatewayDefinition
from adapters.channels.gateway_handing import Hands, Sending, UnderWay
from adapters.channels.gateway_inbox import InboxFullError, ReportInbox
from adapters.channels.gateway_json import UnreadableError, form_in, json_in
from adapters.channels.gateway_polling import Poller
from adapters.channels.gateway_profile import GatewayProfile
from adapters.channels.gateway_proving import must_be_proven
from adapters.channels.gateway_reports import Read, messages_in, receipts_in
from adapters.channels.gateway_writing import GatewayWriter
from adapters.channels.port import DeliveryReceipt, Incoming, Later, Letter, Outcome, Refused
from adapters.channels.smpp_text import NotANumberError
from adapters.channels.smpp_writing import CannotBeSentError
from domain.ports import Clock
from domain.recipients import ChannelKind

log = logging.getLogger(__name__)

_RANDOM: Final = secrets.SystemRandom()
_FORM: Final = "application/x-www-form-urlencoded"
_MOST_FINDINGS: Final = 20


@dataclass(frozen=True, slots=True)
class Parts:
    """What a route works with."""

    definition: GatewayDefinition
    profile: GatewayProfile
    writer: GatewayWriter
    client: GatewayClient
    inbox: ReportInbox
    clock: Clock
    callback_secret: bytes = b""


class GatewayChannel:
    """One route through one gateway. Nothing is kept here: what cannot be handed over now comes back as `Later`."""

    def __init__(self, parts: Parts, *, chance: Callable[[], float] = _RANDOM.random) -> None:
        """Nothing is connected before the first letter."""
        self._parts = parts
        self._chance = chance
        self._polling: list[asyncio.Task[None]] = []
        self._under_way = UnderWay()
        seconds = parts.definition.connect_seconds + parts.definition.answer_seconds
        self._hands = Hands(parts.client, parts.profile.answer, seconds, parts.clock)
        self._is_closing = False

    @property
    def name(self) -> str:
        """The route's name in `connections.toml`."""
        return self._parts.definition.id

    @property
    def kind(self) -> ChannelKind:
        """SMS or voice."""
        return self._parts.definition.channel_kind

    @property
    def window(self) -> int:
        """How many requests may be unanswered at once."""
        return self._parts.definition.window

    async def open(self) -> None:
        """Find what an earlier run left unread, and begin to ask for reports where the gateway does not call."""
        if self._is_closing or self._polling:
            return
        await self._parts.inbox.open()
        self._polling = [asyncio.create_task(poller.run()) for poller in self._pollers()]

    async def close(self) -> None:
        """Wait for the answers that are due, then end `receipts`."""
        self._is_closing = True
        for task in self._polling:
            task.cancel()
        await asyncio.gather(*self._polling, return_exceptions=True)
        await self._under_way.ended()
        await self._parts.inbox.close()
        await self._parts.client.close()

    def receipts(self) -> AsyncIterator[DeliveryReceipt | Incoming]:
        """Receipts and messages from people; one is forgotten when the next is asked for."""
        return self._parts.inbox.items

    async def send(self, letter: Letter) -> Outcome:
        """Hand one letter over."""
        definition = self._parts.definition
        if letter.mode is not definition.mode:
            return Refused(f"{self.name} is a route for {definition.mode.value}, and this is {letter.mode.value}")
        if self._is_closing:
            return Later("the route is closing", is_route_down=True)
        with self._under_way:
            return await self._handed_over(letter)

    async def _handed_over(self, letter: Letter) -> Outcome:
        parts = self._parts
        try:
            draft = parts.writer.letter(letter, parts.clock.now(), secrets.token_hex(16))
        except NotANumberError as error:
            return Refused(str(error), address_is_dead=True)
        except CannotBeSentError as error:
            return error.outcome
        return await self._hands.over(letter.id, Sending(draft.method, draft.url, draft.headers, draft.content))

    # What comes back.

    def take(self, callback: Callback) -> CallbackAnswer:
        """Take a callback in, durably; called from any thread, and waits for the disk.

        What can be read is kept even where another part of it cannot, so that it is not lost by being refused.

        Raises:
            CallbackRefusedError: with the reason.
        """
        parts = self._parts
        rule = parts.profile.callback
        if rule is None or not self._has(callback.subject):
            raise CallbackRefusedError(Fault.NOT_HERE, f"The route {self.name} has no callbacks for this.")
        must_be_proven(callback, rule, parts.callback_secret, parts.clock.now())
        media_type = callback.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            document = form_in(callback.body) if media_type == _FORM else json_in(callback.body)
            read = self._read(callback.subject, document)
        except UnreadableError as error:
            raise CallbackRefusedError(Fault.UNREADABLE, f"This callback cannot be read: {error}.") from error
        try:
            parts.inbox.receive(read.items)
        except InboxFullError as error:
            raise CallbackRefusedError(Fault.BUSY, f"Nothing of it was taken: {error}.") from error
        if read.faults:
            sentence = f"{len(read.faults)} of its items cannot be read; {len(read.items)} were taken."
            raise CallbackRefusedError(Fault.UNREADABLE, sentence, tuple(read.faults[:_MOST_FINDINGS]))
        return CallbackAnswer(rule.answer.encode(), rule.answer_type)

    def _has(self, subject: Subject) -> bool:
        profile = self._parts.profile
        return (profile.receipts if subject is Subject.RECEIPTS else profile.messages) is not None

    def _read(self, subject: Subject, document: object) -> Read:
        parts, now = self._parts, self._parts.clock.now()
        if subject is Subject.RECEIPTS:
            assert parts.profile.receipts is not None
            return receipts_in(document, parts.profile.receipts, now)
        assert parts.profile.messages is not None
        return messages_in(document, parts.profile.messages, parts.definition.region, now)

    def _pollers(self) -> list[Poller]:
        parts = self._parts
        found: list[Poller] = []
        for poll in parts.profile.poll:
            subject = Subject(poll.holds)
            rule = parts.profile.receipts if subject is Subject.RECEIPTS else parts.profile.messages
            assert rule is not None, "the profile was checked"

            def read(document: object, subject: Subject = subject) -> Read:
                return self._read(subject, document)

            found.append(
                Poller(
                    route=self.name,
                    poll=poll,
                    items=rule.items,
                    read=read,
                    writer=parts.writer,
                    client=parts.client,
                    inbox=parts.inbox,
                    clock=parts.clock,
                    chance=self._chance,
                    answer_seconds=self._hands.seconds,
                )
            )
        return found
