"""The words, numbers and names of a report in one language. A locale of the machine has no say in any of them."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from adapters.reports.blocks import LevelCell
from domain.levels import Level
from domain.policy import Policy
from domain.values import Language, Value
from projections.words import CHINESE, ENGLISH, agency_name, hazard_name, is_chinese, level_word, word

NOTHING: Final = "—"

_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_SHORT: Final = 10
"""Seconds below which a tenth of a second is told."""


class Phrases(Value):
    """The phrases of one language, and its words for codes that no other list of the house has."""

    phrases: Mapping[str, str]
    codes: Mapping[str, str]


@cache
def phrases_in(language: Language) -> Phrases:
    """The phrases of `zh-CN` or `en`."""
    text = (Path(__file__).parent / f"phrases.{language}.toml").read_text(encoding="utf-8")
    return Phrases.model_validate(tomllib.loads(text))


class Words:
    """What a report needs to put its codes and figures into one language."""

    def __init__(self, language: Language, policy: Policy, districts: Mapping[str, str]) -> None:
        """`districts` are names by code; what has none goes by its code."""
        self.language = language
        self.policy = policy
        self.zone: ZoneInfo = policy.zone
        self.is_chinese = is_chinese(language)
        self._districts = districts
        self._phrases = phrases_in(CHINESE if self.is_chinese else ENGLISH)

    def say(self, phrase: str, **fields: str) -> str:
        """A phrase of the report with its fields filled in.

        Raises:
            KeyError: there is no such phrase, or a field of it is missing.
        """
        return self._phrases.phrases[phrase].format(**fields)

    def code(self, code: str) -> str:
        """The words for a code that stands in a table; the code itself where there are none."""
        return self._phrases.codes.get(code) or word(code, self.language)

    def level(self, level: Level) -> LevelCell:
        """A level for a table."""
        return LevelCell(level, self.level_word(level))

    def level_word(self, level: Level) -> str:
        """A level's word."""
        return level_word(level, self.language)

    def hazard(self, code: str) -> str:
        """A hazard's name."""
        return hazard_name(code, self.policy, self.language)

    def agency(self, agency_id: str) -> str:
        """An agency's name; its own words where it is not known who sent something."""
        return agency_name(agency_id, self.policy, self.language) if agency_id else self.say("unknown-agency")

    def district(self, code: str) -> str:
        """A district's name."""
        return self._districts.get(code, code)

    def outlet(self) -> str:
        """The name of the outlet."""
        names = self.policy.outlet.names
        return names.get(self.language) or next(iter(names.values()), self.policy.outlet.id)

    def number(self, number: int) -> str:
        """A count, its thousands set apart."""
        return f"{number:,}"

    def share(self, part: int, whole: int) -> str:
        """A part of a whole in per cent, or nothing where there is no whole."""
        return NOTHING if whole == 0 else self.rate(part / whole)

    def rate(self, rate: float | None) -> str:
        """A rate in per cent."""
        return NOTHING if rate is None else f"{rate * 100:.1f}%"

    def seconds(self, seconds: float | None) -> str:
        """A duration in its two largest units."""
        if seconds is None:
            return NOTHING
        sign, whole = ("−" if seconds < 0 else ""), round(abs(seconds))
        if abs(seconds) < _SHORT and not float(seconds).is_integer():
            return sign + self._units((f"{abs(seconds):.1f}", "second"))
        if whole < _MINUTE:
            return sign + self._units((str(whole), "second"))
        if whole < _HOUR:
            return sign + self._units((str(whole // _MINUTE), "minute"), (str(whole % _MINUTE), "second"))
        if whole < _DAY:
            return sign + self._units((str(whole // _HOUR), "hour"), (str(whole % _HOUR // _MINUTE), "minute"))
        return sign + self._units((self.number(whole // _DAY), "day-unit"), (str(whole % _DAY // _HOUR), "hour"))

    def _units(self, *parts: tuple[str, str]) -> str:
        said = [parts[0], *(part for part in parts[1:] if part[0] != "0")]
        joint = "" if self.is_chinese else " "
        return joint.join(f"{amount}{joint}{self.say(unit)}" for amount, unit in said)

    def month(self, begins: datetime) -> str:
        """The month that begins at this moment."""
        local = begins.astimezone(self.zone)
        return self.say("month", year=str(local.year), month=str(local.month), name=_MONTHS[local.month - 1])

    def day(self, day: date) -> str:
        """A day of the month."""
        return self.say("day", month=str(day.month), day=str(day.day), name=_MONTHS[day.month - 1][:3])

    def moment(self, moment: datetime | None) -> str:
        """A moment in the outlet's zone, in ISO 8601."""
        return NOTHING if moment is None else moment.astimezone(self.zone).isoformat(timespec="seconds")

    def listed(self, words: Sequence[str]) -> str:
        """Words one after the other."""
        return ("、" if self.is_chinese else ", ").join(words)

    def counts(self, counts: Mapping[str, int]) -> str:
        """Codes with their counts, the most frequent first; nothing where there are none."""
        ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        return self.listed([f"{self.code(code)} {self.number(count)}" for code, count in ordered]) or NOTHING
