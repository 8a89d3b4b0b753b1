"""Who is told what of a release, and why somebody is not. Pure: sets of recipient numbers in, sets out.

Notification follows the change for each person: what concerns them for the first time or at a higher level is told,
a lower level is told to those who know of the higher one, the end to exactly those who were told, and what says the
same again is withheld with its reason. Sets make it one decision for a million people; the property test holds it
against the same rules written for one person.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol, Self, TypeVar

from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind, Duty
from domain.sections import AreaLevel, Section


class People(Protocol):
    """A set of recipient numbers: a frozenset, or a compressed bitmap."""

    def __and__(self, other: Self, /) -> Self:
        """Who is in both."""
        ...

    def __or__(self, other: Self, /) -> Self:
        """Who is in either."""
        ...

    def __sub__(self, other: Self, /) -> Self:
        """Who is in this one and not in the other."""
        ...

    def __len__(self) -> int:
        """How many."""
        ...

    def __iter__(self) -> Iterator[int]:
        """Their numbers."""
        ...


P = TypeVar("P", bound=People)
P_co = TypeVar("P_co", bound=People, covariant=True)


class Audience(Protocol[P_co]):
    """Everyone on the rosters and every confirmed subscriber, by what concerns them."""

    def nobody(self) -> P_co:
        """The empty set."""
        ...

    def everyone(self, mode: Mode) -> P_co:
        """All who are reached in this mode; live and drill share nobody."""
        ...

    def concerned(self, mode: Mode, areas: Sequence[AreaLevel]) -> P_co:
        """Whose areas or points touch one of these areas: equal, within it or around it."""
        ...

    def wanting(self, hazard: str) -> P_co:
        """Who is to hear of this hazard."""
        ...

    def from_level(self, level: Level) -> P_co:
        """Whose lowest level is this one or a lower one."""
        ...

    def reachable(self) -> P_co:
        """Who has at least one channel that works: not erased, not withdrawn."""
        ...

    def by_role(self) -> Mapping[str, P_co]:
        """Everyone, by role."""
        ...

    def by_channel(self) -> Mapping[ChannelKind, P_co]:
        """Everyone, by the channel they prefer."""
        ...

    def duties(self, people: Iterable[int]) -> Sequence[Duty]:
        """What each of these answers for, by rising number; who is on no roster is left out."""
        ...

    def people_from(self, content: bytes) -> P_co:
        """The set that `content_of` made these bytes of."""
        ...

    def content_of(self, people: Iterable[int]) -> bytes:
        """A set as bytes: the same for equal sets, whoever makes them."""
        ...

    def follow(self, position: int) -> None:
        """Take in what the log says of rosters and subscribers up to this position, if that has not been done."""
        ...


class Kind(StrEnum):
    """What a person is told about a hazard."""

    NEW = "new"
    RAISED = "raised"
    LOWERED = "lowered"
    LIFTED = "lifted"


class Reason(StrEnum):
    """Why somebody whom a release concerns is not told of a hazard in it."""

    ALREADY_TOLD = "already-told"  # the hazard stands for them at the level they were told of
    BELOW_THEIR_LEVEL = "below-their-level"  # they asked to be told from a higher level on
    NOT_THEIR_HAZARD = "not-their-hazard"
    COVERED = "covered"  # a more serious hazard of the same district is told, which by policy covers this one
    NO_CHANNEL = "no-channel"  # nothing is known by which they could be reached


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to tell: a hazard, what happened to it for these people, and the level now (before, when lifted)."""

    hazard: str
    kind: Kind
    level: Level


@dataclass(frozen=True, slots=True)
class Send(Generic[P]):
    """People who are told the same, in one message."""

    items: tuple[Item, ...]
    people: P

    @property
    def level(self) -> Level:
        """The highest level in it, by which it is sent before others."""
        return max(item.level for item in self.items)


@dataclass(frozen=True, slots=True)
class Withhold(Generic[P]):
    """People who are not told of a hazard, with the reason."""

    hazard: str
    reason: Reason
    people: P


@dataclass(frozen=True, slots=True)
class Told(Generic[P]):
    """Who was told of each hazard of a warning that stands, by the level they were told last."""

    levels: Mapping[str, Mapping[Level, P]] = field(default_factory=dict)

    def of(self, hazard: str, nobody: P) -> P:
        """Everyone who knows that this hazard stands."""
        known = nobody
        for people in self.levels.get(hazard, {}).values():
            known = known | people
        return known


@dataclass(frozen=True, slots=True)
class Plan(Generic[P]):
    """What becomes of a release: who is told what, who is not and why, and who knows what afterwards."""

    sends: tuple[Send[P], ...]
    withheld: tuple[Withhold[P], ...]
    told: Told[P]


