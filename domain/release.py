"""When a revision becomes public: at once, grouped with what follows, or after approval.

Released content never changes. Works on the state of `outlet.py`. A hold is on one hazard: while people decide
about a red landslide, the lifting of a rainstorm beside it goes out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, assert_never
from zlib import crc32

from domain.events import (
    Event,
    HoldEnded,
    ReleaseApproved,
    ReleaseHeld,
    ReleaseRefused,
    ReleaseScheduled,
    SectionMessage,
    WarningReleased,
)
from domain.levels import Level
from domain.merging import in_force
from domain.messages import MessageType, Mode
from domain.outlet import Hold, Lapse, OutletState, decide, evolve
from domain.policy import Policy
from domain.sections import Change, ChangeKind, Section, changes_between
from domain.texts import release_texts
from domain.values import Moment

MOST_REFERENCES: Final = 50
"""Earlier releases that a release names in CAP's `references`."""

AT_ONCE = frozenset({ChangeKind.RAISED, ChangeKind.LIFTED, ChangeKind.AREA_LIFTED})


@dataclass(frozen=True, slots=True)
class Approve:
    """A person approves the held section of a hazard."""

    hazard: str
    by: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """A person refuses the held section of a hazard, with a reason."""

    hazard: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Consider:
    """The content or the clock has moved on: release what is due."""


ReleaseCommand = Approve | Refuse | Consider


class ReleaseError(Exception):
    """A person's decision does not fit: nothing is held for this hazard, or the same person decides twice."""


def decide_release(state: OutletState, command: ReleaseCommand, *, policy: Policy, now: Moment) -> list[Event]:
    """The releases, holds and schedules that follow; whatever has expired ends first, so that it is never released.

    Raises:
        ReleaseError: an approval or refusal where nothing is held (any more), or a second one by the same person.
    """
    lapsed = _what_has_expired_ends_first(state, policy, now)
    for fact in lapsed:
        state = evolve(state, fact)
    match command:
        case Approve(hazard, by):
            facts = _approved(state, hazard, by, now)
        case Refuse(hazard, by, reason):
            facts = [_refusal(state, hazard, _held(state, hazard).level, by, reason, now)]
        case Consider():
            facts = _past_deadlines(state, policy, now)
        case _:
            assert_never(command)
    for fact in facts:
        state = evolve(state, fact)
    holds = _holds(state, policy, now)
    for fact in holds:
        state = evolve(state, fact)
    return [*lapsed, *facts, *holds, *_public(state, policy, now)]


def _what_has_expired_ends_first(state: OutletState, policy: Policy, now: Moment) -> list[Event]:
    statements = (statement for said in state.contributions.values() for statement in said.statements)
    if all(in_force(statement, now) for statement in statements):
        return []
    return decide(state, Lapse(), policy=policy, now=now)


def _held(state: OutletState, hazard: str) -> Hold:
    hold = state.holds.get(hazard)
    if hold is None or hold.stale:
        message = f"nothing is held for hazard {hazard} in district {state.district}"
        raise ReleaseError(message)
    return hold


def _approved(state: OutletState, hazard: str, by: str, now: Moment) -> list[Event]:
    hold = _held(state, hazard)
    if by in hold.approved_by:
        message = f"{by} has already approved hazard {hazard}; another person must"
        raise ReleaseError(message)
    approved = ReleaseApproved(at=now, district=state.district, mode=state.mode, hazard=hazard, level=hold.level, by=by)
    if len(hold.approved_by) + 1 < hold.approvals_needed:
        return [approved]
    return [approved, _end_of_hold(state, hazard, hold.level, "approved", now)]


def _refusal(state: OutletState, hazard: str, level: Level, by: str, reason: str, now: Moment) -> Event:
    return ReleaseRefused(
        at=now, district=state.district, mode=state.mode, hazard=hazard, level=level, by=by, reason=reason
    )


