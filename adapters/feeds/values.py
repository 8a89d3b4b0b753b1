"""Reading single fields of one item: text, parts of a text and times, with every finding kept."""

import re
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from adapters.feeds.framing import JsonObject, value_at
from adapters.feeds.profile import FieldRule, ListProfile
from domain.findings import Code, Finding, note, refusal

UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_PATTERN_CHARACTERS = 2_000
"""Patterns look at no more than this: titles and openings are short, and time must not grow with a stranger's text."""
_QUOTED_CHARACTERS = 60
FIRST_YEAR, LAST_YEAR = 2000, 2100


def quoted(text: str) -> str:
    """A sender's value for use in a sentence: short, and on one line."""
    shown = text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}…"
    return f"“{' '.join(shown.split())}”"


def pattern_text(text: str) -> str:
    """The part of a text that patterns look at."""
    return text[:_PATTERN_CHARACTERS]


class Values:
    """The fields of one item by rule; `findings` fills as they are read."""

    def __init__(self, profile: ListProfile, number: int, item: JsonObject) -> None:
        self._profile = profile
        self._item = item
        self.path = f"/items[{number}]"
        self.findings: list[Finding] = []

    @property
    def refused(self) -> bool:
        """Whether anything found so far refuses the item."""
        return any(found.refuses for found in self.findings)

    def path_to(self, rule: FieldRule) -> str:
        """Where a rule's field is: `/items[3]/eventType/name`."""
        return self.path_at(rule.path)

    def path_at(self, path: str) -> str:
        """Where a dotted path leads: `/items[3]/eventType/name`."""
        return f"{self.path}/{path.replace('.', '/')}"

    def refuse(self, code: Code, path: str, sentence: str) -> None:
        """Keep a finding that refuses the item."""
        self.findings.append(refusal(code, path, sentence))

    def note(self, code: Code, path: str, sentence: str) -> None:
        """Keep a finding that does not."""
        self.findings.append(note(code, path, sentence))

    def value(self, path: str) -> object:
        """What stands at a dotted path, whatever its type."""
        return value_at(self._item, path)

    def text_at(self, path: str) -> str:
        """The text at a dotted path, byte for byte; whole numbers in figures, empty where there is nothing."""
        value = self.value(path)
        if value is None:
            return ""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            self.refuse(Code.VALUE, self.path_at(path), "There is no text where text is due.")
            return ""
        if UNUSABLE.search(value):
            self.refuse(Code.VALUE, self.path_at(path), "The text holds characters that no message can carry.")
            return ""
        return value

    def text(self, rule: FieldRule | None) -> str:
        """A field's text, or the part of it that the rule's pattern finds; empty for no rule, field or match."""
        if rule is None:
            return ""
        text = self.text_at(rule.path)
        if rule.pattern is None:
            return text
        found = re.search(rule.pattern, pattern_text(text))
        return "" if found is None else found["value"] or ""

    def required(self, rule: FieldRule) -> str:
        """As `text`, trimmed; nothing there refuses the item."""
        text = self.text(rule).strip()
        if not text:
            self.refuse(Code.MISSING, self.path_to(rule), f"The field {rule.path} is missing or empty.")
        return text

    def moment(self, rule: FieldRule | None, *, required: bool = False) -> datetime | None:
        """A time by the first of the profile's formats that fits; without an offset it is in the profile's zone."""
        if rule is None:
            return None
        text = self.required(rule) if required else self.text(rule).strip()
        if not text:
            return None
        moment = _parsed(text, self._profile)
        if moment is None:
            formats = ", ".join(self._profile.time_formats)
            self.refuse(Code.TIME, self.path_to(rule), f"{quoted(text)} is not a time of the form {formats}.")
            return None
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            self.refuse(Code.TIME_RANGE, self.path_to(rule), f"The year {moment.year} cannot be meant.")
            return None
        return _with_fixed_offset(moment, ZoneInfo(self._profile.zone))


def _parsed(text: str, profile: ListProfile) -> datetime | None:
    for time_format in profile.time_formats:
        try:
            # The zone, if the text has none, is added once the year is known to be sensible.
            return datetime.strptime(text, time_format)  # noqa: DTZ007
        except (ValueError, OverflowError):
            continue
    return None


def _with_fixed_offset(moment: datetime, zone: ZoneInfo) -> datetime:
    """The same moment with a plain offset, so that it is stored and read back as the same value."""
    offset = (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).utcoffset()
    assert offset is not None
    return moment.replace(tzinfo=timezone(offset))
