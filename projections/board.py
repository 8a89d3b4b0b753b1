"""What is in force, now and at any past moment.

Every revision's content is kept as it was recorded. Expiry is tested again when the question is asked, because the
event that ends a statement may come a moment late.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from domain.areas import Area
from domain.contributions import Contribution, Statement
from domain.events import OutletRevised, WarningReleased
from domain.hazards import HazardDefinition
from domain.merging import Settlement, merge
from domain.messages import Mode
from domain.policy import Policy
from domain.sections import Contributor, Section
from domain.texts import relayed_text, wording_in
from projections import facts
from projections.base import (
    Condition,
    Insert,
    Projection,
    ReadTables,
    RowChange,
    Table,
    Upsert,
    equal,
    microseconds_of,
)

Board = dict[str, Any]
"""The JSON of `outlet board --json`; its shape is in DESIGN, "Command line"."""


class DistrictRow(NamedTuple):
    """A district that has, or had, an outlet warning."""

    mode: str
    district: str


class RevisionRow(NamedTuple):
    """One revision: its sections are the event's own JSON."""

    position: int
    at: int
    mode: str
    district: str
    warning_id: str
    episode: int
    revision: int
    sections: bytes


class PublicRow(NamedTuple):
    """Which revision a release made public."""

    position: int
    at: int
    mode: str
    district: str
    warning_id: str
    revision: int


DISTRICTS = Table("board_districts", DistrictRow, key=("mode", "district"))
REVISIONS = Table(
    "revisions",
    RevisionRow,
    key=("position",),
    indexes=(("district", "mode", "position", "at"), ("warning_id", "position")),
)
PUBLIC = Table("board_releases", PublicRow, key=("position",), indexes=(("warning_id", "position", "at"),))


def _revised(position: int, fact: facts.OutletRevised) -> Iterable[RowChange]:
    yield Upsert(DISTRICTS, DistrictRow(fact.mode, fact.district))
    row = RevisionRow(
        position,
        microseconds_of(fact.at),
        fact.mode,
        fact.district,
        fact.warning_id,
        fact.episode,
        fact.revision,
        bytes(fact.sections),
    )
    yield Insert(REVISIONS, row)


def _released(position: int, fact: facts.WarningReleased) -> Iterable[RowChange]:
    at = microseconds_of(fact.at)
    row = PublicRow(position, at, fact.mode, fact.district, fact.warning_id, fact.revision)
    yield Insert(PUBLIC, row)


BOARD = Projection(
    name="board",
    version=1,
    tables=(DISTRICTS, REVISIONS, PUBLIC),
    handlers={OutletRevised.TOPIC: _revised, WarningReleased.TOPIC: _released},
)

_SECTIONS: TypeAdapter[tuple[Section, ...]] = TypeAdapter(tuple[Section, ...])


def board(tables: ReadTables, *, at: datetime, mode: Mode, policy: Policy, gazetteer_names: Mapping[str, str]) -> Board:
    """What was in force at `at` in each district, as it was shown then; districts with nothing are left out.

    `gazetteer_names` are the names of districts by code; a district without one goes by its code.
    """
    districts = tables.select(DISTRICTS, equal(mode=mode.value), order=("district",))
    entries = [_entry(tables, row.district, at, mode, policy, gazetteer_names) for row in districts]
    return {
        "at": at.astimezone(policy.zone).isoformat(),
        "mode": mode.value,
        "districts": [entry for entry in entries if entry is not None],
    }


def revision_at(tables: ReadTables, *, district: str, mode: Mode, at: datetime) -> RevisionRow | None:
    """The revision that stood at `at`: the last one recorded of those decided until then, empty or not."""
    where = (*equal(district=district, mode=mode.value), Condition("at", "<=", microseconds_of(at)))
    return next(iter(tables.select(REVISIONS, where, order=("-position",), limit=1)), None)


def sections_of(row: RevisionRow) -> tuple[Section, ...]:
    """The sections as they were recorded."""
    return _SECTIONS.validate_json(row.sections)


def sections_in_force(sections: Sequence[Section], *, policy: Policy, at: datetime) -> tuple[Section, ...]:
    """The sections with only those contributors that have not expired at `at`, merged anew where one has."""
    found: list[Section] = []
    for section in sections:
        standing = [one for one in section.contributors if one.expires is None or at < one.expires]
        if len(standing) == len(section.contributors):
            found.append(section)
        elif standing:
            found += _merged_anew(section, standing, policy, at)
    order = policy.hazard_order
    return tuple(sorted(found, key=lambda s: (-s.level.rank, order.get(s.hazard, len(order)), s.hazard)))


