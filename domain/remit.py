"""Whether an agency may say this hazard, at this level, here. Default is no.

A remit belongs to the policy; what is outside it is refused with the reason that a duty officer can read.
"""

from collections.abc import Sequence

from domain.areas import Area
from domain.findings import Code, Finding, refusal
from domain.levels import Level
from domain.values import Value

EVERY = "*"


class Remit(Value):
    """What an agency may warn of: hazard codes, area codes and levels; `*` stands for all of the outlet's."""

    hazards: tuple[str, ...]
    areas: tuple[str, ...] = (EVERY,)
    levels: tuple[Level, ...] = tuple(Level)


def an_agency_speaks_only_within_its_remit(
    agency: str, remit: Remit, *, hazard: str, level: Level, areas: Sequence[Area], path: str
) -> list[Finding]:
    """Every way in which this statement leaves the agency's remit; empty when it is within."""
    findings: list[Finding] = []
    if EVERY not in remit.hazards and hazard not in remit.hazards:
        sentence = f"agency {agency} may not warn of hazard {hazard}"
        findings.append(refusal(Code.REMIT_HAZARD, path, sentence))
    if level not in remit.levels:
        sentence = f"agency {agency} may not set the level {level.value}"
        findings.append(refusal(Code.REMIT_LEVEL, path, sentence))
    foreign = [area for area in areas if not _covers(remit, area)]
    if foreign:
        named = ", ".join(f"{area.name} ({area.code})" for area in foreign)
        findings.append(refusal(Code.REMIT_AREA, path, f"agency {agency} may not warn in {named}"))
    return findings


def _covers(remit: Remit, area: Area) -> bool:
    return EVERY in remit.areas or area.code in remit.areas or any(code in remit.areas for code in area.within)
