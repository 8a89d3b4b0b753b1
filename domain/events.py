"""Every recorded fact, each with an explicit TOPIC and version, and the registry by which stored ones are read.

An agency's stream (one for each agency and mode) holds what it said and what its chains came to; a district's
stream (one for each district and mode) holds its outlet warnings; the policy and the park have a stream each.
A stored event of a released version stays readable: fields are added with defaults, or the version rises and an
upcaster is added.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

from domain.assessment_events import ASSESSMENT_EVENTS
from domain.callup_events import CALL_UP_EVENTS
from domain.contributions import Contribution, MessageKey, Statement
from domain.drill_events import DRILL_EVENTS
from domain.edge_events import EDGE_EVENTS
from domain.event import Event
from domain.findings import Finding
from domain.levels import Level
from domain.messages import AgencyMessage, MessageFormat, MessageType, Mode
from domain.notices import NOTICE_EVENTS
from domain.sections import Change, Section
from domain.telling_events import TELLING_EVENTS
from domain.values import Language, Moment, Value


class PolicyAdopted(Event):
    """The outlet's policy from here on: its TOML text and that text's SHA-256 (hex)."""

    TOPIC = "policy-adopted"

    policy_sha256: str
    text: str


# --- an agency's stream ---------------------------------------------------------------------------------------


class MessageAccepted(Event):
    """A message was taken in: what it said, what it means here, and what was noted."""

    TOPIC = "message-accepted"

    agency: str
    mode: Mode
    message: AgencyMessage
    statements: tuple[Statement, ...]
    findings: tuple[Finding, ...]
    raw_sha256: str


class MessageRejected(Event):
    """Bytes or a message were refused, with every finding. The raw bytes are kept under their digest."""

    TOPIC = "message-rejected"

    agency: str
    source: str
    identifier: str = ""
    findings: tuple[Finding, ...]
    raw_sha256: str
    raw_size: int


class DuplicateArrived(Event):
    """The same message came again, byte for byte or from another feed with the same content."""

    TOPIC = "duplicate-arrived"

    agency: str
    mode: Mode
    message: MessageKey


class ConflictingCopyArrived(Event):
    """The same sender, identifier and sent came with other bytes: the first stands, people are told."""

    TOPIC = "conflicting-copy-arrived"

    agency: str
    mode: Mode
    message: MessageKey
    first_sha256: str
    raw_sha256: str


class EndReason(StrEnum):
    """Why a contribution ended."""

    CANCELLED = "cancelled"
    AREA_DROPPED = "area-dropped"
    UNLISTED = "unlisted"
    EXPIRED = "expired"
    JOINED = "joined"
    STOPPED = "stopped"  # its drill was stopped


class EndedContribution(Value):
    """A chain no longer speaks for a district."""

    district: str
    reason: EndReason


class ContributionsChanged(Event):
    """What a chain says about each district now, and the districts for which it has ended.

    `message` is the one that speaks for the chain now.
    """

    TOPIC = "contributions-changed"

    agency: str
    mode: Mode
    chain: str
    message: MessageKey
    message_type: MessageType
    entered: tuple[Contribution, ...] = ()
    ended: tuple[EndedContribution, ...] = ()

    @property
    def districts(self) -> set[str]:
        """The districts that it concerns."""
        return {one.district for one in self.entered} | {one.district for one in self.ended}


class NoEffect(StrEnum):
    """Why an accepted message changed no contribution."""

    OLDER_THAN_THE_NEWEST = "older-than-the-newest"
    WAITS_FOR_ITS_ALERT = "waits-for-its-alert"
    SAYS_NOTHING_HERE = "says-nothing-here"


class MessageHadNoEffect(Event):
    """An accepted message was recorded and changed nothing, with the reason."""

    TOPIC = "message-had-no-effect"

    agency: str
    mode: Mode
    message: MessageKey
    reason: NoEffect


class ChainWaited(Event):
    """An update came before its first message; it speaks for itself if that has not come by `until`."""

    TOPIC = "chain-waited"

    agency: str
    mode: Mode
    chain: str
    until: Moment


class WaitEnded(Event):
    """The first message has not come in time; the chain's newest update speaks from now on."""

    TOPIC = "wait-ended"

    agency: str
    mode: Mode
    chain: str


# --- a district's stream --------------------------------------------------------------------------------------


class ContributionRecorded(Event):
    """A chain said something new about the district."""

    TOPIC = "contribution-recorded"

    district: str
    mode: Mode
    contribution: Contribution


class ContributionEnded(Event):
    """A chain ended for the district. `message` is the one that ended it, None where the clock did."""

    TOPIC = "contribution-ended"

    district: str
    mode: Mode
    chain: str
    agency: str
    reason: EndReason
    message: MessageKey | None = None


