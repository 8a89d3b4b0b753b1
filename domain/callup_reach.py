"""Whom a release calls up (叫应): the people answerable where a hazard stands high enough, and the posts they hold.

Works on sets of people as `routing.py` does. What is done about them is decided in `callup.py`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic

from domain.callup_events import CalledHazard, CalledPost
from domain.callup_policy import CallUpDefinition
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import EVERY_HAZARD, Duty, RecipientNumber
from domain.routing import Audience, P, areas_by_level
from domain.sections import Change, ChangeKind, Section

LevelsByNumber = Mapping[RecipientNumber, Mapping[str, Level]]
"""By person, the hazards and the level of each where they are."""

BEGINS_OR_RISES = frozenset({ChangeKind.NEW_HAZARD, ChangeKind.RAISED})


@dataclass(frozen=True, slots=True)
class Summons:
    """A post that stands where something calls up. `has_risen`: it has only begun or risen there with this release."""

    post: CalledPost
    hazards: tuple[CalledHazard, ...]
    has_risen: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """What a content means for people who are, or are to be, called up.

    Of those who were asked already: who is `known` to the rosters still, at which level a hazard that calls up stands
    where they are (`calling`), and which hazards stand there at all (`touching`). `standing` are all hazards, and
    whether they call up anywhere.
    """

    summons: tuple[Summons, ...] = ()
    known: frozenset[RecipientNumber] = frozenset()
    calling: LevelsByNumber = field(default_factory=dict)
    touching: Mapping[RecipientNumber, frozenset[str]] = field(default_factory=dict)
    standing: Mapping[str, bool] = field(default_factory=dict)


def calls_up(definition: CallUpDefinition, hazard: str, level: Level) -> bool:
    """Whether a hazard at this level is one that responsible people must confirm."""
    return level >= definition.level_min and bool({hazard, EVERY_HAZARD} & set(definition.hazards))


def reach_of(
    sections: Sequence[Section],
    changes: Sequence[Change],
    audience: Audience[P],
    definition: CallUpDefinition,
    *,
    mode: Mode,
    asked: Iterable[RecipientNumber],
) -> Reach:
    """What a released content means for everyone who holds a role that is called up, and for who was asked before."""
    by_role, nobody = audience.by_role(), audience.nobody()
    responsible = nobody
    for role in definition.roles:
        responsible = responsible | by_role.get(role, nobody)
    before = audience.people_from(audience.content_of(asked))
    look = _Look(audience, definition, mode, responsible & audience.reachable(), before)
    for section in sections:
        begun = {
            code
            for change in changes
            if change.hazard == section.hazard and change.kind in BEGINS_OR_RISES
            for code in change.areas
        }
        look.at(section, begun)
    return Reach(
        summons=_summons(audience.duties(look.summoned), look.summoned, look.risen),
        known=frozenset(before & audience.everyone(mode)),
        calling=look.calling,
        touching={number: frozenset(hazards) for number, hazards in look.touching.items()},
        standing={section.hazard: calls_up(definition, section.hazard, section.level) for section in sections},
    )


@dataclass(slots=True)
class _Look(Generic[P]):
    """Looks at one section after the other, and gathers whom they concern."""

    audience: Audience[P]
    definition: CallUpDefinition
    mode: Mode
    responsible: P
    before: P
    summoned: dict[RecipientNumber, dict[str, Level]] = field(default_factory=dict)
    risen: set[RecipientNumber] = field(default_factory=set)
    calling: dict[RecipientNumber, dict[str, Level]] = field(default_factory=dict)
    touching: dict[RecipientNumber, set[str]] = field(default_factory=dict)

    def at(self, section: Section, begun: Collection[str]) -> None:
        """Who stands where the section does: whoever lies in two of its areas goes by the higher level."""
        hazard, placed = section.hazard, self.audience.nobody()
        for level, areas in areas_by_level(section):
            here = self.audience.concerned(self.mode, areas) - placed
            placed = placed | here
            for number in here & self.before:
                self.touching.setdefault(number, set()).add(hazard)
            if not calls_up(self.definition, hazard, level):
                continue
            for number in here & self.before:
                self.calling.setdefault(number, {})[hazard] = level
            called = here & self.responsible & self.audience.wanting(hazard) & self.audience.from_level(level)
            for number in called:
                self.summoned.setdefault(number, {})[hazard] = level
            new = [area for area in areas if area.code in begun]
            if new and len(called):
                self.risen.update(called & self.audience.concerned(self.mode, new))


def _summons(
    duties: Iterable[Duty], levels_of: LevelsByNumber, risen: Collection[RecipientNumber]
) -> tuple[Summons, ...]:
    """The people of one roster and post stand together, in the order of their turns; without a post each is alone."""
    by_post: dict[str, list[Duty]] = {}
    for duty in duties:
        by_post.setdefault(post_of(duty), []).append(duty)
    summons: list[Summons] = []
    for post, people in sorted(by_post.items()):
        in_turn = sorted(people, key=lambda duty: (duty.turn, duty.number))
        levels: dict[str, Level] = {}
        for duty in people:
            for hazard, level in levels_of[duty.number].items():
                levels[hazard] = max(level, levels.get(hazard, level))
        numbers = tuple(duty.number for duty in in_turn)
        summons.append(
            Summons(
                post=CalledPost(post=post, role=in_turn[0].role, numbers=numbers),
                hazards=tuple(CalledHazard(hazard=hazard, level=level) for hazard, level in sorted(levels.items())),
                has_risen=any(number in risen for number in numbers),
            )
        )
    return tuple(summons)


def post_of(duty: Duty) -> str:
    """The id of what somebody answers for: their roster's post, or themselves where the roster names none."""
    return f"{duty.roster}/{duty.post}" if duty.post else f"{duty.roster}/#{duty.number}"