def _end_of_hold(
    state: OutletState, hazard: str, level: Level, cause: Literal["approved", "deadline", "gone"], now: Moment
) -> Event:
    return HoldEnded(at=now, district=state.district, mode=state.mode, hazard=hazard, level=level, cause=cause)


def _past_deadlines(state: OutletState, policy: Policy, now: Moment) -> list[Event]:
    """Nobody has answered in time: the policy's deadline action happens."""
    past = [(hazard, hold) for hazard, hold in sorted(state.holds.items()) if hold.deadline <= now and not hold.stale]
    if policy.release.deadline_action == "release":
        return [_end_of_hold(state, hazard, hold.level, "deadline", now) for hazard, hold in past]
    sentence = "nobody has approved it before the deadline"
    return [_refusal(state, hazard, hold.level, "deadline", sentence, now) for hazard, hold in past]


def _holds(state: OutletState, policy: Policy, now: Moment) -> list[Event]:
    """Holds that end because their section is gone or has changed level, and new ones the policy asks for."""
    events = [
        _end_of_hold(state, hazard, hold.level, "gone", now)
        for hazard, hold in sorted(state.holds.items())
        if hold.stale
    ]
    for section in state.sections:
        hold = state.holds.get(section.hazard)
        standing = hold is not None and not hold.stale
        if _needs_approval(state, policy, section) and not standing and not _is_barred(state, section):
            events.append(
                ReleaseHeld(
                    at=now,
                    district=state.district,
                    mode=state.mode,
                    hazard=section.hazard,
                    level=section.level,
                    approvals_needed=policy.release.approvals[section.level],
                    deadline=_deadline(state, policy, section, now),
                )
            )
    return events


def _deadline(state: OutletState, policy: Policy, section: Section, now: Moment) -> Moment:
    """When the hold must have been answered: before the public would read that a hazard which stands was lifted."""
    deadline = now + timedelta(seconds=policy.release.approval_deadline_seconds)
    ends = [old.expires for old in state.released if old.hazard == section.hazard and old.expires is not None]
    return min([deadline, *(end for end in ends if end > now)])


def _needs_approval(state: OutletState, policy: Policy, section: Section) -> bool:
    """A section that enters or rises to a level for which the policy asks people, and they have not said yes."""
    if not _is_published(policy, section):
        return False
    if policy.release.approvals.get(section.level, 0) < 1 or state.freed.get(section.hazard) == section.level:
        return False
    before = next((old.level for old in state.released if old.hazard == section.hazard), None)
    return before is None or before < section.level


def _is_published(policy: Policy, section: Section) -> bool:
    """Whether the section has reached the level from which its hazard is published."""
    hazard = policy.hazard_index.get(section.hazard)
    return hazard is None or hazard.published_from is None or section.level >= hazard.published_from


def _is_barred(state: OutletState, section: Section) -> bool:
    return state.barred.get(section.hazard) == section.level


def releasable_sections(state: OutletState, policy: Policy, now: Moment) -> tuple[Section, ...]:
    """The content that may be public now: a held hazard keeps what was released of it before, if still in force."""
    released = {section.hazard: section for section in state.released}
    sections: list[Section] = []
    for section in state.sections:
        if not _is_published(policy, section):
            continue
        if section.hazard in state.holds or _is_barred(state, section):
            old = released.get(section.hazard)
            if old is not None and (old.expires is None or now < old.expires):
                sections.append(old)
        else:
            sections.append(section)
    return tuple(sections)


def _public(state: OutletState, policy: Policy, now: Moment) -> list[Event]:
    sections = releasable_sections(state, policy, now)
    changes = changes_between(state.released, sections)
    if not changes:
        return []
    cause = why_at_once(changes)
    if cause is None and state.due is not None and state.due <= now:
        cause = "grouped"
    wait = policy.release.group_wait_seconds
    if cause is None and wait == 0:
        cause = "no-grouping"
    if cause is not None:
        return [_release(state, policy, sections, changes, cause, now)]
    if state.due is not None:
        return []
    return [
        ReleaseScheduled(
            at=now,
            district=state.district,
            mode=state.mode,
            revision=state.revision,
            due=now + timedelta(seconds=wait),
        )
    ]


