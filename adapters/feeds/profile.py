"""What a profile may say about a JSON list: where its items are, which field means what, which word which code.

A profile is written by an operator and trusted; what it describes is not. Reading a list by it is
`list_reader.py`'s work, loading one from TOML that of `profile_files.py`.
"""

import re
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from domain.levels import Level
from domain.values import Language, Value

TITLE_GROUPS = frozenset({"issuers", "hazard", "level", "verb"})


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


def _finds_a_value(pattern: str) -> str:
    if "value" not in re.compile(pattern).groupindex:
        raise ValueError("a field's pattern needs a group named value: (?P<value>…)")
    return pattern


def _names_title_groups(pattern: str) -> str:
    groups = frozenset(re.compile(pattern).groupindex)
    if not groups or groups - TITLE_GROUPS:
        raise ValueError(f"a title's pattern names groups among {', '.join(sorted(TITLE_GROUPS))}")
    return pattern


def _is_a_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(f"{name} is not a time zone") from error
    return name


def _rule_from_path(value: object) -> object:
    """A rule may be written as the path alone."""
    return {"path": value} if isinstance(value, str) else value


Pattern = Annotated[str, AfterValidator(_compiles)]
FieldPattern = Annotated[str, AfterValidator(_compiles), AfterValidator(_finds_a_value)]
TitlePattern = Annotated[str, AfterValidator(_compiles), AfterValidator(_names_title_groups)]
Filled = Annotated[str, StringConstraints(min_length=1)]
HazardCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{5}$")]
AgencyId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
ZoneName = Annotated[str, AfterValidator(_is_a_zone)]


class FieldRule(Value):
    """Where a field is in an item (`eventType.name`), and which part of its text is meant: the group `value`."""

    path: Filled
    pattern: FieldPattern | None = None


Rule = Annotated[FieldRule, BeforeValidator(_rule_from_path)]


class Envelope(Value):
    """What is around the items.

    `list`: a JSON list at the path `items` (at the top when empty); `single`: the value there is the one item;
    `lines`: one JSON object on each line. `prefix` is JavaScript before the JSON, such as `var alarminfo=`.
    `expects` names values that an answer must hold, so that an error page is never read as an empty list.
    """

    shape: Literal["list", "single", "lines"] = "list"
    items: str = ""
    prefix: str = ""
    expects: dict[str, str | int | bool] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _lines_have_nothing_around_them(self) -> Self:
        if self.shape == "lines" and (self.items or self.prefix or self.expects):
            raise ValueError("lines have no items path, prefix or expected values")
        return self


class Fields(Value):
    """Which field means what. What a title's patterns find need not be named here.

    `agency` holds another word of the agencies table, such as an organisation code, for issuers of unknown name;
    `sender` identifies who sends (else it is the first issuer's name); `spans` is a list of `[from, to)` pairs of
    ISO times in which an archive saw the item listed; `references` is read for cancels alone.
    """

    identifier: Rule
    sent: Rule
    sender: Rule | None = None
    agency: Rule | None = None
    issuer: Rule | None = None
    hazard: Rule | None = None
    level: Rule | None = None
    onset: Rule | None = None
    headline: Rule | None = None
    description: Rule | None = None
    instruction: Rule | None = None
    web: Rule | None = None
    references: Rule | None = None
    spans: Rule | None = None


class AreaRules(Value):
    """Where an item applies.

    `names` is split at the characters of `separators` into place names; `description` gives words only, for which
    `names` serves where it is absent. `division` yields a 6-digit code, claimed only when it is of one of
    `division_kinds`: an item that names its province alone does not mean the whole of it.
    """

    names: Rule | None = None
    separators: Filled = "、"
    description: Rule | None = None
    division: Rule | None = None
    division_kinds: tuple[Literal["province", "city", "county"], ...] = ("city", "county")

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.names is None and self.division is None:
            raise ValueError("an area needs names or a division")
        return self


class TitleRules(Value):
    """How to take a title apart: the first pattern that matches wins.

    Groups: `issuers` (split by `issuer_separator`), `hazard`, `level`, `verb`; a verb of `cancel_verbs` makes the
    item a cancel.
    """

    path: Filled
    patterns: tuple[TitlePattern, ...] = Field(min_length=1)
    issuer_separator: Pattern = "、"
    cancel_verbs: tuple[Filled, ...] = ()

    def finds(self, group: str) -> bool:
        """Whether every pattern names the group."""
        return all(group in re.compile(pattern).groupindex for pattern in self.patterns)


class CancelRule(Value):
    """Words in a field that make an item a cancel."""

    path: Filled
    words: tuple[Filled, ...] = Field(min_length=1)


class AgencyPattern(Value):
    """An agency for every issuer whose name the pattern finds; looked at after the names, in order."""

    pattern: Pattern
    agency: AgencyId


class ListProfile(Value):
    """How to read one bureau's list.

    `places` maps a word of the list to the names by which a gazetteer knows what is meant; the reader leaves the
    words as they are. `web_base` is put before relative addresses.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    language: Language = "zh-CN"
    zone: ZoneName = "Asia/Shanghai"
    time_formats: tuple[Filled, ...] = Field(min_length=1)
    web_base: str = ""
    envelope: Envelope = Envelope()
    fields: Fields
    area: AreaRules
    title: TitleRules | None = None
    cancel: CancelRule | None = None
    hazards: dict[str, HazardCode] = Field(min_length=1)
    levels: dict[str, Level] = Field(min_length=1)
    agencies: dict[str, AgencyId] = Field(default_factory=dict)
    agency_patterns: tuple[AgencyPattern, ...] = ()
    places: dict[str, tuple[Filled, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_what_who_and_how_bad(self) -> Self:
        for group, rule in (
            ("hazard", self.fields.hazard),
            ("level", self.fields.level),
            ("issuers", self.fields.issuer),
        ):
            if rule is None and (self.title is None or not self.title.finds(group)):
                raise ValueError(f"neither a field nor every pattern of the title gives the {group}")
        if not self.agencies and not self.agency_patterns:
            raise ValueError("no agencies: agencies or agency_patterns is needed")
        return self

    def agency_of(self, name: str) -> str | None:
        """The agency with this name, organisation code or matching pattern, if any."""
        if name in self.agencies:
            return self.agencies[name]
        return next((rule.agency for rule in self.agency_patterns if re.search(rule.pattern, name)), None)
