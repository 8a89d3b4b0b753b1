"""The audience as it stood at one position of the log: what is asked of it is answered from sets that never change.

Several threads may ask one view while the index builds the next. Where parts know the same number, the first of them
has it; the others pass it over.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TypeVar

from pyroaring import FrozenBitMap
from shapely.geometry.base import BaseGeometry

from adapters.audience.part import AudiencePart, Unplaced
from adapters.audience.people import NOBODY, all_of, content_of, people_from
from adapters.audience.places import Places
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind, Duty
from domain.sections import AreaLevel

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class CountedPart:
    """A part, with those who have left it since it was built, and those in it whose channel refuses."""

    part: AudiencePart
    left: FrozenBitMap = NOBODY
    refused: FrozenBitMap = NOBODY


class AudienceView:
    """Keeps the promises of `domain.routing.Audience` for one position of the log."""

    def __init__(
        self, position: int, parts: Sequence[CountedPart], places: Places, *, erased: FrozenBitMap = NOBODY
    ) -> None:
        """Put parts together, those that go before others first."""
        self.position = position
        self._places = places
        self._parts: list[tuple[AudiencePart, FrozenBitMap]] = []
        taken = unreachable = NOBODY
        for one in parts:
            counted = one.part.people - taken - one.left
            self._parts.append((one.part, counted))
            taken = taken | counted
            unreachable = unreachable | (counted & one.refused)
        self._reachable = taken - unreachable - erased
        self._everyone = {mode: all_of(who for part, who in self._parts if part.mode is mode) for mode in Mode}
        self._wanting: dict[str, FrozenBitMap] = {}
        self._from_level = {level: all_of(part.from_level(level) & who for part, who in self._parts) for level in Level}
        self._roles = self._grouped(lambda part: part.by_role)
        self._channels = dict.fromkeys(ChannelKind, NOBODY) | self._grouped(lambda part: part.by_channel)

    def at(self, position: int) -> "AudienceView":
        """The same audience at a later position, up to which the log says nothing of it."""
        later = copy(self)
        later.position = position
        return later

    def nobody(self) -> FrozenBitMap:
        """The empty set."""
        return NOBODY

    def everyone(self, mode: Mode) -> FrozenBitMap:
        """All who are reached in this mode; live and drill share nobody."""
        return self._everyone[mode]

    def concerned(self, mode: Mode, areas: Sequence[AreaLevel]) -> FrozenBitMap:
        """Whose areas or points touch one of these areas: equal, within it or around it."""
        asked = [(area.code, area.within or self._places.around(area.code)) for area in areas]
        return all_of(part.concerned(asked) & who for part, who in self._parts if part.mode is mode)

    def people_within(self, mode: Mode, shape: BaseGeometry) -> FrozenBitMap:
        """Whose points' circles touch a shape, x the longitude; `places.surface_of` makes one of rings.

        Who is entered for areas alone is not found by a bare shape: the gazetteer says what areas a shape means.
        """
        return all_of(part.people_within(shape) & who for part, who in self._parts if part.mode is mode)

    def wanting(self, hazard: str) -> FrozenBitMap:
        """Who is to hear of this hazard."""
        if hazard not in self._wanting:
            self._wanting[hazard] = all_of(part.wanting(hazard) & who for part, who in self._parts)
        return self._wanting[hazard]

    def from_level(self, level: Level) -> FrozenBitMap:
        """Whose lowest level is this one or a lower one."""
        return self._from_level[level]

    def reachable(self) -> FrozenBitMap:
        """Who has at least one channel that works: not erased, not withdrawn."""
        return self._reachable

    def by_role(self) -> Mapping[str, FrozenBitMap]:
        """Everyone, by role."""
        return self._roles

    def by_channel(self) -> Mapping[ChannelKind, FrozenBitMap]:
        """Everyone, by the channel they prefer."""
        return self._channels

    def by_language(self) -> Mapping[str, FrozenBitMap]:
        """Everyone, by the language they are told in."""
        return self._grouped(lambda part: part.by_language)

    def by_preference(self) -> Mapping[tuple[ChannelKind, ...], FrozenBitMap]:
        """Everyone, by all their channels in order of preference."""
        return self._grouped(lambda part: part.by_preference)

    def duties(self, people: Iterable[int]) -> Sequence[Duty]:
        """What each of these answers for, by rising number; who is on no roster is left out."""
        asked = people if isinstance(people, FrozenBitMap) else FrozenBitMap(people)
        found = [duty for part, who in self._parts for duty in part.duties(asked & who)]
        return sorted(found, key=lambda duty: duty.number)

    def people_from(self, content: bytes) -> FrozenBitMap:
        """The set that `content_of` made these bytes of.

        Raises:
            PeopleError: the bytes are no set.
        """
        return people_from(content)

    def content_of(self, people: Iterable[int]) -> bytes:
        """A set as bytes: the same for equal sets, whoever makes them."""
        return content_of(people)

    def follow(self, position: int) -> None:
        """A view stays where it is.

        Raises:
            ValueError: it is asked for what the log said later.
        """
        if position > self.position:
            raise ValueError(f"this view of the audience stands at {self.position}, not at {position}")

    def unplaced(self, mode: Mode) -> Unplaced:
        """Who of this mode cannot be found by place, and why."""
        found = [(part.unplaced(), who) for part, who in self._parts if part.mode is mode]
        codes = sorted({code for one, _ in found for code in one.unknown_codes})
        unknown = {code: all_of(one.unknown_codes.get(code, NOBODY) & who for one, who in found) for code in codes}
        return Unplaced(
            {code: people for code, people in unknown.items() if people},
            all_of(one.points_nowhere & who for one, who in found),
            all_of(one.nowhere & who for one, who in found),
        )

    def _grouped(self, groups: Callable[[AudiencePart], Mapping[K, FrozenBitMap]]) -> dict[K, FrozenBitMap]:
        gathered: dict[K, list[FrozenBitMap]] = {}
        for part, who in self._parts:
            for key, people in groups(part).items():
                gathered.setdefault(key, []).append(people & who)
        return {key: people for key, found in gathered.items() if (people := all_of(found))}
