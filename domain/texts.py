"""The words of the outlet itself: joint headlines, full texts and SMS wordings, in each of the policy's languages.

An agency's own text is relayed byte for byte and is never composed here; what is composed stands beside it.
Templates are the policy's; their fields are in `templates.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.contributions import Wording
from domain.events import ReleaseText
from domain.levels import Level
from domain.messages import Mode
from domain.policy import Policy, TextDefinition
from domain.sections import Change, ChangeKind, Contributor, Section
from domain.values import Language, Moment


def joint_headline(
    policy: Policy,
    language: Language,
    *,
    hazard: str,
    level: Level,
    issuers: Sequence[str],
    issued: Moment,
) -> str:
    """The headline of a section: every issuer in the policy's order, the hazard and the highest level in force."""
    words = policy.texts[language]
    template = words.joint if len(issuers) > 1 else words.headline
    return template.format(
        issuers=_issuer_names(policy, language, issuers),
        time=issued.astimezone(policy.zone).strftime(words.time),
        hazard=hazard_name(policy, hazard, language),
        level=words.levels[level],
        outlet=policy.outlet.names.get(language, policy.outlet.id),
    )


def hazard_name(policy: Policy, code: str, language: Language) -> str:
    """The hazard's name; its code where the policy no longer has it: a policy that drops a hazard lifts no warning."""
    hazard = policy.hazard_index.get(code)
    return hazard.name(language) if hazard else code


def _issuer_names(policy: Policy, language: Language, issuers: Sequence[str]) -> str:
    """The first issuer in full, the others by their short names where the policy has them (市气象局)."""
    names: list[str] = []
    for place, agency_id in enumerate(issuers):
        agency = policy.agency(agency_id)
        full = agency.name(language) if agency else agency_id
        short = agency.short_names.get(language, full) if agency else full
        names.append(short if place else full)
    return policy.texts[language].separator.join(names)


def wording_in(contributor: Contributor, language: Language) -> Wording | None:
    """The contributor's own words in this language, else in the first language it used, else None."""
    exact = [wording for wording in contributor.wordings if wording.language == language]
    near = [wording for wording in contributor.wordings if wording.language.split("-")[0] == language.split("-")[0]]
    return next(iter([*exact, *near, *contributor.wordings]), None)


def relayed_text(section: Section, language: Language) -> str:
    """What a reader sees for a section: one agency's text verbatim, or the joint headline above every agency's text."""
    texts = [text for wording in _wordings(section, language) if (text := wording.description or wording.headline)]
    if len(section.contributors) == 1 and texts:
        return texts[0]
    return "\n".join([headline_in(section, language), *dict.fromkeys(texts)])


def _wordings(section: Section, language: Language) -> list[Wording]:
    found = [wording_in(contributor, language) for contributor in section.contributors]
    return [wording for wording in found if wording is not None]


def instructions(section: Section, language: Language) -> list[str]:
    """What each contributing agency tells people to do, in its own words, each once."""
    return [*dict.fromkeys(wording.instruction for wording in _wordings(section, language) if wording.instruction)]


def area_names(section: Section, separator: str) -> str:
    """The names of a section's areas, highest level first."""
    areas = sorted(section.areas, key=lambda area: (-area.level.rank, area.code))
    return separator.join(area.name for area in areas)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a release's texts are made of."""

    policy: Policy
    mode: Mode
    sections: Sequence[Section]
    changes: Sequence[Change]
    at: Moment
    district: str
    before: Sequence[Section]


def release_texts(
    policy: Policy,
    *,
    mode: Mode,
    sections: Sequence[Section],
    changes: Sequence[Change],
    at: Moment,
    district: str,
    before: Sequence[Section] = (),
) -> tuple[ReleaseText, ...]:
    """The release's texts in every language of the outlet. In a drill each begins and ends with the drill mark.

    `district` is the district's name; where nobody has named the district it is empty, and the areas' own names
    stand instead (those of what is lifted are taken from `before`, the content released last).
    """
    facts = _Facts(policy, mode, sections, changes, at, district, before)
    return tuple(_in_language(facts, language) for language in policy.outlet.languages)


def _in_language(facts: _Facts, language: Language) -> ReleaseText:
    words = facts.policy.texts[language]
    lifted = [_lifted(facts, words, language, change) for change in facts.changes if change.kind is ChangeKind.LIFTED]
    headlines = [headline_in(section, language) for section in facts.sections]
    headline = words.separator.join([*headlines, *lifted]) or words.nothing_in_force
    description = "\n".join([*(relayed_text(section, language) for section in facts.sections), *lifted])
    what_to_do = "\n".join(
        dict.fromkeys(line for section in facts.sections for line in instructions(section, language))
    )
    sms = words.sms.format(
        headlines=headline,
        areas=_place(facts, words, [area.code for section in facts.sections or facts.before for area in section.areas]),
        time=facts.at.astimezone(facts.policy.zone).strftime(words.time),
        outlet=facts.policy.outlet.names.get(language, facts.policy.outlet.id),
    )
    mark = words.drill_mark if facts.mode is Mode.DRILL else ""
    return ReleaseText(
        language=language,
        headline=f"{mark}{headline}{mark}",
        description=f"{mark}{description or words.nothing_in_force}{mark}",
        instruction=f"{mark}{what_to_do}{mark}" if what_to_do else "",
        sms=f"{words.signature}{mark}{sms}{mark}",
    )


def _lifted(facts: _Facts, words: TextDefinition, language: Language, change: Change) -> str:
    return words.lifted.format(
        hazard=hazard_name(facts.policy, change.hazard, language),
        level=words.levels[change.before] if change.before else "",
        time=facts.at.astimezone(facts.policy.zone).strftime(words.time),
        outlet=facts.policy.outlet.names.get(language, facts.policy.outlet.id),
        areas=_place(facts, words, change.areas),
    )


def _place(facts: _Facts, words: TextDefinition, codes: Sequence[str]) -> str:
    """The district's name or, where nobody has named the district, those of these areas."""
    names = {area.code: area.name for section in (*facts.before, *facts.sections) for area in section.areas}
    return facts.district or words.separator.join(names.get(code, code) for code in dict.fromkeys(codes))


def headline_in(section: Section, language: Language) -> str:
    """The section's headline; in another language where it was composed before the outlet had this one."""
    return section.headlines.get(language) or next(iter(section.headlines.values()), "")


_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENDED = frozenset("\f^{}\\[~]|€")


def sms_segments(text: str) -> int:
    """How many SMS segments a text takes: GSM-7 160, else 153 a segment; UCS-2 70, else 67 (6-byte UDH).

    Source: 3GPP TS 23.038 (alphabets) and 23.040 (concatenation). A character beyond the BMP takes two UCS-2
    units; an extended GSM-7 character takes two septets.
    """
    if all(letter in _GSM7 or letter in _GSM7_EXTENDED for letter in text):
        return _packed([2 if letter in _GSM7_EXTENDED else 1 for letter in text], alone=160, each=153)
    return _packed([2 if letter > "\uffff" else 1 for letter in text], alone=70, each=67)


def _packed(widths: Sequence[int], *, alone: int, each: int) -> int:
    """Segments for characters of these widths in units, none of which may be cut in two between segments."""
    if sum(widths) <= alone:
        return 1
    segments, used = 1, 0
    for width in widths:
        if used + width > each:
            segments, used = segments + 1, 0
        used += width
    return segments
