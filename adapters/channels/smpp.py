"""The SMS channel over SMPP 3.4: letters as parts over one lasting connection, and what the SMSC says of them later.

Units, alphabets, statuses, receipts and pace are decided in the modules `smpp_…`; here they are brought together.
"""

import asyncio
import contextlib
import logging
import secrets
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from adapters.channels.port import Accepted, DeliveryReceipt, Incoming, Later, Letter, Outcome, Refused
from adapters.channels.smpp_connecting import Connector, NotBoundError, connector_of
from adapters.channels.smpp_definition import SmppDefinition
from adapters.channels.smpp_ids import PartIds
from adapters.channels.smpp_inbox import Inbox, Joiner
from adapters.channels.smpp_matching import Matching, Notice
from adapters.channels.smpp_pace import Pace
from adapters.channels.smpp_pdu import MalformedError, Pdu, delivery_of, message_id_of
from adapters.channels.smpp_receipts import Fault, canonical_id, receipt_of
from adapters.channels.smpp_session import NotSent, Session, Unanswered
from adapters.channels.smpp_statuses import NOT_BOUND, OK, TEMPORARY_ERROR, Meaning, meaning_of, outcome_of
from adapters.channels.smpp_text import NotANumberError, e164_of, received_part
from adapters.channels.smpp_writing import CannotBeSentError, Writer
from domain.back_off import back_off
from domain.recipients import ChannelKind

log = logging.getLogger(__name__)

_MOST_BEGUN: Final = 10_000
_SWEEP_SECONDS: Final = 1.0
_FORGET_SECONDS: Final = 3600.0
_LEAVE_SECONDS: Final = 2.0
_STEADY_SECONDS: Final = 10.0
_RANDOM: Final = secrets.SystemRandom()


@dataclass(slots=True)
class _Progress:
    """How far a letter is: the SMSC's name of each part it has taken."""

    ids: list[str | None]


