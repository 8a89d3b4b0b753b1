"""What an outlet warning consists of: a section for each hazard in force, and how two contents differ."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from domain.contributions import MessageKey, Wording
from domain.levels import Level
from domain.values import Language, Moment, Value


class AreaLevel(Value):
    """One area of a section at the highest level in force there. `within` are the larger areas around it."""

    code: str
    name: str
    level: Level
    within: tuple[str, ...] = ()


class Contributor(Value):
    """Who says what in a section: one chain's newest message, with the agency's own words, byte for byte."""

    agency: str
    chain: str
    message: MessageKey
    level: Level
    areas: tuple[AreaLevel, ...]
    effective: Moment
    expires: Moment | None
    urgency: str = "Unknown"
    certainty: str = "Unknown"
    wordings: tuple[Wording, ...]


class Conflict(Value):
    """Two agencies far apart on one hazard: the areas concerned, what each says, and whether it was settled."""

    areas: tuple[str, ...]
    levels: Mapping[str, Level]
    settled_by: str = ""
    settled_reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether people still have to consult."""
        return not self.settled_by


class Section(Value):
    """One hazard within an outlet warning.

    `level` is the highest in force; `issuers` are agency ids in the policy's order; `effective` is the earliest
    start and `expires` the latest end (None while a list shows one of its parts); `headlines` are composed by
    language beside, never instead of, the contributors' own words.
    """

    hazard: str
    level: Level
    issuers: tuple[str, ...]
    areas: tuple[AreaLevel, ...]
    effective: Moment
    expires: Moment | None
    conflict: Conflict | None = None
    headlines: Mapping[Language, str]
    contributors: tuple[Contributor, ...]


class ChangeKind(StrEnum):
    """How a section differs from the one before."""

    NEW_HAZARD = "new-hazard"
    RAISED = "raised"
    NEW_AREA = "new-area"
    LOWERED = "lowered"
    AREA_LIFTED = "area-lifted"
    LIFTED = "lifted"
    CONTINUED = "continued"


class Change(Value):
    """One difference: the hazard, what happened to it, and the levels before and after where there were any."""

    hazard: str
    kind: ChangeKind
    before: Level | None = None
    after: Level | None = None
    areas: tuple[str, ...] = ()


def changes_between(before: Sequence[Section], after: Sequence[Section]) -> tuple[Change, ...]:
    """Every difference, in the order of the newer content and then of what is gone; empty when nothing changed."""
    old = {section.hazard: section for section in before}
    new = {section.hazard: section for section in after}
    changes: list[Change] = []
    for section in after:
        changes += _changes_of(old.get(section.hazard), section)
    changes += [
        Change(hazard=code, kind=ChangeKind.LIFTED, before=section.level, areas=_codes(section))
        for code, section in old.items()
        if code not in new
    ]
    return tuple(changes)


def _changes_of(before: Section | None, after: Section) -> list[Change]:
    if before is None:
        return [Change(hazard=after.hazard, kind=ChangeKind.NEW_HAZARD, after=after.level, areas=_codes(after))]
    if before == after:
        return []
    found: dict[ChangeKind, list[str]] = {kind: [] for kind in _WITHIN_A_SECTION}
    named = {area.code: area for area in (*before.areas, *after.areas)}
    for code in dict.fromkeys([*_codes(after), *_codes(before)]):
        within = named[code].within
        kind = _change_at(level_at(before, code, within), level_at(after, code, within))
        if kind is not None:
            found[kind].append(code)
    changes = [
        Change(hazard=after.hazard, kind=kind, before=before.level, after=after.level, areas=tuple(codes))
        for kind, codes in found.items()
        if codes
    ]
    return changes or [Change(hazard=after.hazard, kind=ChangeKind.CONTINUED, before=before.level, after=after.level)]


_WITHIN_A_SECTION = (ChangeKind.RAISED, ChangeKind.NEW_AREA, ChangeKind.LOWERED, ChangeKind.AREA_LIFTED)


def _change_at(was: Level | None, now: Level | None) -> ChangeKind | None:
    """What happened at one area; a county that shrinks to one of its townships is lifted as a whole."""
    if was is None:
        return ChangeKind.NEW_AREA
    if now is None:
        return ChangeKind.AREA_LIFTED
    if was == now:
        return None
    return ChangeKind.RAISED if was < now else ChangeKind.LOWERED


def level_at(section: Section, code: str, within: Sequence[str]) -> Level | None:
    """The level in force at an area: its own or that of a larger area around it, whichever is higher."""
    codes = {code, *within}
    return max((area.level for area in section.areas if area.code in codes), default=None)


def _codes(section: Section) -> tuple[str, ...]:
    return tuple(area.code for area in section.areas)