def why_at_once(changes: Sequence[Change]) -> str | None:
    """Why these changes cannot wait, or None: a level rises, a red is involved, something is lifted."""
    for change in changes:
        if Level.RED in {change.before, change.after} and change.kind is not ChangeKind.CONTINUED:
            return "red"
        if change.kind in AT_ONCE:
            return change.kind.value
    return None


def _release(
    state: OutletState,
    policy: Policy,
    sections: tuple[Section, ...],
    changes: tuple[Change, ...],
    cause: str,
    now: Moment,
) -> WarningReleased:
    number = len(state.releases) + 1
    drill = "drill-" if state.mode is Mode.DRILL else ""
    kind = MessageType.UPDATE if state.released else MessageType.ALERT  # after a cancel, a new alert
    return WarningReleased(
        at=now,
        district=state.district,
        mode=state.mode,
        warning_id=state.warning_id,
        revision=state.revision,
        number=number,
        message_type=kind if sections else MessageType.CANCEL,
        sender=policy.outlet.sender,
        identifier=f"{drill}{policy.outlet.id}-{state.district}-{state.episode}-{number}",
        references=_references(state.releases),
        sections=sections,
        changes=changes,
        texts=release_texts(
            policy,
            mode=state.mode,
            sections=sections,
            changes=changes,
            at=now,
            district=_district_name(state),
            before=state.released,
        ),
        section_messages=_section_messages(state, policy, sections, changes, number, now),
        cause=cause,
    )


def _references(releases: tuple[str, ...]) -> tuple[str, ...]:
    """The episode's first release and its newest ones: all of them would let a long episode grow by its square.

    Whoever has seen none of the newest still finds the first, which every release of the episode names.
    """
    if len(releases) <= MOST_REFERENCES:
        return releases
    return (releases[0], *releases[1 - MOST_REFERENCES :])


def _district_name(state: OutletState) -> str:
    """The district's name, if any agency has named the district as a whole."""
    said = (area for c in state.contributions.values() for statement in c.statements for area in statement.areas)
    shown = (area for section in (*state.sections, *state.released) for area in section.areas)
    names = {**{area.code: area.name for area in shown}, **{area.code: area.name for area in said}}
    return names.get(state.district, "")


def _section_messages(
    state: OutletState,
    policy: Policy,
    sections: Sequence[Section],
    changes: Sequence[Change],
    number: int,
    now: Moment,
) -> tuple[SectionMessage, ...]:
    """One message for each section that changed, in the section's own chain; a lifted one is cancelled."""
    content = {section.hazard: section for section in (*state.released, *sections)}
    standing = {section.hazard for section in sections}
    messages: list[SectionMessage] = []
    for hazard in dict.fromkeys(change.hazard for change in changes):
        first = state.section_firsts.get(hazard)
        identifier = _section_identifier(state, policy, hazard, number, now)
        kind = MessageType.UPDATE if first else MessageType.ALERT
        messages.append(
            SectionMessage(
                hazard=hazard,
                identifier=identifier,
                first=first or identifier,
                message_type=kind if hazard in standing else MessageType.CANCEL,
                section=content[hazard],
            )
        )
    return tuple(messages)


def _section_identifier(state: OutletState, policy: Policy, hazard: str, number: int, now: Moment) -> str:
    """`<senderCode>_<local time>_<N>`: N tells apart districts, hazards and releases of one second."""
    moment = now.astimezone(policy.zone).strftime("%Y%m%d%H%M%S")
    place = crc32(f"{state.mode.value}/{state.district}/{state.episode}/{hazard}".encode()) % 1_000_000
    return f"{policy.outlet.sender_code or policy.outlet.id}_{moment}_{place:06d}{number % 1000:03d}"
