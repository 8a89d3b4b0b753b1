"""The desk where people subscribe, confirm, change and leave: what each step writes where, and in which order.

Every order is chosen for a crash in between. A contact enters the vault under a number that the waiting file knows
already; the log says that somebody subscribes or left before the vault forgets anything; whatever was begun is ended
by `sweep`. Whether somebody subscribes is the log's to say, in the stream of their number, and nobody else's.
"""

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final, Self
from uuid import UUID, uuid4

from adapters.audience.recipients_codec import pack, unpack
from adapters.audience.table import table_of
from adapters.links import Links
from adapters.subscriptions.waiting import FILE_NAME, Request, WaitingRequests
from adapters.vault.sealing import VaultKey, key_in
from adapters.vault.vault import KEY_NAME, Contact, ContactVault, Person
from adapters.wiring import Platform
from domain.event import Event
from domain.messages import Mode
from domain.notices import Purpose
from domain.ports import VersionConflictError
from domain.recipients import Recipient, RecipientNumber
from domain.replies import ReplyKind, meaning_of
from domain.subscriptions import (
    Wanted,
    code_lasts,
    confirm,
    end,
    has_subscribed,
    notice_stream,
    opt_in,
    standing,
    subscription_stream,
    withdrawal,
)
from domain.telling_events import SubscriptionEnded
from streams.house import House

_Decide = Callable[[Sequence[Event], datetime], list[Event]]

_ENDED: Final = frozenset({SubscriptionEnded.TOPIC})
UNSUBSCRIBED: Final = "unsubscribed"
REPLIED: Final = "unsubscribed by a reply"
NOT_CONFIRMED: Final = "withdrawn by the recipient"


class Ended(StrEnum):
    """What became of an unsubscribing."""

    ENDED = "ended"
    NOTHING_STOOD = "nothing-stood"
    ON_A_ROSTER = "on-a-roster"  # an official list names them: nobody leaves that by a link


class NoRequestError(Exception):
    """No request of this id waits: it expired, its code was guessed at too often, or there never was one."""


class WrongCodeError(Exception):
    """This is not the code."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request was taken; the same whether or not the contact subscribes already."""

    id: UUID
    expires: datetime


