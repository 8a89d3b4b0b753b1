"""The outlet warning of one district in one mode: which contributions stand, and the revisions they make.

`decide(state, command) -> events`, `evolve(state, event) -> state`; both pure. When a revision becomes public is
decided in `release.py`, on the same state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never
from uuid import NAMESPACE_URL, UUID, uuid5

from domain.contributions import Contribution, MessageKey
from domain.events import (
    ConflictFlagged,
    ConflictSettled,
    ContributionEnded,
    ContributionRecorded,
    EndReason,
    Event,
    HoldEnded,
    OutletRevised,
    ReleaseApproved,
    ReleaseHeld,
    ReleaseRefused,
    ReleaseScheduled,
    WarningReleased,
)
from domain.levels import Level
from domain.merging import Settlement, in_force, merge
from domain.messages import Mode
from domain.policy import Policy
from domain.sections import Section, changes_between
from domain.values import Moment


def stream_id_of(kind: str, *parts: str) -> UUID:
    """The id of a stream: a uuid5 of what it names, so that replay makes the same one."""
    return uuid5(NAMESPACE_URL, "/".join(("single-outlet", kind, *parts)))


@dataclass(frozen=True, slots=True)
class Hold:
    """A hazard whose section waits for approvals; stale once the section has gone or changed its level."""

    level: Level
    approvals_needed: int
    deadline: Moment
    approved_by: frozenset[str] = frozenset()
    stale: bool = False


@dataclass(frozen=True, slots=True)
class OutletState:
    """A district's state; everything in it comes from events.

    `freed` and `barred` are the levels to which a hazard may, or may not, be released after people (or the
    deadline) have decided.
    """

    district: str
    mode: Mode
    contributions: Mapping[str, Contribution] = field(default_factory=dict)
    settlements: tuple[Settlement, ...] = ()
    episode: int = 0
    revision: int = 0
    sections: tuple[Section, ...] = ()
    released: tuple[Section, ...] = ()
    released_revision: int = 0
    releases: tuple[str, ...] = ()
    section_firsts: Mapping[str, str] = field(default_factory=dict)
    due: Moment | None = None
    holds: Mapping[str, Hold] = field(default_factory=dict)
    freed: Mapping[str, Level] = field(default_factory=dict)
    barred: Mapping[str, Level] = field(default_factory=dict)

    @property
    def warning_id(self) -> str:
        """The id of the outlet warning of the current episode."""
        return str(stream_id_of("warning", self.mode.value, self.district, str(self.episode)))


@dataclass(frozen=True, slots=True)
class Record:
    """A chain says this about the district now."""

    contribution: Contribution


@dataclass(frozen=True, slots=True)
class End:
    """A chain has ended for the district."""

    chain: str
    reason: EndReason
    message: MessageKey | None = None


@dataclass(frozen=True, slots=True)
class Lapse:
    """The clock moved on: whatever has expired ends."""


@dataclass(frozen=True, slots=True)
class SettleConflict:
    """Somebody settles the conflict on a hazard, with a reason."""

    hazard: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recompose:
    """The policy changed: the same contributions are merged under it."""


Command = Record | End | Lapse | SettleConflict | Recompose


def decide(state: OutletState, command: Command, *, policy: Policy, now: Moment) -> list[Event]:
    """What follows from the command: the facts, and the revision if the content is another one.

    Raises:
        ValueError: a contribution about another district.
    """
    match command:
        case Record(contribution):
            facts = _recorded(state, contribution, now)
        case End(chain, reason, message):
            facts = _ended(state, chain, reason, message, now)
        case Lapse():
            facts = _lapsed(state, now)
        case SettleConflict():
            facts = _settled(state, command, now)
        case Recompose():
            facts = []
        case _:
            assert_never(command)
    if not facts and not isinstance(command, Lapse | Recompose):
        return []
    after = state
    for fact in facts:
        after = evolve(after, fact)
    return [*facts, *_revised(after, policy, now)]


def _recorded(state: OutletState, contribution: Contribution, now: Moment) -> list[Event]:
    if contribution.district != state.district:
        raise ValueError(f"a contribution about {contribution.district} is none about {state.district}")
    if not any(in_force(statement, now) for statement in contribution.statements):
        return _ended(state, contribution.chain, EndReason.EXPIRED, contribution.message, now)
    if state.contributions.get(contribution.chain) == contribution:
        return []
    return [ContributionRecorded(at=now, district=state.district, mode=state.mode, contribution=contribution)]


def _ended(state: OutletState, chain: str, reason: EndReason, message: MessageKey | None, now: Moment) -> list[Event]:
    standing = state.contributions.get(chain)
    if standing is None:
        return []
    return [
        ContributionEnded(
            at=now,
            district=state.district,
            mode=state.mode,
            chain=chain,
            agency=standing.agency,
            reason=reason,
            message=message,
        )
    ]


def _lapsed(state: OutletState, now: Moment) -> list[Event]:
    gone = [c for c in state.contributions.values() if not any(in_force(s, now) for s in c.statements)]
    return [
        event
        for c in sorted(gone, key=lambda c: c.chain)
        for event in _ended(state, c.chain, EndReason.EXPIRED, None, now)
    ]


def _settled(state: OutletState, command: SettleConflict, now: Moment) -> list[Event]:
    section = next((section for section in state.sections if section.hazard == command.hazard), None)
    if section is None or section.conflict is None or not section.conflict.is_open:
        return []
    return [
        ConflictSettled(
            at=now,
            district=state.district,
            mode=state.mode,
            hazard=command.hazard,
            levels=section.conflict.levels,
            by=command.by,
            reason=command.reason,
        )
    ]


def _revised(state: OutletState, policy: Policy, now: Moment) -> list[Event]:
    """The new revision and any conflict it brings up; nothing when the content is the same.

    An episode whose end has not become public goes on: the public must never be left with what was not lifted.
    """
    sections = merge(state.contributions.values(), policy=policy, now=now, settlements=state.settlements)
    if sections == state.sections:
        return []
    begins = not state.sections and not state.released
    revised = OutletRevised(
        at=now,
        district=state.district,
        mode=state.mode,
        warning_id=replace(state, episode=state.episode + 1).warning_id if begins else state.warning_id,
        episode=state.episode + 1 if begins else state.episode,
        revision=1 if begins else state.revision + 1,
        sections=sections,
        changes=changes_between(state.sections, sections),
    )
    return [revised, *_new_conflicts(state, revised, now)]


def _new_conflicts(state: OutletState, revised: OutletRevised, now: Moment) -> list[Event]:
    known = {section.hazard: section.conflict.levels for section in state.sections if section.conflict}
    return [
        ConflictFlagged(
            at=now,
            district=state.district,
            mode=state.mode,
            warning_id=revised.warning_id,
            hazard=section.hazard,
            levels=section.conflict.levels,
        )
        for section in revised.sections
        if section.conflict and section.conflict.is_open and known.get(section.hazard) != section.conflict.levels
    ]


OfDistrict = (
    ContributionRecorded
    | ContributionEnded
    | OutletRevised
    | ConflictFlagged
    | ConflictSettled
    | ReleaseScheduled
    | ReleaseHeld
    | ReleaseApproved
    | ReleaseRefused
    | HoldEnded
    | WarningReleased
)
"""The facts of a district's stream."""


