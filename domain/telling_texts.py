"""The words of one message to people: what is told of each hazard, in each language, for a phone and for a mail.

What one agency says alone is relayed byte for byte, with its source; what several say together is composed from the
policy's templates. Every language is made from the same facts, so that none can say something else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.events import WarningReleased
from domain.levels import Level
from domain.messages import Mode
from domain.policy import Policy, TextDefinition
from domain.routing import Item, Kind
from domain.sections import Section
from domain.telling_events import SendText
from domain.texts import hazard_name, headline_in, instructions, relayed_text, sms_segments, wording_in
from domain.values import Language


@dataclass(frozen=True, slots=True)
class _Facts:
    policy: Policy
    release: WarningReleased
    place: str
    language: Language
    words: TextDefinition

    @property
    def time(self) -> str:
        return self.release.at.astimezone(self.policy.zone).strftime(self.words.time)

    @property
    def outlet(self) -> str:
        return self.policy.outlet.names.get(self.language, self.policy.outlet.id)

    @property
    def mark(self) -> str:
        return self.words.drill_mark if self.release.mode is Mode.DRILL else ""

    def section(self, hazard: str) -> Section | None:
        return next((section for section in self.release.sections if section.hazard == hazard), None)


def send_texts(policy: Policy, release: WarningReleased, items: Sequence[Item], *, place: str) -> tuple[SendText, ...]:
    """The texts for people who are told these items, in every language of the outlet.

    `place` is the district's name. A drill's begin and end with the drill mark; the signature stands before it.
    """
    return tuple(
        _in_language(_Facts(policy, release, place, language, policy.texts[language]), items)
        for language in policy.outlet.languages
    )


def _in_language(facts: _Facts, items: Sequence[Item]) -> SendText:
    highest = max(item.level for item in items)
    headlines = facts.words.separator.join(_headline(facts, item) for item in items)
    full = " ".join(_full(facts, item) for item in items)
    sms = f"{facts.words.signature}{facts.mark}{full}{facts.mark}"
    short = _short(facts, headlines)
    fits = sms_segments(sms) <= facts.policy.telling.segments.get(highest, sms_segments(sms))
    return SendText(
        language=facts.language,
        subject=f"{facts.mark}{facts.place + ' ' if facts.place else ''}{headlines}{facts.mark}",
        sms=sms if fits else short,
        body=f"{facts.mark}{_body(facts, items)}{facts.mark}",
        short=short,
    )


def _headline(facts: _Facts, item: Item) -> str:
    """One item in a sentence that names the hazard and the level."""
    hazard, level = hazard_name(facts.policy, item.hazard, facts.language), facts.words.levels[item.level]
    section = facts.section(item.hazard)
    common = {"hazard": hazard, "level": level, "time": facts.time, "outlet": facts.outlet, "areas": facts.place}
    if item.kind is Kind.LIFTED or section is None:
        return facts.words.lifted.format(**common)
    headline = headline_in(section, facts.language)
    if item.kind is Kind.NEW:
        return headline
    template = facts.words.raised if item.kind is Kind.RAISED else facts.words.lowered
    issuers = facts.words.separator.join(section.issuers)
    before = _before(facts, item)
    return template.format(**common, headline=headline, before=before, issuers=issuers) if before else headline


def _before(facts: _Facts, item: Item) -> str:
    """The word for the level that the hazard had before; empty where the release does not say."""
    levels = {change.before for change in facts.release.changes if change.hazard == item.hazard and change.before}
    found: Level | None = next(iter(levels)) if len(levels) == 1 else None
    return facts.words.levels[found] if found is not None and found != item.level else ""


def _full(facts: _Facts, item: Item) -> str:
    """What a phone shows of one item: an agency's own text where it speaks alone, else headline, place and action."""
    section = facts.section(item.hazard)
    if section is None or item.kind in {Kind.LIFTED, Kind.LOWERED}:
        return _headline(facts, item)
    if len(section.contributors) == 1 and (wording := wording_in(section.contributors[0], facts.language)):
        text = wording.description or wording.headline
        if text and wording.station in text:
            return text
        if text:
            return facts.words.source.format(station=wording.station, text=text)
    return facts.words.sms.format(
        headlines=_headline(facts, item),
        areas=_places(facts, section),
        time=facts.time,
        outlet=facts.outlet,
    )


def _places(facts: _Facts, section: Section) -> str:
    """The district's name, or those of the section's areas where it is for parts of the district."""
    if facts.place and any(area.code == facts.release.district for area in section.areas):
        return facts.place
    return facts.words.separator.join(area.name for area in section.areas) or facts.place


def _short(facts: _Facts, headlines: str) -> str:
    link = facts.policy.telling.link.replace("{warning_id}", facts.release.warning_id)
    text = facts.words.short.format(
        headlines=headlines, areas=facts.place, time=facts.time, outlet=facts.outlet, link=link
    )
    return f"{facts.words.signature}{facts.mark}{text.strip()}{facts.mark}"


def _body(facts: _Facts, items: Sequence[Item]) -> str:
    """What a mail shows: every item's headline, the agencies' own texts, and what they tell people to do."""
    parts: list[str] = []
    for item in items:
        parts.append(_headline(facts, item))
        section = facts.section(item.hazard)
        if section is not None and item.kind is not Kind.LIFTED:
            parts.append(relayed_text(section, facts.language))
            parts += instructions(section, facts.language)
    link = facts.policy.telling.link.replace("{warning_id}", facts.release.warning_id)
    return "\n\n".join([*dict.fromkeys(parts), *([link] if link else [])])