def plan(
    sections: Sequence[Section],
    told: Told[P],
    audience: Audience[P],
    *,
    mode: Mode,
    covers: Mapping[str, Sequence[str]] | None = None,
) -> Plan[P]:
    """Who is told what of a release with these sections, after what they were told of this warning before.

    `covers` names, by hazard, those whose entry it makes needless to tell.
    """
    tellings: list[tuple[Item, P]] = []
    withheld: list[Withhold[P]] = []
    after: dict[str, dict[Level, P]] = {}
    for section in sections:
        found = _section(section, told, audience, mode)
        tellings += found.tellings
        withheld += found.withheld
        after[section.hazard] = found.after
    standing = {section.hazard for section in sections}
    for hazard, levels in told.levels.items():
        if hazard not in standing:
            tellings += [(Item(hazard, Kind.LIFTED, level), people) for level, people in levels.items()]
    reachable = audience.reachable()  # who has left or was erased since cannot be told that it is over
    tellings = [(item, people & reachable) for item, people in tellings]
    tellings, covered = _a_more_serious_hazard_covers(tellings, after, covers or {}, audience.nobody())
    return Plan(
        sends=_one_message_each(tellings, audience.nobody()),
        withheld=tuple(one for one in (*withheld, *covered) if len(one.people)),
        told=Told({hazard: _inhabited(levels) for hazard, levels in after.items() if _inhabited(levels)}),
    )


@dataclass(slots=True)
class _Found(Generic[P]):
    tellings: list[tuple[Item, P]]
    withheld: list[Withhold[P]]
    after: dict[Level, P]


def _section(section: Section, told: Told[P], audience: Audience[P], mode: Mode) -> _Found[P]:
    """What one standing hazard means for everyone."""
    nobody, hazard = audience.nobody(), section.hazard
    wanting = audience.wanting(hazard)
    before = told.levels.get(hazard, {})
    knew = told.of(hazard, nobody)
    found: _Found[P] = _Found([], [], {})
    placed = nobody
    for level, areas in areas_by_level(section):
        here = audience.concerned(mode, areas) - placed
        placed = placed | here
        found.withheld.append(Withhold(hazard, Reason.NOT_THEIR_HAZARD, (here - wanting) - knew))
        here = here & (wanting | knew)
        untold, low = (here - knew) & audience.from_level(level), (here - knew) - audience.from_level(level)
        found.withheld.append(Withhold(hazard, Reason.BELOW_THEIR_LEVEL, low))
        found.withheld.append(Withhold(hazard, Reason.NO_CHANNEL, untold - audience.reachable()))
        untold = untold & audience.reachable()
        found.tellings.append((Item(hazard, Kind.NEW, level), untold))
        for was, people in before.items():
            same = here & people
            if was == level:
                found.withheld.append(Withhold(hazard, Reason.ALREADY_TOLD, same))
            else:
                kind = Kind.RAISED if was < level else Kind.LOWERED
                found.tellings.append((Item(hazard, kind, level), same))
        found.after[level] = untold | (here & knew)
    for was, people in before.items():  # the hazard stands, but no longer where they are
        found.tellings.append((Item(hazard, Kind.LIFTED, was), people - placed))
    found.tellings = [(item, people) for item, people in found.tellings if len(people)]
    return found


def areas_by_level(section: Section) -> list[tuple[Level, list[AreaLevel]]]:
    """The section's areas by their level, the highest first: who lies in two of them is told of the higher."""
    levels = sorted({area.level for area in section.areas}, reverse=True)
    return [(level, [area for area in section.areas if area.level == level]) for level in levels]


def _inhabited(levels: Mapping[Level, P]) -> dict[Level, P]:
    return {level: people for level, people in levels.items() if len(people)}


def _a_more_serious_hazard_covers(
    tellings: list[tuple[Item, P]], after: dict[str, dict[Level, P]], covers: Mapping[str, Sequence[str]], nobody: P
) -> tuple[list[tuple[Item, P]], list[Withhold[P]]]:
    """Who is told of a hazard at the same or a higher level that covers another one is not told of that one's entry.

    Only what is new is withheld: who knows of a hazard hears of its changes and of its end. Who was not told does not
    count as told, so that the end of the covering hazard leaves the other to be told.
    """
    kept: list[tuple[Item, P]] = []
    covered: list[Withhold[P]] = []
    for item, people in tellings:
        by = nobody
        if item.kind is Kind.NEW:
            for hazard, levels in after.items():
                if item.hazard in covers.get(hazard, ()):
                    for level, told in levels.items():
                        by = by | told if level >= item.level else by
        hidden = people & by
        if len(hidden):
            covered.append(Withhold(item.hazard, Reason.COVERED, hidden))
            after[item.hazard][item.level] = after[item.hazard][item.level] - hidden
        kept.append((item, people - hidden))
    return [(item, people) for item, people in kept if len(people)], covered


def _one_message_each(tellings: Sequence[tuple[Item, P]], nobody: P) -> tuple[Send[P], ...]:
    """Everybody gets one message with all that is to be told to them; who gets the same stands together."""
    groups: list[tuple[tuple[Item, ...], P]] = []
    for item, people in tellings:
        left, split = people, list[tuple[tuple[Item, ...], P]]()
        for items, members in groups:
            both = members & left
            if len(both):
                split.append(((*items, item), both))
                members, left = members - both, left - both  # noqa: PLW2901 -- what is left of the group
            if len(members):
                split.append((items, members))
        groups = [*split, *([((item,), left)] if len(left) else [])]
    sends = [Send(items, people) for items, people in groups]
    assert _disjoint(sends, nobody), "nobody gets two messages of one release"
    return tuple(sorted(sends, key=lambda send: (-send.level.rank, [item.hazard for item in send.items])))


def _disjoint(sends: Sequence[Send[P]], nobody: P) -> bool:
    seen = nobody
    for send in sends:
        if len(seen & send.people):
            return False
        seen = seen | send.people
    return True