class OutletRevised(Event):
    """The content of the district's outlet warning changed: the whole of it as of this revision.

    No sections means that the last hazard has ended and with it the episode. `changes` is against the revision
    before.
    """

    TOPIC = "outlet-revised"

    district: str
    mode: Mode
    warning_id: str
    episode: int
    revision: int
    sections: tuple[Section, ...]
    changes: tuple[Change, ...]


class ConflictFlagged(Event):
    """Two agencies are far apart on one hazard and area: for consultation (会商), with what each says."""

    TOPIC = "conflict-flagged"

    district: str
    mode: Mode
    warning_id: str
    hazard: str
    levels: Mapping[str, Level]


class ConflictSettled(Event):
    """Somebody settled a conflict, with a reason; the levels stay as the agencies set them."""

    TOPIC = "conflict-settled"

    district: str
    mode: Mode
    hazard: str
    levels: Mapping[str, Level]
    by: str
    reason: str


class ReleaseScheduled(Event):
    """The revision joins others and becomes public at `due`."""

    TOPIC = "release-scheduled"

    district: str
    mode: Mode
    revision: int
    due: Moment


class ReleaseHeld(Event):
    """A hazard's section waits for approvals; at `deadline` the policy's deadline action happens."""

    TOPIC = "release-held"

    district: str
    mode: Mode
    hazard: str
    level: Level
    approvals_needed: int
    deadline: Moment


class ReleaseApproved(Event):
    """A person approved a held section. The same person counts once."""

    TOPIC = "release-approved"

    district: str
    mode: Mode
    hazard: str
    level: Level
    by: str


class ReleaseRefused(Event):
    """A person, or the deadline, decided against a held section; it stays unreleased until its level changes."""

    TOPIC = "release-refused"

    district: str
    mode: Mode
    hazard: str
    level: Level
    by: str
    reason: str


class HoldEnded(Event):
    """A held section is free: approved by enough people, by the deadline, or no longer there."""

    TOPIC = "hold-ended"

    district: str
    mode: Mode
    hazard: str
    level: Level
    cause: Literal["approved", "deadline", "gone"]


class ReleaseText(Value):
    """The text of a release in one language: headline, full text, what to do, and the SMS wording."""

    language: Language
    headline: str
    description: str
    instruction: str = ""
    sms: str


class SectionMessage(Value):
    """A released section as a message of its own chain, as 12379 needs it.

    `first` is the identifier of the section's first message, which 12379 references name.
    """

    hazard: str
    identifier: str
    first: str
    message_type: MessageType
    section: Section


class WarningReleased(Event):
    """A revision became public. Nothing of a release ever changes; a correction is another release.

    `number` counts releases of this warning from 1; `references` are CAP triples: the first release's and the newest's.
    """

    TOPIC = "warning-released"

    district: str
    mode: Mode
    warning_id: str
    revision: int
    number: int
    message_type: MessageType
    sender: str
    identifier: str
    references: tuple[str, ...]
    sections: tuple[Section, ...]
    changes: tuple[Change, ...]
    texts: tuple[ReleaseText, ...]
    section_messages: tuple[SectionMessage, ...] = ()
    cause: str = ""
    cap: str = ""


# --- the park -------------------------------------------------------------------------------------------------


class EventParked(Event):
    """A stage could not process the event at `position`: kept with its reason, and the stage went on."""

    TOPIC = "event-parked"

    stage: str
    position: int
    topic: str
    reason: str
    detail: str


_EVENTS: Final[tuple[type[Event], ...]] = (
    PolicyAdopted,
    MessageAccepted,
    MessageRejected,
    DuplicateArrived,
    ConflictingCopyArrived,
    ContributionsChanged,
    MessageHadNoEffect,
    ChainWaited,
    WaitEnded,
    ContributionRecorded,
    ContributionEnded,
    OutletRevised,
    ConflictFlagged,
    ConflictSettled,
    ReleaseScheduled,
    ReleaseHeld,
    ReleaseApproved,
    ReleaseRefused,
    HoldEnded,
    WarningReleased,
    EventParked,
    *EDGE_EVENTS,
    *TELLING_EVENTS,
    *NOTICE_EVENTS,
    *CALL_UP_EVENTS,
    *DRILL_EVENTS,
    *ASSESSMENT_EVENTS,
)
EVENT_TYPES: Final[Mapping[str, type[Event]]] = {kind.TOPIC: kind for kind in _EVENTS}

__all__ = ["EVENT_TYPES", "Event", "MessageFormat"]
