"""The stage behind a release: who is told what of it, and who is not and why, recorded before anything is sent.

Nothing is sent here. The outbox follows what is recorded here and fills its rows from it, so that a plan and its rows
cannot come apart: a row exists because its plan is in the log.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from domain.event import Event
from domain.events import WarningReleased
from domain.messages import Mode
from domain.outlet import stream_id_of
from domain.ports import RecordedEvent
from domain.recipients import ChannelKind
from domain.release import why_at_once
from domain.routing import Audience, People, Plan, Send, Told, plan
from domain.telling_events import PlannedItem, PlannedSend, PlannedWithhold, TellingPlanned
from domain.telling_texts import send_texts
from domain.values import Moment
from streams.house import House

Name = TypeVar("Name")


def telling_stream(district: str, mode: Mode) -> UUID:
    """The stream of what was planned for a district: its newest event says who knows what."""
    return stream_id_of("telling", mode.value, district)


def plan_telling(house: House, recorded: RecordedEvent, now: Moment) -> None:
    """Record who is told what of a release. Where there is nobody to tell, nothing is recorded.

    Raises:
        TypeError: the event is none that this stage reads.
    """
    release: Event = recorded.event
    if not isinstance(release, WarningReleased):
        message = f"dispatch does not read {release.TOPIC}"
        raise TypeError(message)
    if house.audience is None:
        return
    house.audience.follow(recorded.position)
    stream = telling_stream(release.district, release.mode)
    before = house.ledger.newest(stream)
    known: Told[People] = Told()
    if isinstance(before, TellingPlanned):
        if before.position >= recorded.position:  # planned already
            return
        if before.warning_id == release.warning_id:
            known = _known(house, house.audience, before)
    found = plan(release.sections, known, house.audience, mode=release.mode, covers=house.policy.telling.covers)
    if found.sends or found.withheld or known.levels:
        house.ledger.add_newest(stream, _event(house, house.audience, recorded.position, release, found, now))


def what_was_told(event: Event) -> Iterator[UUID]:
    """The stream of what was planned before for a release's district."""
    if isinstance(event, WarningReleased):
        yield telling_stream(event.district, event.mode)


def _known(house: House, audience: Audience[People], before: TellingPlanned) -> Told[People]:
    return Told(
        {
            hazard: {level: audience.people_from(house.ledger.attachment(digest)) for level, digest in levels.items()}
            for hazard, levels in before.told.items()
        }
    )


def _event(
    house: House,
    audience: Audience[People],
    position: int,
    release: WarningReleased,
    found: Plan[People],
    now: Moment,
) -> TellingPlanned:
    def kept(people: People) -> str:
        return house.ledger.attach(audience.content_of(people))

    place = house.gazetteer.area(release.district)
    told = {
        hazard: {level: kept(people) for level, people in levels.items()}
        for hazard, levels in found.told.levels.items()
    }
    return TellingPlanned(
        at=now,
        district=release.district,
        mode=release.mode,
        warning_id=release.warning_id,
        position=position,
        number=release.number,
        message_type=release.message_type,
        sends=tuple(
            PlannedSend(
                items=tuple(PlannedItem(hazard=i.hazard, kind=i.kind, level=i.level) for i in send.items),
                level=send.level,
                texts=send_texts(house.policy, release, send.items, place=place.name if place else ""),
                people_sha256=kept(send.people),
                count=len(send.people),
            )
            for send in found.sends
        ),
        withheld=tuple(
            PlannedWithhold(hazard=w.hazard, reason=w.reason, people_sha256=kept(w.people), count=len(w.people))
            for w in found.withheld
        ),
        told=told,
        at_once=why_at_once(release.changes) is not None,
        expires=_end(release),
        by_role=_roles(found.sends, audience),
        by_channel=_channels(found.sends, audience),
    )


def _end(release: WarningReleased) -> datetime | None:
    """When nothing of the release is in force any more; None for one that lifts, or that has no end."""
    ends = [section.expires for section in release.sections]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _roles(sends: Sequence[Send[People]], audience: Audience[People]) -> Mapping[str, int]:
    return _counts(sends, audience.by_role())


def _channels(sends: Sequence[Send[People]], audience: Audience[People]) -> Mapping[ChannelKind, int]:
    return _counts(sends, audience.by_channel())


def _counts(sends: Sequence[Send[People]], groups: Mapping[Name, People]) -> dict[Name, int]:
    counted = {name: sum(len(send.people & group) for send in sends) for name, group in groups.items()}
    return {name: count for name, count in counted.items() if count}