def evolve(state: OutletState, event: Event) -> OutletState:
    """The state after an event of this district's stream.

    Raises:
        TypeError: the event belongs to no district's stream.
        ValueError: it belongs to another one; live and drill never meet.
    """
    if isinstance(event, OfDistrict) and (event.district, event.mode) != (state.district, state.mode):
        raise ValueError(f"{event.TOPIC} of {event.district} ({event.mode}) is none of {state.district} ({state.mode})")
    match event:
        case ContributionRecorded(contribution=contribution):
            return replace(state, contributions={**state.contributions, contribution.chain: contribution})
        case ContributionEnded(chain=chain):
            standing = {name: c for name, c in state.contributions.items() if name != chain}
            return replace(state, contributions=standing)
        case OutletRevised():
            return _with_revision(state, event)
        case ConflictFlagged():
            return state
        case ConflictSettled():
            settlement = Settlement(event.hazard, event.levels, event.by, event.reason)
            others = tuple(s for s in state.settlements if s.hazard != event.hazard)
            return replace(state, settlements=(*others, settlement))
        case ReleaseScheduled(due=due):
            return replace(state, due=due)
        case ReleaseHeld() | ReleaseApproved() | ReleaseRefused() | HoldEnded():
            return _with_hold(state, event)
        case WarningReleased():
            return replace(
                state,
                due=None,
                released=event.sections,
                released_revision=event.revision,
                releases=(*state.releases, f"{event.sender},{event.identifier},{event.at.isoformat()}"),
                section_firsts=_firsts_after(state, event),
            )
        case _:
            message = f"{event.TOPIC} belongs to no district's stream"
            raise TypeError(message)


def _firsts_after(state: OutletState, event: WarningReleased) -> Mapping[str, str]:
    """Each released section's first message; a lifted section's chain is closed, and the next one is new."""
    firsts = {**state.section_firsts, **{message.hazard: message.first for message in event.section_messages}}
    released = {section.hazard for section in event.sections}
    return {hazard: first for hazard, first in firsts.items() if hazard in released}


def _with_revision(state: OutletState, event: OutletRevised) -> OutletState:
    """A new episode begins with nothing released; what people decided about a level holds while that level stands.

    A settlement holds while the agencies say what they said: once they have said something else, it is over.
    """
    fresh = event.episode != state.episode
    levels = {section.hazard: section.level for section in event.sections}
    conflicts = {section.hazard: section.conflict.levels for section in event.sections if section.conflict}
    return replace(
        state,
        episode=event.episode,
        revision=event.revision,
        sections=event.sections,
        released=() if fresh else state.released,
        released_revision=0 if fresh else state.released_revision,
        releases=() if fresh else state.releases,
        section_firsts={} if fresh else state.section_firsts,
        due=None if fresh or event.sections == state.released else state.due,
        settlements=tuple(settled for settled in state.settlements if conflicts.get(settled.hazard) == settled.levels),
        holds={
            hazard: replace(hold, stale=hold.stale or levels.get(hazard) != hold.level)
            for hazard, hold in state.holds.items()
        },
        freed={hazard: level for hazard, level in state.freed.items() if levels.get(hazard) == level},
        barred={hazard: level for hazard, level in state.barred.items() if levels.get(hazard) == level},
    )


def _with_hold(state: OutletState, event: ReleaseHeld | ReleaseApproved | ReleaseRefused | HoldEnded) -> OutletState:
    others = {hazard: hold for hazard, hold in state.holds.items() if hazard != event.hazard}
    match event:
        case ReleaseHeld():
            hold = Hold(event.level, event.approvals_needed, event.deadline)
            return replace(state, holds={**others, event.hazard: hold})
        case ReleaseApproved():
            hold = state.holds[event.hazard]
            hold = replace(hold, approved_by=hold.approved_by | {event.by})
            return replace(state, holds={**others, event.hazard: hold})
        case ReleaseRefused():
            return replace(state, holds=others, barred={**state.barred, event.hazard: event.level})
        case HoldEnded():
            if event.cause == "gone":
                return replace(state, holds=others)
            return replace(state, holds=others, freed={**state.freed, event.hazard: event.level})
        case _:
            assert_never(event)
