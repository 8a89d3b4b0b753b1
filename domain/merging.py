"""MERGE_RULES: how the contributions of several agencies become the sections of one outlet warning.

Every rule is a function named as its sentence, from a draft to a draft; the list below is all of them, in order.
The result depends on the contributions in force alone: not on their order, and not on what was there before.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.contributions import Contribution, Statement
from domain.levels import Level, levels_apart
from domain.policy import Policy
from domain.sections import AreaLevel, Conflict, Contributor, Section
from domain.texts import joint_headline
from domain.values import Moment


@dataclass(frozen=True, slots=True)
class Settlement:
    """A settled conflict: it holds while the agencies say exactly these levels."""

    hazard: str
    levels: Mapping[str, Level]
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One hazard's section in the making."""

    hazard: str
    contributors: tuple[Contributor, ...]
    policy: Policy
    settlements: tuple[Settlement, ...] = ()
    areas: tuple[AreaLevel, ...] = ()
    issuers: tuple[str, ...] = ()
    conflict: Conflict | None = None


MergeRule = Callable[[Draft], Draft]


def highest_level_in_force_wins_in_each_area(draft: Draft) -> Draft:
    """Each area is as high as the highest that any agency set for it or for a larger area around it.

    No level appears that no agency set.
    """
    highest: dict[str, AreaLevel] = {}
    for contributor in draft.contributors:
        for area in contributor.areas:
            known = highest.get(area.code)
            if known is None or known.level < area.level:
                highest[area.code] = area
    return replace(draft, areas=tuple(highest[code] for code in sorted(highest)))


def finer_areas_that_add_nothing_are_folded(draft: Draft) -> Draft:
    """A county's level covers its townships: an area is named only where it is above the larger ones around it."""
    levels = {area.code: area.level for area in draft.areas}
    kept = tuple(
        area for area in draft.areas if not any(levels[code] >= area.level for code in area.within if code in levels)
    )
    return replace(draft, areas=kept)


def issuers_stand_in_the_policys_order(draft: Draft) -> Draft:
    """Every agency that contributes is named once, in the order of the policy."""
    order = draft.policy.agency_order
    agencies = {contributor.agency for contributor in draft.contributors}
    return replace(draft, issuers=tuple(sorted(agencies, key=lambda id_: (order.get(id_, len(order)), id_))))


def agencies_far_apart_are_flagged_for_consultation(draft: Draft) -> Draft:
    """Two agencies too many levels apart on the same area: the higher stands, and people are called together."""
    said: dict[str, dict[str, Level]] = {}
    for contributor in draft.contributors:
        said.setdefault(contributor.agency, {})
        for area in contributor.areas:
            own = said[contributor.agency]
            own[area.code] = max(own.get(area.code, area.level), area.level)
    if len(said) < 2:  # noqa: PLR2004 -- it takes two to disagree
        return draft
    apart = draft.policy.merge.conflict_levels_apart
    areas: list[str] = []
    levels: dict[str, Level] = {}
    named = {area.code: area.within for contributor in draft.contributors for area in contributor.areas}
    for code in sorted(named):
        here = _levels_here(said, {code, *named[code]})
        if len(here) > 1 and levels_apart(max(here.values()), min(here.values())) >= apart:
            areas.append(code)
            for agency, level in here.items():
                levels[agency] = max(levels.get(agency, level), level)
    if not areas:
        return draft
    ordered = dict(sorted(levels.items()))
    settled = next((s for s in draft.settlements if s.hazard == draft.hazard and dict(s.levels) == ordered), None)
    conflict = Conflict(
        areas=tuple(areas),
        levels=ordered,
        settled_by=settled.by if settled else "",
        settled_reason=settled.reason if settled else "",
    )
    return replace(draft, conflict=conflict)


def _levels_here(said: Mapping[str, Mapping[str, Level]], around: set[str]) -> dict[str, Level]:
    """What each agency says at a place: the highest of its levels there and around it."""
    here: dict[str, Level] = {}
    for agency, own in said.items():
        levels = [level for code, level in own.items() if code in around]
        if levels:
            here[agency] = max(levels)
    return here


MERGE_RULES: tuple[MergeRule, ...] = (
    highest_level_in_force_wins_in_each_area,
    agencies_far_apart_are_flagged_for_consultation,
    finer_areas_that_add_nothing_are_folded,
    issuers_stand_in_the_policys_order,
)


def in_force(statement: Statement, now: Moment) -> bool:
    """A statement is in force until the moment it expires; one that a list shows has no such moment."""
    return statement.expires is None or now < statement.expires


def merge(
    contributions: Iterable[Contribution],
    *,
    policy: Policy,
    now: Moment,
    settlements: Sequence[Settlement] = (),
) -> tuple[Section, ...]:
    """The sections that these contributions make at this moment, highest level first, then in the policy's order."""
    by_hazard: dict[str, list[Contributor]] = {}
    for contribution in contributions:
        for statement in contribution.statements:
            if in_force(statement, now):
                by_hazard.setdefault(statement.hazard, []).append(_contributor(contribution, statement))
    sections = [_section(hazard, members, policy, tuple(settlements)) for hazard, members in by_hazard.items()]
    order = policy.hazard_order
    return tuple(sorted(sections, key=lambda s: (-s.level.rank, order.get(s.hazard, len(order)), s.hazard)))


def _contributor(contribution: Contribution, statement: Statement) -> Contributor:
    return Contributor(
        agency=contribution.agency,
        chain=contribution.chain,
        message=contribution.message,
        level=statement.level,
        areas=tuple(
            AreaLevel(code=area.code, name=area.name, level=statement.level, within=area.within)
            for area in sorted(statement.areas, key=lambda area: area.code)
        ),
        effective=statement.effective,
        expires=statement.expires,
        urgency=statement.urgency,
        certainty=statement.certainty,
        wordings=statement.wordings,
    )


def _section(
    hazard: str, members: Sequence[Contributor], policy: Policy, settlements: tuple[Settlement, ...]
) -> Section:
    order = policy.agency_order
    ordered = sorted(
        members,
        key=lambda m: (
            order.get(m.agency, len(order)),
            m.agency,
            m.chain,
            -m.level.rank,
            [area.code for area in m.areas],
            m.effective,
        ),
    )
    draft = Draft(hazard=hazard, contributors=tuple(ordered), policy=policy, settlements=settlements)
    for rule in MERGE_RULES:
        draft = rule(draft)
    level = max(area.level for area in draft.areas)
    issued = max(member.message.sent for member in ordered)
    ends = [member.expires for member in ordered]
    return Section(
        hazard=hazard,
        level=level,
        issuers=draft.issuers,
        areas=draft.areas,
        effective=min(member.effective for member in ordered),
        expires=None if any(end is None for end in ends) else max(end for end in ends if end is not None),
        conflict=draft.conflict,
        headlines={
            language: joint_headline(policy, language, hazard=hazard, level=level, issuers=draft.issuers, issued=issued)
            for language in policy.outlet.languages
        },
        contributors=draft.contributors,
    )
