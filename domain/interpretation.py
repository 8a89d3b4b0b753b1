"""What a message means under the policy: its hazards, levels and our areas, or why it is refused.

Reading is done; nothing here parses. The result is the statements that go into the chain, with every finding.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby, zip_longest

from domain.areas import Area
from domain.contributions import Statement, Wording
from domain.findings import Code, Finding, note, refusal
from domain.hazards import HazardDefinition
from domain.levels import Level
from domain.messages import AgencyMessage, Info, MessageType, Status
from domain.policy import AgencyDefinition, Policy
from domain.ports import Gazetteer
from domain.remit import an_agency_speaks_only_within_its_remit
from domain.signatures import an_agency_that_signs_is_believed_only_under_its_own_certificate
from domain.values import Moment, Value

_CAP_SEVERITY_LEVELS = {
    "extreme": Level.RED,
    "severe": Level.ORANGE,
    "moderate": Level.YELLOW,
    "minor": Level.BLUE,
}


class Interpretation(Value):
    """A message's statements, and what was found; refused when any finding refuses."""

    statements: tuple[Statement, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the message must not be processed."""
        return any(finding.refuses for finding in self.findings)


def interpret(
    message: AgencyMessage, *, agency_id: str, policy: Policy, gazetteer: Gazetteer, now: Moment
) -> Interpretation:
    """Give a message its meaning for this outlet. Pure: the same arguments give the same statements and findings."""
    agency = policy.agency(agency_id)
    if agency is None:
        sentence = f"the policy knows no agency {agency_id!r}"
        return Interpretation(findings=(refusal(Code.UNKNOWN_AGENCY, "/", sentence),))
    findings = [
        *_message_findings(message, agency),
        *an_agency_that_signs_is_believed_only_under_its_own_certificate(message, agency, policy, now),
    ]
    if any(finding.refuses for finding in findings) or message.message_type is MessageType.CANCEL:
        return Interpretation(findings=tuple(findings))
    meanings: list[_Meaning] = []
    for index, info in enumerate(message.infos, start=1):
        meaning, found = _meaning_of(info, f"/alert/info[{index}]", message, agency, policy, gazetteer)
        findings += found
        if meaning is not None:
            meanings.append(meaning)
    findings += _area_findings(message, meanings, findings)
    findings += _languages_say_the_same(meanings)
    statements = _statements(meanings)
    if statements and all(item.expires is not None and item.expires <= now for item in statements):
        findings.append(note(Code.EXPIRED, "/", "the message had expired before it arrived"))
    return Interpretation(statements=statements, findings=tuple(findings))


def _message_findings(message: AgencyMessage, agency: AgencyDefinition) -> Iterable[Finding]:
    if agency.disabled:
        yield refusal(Code.REMIT_AGENCY, "/", f"agency {agency.id} is disabled")
    if not agency.speaks_as(message.sender):
        yield refusal(Code.REMIT_SENDER, "/alert/sender", f"agency {agency.id} may not speak for {message.sender!r}")
    if message.status in {Status.DRAFT, Status.SYSTEM}:
        yield refusal(Code.STATUS, "/alert/status", f"messages of status {message.status.value} are not processed")
    if message.message_type in {MessageType.ACK, MessageType.ERROR}:
        kind = message.message_type.value
        yield refusal(Code.MESSAGE_TYPE, "/alert/msgType", f"a message of type {kind} carries no warning")
    if not message.infos and message.message_type in {MessageType.ALERT, MessageType.UPDATE}:
        yield refusal(Code.MISSING, "/alert/info", "an alert or update needs at least one info")


class _Meaning(Value):
    """One info with its meaning."""

    path: str
    language: str
    statement: Statement


def _meaning_of(
    info: Info, path: str, message: AgencyMessage, agency: AgencyDefinition, policy: Policy, gazetteer: Gazetteer
) -> tuple[_Meaning | None, list[Finding]]:
    findings: list[Finding] = []
    hazard = policy.hazard_index.of(info)
    if hazard is None:
        words = ", ".join([info.event, *(f"{coded.name}={coded.value}" for coded in info.event_codes)])
        findings.append(refusal(Code.UNKNOWN_HAZARD, f"{path}/event", f"the policy knows no hazard for {words!r}"))
    level = _level_of(info, policy)
    if level is None:
        sentence = f"no level can be read from severity {info.severity!r} or the parameters the policy names"
        findings.append(refusal(Code.UNKNOWN_LEVEL, f"{path}/severity", sentence))
    areas, found = _areas_of(info, path, policy, gazetteer)
    findings += found
    if hazard is None or level is None:
        return None, findings
    findings += _level_is_one_the_hazard_uses(hazard, level, path)
    if not areas:
        if not found:  # nothing has said yet why this info reaches nobody
            findings.append(note(Code.NO_AREA, path, "no area of this info is known; it is left out"))
        return None, findings
    code = hazard.merges_into or hazard.code
    findings += an_agency_speaks_only_within_its_remit(
        agency.id, agency.remit, hazard=hazard.code, level=level, areas=areas, path=path
    )
    effective = info.effective or message.sent
    statement = Statement(
        hazard=code,
        level=level,
        areas=tuple(areas),
        effective=effective,
        expires=None if message.listed else info.expires or _default_end(effective, hazard, policy),
        urgency=info.urgency,
        certainty=info.certainty,
        wordings=(_wording(info, message),),
    )
    return _Meaning(path=path, language=info.language, statement=statement), findings


def _wording(info: Info, message: AgencyMessage) -> Wording:
    return Wording(
        language=info.language,
        station=info.sender_name or message.source or message.sender,
        event=info.event,
        headline=info.headline,
        description=info.description,
        instruction=info.instruction,
        web=info.web,
    )


def _default_end(effective: Moment, hazard: HazardDefinition, policy: Policy) -> Moment:
    return effective + timedelta(hours=hazard.default_expiry_hours or policy.expiry.default_hours)


def _level_of(info: Info, policy: Policy) -> Level | None:
    words = {word.casefold(): level for word, level in policy.reading.level_words.items()}
    for source in policy.reading.level_from:
        if source == "level":
            if info.level is not None:
                return info.level
            continue
        if source == "severity":
            candidates = [info.severity]
        else:
            wanted = source.removeprefix("parameter:")
            candidates = [parameter.value for parameter in info.parameters if parameter.name == wanted]
        for candidate in candidates:
            folded = candidate.strip().casefold()
            found = words.get(folded) or _CAP_SEVERITY_LEVELS.get(folded)
            if found is not None:
                return found
    return None


def _level_is_one_the_hazard_uses(hazard: HazardDefinition, level: Level, path: str) -> Iterable[Finding]:
    if hazard.levels and level not in hazard.levels:
        sentence = f"hazard {hazard.code} does not use the level {level.value}; it stands as the agency set it"
        yield note(Code.UNKNOWN_LEVEL, f"{path}/severity", sentence)


def _areas_of(info: Info, path: str, policy: Policy, gazetteer: Gazetteer) -> tuple[list[Area], list[Finding]]:
    areas: dict[str, Area] = {}
    findings: list[Finding] = []
    for index, claim in enumerate(info.areas, start=1):
        where = f"{path}/area[{index}]"
        resolution = gazetteer.resolve(claim, threshold=policy.gazetteer.threshold)
        areas.update({area.code: area for area in resolution.areas})
        findings += [
            note(Code.UNKNOWN_PLACE, where, f"the place {name!r} is not known; the others stand")
            for name in resolution.unknown
        ]
        findings += [
            note(Code.PARTLY_OUTSIDE, where, f"the place {name!r} lies outside this outlet's districts")
            for name in resolution.outside
        ]
    return list(areas.values()), findings


def _area_findings(
    message: AgencyMessage, meanings: Sequence[_Meaning], findings: Sequence[Finding]
) -> Iterable[Finding]:
    """A message without one usable area is refused: as outside where that is all it named, else as arealess.

    An update that moves away from our districts is no error: it ends what its chain said here.
    """
    if meanings or any(found.refuses for found in findings):
        return
    claims = [claim for info in message.infos for claim in info.areas]
    if not any(found.code is Code.UNKNOWN_PLACE for found in findings) and any(
        claim.geocodes or claim.place_names or claim.polygons or claim.circles for claim in claims
    ):
        sentence = "the message lies wholly outside the districts of this outlet"
        leaves = message.message_type is MessageType.UPDATE and message.references
        yield note(Code.OUTSIDE, "/alert/info", sentence) if leaves else refusal(Code.OUTSIDE, "/alert/info", sentence)
    else:
        yield refusal(Code.NO_AREA, "/alert/info", "no area of the message could be understood; it reaches nobody")


_Said = tuple[Level, str, Moment, Moment | None]


def _languages_say_the_same(meanings: Sequence[_Meaning]) -> Iterable[Finding]:
    """Every language must state the same hazards, levels, areas and times (Taiwan 2024: missile against satellite)."""
    languages = sorted({meaning.language for meaning in meanings})
    said: dict[str, dict[str, set[_Said]]] = {}
    for meaning in meanings:
        statement = meaning.statement
        by_language = said.setdefault(statement.hazard, {language: set() for language in languages})
        by_language[meaning.language].update(
            (statement.level, area.code, statement.effective, statement.expires) for area in statement.areas
        )
    for hazard, by_language in said.items():
        if len({frozenset(facts) for facts in by_language.values()}) > 1:
            sentence = f"the languages {', '.join(languages)} differ in levels, areas or times for hazard {hazard}"
            yield note(Code.LANGUAGES_DIFFER, "/alert/info", sentence)


def _statements(meanings: Sequence[_Meaning]) -> tuple[Statement, ...]:
    """Infos that state the same in several languages become one statement with several wordings.

    Two infos in one language stay two statements: neither's text may take the place of the other's.
    """

    def same(meaning: _Meaning) -> tuple[str, int, str, float, float]:
        statement = meaning.statement
        areas = ",".join(sorted(area.code for area in statement.areas))
        ends = statement.expires.timestamp() if statement.expires else math.inf
        return (statement.hazard, -statement.level.rank, areas, statement.effective.timestamp(), ends)

    merged: list[Statement] = []
    for _, group in groupby(sorted(meanings, key=same), key=same):
        by_language: dict[str, list[Statement]] = {}
        for meaning in group:
            by_language.setdefault(meaning.language, []).append(meaning.statement)
        for nth in zip_longest(*by_language.values()):
            statements = [statement for statement in nth if statement is not None]
            wordings = tuple(wording for statement in statements for wording in statement.wordings)
            merged.append(statements[0].model_copy(update={"wordings": wordings}))
    return tuple(merged)
