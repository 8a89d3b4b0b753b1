"""Reads what people send back by short message, in a thread of its own: call-ups are confirmed, the rest is handed on.

A reply lives in memory until it is decided, so a crash may lose one: whoever it came from is telephoned then. Neither
its text nor the number it came from is in a log line or an error.
"""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import Final, Protocol, Self, assert_never

from adapters.channels.port import Incoming
from adapters.rosters.checking import telephone_number
from adapters.vault.vault import Contact
from adapters.wiring import Platform
from domain.callup import CallUpError
from domain.messages import Mode
from domain.ports import LogUnavailableError, VersionConflictError
from domain.recipients import ChannelKind, RecipientNumber
from domain.replies import Reply, ReplyKind, meaning_of
from projections.callups import waiting_for
from streams.callup import confirm
from streams.house import House
from streams.park import Failed, attempt

log = logging.getLogger(__name__)

MOST_WAITING: Final = 10_000
"""Replies that wait to be read; thousands may come within a minute of a red."""

RETRY_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 10.0
"""How long what waits may still take when the reader is closed."""


class Fate(StrEnum):
    """What became of a reply; counted, and never with its text or number."""

    CONFIRMED = "confirmed"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    NOT_UNDERSTOOD = "not-understood"
    UNKNOWN_SENDER = "unknown-sender"
    NOT_WAITED_FOR = "not-waited-for"
    TOO_MANY = "too-many"
    FAILED = "failed"


PASSED_OVER: Final = frozenset(Fate) - {Fate.CONFIRMED, Fate.SUBSCRIBED, Fate.UNSUBSCRIBED}

_TELEPHONES: Final = (ChannelKind.SMS, ChannelKind.VOICE)

ConfirmByReply = Callable[[Collection[RecipientNumber], str, datetime], bool]
EndByReply = Callable[[Collection[RecipientNumber], datetime], bool]


class Numbers(Protocol):
    """The vault, as far as a sender is looked up in it."""

    def found(self, contacts: list[Contact], /) -> Mapping[Contact, list[int]]:
        """Under which numbers each of these contacts is entered."""
        ...


class ReplyReader:
    """Takes replies while it is entered. `take` may be called from any thread and returns at once."""

    def __init__(
        self,
        platform: Platform,
        vault: Numbers,
        *,
        confirm_by_reply: ConfirmByReply,
        end_by_reply: EndByReply,
        drill_routes: Collection[str] = (),
        region: str = "CN",
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """Codes and wishes to be left alone are handed to these two, which say whether somebody waited for them.

        What comes by one of `drill_routes` answers drills alone, and what comes by another one nothing of a drill.
        `region` is the country of numbers without a country code.
        """
        self._platform = platform
        self._vault = vault
        self._confirm_by_reply = confirm_by_reply
        self._end_by_reply = end_by_reply
        self._drill_routes = frozenset(drill_routes)
        self._region = region
        self._most_waiting = most_waiting
        self._waiting: deque[tuple[str, Incoming]] = deque()
        self._news = threading.Condition()
        self._is_closing = False
        self._gives_up = threading.Event()
        self._fates: Counter[Fate] = Counter()
        self._thread = threading.Thread(target=self._run, name="replies", daemon=True)

    @property
    def fates(self) -> Mapping[Fate, int]:
        """How many replies came to what."""
        with self._news:
            return dict(self._fates)

    def take(self, route: str, incoming: Incoming) -> None:
        """Have a message read that somebody sent by this route."""
        with self._news:
            is_full = len(self._waiting) >= self._most_waiting
            if not is_full:
                self._waiting.append((route, incoming))
                self._news.notify_all()
        if is_full:
            self._count(route, Fate.TOO_MANY)

    def __enter__(self) -> Self:
        """Begin to read."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Read what has come, then end."""
        with self._news:
            self._is_closing = True
            self._news.notify_all()
        self._thread.join(CLOSE_SECONDS)
        self._gives_up.set()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._is_closing)
                if not self._waiting:
                    return
                route, incoming = self._waiting[0]
            fate = self._read(route, incoming)
            with self._news:
                self._waiting.popleft()
            self._count(route, fate)

    def _read(self, route: str, incoming: Incoming) -> Fate:
        """Decide on one reply; where the log is out of reach, until it is not."""
        while True:
            try:
                found = attempt(partial(self._fate_of, route, incoming))
            except (LogUnavailableError, VersionConflictError):
                log.warning("a reply by route %s waits: the log is out of reach", route)
                if self._gives_up.wait(RETRY_SECONDS):
                    return Fate.FAILED
                continue
            if isinstance(found, Failed):
                # The error's words might repeat the number or the text.
                log.error("a reply by route %s met a defect: %s", route, type(found.error).__name__)
                return Fate.FAILED
            return found

    def _count(self, route: str, fate: Fate) -> None:
        with self._news:
            self._fates[fate] += 1
        if fate in PASSED_OVER:
            log.info("a reply by route %s was passed over: %s", route, fate.value)

    def _fate_of(self, route: str, incoming: Incoming) -> Fate:
        reply = meaning_of(incoming.text)
        if reply.kind is ReplyKind.UNKNOWN:
            return Fate.NOT_UNDERSTOOD
        numbers = self._numbers_of(incoming.address)
        if not numbers:
            return Fate.UNKNOWN_SENDER
        return self._decided(route, reply, incoming, numbers)

    def _decided(self, route: str, reply: Reply, incoming: Incoming, numbers: list[RecipientNumber]) -> Fate:
        now = self._platform.clock.now()
        match reply.kind:
            case ReplyKind.CONFIRM:
                mode = Mode.DRILL if route in self._drill_routes else Mode.LIVE
                return Fate.CONFIRMED if self._confirmed(mode, numbers) else Fate.NOT_WAITED_FOR
            case ReplyKind.CODE:
                was_waited_for = self._confirm_by_reply(numbers, incoming.text, now)
                return Fate.SUBSCRIBED if was_waited_for else Fate.NOT_WAITED_FOR
            case ReplyKind.STOP:
                return Fate.UNSUBSCRIBED if self._end_by_reply(numbers, now) else Fate.NOT_WAITED_FOR
            case ReplyKind.UNKNOWN:
                return Fate.NOT_UNDERSTOOD
            case _:
                assert_never(reply.kind)

    def _confirmed(self, mode: Mode, numbers: list[RecipientNumber]) -> bool:
        """Confirm everything that waits for these in this mode; whether anything was confirmed."""
        waiting = waiting_for(self._platform.tables, numbers)
        asked = dict.fromkeys((one.warning_id, one.number) for one in waiting if one.mode is mode)
        posts: list[str] = []
        for warning_id, number in asked:
            try:
                posts += self._platform.runner.act(partial(_confirm, mode, warning_id, number))
            except CallUpError as error:
                log.info("a confirmation came too late: %s", error.code.value)
        return bool(posts)

    def _numbers_of(self, address: str) -> list[RecipientNumber]:
        """Everybody who is entered with this telephone; providers leave the plus away, or the country's code."""
        forms = [telephone_number(form, self._region) for form in (address, f"+{address.lstrip('+')}")]
        known = dict.fromkeys(form for form in forms if form is not None)
        contacts = [Contact(kind, form) for form in known for kind in _TELEPHONES]
        return sorted({number for numbers in self._vault.found(contacts).values() for number in numbers})


def _confirm(mode: Mode, warning_id: str, number: RecipientNumber, house: House, now: datetime) -> tuple[str, ...]:
    return confirm(house, mode, warning_id, number, "sms", now)
