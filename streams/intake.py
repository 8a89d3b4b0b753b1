"""The first stage: bytes become accepted or refused messages, and accepted ones become contributions.

Raw bytes are kept in every case, up to what a log can hold. What was decided is stored by the ledger's commit, and
only then answered.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from domain.chains import Arrival, ListedItem, end_wait, receive
from domain.contributions import MessageKey, key_of
from domain.event import Event
from domain.events import (
    ConflictingCopyArrived,
    ContributionsChanged,
    DuplicateArrived,
    MessageHadNoEffect,
    MessageRejected,
)
from domain.findings import Code, Finding, RefusedMessageError, refusal
from domain.interpretation import interpret
from domain.messages import AgencyMessage, MessageType, Mode, Reference
from domain.outlet import stream_id_of
from domain.ports import MessageReader
from domain.values import Moment
from streams.house import House

LARGEST_KEPT_BYTES: Final = 64 * 1024 * 1024
"""Of one delivery. Every log can hold so much; what is larger is refused unread, and its digest and size are kept."""


class Outcome(StrEnum):
    """What became of a message."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICTING_COPY = "conflicting-copy"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bytes that arrived: from whom (the agency that authenticated, None to go by the message's sender), and where."""

    content: bytes
    agency: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to one message: stable enough for partners' programs, with every finding."""

    source: str
    outcome: Outcome
    agency: str | None
    message: MessageKey | None
    raw_sha256: str
    findings: tuple[Finding, ...] = ()
    effect: str = ""
    districts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """An item that a list shows: its agency, the message it reads as, and its raw bytes."""

    agency: str
    item: str
    message: AgencyMessage
    content: bytes


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """An item of a list that cannot be read: its bytes and what was found."""

    item: str
    content: bytes
    findings: tuple[Finding, ...]


def take_in(house: House, reader: MessageReader, delivery: Delivery, now: Moment) -> list[Receipt]:
    """Read, interpret and record all messages of one delivery."""
    size = len(delivery.content)
    if size > LARGEST_KEPT_BYTES:
        sentence = f"{size} bytes; more than {LARGEST_KEPT_BYTES} are neither read nor kept"
        digest = sha256(delivery.content).hexdigest()
        return [_reject(house, delivery, digest, (refusal(Code.TOO_LARGE, "/", sentence),), None, now)]
    digest = house.ledger.attach(delivery.content)
    try:
        messages = reader.read(delivery.content)
    except RefusedMessageError as error:
        return [_reject(house, delivery, digest, error.findings, None, now)]
    return [_take_message(house, delivery, digest, message, now) for message in messages]


def refuse_for_a_defect(house: House, delivery: Delivery, error: Exception, now: Moment) -> Receipt:
    """A defect of ours keeps a delivery from being processed: its bytes are kept and its sender is told."""
    sentence = f"a defect of this outlet ({type(error).__name__}: {error}); the bytes are kept and people are told"
    digest = house.ledger.attach(delivery.content)
    return _reject(house, delivery, digest, (refusal(Code.INTERNAL, "/", sentence),), None, now)


def refused_for_a_defect(item: ListedMessage, error: Exception) -> RefusedItem:
    """An item of a list that a defect of ours keeps from being processed: what it said before stands."""
    found = refusal(Code.INTERNAL, "/", f"a defect of this outlet ({type(error).__name__}: {error})")
    return RefusedItem(item=item.item, content=item.content, findings=(found,))


def _take_message(house: House, delivery: Delivery, digest: str, message: AgencyMessage, now: Moment) -> Receipt:
    agency = delivery.agency or _agency_of(house, message)
    if agency is None:
        sentence = f"no agency of the policy, or more than one, speaks as {message.sender!r}"
        found = refusal(Code.UNKNOWN_AGENCY, "/alert/sender", sentence)
        return _reject(house, delivery, digest, (*message.notes, found), message, now)
    interpretation = interpret(message, agency_id=agency, policy=house.policy, gazetteer=house.gazetteer, now=now)
    findings = (*message.notes, *interpretation.findings)
    if interpretation.refused:
        return _reject(house, delivery, digest, findings, message, now, agency)
    arrival = Arrival(
        agency=agency,
        mode=message.mode,
        message=message,
        statements=interpretation.statements,
        findings=findings,
        raw_sha256=digest,
    )
    return _record(house, arrival, delivery.source, now)


def _agency_of(house: House, message: AgencyMessage) -> str | None:
    names = [message.sender, message.source, *(info.sender_name for info in message.infos)]
    found = [agency for name in names if name and (agency := house.policy.agency_of_sender(name)) is not None]
    return found[0].id if found else None


def _record(house: House, arrival: Arrival, source: str, now: Moment) -> Receipt:
    book = house.ledger.book(arrival.agency, arrival.mode)
    wait_seconds = house.policy.chains.update_without_alert_waits_seconds
    events = receive(book, arrival, wait_seconds=wait_seconds, now=now)
    house.ledger.add_to_agency(arrival.agency, arrival.mode, events)
    return Receipt(
        source=source,
        outcome=_outcome(events),
        agency=arrival.agency,
        message=key_of(arrival.message),
        raw_sha256=arrival.raw_sha256,
        findings=arrival.findings,
        effect=_effect(events),
        districts=_districts(events),
    )


def _outcome(events: Sequence[Event]) -> Outcome:
    if any(isinstance(event, DuplicateArrived) for event in events):
        return Outcome.DUPLICATE
    if any(isinstance(event, ConflictingCopyArrived) for event in events):
        return Outcome.CONFLICTING_COPY
    return Outcome.ACCEPTED


