"""What the monthly report reads of each event, straight from the stored JSON; see `projections.facts`."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.json import Decoder

from domain import (
    assessment_events,
    callup_events,
    drill_events,
    edge_events,
    events,
    notices,
    telling_events,
)
from domain.ports import EventLog
from projections import facts
from projections.facts import Fact, Key, OfDistrict
from projections.follow import RAW_PAGE, Progress, RawLog


class Contributor(Struct, frozen=True, gc=False):
    """Whose message stands in a section."""

    chain: str
    agency: str
    message: Key


class ReleasedSection(Struct, frozen=True, gc=False):
    """A section without its texts and areas."""

    hazard: str
    level: str
    issuers: tuple[str, ...]
    expires: datetime | None
    contributors: tuple[Contributor, ...]


class Changed(Struct, frozen=True, gc=False):
    """How a section differs from the release before."""

    hazard: str
    before: str | None = None
    after: str | None = None


class WarningReleased(OfDistrict, frozen=True, gc=False):
    """A release without its texts."""

    warning_id: str
    number: int
    sections: tuple[ReleasedSection, ...]
    changes: tuple[Changed, ...]


class SectionConflict(Struct, frozen=True, gc=False):
    """What each agency says."""

    levels: Mapping[str, str]


class RevisedSection(Struct, frozen=True, gc=False):
    """A section with the conflict in it."""

    hazard: str
    conflict: SectionConflict | None = None


class OutletRevised(OfDistrict, frozen=True, gc=False):
    """A revision without its texts."""

    sections: tuple[RevisedSection, ...]


class ContributionEnded(OfDistrict, frozen=True, gc=False):
    """A chain ended, by a message or by the clock."""

    chain: str
    message: Key | None = None


class Send(Struct, frozen=True, gc=False):
    """People who are told the same."""

    level: str
    count: int


class Withhold(Struct, frozen=True, gc=False):
    """People who are not told."""

    reason: str
    count: int


class TellingPlanned(Fact, frozen=True, gc=False):
    """Who is told what of a release."""

    mode: str
    position: int
    sends: tuple[Send, ...]
    withheld: tuple[Withhold, ...]
    by_role: Mapping[str, int] = {}
    by_channel: Mapping[str, int] = {}


class Delivered(Struct, frozen=True, gc=False):
    """What became of one message; whose it was is not read."""

    planned: int
    channel: str
    state: str
    at: datetime
    reason: str = ""


class DeliveriesRecorded(Fact, frozen=True, gc=False):
    """What became of messages."""

    mode: str
    deliveries: tuple[Delivered, ...]


class NoticesPlanned(Fact, frozen=True, gc=False):
    """Messages to single people."""

    mode: str
    purpose: str


class OfCallUp(OfDistrict, frozen=True, gc=False):
    """A fact of one round of a warning's call-ups."""

    warning_id: str
    round: int


class Post(Struct, frozen=True, gc=False):
    """What somebody answers for; who they are is not read."""

    post: str
    role: str


class CallUpsOpened(OfCallUp, frozen=True, gc=False):
    """A release calls posts up."""

    posts: tuple[Post, ...]


class CallUpStepTaken(OfCallUp, frozen=True, gc=False):
    """A step was taken."""

    step: str
    post: str


class CallUpConfirmed(OfCallUp, frozen=True, gc=False):
    """A post has confirmed."""

    post: str
    how: str


class CallUpAnswered(OfCallUp, frozen=True, gc=False):
    """A post answered its questions."""

    post: str
    is_report: bool = False


class CallUpsEnded(OfCallUp, frozen=True, gc=False):
    """Posts are asked no more."""

    posts: tuple[str, ...]
    reason: str


class WarningAssessed(Fact, frozen=True, gc=False):
    """A verdict on a warning, or on an event without one."""

    verdict: str
    district: str
    hazard: str
    warning_id: str = ""
    happened: datetime | None = None
    note: str = ""
    by: str = ""


class PolicyAdopted(Fact, frozen=True, gc=False):
    """A policy was adopted."""

    policy_sha256: str


FACT_TYPES: Mapping[str, type[Fact]] = {
    events.PolicyAdopted.TOPIC: PolicyAdopted,
    events.MessageAccepted.TOPIC: facts.MessageAccepted,
    events.MessageRejected.TOPIC: facts.MessageRejected,
    events.DuplicateArrived.TOPIC: facts.DuplicateArrived,
    events.ConflictingCopyArrived.TOPIC: facts.ConflictingCopyArrived,
    events.MessageHadNoEffect.TOPIC: facts.MessageHadNoEffect,
    events.ContributionEnded.TOPIC: ContributionEnded,
    events.OutletRevised.TOPIC: OutletRevised,
    events.ConflictFlagged.TOPIC: facts.ConflictFlagged,
    events.ConflictSettled.TOPIC: facts.ConflictSettled,
    events.WarningReleased.TOPIC: WarningReleased,
    events.EventParked.TOPIC: facts.EventParked,
    edge_events.FeedFellSilent.TOPIC: facts.FeedFellSilent,
    telling_events.TellingPlanned.TOPIC: TellingPlanned,
    telling_events.DeliveriesRecorded.TOPIC: DeliveriesRecorded,
    telling_events.SendingStopped.TOPIC: Fact,
    notices.NoticesPlanned.TOPIC: NoticesPlanned,
    callup_events.CallUpsOpened.TOPIC: CallUpsOpened,
    callup_events.CallUpStepTaken.TOPIC: CallUpStepTaken,
    callup_events.CallUpConfirmed.TOPIC: CallUpConfirmed,
    callup_events.CallUpAnswered.TOPIC: CallUpAnswered,
    callup_events.CallUpsEnded.TOPIC: CallUpsEnded,
    drill_events.DrillStarted.TOPIC: Fact,
    drill_events.DrillStopped.TOPIC: Fact,
    assessment_events.WarningAssessed.TOPIC: WarningAssessed,
}
"""The topics that the report is counted from. Fields have their event's names and defaults, by test."""

_DECODERS: Mapping[str, Decoder[Any]] = {topic: Decoder(kind) for topic, kind in FACT_TYPES.items()}


def facts_in(
    log: EventLog, *, until: int, topics: frozenset[str], progress: Progress | None = None
) -> Iterator[tuple[int, str, Fact]]:
    """(position, topic, fact) of the events of these topics up to a position, in the log's order.

    Raises whatever the log raises.
    """
    for position, topic, state in _states(log, until, topics, progress):
        yield position, topic, _DECODERS[topic].decode(state)


def _states(
    log: EventLog, until: int, topics: frozenset[str], progress: Progress | None
) -> Iterator[tuple[int, str, bytes]]:
    if isinstance(log, RawLog):
        for start in range(0, until, RAW_PAGE):
            end = min(start + RAW_PAGE, until)
            yield from log.read_raw(after=start, until=end, topics=topics)
            if progress is not None:
                progress(end, until)
        return
    for recorded in log.read(topics=topics):
        if recorded.position > until:
            break
        yield recorded.position, recorded.event.TOPIC, recorded.event.model_dump_json().encode()
        if progress is not None:
            progress(recorded.position, until)
