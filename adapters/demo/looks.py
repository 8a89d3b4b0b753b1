"""How the demonstration looks: colours of levels, times, and words in one language or in two."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich.text import Text

from domain.levels import Level
from domain.policy import Policy
from domain.sections import Change, Section
from domain.values import Language
from projections.words import hazard_name, is_chinese, word

STYLES: Final = {
    Level.WHITE: "black on white",
    Level.BLUE: "bold white on blue",
    Level.YELLOW: "bold black on yellow",
    Level.ORANGE: "bold black on dark_orange",
    Level.RED: "bold white on red",
}
"""A level is always printed as a word too; the colour only helps."""


class Looks:
    """Words and pieces of lines in the languages that were asked for."""

    def __init__(self, policy: Policy, languages: Sequence[Language]) -> None:
        """`languages` are one or two of the policy's."""
        self.policy = policy
        self.languages = tuple(languages)
        self.zone: ZoneInfo = policy.zone

    def both(self, chinese: str, english: str) -> str:
        """The one that was asked for, or the two with a stroke between them."""
        return " / ".join(chinese if is_chinese(language) else english for language in self.languages)

    def word(self, code: str) -> str:
        """The words for a code of the house (a change, a reason)."""
        return " / ".join(dict.fromkeys(word(code, language) for language in self.languages))

    def hazard(self, code: str) -> str:
        """The hazard's name."""
        return " / ".join(hazard_name(code, self.policy, language) for language in self.languages)

    def agencies(self, ids: Sequence[str]) -> str:
        """The agencies' short names."""
        language = self.languages[0]
        names: list[str] = []
        for agency_id in ids:
            agency = self.policy.agency(agency_id)
            names.append(agency.short_names.get(language, agency.name(language)) if agency else agency_id)
        return ("、" if is_chinese(language) else ", ").join(names)

    def level(self, level: Level) -> Text:
        """The level's word on its colour."""
        return Text(f" {self.level_word(level)} ", style=STYLES[level])

    def level_word(self, level: Level) -> str:
        """The level's word, as the policy's texts have it."""
        words = [self.policy.texts[language].levels.get(level, level.value) for language in self.languages]
        return " / ".join(words)

    def change(self, change: Change) -> str:
        """What happened to a section, with the levels before and after where they differ."""
        levels = [self.level_word(level) for level in (change.before, change.after) if level is not None]
        steps = " → ".join(dict.fromkeys(levels))
        return f"{self.hazard(change.hazard)}: {self.word(change.kind.value)} ({steps})"

    def said(self, levels: Mapping[str, Level]) -> str:
        """What each agency says."""
        return ", ".join(f"{self.agencies([agency])} {self.level_word(level)}" for agency, level in levels.items())

    def time(self, moment: datetime) -> str:
        """Day and time in the outlet's zone; seconds only where there are any."""
        local = moment.astimezone(self.zone)
        return local.strftime("%m-%d %H:%M:%S" if local.second else "%m-%d %H:%M")

    def section(self, section: Section) -> Text:
        """A section in short: level, hazard, who issues it, and an open conflict."""
        line = Text.assemble(self.level(section.level), " ", self.hazard(section.hazard))
        line.append(f" ({self.agencies(section.issuers)})", style="dim")
        if section.conflict is not None and section.conflict.is_open:
            line.append(self.both(" ⚡会商", " ⚡consult"), style="bold magenta")
        lowest = self.policy.hazard(section.hazard).published_from
        if lowest is not None and section.level < lowest:
            line.append(self.both(" 不公开", " not public"), style="italic")
        return line
