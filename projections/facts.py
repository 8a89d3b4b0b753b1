"""What projections read of each event: a part of its fields, taken straight from the stored JSON.

A rebuild reads the whole log, and most of an event (texts, sections) is carried along and never looked into: such
parts stay the bytes that they are. A fact has its event's field names and defaults, by test; an event that comes
as an object is written as JSON first, so both ways end in the same rows.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Raw, Struct
from msgspec.json import Decoder

from domain import edge_events, events, telling_events
from domain.event import Event
from projections.callup_facts import CALL_UP_FACTS
from projections.fact_base import Fact, OfAgency, OfDistrict

__all__ = ("Fact", "OfAgency", "OfDistrict")  # asked for here, beside the facts made of them


class Key(Struct, frozen=True, gc=False):
    """A message's triple."""

    sender: str
    identifier: str
    sent: datetime


class Head(Struct, frozen=True, gc=False):
    """What identifies an accepted message, and its kind."""

    sender: str
    identifier: str
    sent: datetime
    message_type: str
    format: str


class Found(Struct, frozen=True, gc=False):
    """A finding."""

    code: str
    path: str
    sentence: str
    refuses: bool


class Stated(Struct, frozen=True, gc=False):
    """A statement; its areas stay as they are stored."""

    hazard: str
    level: str
    areas: Raw
    expires: datetime | None


class Contributed(Struct, frozen=True, gc=False):
    """A contribution."""

    chain: str
    agency: str
    message: Key
    statements: tuple[Stated, ...]


class MessageAccepted(OfAgency, frozen=True, gc=False):
    """A message was taken in."""

    message: Head
    findings: tuple[Found, ...]
    raw_sha256: str


class MessageRejected(Fact, frozen=True, gc=False):
    """Bytes or a message were refused."""

    agency: str
    source: str
    findings: tuple[Found, ...]
    raw_sha256: str
    raw_size: int
    identifier: str = ""


class DuplicateArrived(OfAgency, frozen=True, gc=False):
    """The same message came again."""

    message: Key


class ConflictingCopyArrived(OfAgency, frozen=True, gc=False):
    """The same triple came with other bytes."""

    message: Key
    first_sha256: str
    raw_sha256: str


class MessageHadNoEffect(OfAgency, frozen=True, gc=False):
    """A message changed nothing."""

    message: Key
    reason: str


class ChainWaited(OfAgency, frozen=True, gc=False):
    """An update waits for its alert."""

    chain: str
    until: datetime


class WaitEnded(OfAgency, frozen=True, gc=False):
    """The alert did not come in time."""

    chain: str


class ContributionRecorded(OfDistrict, frozen=True, gc=False):
    """A chain said something new."""

    contribution: Contributed


class ContributionEnded(OfDistrict, frozen=True, gc=False):
    """A chain ended."""

    chain: str
    agency: str
    reason: str
    message: Key | None = None


class OutletRevised(OfDistrict, frozen=True, gc=False):
    """The content changed."""

    warning_id: str
    episode: int
    revision: int
    sections: Raw
    changes: Raw

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in force any more."""
        return bytes(self.sections) == b"[]"


class ConflictFlagged(OfDistrict, frozen=True, gc=False):
    """Two agencies are far apart."""

    warning_id: str
    hazard: str
    levels: Mapping[str, str]


class ConflictSettled(OfDistrict, frozen=True, gc=False):
    """A conflict was settled."""

    hazard: str
    levels: Mapping[str, str]
    by: str
    reason: str


class ReleaseScheduled(OfDistrict, frozen=True, gc=False):
    """A revision waits to be grouped."""

    revision: int
    due: datetime


class ReleaseHeld(OfDistrict, frozen=True, gc=False):
    """A section waits for approvals."""

    hazard: str
    level: str
    approvals_needed: int
    deadline: datetime


class ReleaseApproved(OfDistrict, frozen=True, gc=False):
    """A person approved."""

    hazard: str
    level: str
    by: str


class ReleaseRefused(OfDistrict, frozen=True, gc=False):
    """A person or the deadline refused."""

    hazard: str
    level: str
    by: str
    reason: str


class HoldEnded(OfDistrict, frozen=True, gc=False):
    """A held section is free."""

    hazard: str
    level: str
    cause: str


class SectionMessage(Struct, frozen=True, gc=False):
    """The message of a section's own chain, without the section."""

    hazard: str
    identifier: str
    first: str
    message_type: str


