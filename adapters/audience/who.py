"""Who would be told: the plan that dispatch will make, made before anything is sent, and counted.

It is the same `plan` on the same audience, with what people were told before; nothing is recorded. What does not belong
here: how a command or a page shows it.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from domain.levels import Level
from domain.messages import Mode
from domain.outlet import OutletState
from domain.policy import Policy
from domain.ports import EventLog, Gazetteer
from domain.recipients import ChannelKind
from domain.routing import Audience, Item, P, Plan, Reason, Told, plan
from domain.sections import AreaLevel, Section
from domain.telling_events import TellingPlanned
from streams.dispatch import telling_stream
from streams.ledger import Ledger

Name = TypeVar("Name")


@dataclass(frozen=True, slots=True)
class Asked(Generic[P]):
    """A district's content, and who has been told what of the same warning."""

    district: str
    mode: Mode
    warning_id: str
    sections: tuple[Section, ...]
    told: Told[P]


@dataclass(frozen=True, slots=True)
class Who(Generic[P]):
    """Who would be told in one district, with the plan itself and its counts."""

    asked: Asked[P]
    plan: Plan[P]
    people: int
    by_role: Mapping[str, int]
    by_channel: Mapping[ChannelKind, int]
    sends: Sequence[tuple[tuple[Item, ...], int]]
    withheld: Sequence[tuple[str, Reason, int]]


def who(asked: Asked[P], audience: Audience[P], covers: Mapping[str, Sequence[str]]) -> Who[P]:
    """The plan for this content, and how many it tells by role and by the channel they prefer."""
    found = plan(asked.sections, asked.told, audience, mode=asked.mode, covers=covers)
    told = [send.people for send in found.sends]
    return Who(
        asked=asked,
        plan=found,
        people=sum(map(len, told)),
        by_role=_counts(told, audience.by_role()),
        by_channel=_counts(told, audience.by_channel()),
        sends=tuple((send.items, len(send.people)) for send in found.sends),
        withheld=tuple((one.hazard, one.reason, len(one.people)) for one in found.withheld),
    )


def who_of_warning(
    log: EventLog, audience: Audience[P], policy: Policy, district: str, mode: Mode, *, warning_id: str = ""
) -> Who[P]:
    """Who would be told if all that the district's warning says now were released, what is held included.

    Raises:
        LookupError: the warning with this id is over or not the district's.
    """
    state = Ledger(log).outlet(district, mode)
    if warning_id and state.warning_id != warning_id:
        raise LookupError(f"the warning {warning_id} does not stand in {district}; {state.warning_id} does")
    told = _told(log, audience, state)
    return who(Asked(district, mode, state.warning_id, state.sections, told), audience, policy.telling.covers)


def who_of_content(  # noqa: PLR0913 -- what is asked about is all of these
    log: EventLog,
    audience: Audience[P],
    policy: Policy,
    gazetteer: Gazetteer,
    *,
    hazard: str,
    level: Level,
    codes: Iterable[str],
    at: datetime,
    mode: Mode = Mode.LIVE,
) -> Sequence[Who[P]]:
    """Who would be told if this hazard stood at this level in these areas, beside all that was released there before.

    One answer for each district, in code order, since each has its own warning.

    Raises:
        LookupError: a code or the hazard is none of this outlet's.
    """
    own = policy.hazard_index.get(hazard)
    areas = {code: gazetteer.area(code) for code in dict.fromkeys(codes)}
    unknown = [code for code, area in areas.items() if area is None]
    if own is None or unknown:
        raise LookupError(f"not known here: {', '.join([*unknown, *([hazard] if own is None else [])])}")
    merged = own.merges_into or hazard
    by_district: dict[str, list[AreaLevel]] = {}
    for area in filter(None, areas.values()):
        level_there = AreaLevel(code=area.code, name=area.name, level=level, within=area.within)
        by_district.setdefault(area.district, []).append(level_there)
    found = []
    for district, places in sorted(by_district.items()):
        state = Ledger(log).outlet(district, mode)
        others = tuple(section for section in state.released if section.hazard != merged)
        sections = (*others, _section(merged, level, places, at))
        asked = Asked(district, mode, state.warning_id, sections, _told(log, audience, state))
        found.append(who(asked, audience, policy.telling.covers))
    return found


def _section(hazard: str, level: Level, areas: Sequence[AreaLevel], at: datetime) -> Section:
    """As much of a section as routing looks at."""
    return Section(
        hazard=hazard,
        level=level,
        issuers=(),
        areas=tuple(areas),
        effective=at,
        expires=None,
        headlines={},
        contributors=(),
    )


def _told(log: EventLog, audience: Audience[P], state: OutletState) -> Told[P]:
    """Who was told what of the warning that stands, as the newest plan says."""
    newest = deque(log.stream(telling_stream(state.district, state.mode)), maxlen=1)
    planned = newest[0].event if newest else None
    if not isinstance(planned, TellingPlanned) or planned.warning_id != state.warning_id:
        return Told()
    return Told(
        {
            hazard: {level: _kept(log, audience, digest) for level, digest in levels.items()}
            for hazard, levels in planned.told.items()
        }
    )


def _kept(log: EventLog, audience: Audience[P], digest: str) -> P:
    content = log.attachment(digest)
    if content is None:
        raise LookupError(f"nothing is kept under {digest}")
    return audience.people_from(content)


def _counts(told: Sequence[P], groups: Mapping[Name, P]) -> dict[Name, int]:
    counted = {name: sum(len(people & group) for people in told) for name, group in groups.items()}
    return {name: count for name, count in counted.items() if count}
