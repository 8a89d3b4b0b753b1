"""Asks a gateway for what it has to report, again and again, for gateways that do not call.

A list is acknowledged when it is on the disk: one that could not be acknowledged comes once more.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.channels.gateway_client import GatewayClient
from adapters.channels.gateway_inbox import InboxFullError, ReportInbox
from adapters.channels.gateway_json import UnreadableError, at, json_in, without_numbers, word_at
from adapters.channels.gateway_profile import Poll, Request
from adapters.channels.gateway_reports import Read
from adapters.channels.gateway_writing import GatewayWriter
from adapters.net.client import Answer, OutboundError
from adapters.pollers.pacing import pause_seconds, retry_after_seconds
from domain.ports import Clock

log = logging.getLogger(__name__)

_OK: Final = range(200, 300)


class AskedInVainError(Exception):
    """A list could not be had, read, kept or acknowledged; `wished_seconds` is what the gateway asked for."""

    def __init__(self, reason: str, wished_seconds: float = 0.0) -> None:
        """With what the log says."""
        self.wished_seconds = wished_seconds
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Poller:
    """One list of one gateway. `read` reads it by the profile, `items` is where in the answer it stands."""

    route: str
    poll: Poll
    items: str
    read: Callable[[object], Read]
    writer: GatewayWriter
    client: GatewayClient
    inbox: ReportInbox
    clock: Clock
    chance: Callable[[], float]
    answer_seconds: float

    async def run(self) -> None:
        """Ask for ever."""
        failures = 0
        while True:
            wished = 0.0
            try:
                is_more = await self.ask_once()
                failures = 0
            except AskedInVainError as error:
                failures, wished, is_more = failures + 1, error.wished_seconds, False
                log.warning("%s: %s were asked for in vain: %s", self.route, self.poll.holds, error)
            if not is_more:
                interval = self.poll.interval_seconds
                await asyncio.sleep(pause_seconds(interval, failures, wished_seconds=wished, chance=self.chance()))

    async def ask_once(self) -> bool:
        """Ask, keep and acknowledge; True where the list was acknowledged, and there may be more behind it.

        Raises:
            AskedInVainError: with the reason.
        """
        answer = await self._answered(self.poll.request)
        try:
            document = json_in(answer.body)
            read = self.read(document)
        except UnreadableError as error:
            raise AskedInVainError(str(error)) from error
        for fault in read.faults:
            log.warning("%s: one of the %s cannot be read: %s", self.route, self.poll.holds, fault)
        try:
            await asyncio.to_thread(self.inbox.receive, read.items)
        except InboxFullError as error:
            raise AskedInVainError(str(error)) from error
        ids = self._ids(document)
        if self.poll.acknowledge is None or not ids:
            return False
        # What cannot be read is acknowledged as well: it would never become readable, and keep the rest back.
        await self._answered(self.poll.acknowledge, ids)
        return True

    def _ids(self, document: object) -> Sequence[str]:
        found = at(document, self.items)
        named = (word_at(item, self.poll.id) for item in (found if isinstance(found, list) else [found]))
        return [one for one in named if one]

    async def _answered(self, request: Request, ids: Sequence[str] = ()) -> Answer:
        draft = self.writer.request(request, self.clock.now(), secrets.token_hex(16), ids)
        try:
            answer = await self.client.request(
                draft.method,
                draft.url,
                headers=draft.headers,
                body=draft.content,
                timeout_seconds=self.answer_seconds,
            )
        except OutboundError as error:
            raise AskedInVainError(str(error)) from error
        if answer.status not in _OK:
            wished = retry_after_seconds(answer.headers.get("retry-after", ""), self.clock.now())
            raise AskedInVainError(without_numbers(f"the gateway answered {answer.status}"), wished)
        return answer