def _merged_anew(
    section: Section, standing: Iterable[Contributor], policy: Policy, at: datetime
) -> tuple[Section, ...]:
    settlements: tuple[Settlement, ...] = ()
    if section.conflict is not None and not section.conflict.is_open:
        conflict = section.conflict
        settlements = (Settlement(section.hazard, conflict.levels, conflict.settled_by, conflict.settled_reason),)
    return merge(
        [_contribution(section.hazard, contributor) for contributor in standing],
        policy=_knowing(policy, section.hazard),
        now=at,
        settlements=settlements,
    )


def _contribution(hazard: str, contributor: Contributor) -> Contribution:
    """A contributor as the contribution it came from; merging does not look at the district."""
    areas = tuple(Area(code=a.code, name=a.name, district="", within=a.within) for a in contributor.areas)
    statement = Statement(
        hazard=hazard,
        level=contributor.level,
        areas=areas,
        effective=contributor.effective,
        expires=contributor.expires,
        urgency=contributor.urgency,
        certainty=contributor.certainty,
        wordings=contributor.wordings,
    )
    return Contribution(
        chain=contributor.chain,
        agency=contributor.agency,
        district="",
        message=contributor.message,
        statements=(statement,),
    )


def _knowing(policy: Policy, hazard: str) -> Policy:
    """The policy, with the hazard added if only an earlier policy knew it: the past must stay readable."""
    if policy.hazard_index.get(hazard) is not None:
        return policy
    fields = {name: getattr(policy, name) for name in Policy.model_fields}
    return Policy(**{**fields, "hazards": (*policy.hazards, HazardDefinition(code=hazard, names={}))})


def _entry(
    tables: ReadTables, district: str, at: datetime, mode: Mode, policy: Policy, names: Mapping[str, str]
) -> dict[str, Any] | None:
    row = revision_at(tables, district=district, mode=mode, at=at)
    sections = () if row is None else sections_in_force(sections_of(row), policy=policy, at=at)
    if row is None or not sections:
        return None
    where = (*equal(warning_id=row.warning_id), Condition("at", "<=", microseconds_of(at)))
    public = next(iter(tables.select(PUBLIC, where, order=("-position",), limit=1)), None)
    return {
        "code": district,
        "name": names.get(district, district),
        "warning_id": row.warning_id,
        "revision": row.revision,
        "released_revision": None if public is None else public.revision,
        "level": max(section.level for section in sections).value,
        "sections": [section_json(section, policy) for section in sections],
    }


def section_json(section: Section, policy: Policy) -> dict[str, Any]:
    """A section as every public JSON carries it: the board's, HTTP's and an explanation's."""
    language = policy.outlet.languages[0]
    if language not in section.headlines:  # an earlier policy had other languages
        language = next(iter(section.headlines), language)
    conflict = section.conflict
    return {
        "hazard": hazard_json(section.hazard, policy),
        "level": section.level.value,
        "issuers": [issuer_json(agency, policy) for agency in section.issuers],
        "areas": [{"code": area.code, "name": area.name, "level": area.level.value} for area in section.areas],
        "effective": _local(section.effective, policy),
        "expires": _local(section.expires, policy),
        "conflict": None
        if conflict is None
        else {
            "areas": list(conflict.areas),
            "levels": {agency: level.value for agency, level in conflict.levels.items()},
            "settled_by": conflict.settled_by,
            "settled_reason": conflict.settled_reason,
        },
        "text": relayed_text(section, language),
        "headlines": dict(section.headlines),
        "relayed": [_relayed(contributor, language, policy) for contributor in section.contributors],
    }


def hazard_json(code: str, policy: Policy) -> dict[str, str]:
    """A hazard's code and names; the code where this policy no longer knows it."""
    hazard = policy.hazard_index.get(code)
    return {
        "code": code,
        "name_zh": hazard.name("zh-CN") if hazard else code,
        "name_en": hazard.name("en") if hazard else code,
    }


def issuer_json(agency_id: str, policy: Policy) -> dict[str, str]:
    """An agency's id and names; the id where this policy no longer knows it."""
    agency = policy.agency(agency_id)
    return {
        "id": agency_id,
        "name_zh": agency.name("zh-CN") if agency else agency_id,
        "name_en": agency.name("en") if agency else agency_id,
    }


def _relayed(contributor: Contributor, language: str, policy: Policy) -> dict[str, Any]:
    words = wording_in(contributor, language)
    return {
        "agency": contributor.agency,
        "station": words.station if words else "",
        "language": words.language if words else "",
        "sent": _local(contributor.message.sent, policy),
        "headline": words.headline if words else "",
        "description": words.description if words else "",
        "instruction": words.instruction if words else "",
    }


def _local(moment: datetime | None, policy: Policy) -> str | None:
    return None if moment is None else moment.astimezone(policy.zone).isoformat()