class WarningReleased(OfDistrict, frozen=True, gc=False):
    """A revision became public."""

    warning_id: str
    revision: int
    number: int
    message_type: str
    sender: str
    identifier: str
    changes: Raw
    texts: Raw
    section_messages: tuple[SectionMessage, ...] = ()
    cause: str = ""
    cap: str = ""


class ReleasePassedUp(Fact, frozen=True, gc=False):
    """A release was handed to a parent system."""

    parent: str
    form: str
    position: int
    warning_id: str
    documents: tuple[str, ...]
    note: str = ""


class PassedUpAcknowledged(Fact, frozen=True, gc=False):
    """A parent system answered a document."""

    parent: str
    form: str
    position: int
    document: str
    accepted: bool
    error_code: str = ""
    note: str = ""


class PassingUpFailed(Fact, frozen=True, gc=False):
    """A release did not reach a parent system."""

    parent: str
    form: str
    position: int
    reason: str
    final: bool


class EventParked(Fact, frozen=True, gc=False):
    """A stage could not process an event."""

    stage: str
    position: int
    topic: str
    reason: str
    detail: str


class FeedFellSilent(Fact, frozen=True, gc=False):
    """Nothing usable came from a feed for longer than it may be quiet."""

    feed: str
    agency: str
    reason: str
    last_success: datetime | None = None
    last_message: datetime | None = None


class FeedHeardAgain(Fact, frozen=True, gc=False):
    """A silent feed is heard again."""

    feed: str
    agency: str
    silent_since: datetime


class RosterImported(Fact, frozen=True, gc=False):
    """A version of a roster was taken in."""

    roster: str
    mode: str
    version: int
    recipients_sha256: str
    recipients: int
    entered: int
    changed: int
    left: int
    source: str
    by: str = ""


FACT_TYPES: Mapping[str, type[Fact]] = {
    **CALL_UP_FACTS,
    events.MessageAccepted.TOPIC: MessageAccepted,
    events.MessageRejected.TOPIC: MessageRejected,
    events.DuplicateArrived.TOPIC: DuplicateArrived,
    events.ConflictingCopyArrived.TOPIC: ConflictingCopyArrived,
    events.MessageHadNoEffect.TOPIC: MessageHadNoEffect,
    events.ChainWaited.TOPIC: ChainWaited,
    events.WaitEnded.TOPIC: WaitEnded,
    events.ContributionRecorded.TOPIC: ContributionRecorded,
    events.ContributionEnded.TOPIC: ContributionEnded,
    events.OutletRevised.TOPIC: OutletRevised,
    events.ConflictFlagged.TOPIC: ConflictFlagged,
    events.ConflictSettled.TOPIC: ConflictSettled,
    events.ReleaseScheduled.TOPIC: ReleaseScheduled,
    events.ReleaseHeld.TOPIC: ReleaseHeld,
    events.ReleaseApproved.TOPIC: ReleaseApproved,
    events.ReleaseRefused.TOPIC: ReleaseRefused,
    events.HoldEnded.TOPIC: HoldEnded,
    events.WarningReleased.TOPIC: WarningReleased,
    edge_events.ReleasePassedUp.TOPIC: ReleasePassedUp,
    edge_events.PassedUpAcknowledged.TOPIC: PassedUpAcknowledged,
    edge_events.PassingUpFailed.TOPIC: PassingUpFailed,
    events.EventParked.TOPIC: EventParked,
    telling_events.RosterImported.TOPIC: RosterImported,
    edge_events.FeedFellSilent.TOPIC: FeedFellSilent,
    edge_events.FeedHeardAgain.TOPIC: FeedHeardAgain,
}
"""The topics that projections read. What is not here (the policy's text, what a chain told all districts) says
nothing that a district's own events do not say again."""

_DECODERS: Mapping[str, Decoder[Any]] = {topic: Decoder(kind) for topic, kind in FACT_TYPES.items()}


def fact_from(topic: str, state: bytes) -> Fact:
    """The fact in an event's stored JSON.

    Raises:
        KeyError: no projection reads this topic.
        msgspec.MsgspecError: the bytes are not such an event.
    """
    fact: Fact = _DECODERS[topic].decode(state)
    return fact


def fact_of(event: Event) -> Fact:
    """The fact in an event; the errors of `fact_from`."""
    return fact_from(event.TOPIC, event.model_dump_json().encode())