def _effect(events: Sequence[Event]) -> str:
    reasons = [event.reason.value for event in events if isinstance(event, MessageHadNoEffect)]
    return reasons[0] if reasons else ""


def _districts(events: Iterable[Event]) -> tuple[str, ...]:
    touched: set[str] = set()
    for event in events:
        if isinstance(event, ContributionsChanged):
            touched |= event.districts
    return tuple(sorted(touched))


def _reject(
    house: House,
    delivery: Delivery,
    digest: str,
    findings: tuple[Finding, ...],
    message: AgencyMessage | None,
    now: Moment,
    agency: str | None = None,
) -> Receipt:
    event = MessageRejected(
        at=now,
        agency=agency or delivery.agency or "",
        source=delivery.source,
        identifier=message.identifier if message else "",
        findings=findings,
        raw_sha256=digest,
        raw_size=len(delivery.content),
    )
    stream = stream_id_of("rejected", digest, delivery.source, now.isoformat())
    house.ledger.add_to_stream(stream, event)
    return Receipt(
        source=delivery.source,
        outcome=Outcome.REJECTED,
        agency=event.agency or None,
        message=key_of(message) if message else None,
        raw_sha256=digest,
        findings=findings,
    )


def take_listing(
    house: House,
    name: str,
    listed: Sequence[ListedMessage],
    refused: Sequence[RefusedItem],
    now: Moment,
    *,
    complete: bool = True,
    standing: Collection[str] = (),
) -> list[Receipt]:
    """Bring the books in line with what the list called `name` shows now.

    A new item begins a chain, a changed one updates it, and what is no longer listed has ended. An item that cannot
    be read ends nothing: while it is listed, what it said before stands. Where the list is not `complete` (an item
    of it has not even an id that can be read), absence means nothing. `standing` names items that are listed too and
    are not to be taken again: what was refused before is on record.
    """
    receipts: list[Receipt] = []
    for agency in dict.fromkeys([*(item.agency for item in listed), *(agency.id for agency in house.policy.agencies)]):
        shown = {item.item: item for item in listed if item.agency == agency}
        receipts += _take_shown(house, name, agency, shown, now)
        unreadable = {item.item for item in refused}
        if complete:
            receipts += _end_unlisted(house, name, agency, {*shown, *unreadable, *standing}, now)
    for item in refused:
        digest = house.ledger.attach(item.content)
        delivery = Delivery(content=item.content, agency=None, source=f"{name}#{item.item}")
        receipts.append(_reject(house, delivery, digest, item.findings, None, now))
    return receipts


def _take_shown(house: House, name: str, agency: str, shown: Mapping[str, ListedMessage], now: Moment) -> list[Receipt]:
    receipts: list[Receipt] = []
    for item in shown.values():
        book = house.ledger.book(agency, item.message.mode)
        delivery = Delivery(content=item.content, agency=agency, source=f"{name}#{item.item}")
        before = book.listed(name).get(item.item)
        if before is not None and before.digest == sha256(item.content).hexdigest():
            continue
        digest = house.ledger.attach(item.content)
        if item.message.message_type is MessageType.CANCEL:  # a list that also shows what was lifted
            if book.digest_of(key_of(item.message)) is None:
                receipts.append(_take_message(house, delivery, digest, item.message, now))
            continue
        changed = {"source": name, "incidents": (item.item,), "listed": True}
        first = Reference(identifier=item.message.identifier, sender=item.message.sender)
        known = book.chain_of((item.message.sender, item.message.identifier))
        if known is not None:
            changed |= {
                "message_type": MessageType.UPDATE,
                "identifier": f"{item.message.identifier}@{now.isoformat()}",
                "sent": _later_than(before, now),
                "references": (first,),
            }
        message = item.message.model_copy(update=changed)
        receipts.append(_take_message(house, delivery, digest, message, now))
    return receipts


def _end_unlisted(house: House, name: str, agency: str, still: set[str], now: Moment) -> list[Receipt]:
    receipts: list[Receipt] = []
    book = house.ledger.book(agency, Mode.LIVE)
    for item, listed in sorted(book.listed(name).items()):
        if item in still:
            continue
        content = f"no longer listed by {name}: {listed.message}".encode()
        message = AgencyMessage.model_validate(
            {
                "format": "list",
                "sender": listed.message.sender,
                "identifier": f"{item}@{now.isoformat()}#unlisted",
                "sent": _later_than(listed, now),
                "status": "Actual",
                "message_type": "Cancel",
                "source": name,
                "references": [{"identifier": listed.message.identifier, "sender": listed.message.sender}],
                "incidents": [item],
                "listed": True,
            }
        )
        delivery = Delivery(content=content, agency=agency, source=f"{name}#{item}")
        receipts.append(_take_message(house, delivery, house.ledger.attach(content), message, now))
    return receipts


def _later_than(before: ListedItem | None, now: Moment) -> Moment:
    """Now, or just behind what the item said before: a clock that was set back must not make news of old."""
    if before is None or before.message.sent < now:
        return now
    return before.message.sent + timedelta(seconds=1)


def end_waits(house: House, agency: str, mode: Mode, chain: str, now: Moment) -> None:
    """The first message of a chain has not come in time: its newest update speaks from now on."""
    book = house.ledger.book(agency, mode)
    house.ledger.add_to_agency(agency, mode, end_wait(book, agency=agency, mode=mode, chain_name=chain, now=now))