class SubscriptionDesk:
    """The desk of one platform. One process has one: confirming the same contact twice at once is its lock's matter."""

    def __init__(self, platform: Platform, vault: ContactVault, links: Links, waiting: WaitingRequests) -> None:
        """`vault` and `links` are those of the platform's data directory; they stay their owner's to close."""
        self.platform = platform
        self.links = links
        self._vault = vault
        self._waiting = waiting
        self._marks: VaultKey = key_in(platform.settings.data_dir / KEY_NAME)
        self._lock = threading.Lock()

    def ask(self, contact: Contact, wanted: Wanted, now: datetime) -> Accepted:
        """Take a request and have its contact's owner asked. The same is done whether or not they subscribe already.

        Raises:
            TooManyRequestsError: this contact was asked for too often, or too many requests wait.
        """
        self._waiting.count_in(self._marks.mark(contact.kind.value, contact.address.casefold()), now)
        # Without the contact first: a crash behind this leaves a number that says nothing.
        [number] = self._vault.enter([Person("", ())])
        request = Request(uuid4(), number, wanted, now + code_lasts(wanted.channel), None)
        self._waiting.add(request)
        self._vault.change({number: Person("", (contact,))})
        self.platform.runner.record(notice_stream(request.id), self._notice(request, now))
        return Accepted(request.id, request.expires)

    def _notice(self, request: Request, now: datetime) -> Event:
        outlet, words = self.platform.policy.outlet, self.platform.policy.texts
        language = request.wanted.language
        return opt_in(
            request.id,
            request.number,
            request.wanted,
            signature=words[language].signature,
            outlet=outlet.names.get(language) or next(iter(outlet.names.values()), outlet.id),
            has_link=bool(self.links.link(Purpose.SUBSCRIPTION, request.id, request.number)),
            now=now,
        )

    def waiting(self, identifier: UUID, now: datetime) -> Request | None:
        """The request with this id; None once it has expired."""
        return self._waiting.request(identifier, now)

    def subscriber(self, number: RecipientNumber) -> Recipient | None:
        """The subscriber of this number as the log has it; None for who does not subscribe or was erased."""
        digest = standing(self._history(number))
        if digest is None or self._vault.person(number) is None:
            return None
        [found] = unpack(digest, self.platform.log.attachment).recipients()
        return found

    def confirm_by_code(self, identifier: UUID, code: str, now: datetime) -> RecipientNumber:
        """Confirm a request by its code; whose subscription it became. Confirming again is as good as once.

        Raises:
            NoRequestError: no such request waits, or its code is dead.
            WrongCodeError: this is not its code.
        """
        request = self._waiting.request(identifier, now)
        if request is None or not self._waiting.attempt(identifier):
            raise NoRequestError
        if not self.links.is_code(code, Purpose.SUBSCRIPTION, request.id, request.number):
            raise WrongCodeError
        return self.confirm(identifier, now)

    def confirm(self, identifier: UUID, now: datetime) -> RecipientNumber:
        """Confirm a request of which it is known that the contact's owner does; whose subscription it became.

        A contact that subscribes already keeps its number and has what the new request wants.

        Raises:
            NoRequestError: no such request waits.
        """
        with self._lock:
            request = self._waiting.request(identifier, now)
            person = None if request is None else self._vault.person(request.confirmed_as or request.number)
            if request is None or person is None:
                raise NoRequestError
            if request.confirmed_as is not None:
                return request.confirmed_as
            number = self._subscribing(person.contacts) or request.number
            self._record(number, request.wanted)
            self._waiting.confirmed(request.id, number)
            if number != request.number:
                self._vault.erase([request.number], now)
            return number

    def confirm_by_reply(self, numbers: Collection[RecipientNumber], text: str, now: datetime) -> bool:
        """Confirm the request whose code stands in a reply; `numbers` are all under which the vault has its sender."""
        reply = meaning_of(text)
        if reply.kind is not ReplyKind.CODE:
            return False
        for request in self._waiting.of(numbers, now):
            try:
                self.confirm_by_code(request.id, reply.code, now)
            except (NoRequestError, WrongCodeError):
                continue
            return True
        return False

    def change(self, number: RecipientNumber, wanted: Wanted) -> bool:
        """Have a subscriber told of something else from now on; False for who does not subscribe (any more)."""
        with self._lock:
            if self.subscriber(number) is None:
                return False
            self._record(number, wanted)
            return True

    def ending(self, asked_of: RecipientNumber, now: datetime) -> Ended:
        """What `end` would come to; nothing is changed."""
        number, requests = self._meant(asked_of, now)
        if self.subscriber(number) is not None or any(one.confirmed_as is None for one in requests):
            return Ended.ENDED
        is_nobodys = has_subscribed(self._history(number)) or self._vault.person(number) is None
        return Ended.NOTHING_STOOD if is_nobodys else Ended.ON_A_ROSTER

    def end(self, asked_of: RecipientNumber, now: datetime, reason: str = UNSUBSCRIBED) -> Ended:
        """End whatever this number has: a subscription, with its contact, or a request that waits.

        A request that changed an earlier subscription of the same contact ends that one, as long as it is known.
        """
        with self._lock:
            found = self.ending(asked_of, now)
            if found is not Ended.ENDED:
                return found
            number, requests = self._meant(asked_of, now)
            self._waiting.leaves(number)
            for request in requests:
                if request.confirmed_as is None:
                    event = withdrawal(request.id, number, NOT_CONFIRMED, now)
                    self.platform.runner.record(notice_stream(request.id), event)
                    self._waiting.remove(request.id)
            self._decided(number, partial(_ending, number, reason))
            self._forget(number, now)
            return found

    def _meant(self, asked_of: RecipientNumber, now: datetime) -> tuple[RecipientNumber, Sequence[Request]]:
        """Whose subscription a number stands for, with the number's requests."""
        requests = self._waiting.of([asked_of], now)
        became = next((request.confirmed_as for request in requests if request.confirmed_as is not None), None)
        return (asked_of if became is None else became), requests

    def end_by_reply(self, numbers: Collection[RecipientNumber], now: datetime) -> bool:
        """End every subscription and request of who replied; False when there was none: rosters are not left so."""
        found = [self.end(number, now, REPLIED) for number in sorted(set(numbers))]
        return Ended.ENDED in found

    def sweep(self, now: datetime) -> int:
        """Drop requests that expired, with contacts that nobody confirmed, and end what a crash left half done."""
        with self._lock:
            self._take_leave_of_who_left_elsewhere(now)
            for number in self._waiting.leaving():
                self._forget(number, now)
            expired = self._waiting.expired(now)
            for request in expired:
                self._forget(request.number, now)
                self._waiting.remove(request.id)
            self._waiting.forget_counts(now)
        return len(expired)

    def close(self) -> None:
        """Release the file of waiting requests."""
        self._waiting.close()

    def __enter__(self) -> Self:
        """The desk itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _forget(self, number: RecipientNumber, now: datetime) -> None:
        """Erase a number that this desk gave, unless it is a subscriber's."""
        if standing(self._history(number)) is None:
            self._vault.erase([number], now)
        self._waiting.left(number)

    def _take_leave_of_who_left_elsewhere(self, now: datetime) -> None:
        """Erase subscribers whose subscription ended without the desk: their address was dead."""
        head, after = self.platform.log.head(), self._waiting.followed()
        for recorded in self.platform.log.read(after=after, topics=_ENDED) if head > after else ():
            if isinstance(recorded.event, SubscriptionEnded):
                number, reason = recorded.event.number, recorded.event.reason
                if standing(self._history(number)) is None and has_subscribed(self._history(number)):
                    self._waiting.leaves(number)
                    self._decided(number, partial(_ending, number, reason))
                    self._forget(number, now)
        self._waiting.follows(head)

    def _subscribing(self, contacts: Sequence[Contact]) -> RecipientNumber | None:
        """Under which number one of these contacts subscribes."""
        numbers = {number for found in self._vault.found(contacts).values() for number in found}
        return next((number for number in sorted(numbers) if standing(self._history(number)) is not None), None)

    def _record(self, number: RecipientNumber, wanted: Wanted) -> None:
        packed = pack(table_of(Mode.LIVE, [wanted.recipient(number)]))
        digest, contents = packed[0].sha256, [one.content for one in packed]
        self._decided(number, lambda history, at: confirm(history, number, digest, at), contents)

    def _history(self, number: RecipientNumber) -> list[Event]:
        return [recorded.event for recorded in self.platform.log.stream(subscription_stream(number))]

    def _decided(self, number: RecipientNumber, decide: _Decide, contents: Sequence[bytes] = ()) -> None:
        """Decide on the subscriber's stream, and store."""
        stream = subscription_stream(number)

        def action(house: House, now: datetime) -> None:
            history = self._history(number)
            events = decide(history, now)
            for content in contents if events else ():
                house.ledger.attach(content)
            for event in events:
                house.ledger.add_to_stream(stream, event)
            first = len(house.ledger.pending) - len(events)
            if events and house.ledger.pending[first].version != len(history) + 1:
                raise VersionConflictError(f"another process was faster for the subscriber {number}")

        self.platform.runner.act(action)


def _ending(number: RecipientNumber, reason: str, history: Sequence[Event], now: datetime) -> list[Event]:
    return end(history, number, reason, now)


def subscription_desk(platform: Platform, vault: ContactVault, links: Links) -> SubscriptionDesk:
    """The desk over the platform's data directory.

    Raises:
        ValueError: the vault's key file does not hold a key.
        OSError: the files cannot be made.
    """
    return SubscriptionDesk(platform, vault, links, WaitingRequests(platform.settings.data_dir / FILE_NAME))