class SmppChannel:
    """One SMPP route. A letter that cannot be sent now comes back as `Later` at once: nothing is kept here."""

    def __init__(
        self,
        definition: SmppDefinition,
        connector: Connector,
        ids_path: Path,
        *,
        chance: Callable[[], float] = _RANDOM.random,
    ) -> None:
        """Nothing is connected before `open`."""
        self._definition = definition
        self._connector = connector
        self._writer = Writer(definition)
        self._chance = chance
        self._pace = Pace(definition.window, definition.longest_pause_seconds)
        self._inbox = Inbox()
        self._joiner = Joiner()
        self._ids = PartIds(ids_path, keep_days=definition.keep_days)
        self._matching = Matching(self._ids, self._inbox)
        self._begun: dict[tuple[str, int], _Progress] = {}
        self._session: Session | None = None
        self._why_down = "not opened yet"
        self._next_try_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._tried = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_closing = False

    @property
    def name(self) -> str:
        """The route's name in `connections.toml`."""
        return self._definition.id

    @property
    def kind(self) -> ChannelKind:
        """SMS."""
        return ChannelKind.SMS

    @property
    def window(self) -> int:
        """As many letters as units may be unanswered: a letter has at least one."""
        return self._definition.window

    async def open(self) -> None:
        """Bind, or know why not; from then on the channel stays connected by itself."""
        if self._tasks:
            return
        await self._ids.open(_now().timestamp())
        for work in (self._stay_connected(), self._sweep()):
            self._tasks.add(asyncio.create_task(work))
        await self._tried.wait()

    async def close(self) -> None:
        """Wait for what is unanswered, unbind, and end `receipts`."""
        self._is_closing = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), self._definition.response_seconds)
        if self._session is not None:
            await self._connector.leave(self._session, _LEAVE_SECONDS)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._matching.close()
        self._inbox.close()
        await self._ids.close()

    def receipts(self) -> AsyncIterator[DeliveryReceipt | Incoming]:
        """Receipts and messages from people; one is acknowledged to the SMSC when the next is asked for."""
        return self._inbox

    async def send(self, letter: Letter) -> Outcome:
        """Hand all parts of one letter over; those that were taken at an earlier attempt are not sent again."""
        definition = self._definition
        if letter.mode is not definition.mode:
            return Refused(f"{self.name} is a route for {definition.mode.value}, and this is {letter.mode.value}")
        session = self._session
        if session is None or self._is_closing:
            wait = max(0.0, self._next_try_at - asyncio.get_running_loop().time())
            return Later(f"not connected: {self._why_down}", after_seconds=wait, is_route_down=True)
        try:
            bodies = self._writer.bodies(letter, _now)
        except NotANumberError as error:
            return Refused(str(error), address_is_dead=True)
        except CannotBeSentError as error:
            return error.outcome
        self._matching.under_way += 1
        self._idle.clear()
        try:
            return await self._handed_over(letter, bodies, session)
        finally:
            self._matching.under_way -= 1
            if not self._matching.under_way:
                self._idle.set()

    async def _handed_over(self, letter: Letter, bodies: list[bytes], session: Session) -> Outcome:
        # Nearly always nothing is begun, and nearly always there is one part.
        begun = self._begun.pop(_key(letter), None) if self._begun else None
        progress = begun or _Progress([None] * len(bodies))
        missing = [place for place, known in enumerate(progress.ids) if known is None]
        if len(missing) == 1:
            worst = await self._part(bodies[missing[0]], progress, missing[0], session)
        else:
            tried = (self._part(bodies[place], progress, place, session) for place in missing)
            outcomes = await asyncio.gather(*tried)
            worst = min(outcomes, key=_how_good, default=Accepted())
            if isinstance(worst, Later) and any(isinstance(one, Later) and one.in_doubt for one in outcomes):
                worst = replace(worst, in_doubt=True)
        ids = [one for one in progress.ids if one is not None]
        if len(ids) == len(bodies):
            return Accepted(await self._matching.accepted(ids, has_receipts=self._definition.receipts))
        if isinstance(worst, Later):
            self._remember(_key(letter), progress)
        return worst

    async def _part(self, body: bytes, progress: _Progress, place: int, session: Session) -> Outcome:
        """One part's outcome. An answer that comes too late is noted all the same, for when the letter comes again."""

        def late(pdu: Pdu) -> None:
            if pdu.status == OK and progress.ids[place] is None:
                progress.ids[place] = self._id_in(pdu)
                self._matching.begun(progress.ids[place] or "")

        answer, sent_at = await session.submit(body, late)
        match answer:
            case NotSent(reason):
                return Later(reason, is_route_down=True)
            case Unanswered(reason):
                return Later(reason, is_route_down=self._session is not session, in_doubt=True)
            case Pdu(status=0):
                self._pace.taken()
                progress.ids[place] = self._id_in(answer)
                return Accepted()
            case Pdu():
                return self._refused(answer.status, sent_at, session)

    def _id_in(self, pdu: Pdu) -> str:
        return canonical_id(message_id_of(pdu.body), self._definition.accepted_ids)

    def _refused(self, status: int, sent_at: float, session: Session) -> Outcome:
        meaning = meaning_of(status, self._definition)
        pause = 0.0
        if meaning is Meaning.THROTTLED:
            now = asyncio.get_running_loop().time()
            pause = self._pace.throttled(sent_at, now, self._chance())
        elif status == NOT_BOUND:
            session.end("the SMSC does not know us any more")
        return outcome_of(status, meaning, pause_seconds=pause)

    def _remember(self, key: tuple[str, int], progress: _Progress) -> None:
        self._begun[key] = progress
        for one in progress.ids:
            if one is not None:
                self._matching.begun(one)
        if len(self._begun) > _MOST_BEGUN:
            del self._begun[next(iter(self._begun))]

    # What comes in.

    def _delivered(self, session: Session, pdu: Pdu) -> None:
        if self._inbox.is_full:
            session.answer(pdu, TEMPORARY_ERROR)
            return
        try:
            delivery = delivery_of(pdu)
        except MalformedError as error:
            log.warning("%s: a delivery that cannot be read: %s", self.name, error)
            session.answer(pdu)
            return
        definition = self._definition
        if not delivery.is_receipt:
            part = received_part(delivery, definition.plain_alphabet)
            address = e164_of(delivery.source, delivery.source_ton, definition.region)
            whole = self._joiner.joined(address, part, _now())
            if whole is None:
                session.answer(pdu)
            else:
                self._inbox.put(whole, lambda: session.answer(pdu))
            return
        found = receipt_of(
            delivery,
            accepted_ids=definition.accepted_ids,
            receipt_ids=definition.receipt_ids,
            zone=definition.zone,
        )
        if isinstance(found, Fault):
            log.warning("%s: %s", self.name, found.value)
            session.answer(pdu)
        elif found.state == "under way":
            session.answer(pdu)
        else:
            give_up_at = asyncio.get_running_loop().time() + definition.response_seconds
            at = _now() if found.done is None else min(found.done, _now())
            notice = Notice(found.message_id, found.state, at, found.reason, give_up_at)
            self._matching.received(notice, lambda: session.answer(pdu))

    # Staying connected.

    async def _stay_connected(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while not self._is_closing:
            try:
                session = await self._connector.connect(self._pace, self._delivered)
            except NotBoundError as error:
                failures += 1
                self._why_down = str(error)
            else:
                began = loop.time()
                self._session = session
                self._tried.set()
                log.info("%s: bound to %s", self.name, self._definition.host)
                self._why_down = await asyncio.shield(session.ended)
                self._session = None
                failures = 1 if loop.time() - began > _STEADY_SECONDS else failures + 1
            if not self._is_closing:
                wait = back_off(
                    failures, chance=self._chance(), longest_seconds=self._definition.longest_pause_seconds
                ).total_seconds()
                log.warning("%s: %s; next try in %.1f s", self.name, self._why_down, wait)
                self._next_try_at = loop.time() + wait
                self._tried.set()
                await asyncio.sleep(wait)

    async def _sweep(self) -> None:
        """What waits for something that may never come does not wait for ever."""
        loop = asyncio.get_running_loop()
        forget_at = loop.time() + _FORGET_SECONDS
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self._matching.give_up(loop.time())
            for whole in self._joiner.overdue(_now()):
                self._inbox.put(whole)
            if loop.time() >= forget_at:
                forget_at = loop.time() + _FORGET_SECONDS
                self._ids.forget_old(_now().timestamp())


def _how_good(outcome: Outcome) -> int:
    """Of the parts' outcomes the lowest is the letter's."""
    match outcome:
        case Refused():
            return 0
        case Later(is_route_down=True):
            return 1
        case Later():
            return 2
        case Accepted():
            return 3


def _key(letter: Letter) -> tuple[str, int]:
    """A letter with these words to this number: the same words only may go on where an earlier attempt ended."""
    return letter.id, zlib.crc32(f"{letter.address}\0{letter.text.sms}".encode(errors="replace"))


def _now() -> datetime:
    return datetime.now(UTC)


def smpp_channel(definition: SmppDefinition, folder: Path) -> SmppChannel:
    """The described route, with its files in the data directory.

    Raises:
        UnusableFileError: the password or the certificates cannot be used.
    """
    connector = connector_of(definition, folder)
    return SmppChannel(definition, connector, folder / f"smpp-{definition.id}.sqlite")
