"""What is recorded of telling people: rosters taken in, who is told what, what became of it, stops, call-ups, drills.

Recipients are opaque numbers, mostly as sets kept beside the log under their SHA-256: no event holds a telephone
number, an address or a name.
"""

from collections.abc import Mapping
from typing import Final, Literal

from domain.event import Event
from domain.levels import Level
from domain.messages import MessageType, Mode
from domain.recipients import ChannelKind, RecipientNumber
from domain.routing import Kind, Reason
from domain.values import Language, Moment, Value

# --- rosters --------------------------------------------------------------------------------------------------


class RosterImported(Event):
    """A version of a roster was taken in, whole. The recipients are kept under `recipients_sha256`."""

    TOPIC = "roster-imported"

    roster: str
    mode: Mode
    version: int
    recipients_sha256: str
    recipients: int
    entered: int
    changed: int
    left: int
    source: str
    by: str = ""


class SubscriptionConfirmed(Event):
    """Somebody subscribed and proved that the channel is theirs; the recipient is kept under its SHA-256."""

    TOPIC = "subscription-confirmed"

    number: RecipientNumber
    recipient_sha256: str


class SubscriptionEnded(Event):
    """A subscriber unsubscribed, or the channel refuses for good."""

    TOPIC = "subscription-ended"

    number: RecipientNumber
    reason: str


class PersonErased(Event):
    """A person's key was destroyed: their contact data can be read by nobody any more."""

    TOPIC = "person-erased"

    numbers: tuple[RecipientNumber, ...]
    reason: str


# --- who is told what -----------------------------------------------------------------------------------------


class PlannedItem(Value):
    """One hazard and what is told of it; the level is the one now, for what was lifted the one before."""

    hazard: str
    kind: Kind
    level: Level


class SendText(Value):
    """The words of one message in one language; `short` is the honest short form with its link."""

    language: Language
    subject: str
    sms: str
    body: str
    short: str = ""


class PlannedSend(Value):
    """People who are told the same: a set of recipient numbers under its SHA-256, and how many they are."""

    items: tuple[PlannedItem, ...]
    level: Level
    texts: tuple[SendText, ...]
    people_sha256: str
    count: int


class PlannedWithhold(Value):
    """People who are not told of a hazard, and why."""

    hazard: str
    reason: Reason
    people_sha256: str
    count: int


class TellingPlanned(Event):
    """Who is told what of a release, and who is not and why.

    `position` is the release's in the log. `told` holds, by hazard and level, the set of who knows what after this.
    `expires` is when the content ends; nothing is sent after that. `at_once` says that no other change is waited for.
    """

    TOPIC = "telling-planned"

    district: str
    mode: Mode
    warning_id: str
    position: int
    number: int
    message_type: MessageType
    sends: tuple[PlannedSend, ...]
    withheld: tuple[PlannedWithhold, ...]
    told: Mapping[str, Mapping[Level, str]]
    at_once: bool
    expires: Moment | None = None
    by_role: Mapping[str, int] = {}
    by_channel: Mapping[ChannelKind, int] = {}


DeliveryState = Literal["accepted", "delivered", "failed", "withdrawn", "repeated"]
"""Accepted by the channel's server; delivered by its receipt; failed for good; withdrawn before it was sent; handed
over a second time after a crash, so that a person may have it twice."""


class DeliveryRecorded(Value):
    """What became of one message to one recipient."""

    planned: int
    number: RecipientNumber
    channel: ChannelKind
    route: str
    state: DeliveryState
    at: Moment
    reason: str = ""


class DeliveriesRecorded(Event):
    """Outcomes of deliveries, as many as were known at once. `planned` is the position of the plan."""

    TOPIC = "deliveries-recorded"

    mode: Mode
    deliveries: tuple[DeliveryRecorded, ...]


class SendingStopped(Event):
    """Emergency stop: from here on nothing is handed to any channel, batches in flight included."""

    TOPIC = "sending-stopped"

    by: str
    reason: str


class SendingResumed(Event):
    """The emergency stop is over; what has not ended meanwhile goes out."""

    TOPIC = "sending-resumed"

    by: str
    reason: str


TELLING_EVENTS: Final[tuple[type[Event], ...]] = (
    RosterImported,
    SubscriptionConfirmed,
    SubscriptionEnded,
    PersonErased,
    TellingPlanned,
    DeliveriesRecorded,
    SendingStopped,
    SendingResumed,
)
