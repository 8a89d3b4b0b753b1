"""The outlet's policy as one validated document, versioned by the hash of its text.

Everything that differs between cities and countries is here: agencies and their remits, hazards, level words,
districts, expiry, release, texts. An agency or a hazard is added by changing this document alone.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, model_validator

from domain.callup_policy import CallUpDefinition, QuestionDefinition, call_up_problems
from domain.certificates import Signatures, certificate_bytes, certificate_problems, fingerprint
from domain.hazards import HazardDefinition, HazardIndex
from domain.levels import Level
from domain.remit import Remit
from domain.templates import FIELDS, REQUIRED, template_problems
from domain.values import Language, Value

__all__ = ("CallUpDefinition", "QuestionDefinition")  # parts of the document that have a module of their own


class PolicyError(Exception):
    """The policy text cannot be used; `problems` lists every reason as `where: what`."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep every problem, so that the author mends them in one go."""
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class OutletDefinition(Value):
    """Who publishes: the CAP sender, the 12379 sender code, the time zone and the languages of its texts."""

    id: str
    names: Mapping[Language, str]
    sender: str
    sender_code: str = ""
    timezone: str = "Asia/Shanghai"
    languages: tuple[Language, ...] = Field(default=("zh-CN", "en"), min_length=1)
    web: str = ""


class AgencyDefinition(Value):
    """A bureau that may warn. `senders` are the CAP senders, 12379 sender codes or issuer names it speaks as.

    `certificates` are those it signs its CAP messages with, in PEM; several, so that they are exchanged without a gap.
    With any, unsigned messages are refused, unless `signatures` is `optional`.
    """

    id: str
    names: Mapping[Language, str]
    short_names: Mapping[Language, str] = {}
    senders: tuple[str, ...] = ()
    disabled: bool = False
    certificates: tuple[str, ...] = ()
    signatures: Signatures | None = None
    remit: Remit

    @model_validator(mode="after")
    def _certificates_must_be_readable(self) -> "AgencyDefinition":
        if problems := list(certificate_problems(self.certificates, self.signatures)):
            raise ValueError("\n".join(problems))
        return self

    @property
    def must_sign(self) -> bool:
        """Whether a message without a signature is not the agency's."""
        return bool(self.certificates) and self.signatures != "optional"

    def name(self, language: Language) -> str:
        """The full name in this language, else in the first one given."""
        return self.names.get(language) or next(iter(self.names.values()), self.id)

    def speaks_as(self, sender: str) -> bool:
        """Whether this sender is one of the agency's; an agency without a list speaks as any."""
        return not self.senders or any(_matches(sender, own) for own in self.senders)


def _matches(sender: str, own: str) -> bool:
    """A sender equals an entry, or begins with it where the entry ends in `*` (station codes share a prefix)."""
    return sender.startswith(own[:-1]) if own.endswith("*") else sender == own


class PlaceDefinition(Value):
    """A place the country's table does not have: a functional district, a sea area, or a name for several areas.

    With `is_district` it is a district of its own and the places in `covers` lie in it (`is_sea`: left out of "the
    whole city's land"); without, its name and aliases stand for the places in `covers`. `within` is the code of the
    area that directly holds it.
    """

    code: str = ""
    name: str
    within: str = ""
    aliases: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    is_district: bool = False
    is_sea: bool = False


class GazetteerDefinition(Value):
    """Where places come from. `source` is `china` or the path of a GeoJSON file beside the policy."""

    source: str = "china"
    districts: tuple[str, ...]
    short_names: Literal["districts", "townships"] = "districts"
    geocode_system: str = "CN-GB2260"
    boundaries: str = ""
    villages: str = ""
    threshold: float = Field(default=0.05, ge=0, le=1)
    places: tuple[PlaceDefinition, ...] = ()


class ReadingDefinition(Value):
    """How messages are understood.

    `level_from` is tried in order: `level` (the format's own), `severity`, or `parameter:<valueName>`.
    `level_words` maps words to levels; CAP's severities are known without it. `checks` overrides, by the
    name of the reader's check, whether a defect refuses, is noted, or is not looked for.
    """

    level_from: tuple[str, ...] = ("level", "severity")
    level_words: Mapping[str, Level] = {}
    checks: Mapping[str, str | int] = {}


class ExpiryDefinition(Value):
    """How long a statement lasts that gives no end."""

    default_hours: float = Field(default=24, gt=0)


class ChainDefinition(Value):
    """How long an update whose first message has not come waits for it before it speaks for itself."""

    update_without_alert_waits_seconds: float = Field(default=120, ge=0)


class MergeDefinition(Value):
    """From how many levels apart two agencies on one hazard and area are held up for consultation (会商)."""

    conflict_levels_apart: int = Field(default=2, ge=1, le=4)


class ReleaseDefinition(Value):
    """When a revision becomes public.

    `approvals` gives, for a level, how many people must approve a section that enters or rises to it;
    after `approval_deadline_seconds` without an answer `deadline_action` happens by itself.
    """

    group_wait_seconds: float = Field(default=30, ge=0)
    approvals: Mapping[Level, Annotated[int, Field(ge=0)]] = {}
    approval_deadline_seconds: float = Field(default=300, gt=0)
    deadline_action: Literal["release", "withhold"] = "release"


class TellingDefinition(Value):
    """How people are told of releases.

    `segments` limits the SMS segments of a message by its level; what is longer goes as its short form with `link`,
    in which `{warning_id}` stands for the warning. `group_wait_seconds` is how long a change that is not urgent waits
    for others for the same person. `covers` names, by hazard, those whose entry it makes needless to tell.
    """

    covers: Mapping[str, tuple[str, ...]] = {}
    segments: Mapping[Level, Annotated[int, Field(ge=1, le=20)]] = {}
    link: str = ""
    group_wait_seconds: float = Field(default=60, ge=0)


class TextDefinition(Value):
    """Templates of one language; the fields of each are in `templates.py`. Every level has its word.

    `raised` and `lowered` say how a level moved, `short` is what is sent where a text has too many segments, `source`
    puts a station's name before a relayed text that does not name it; a policy without them uses the headline.

    `callup` asks somebody to confirm, `callup_next` asks the next one in their place, `callup_voice` is read aloud by
    telephone; a policy without them asks in Chinese and English.
    """

    headline: str
    joint: str
    lifted: str
    sms: str
    separator: str = ", "
    time: str = "%Y-%m-%d %H:%M"
    levels: Mapping[Level, str]
    signature: str = ""
    drill_mark: str
    nothing_in_force: str
    raised: str = "{headline}"
    lowered: str = "{headline}"
    short: str = "{headlines} {link}"
    source: str = "{station}: {text}"
    callup: str = "{areas}: {headlines}. 收到请回复1 / Reply 1 to confirm. {link}"
    callup_next: str = "{areas}: {headlines}. 前一人未确认，请回复1 / Nobody before you has confirmed: reply 1. {link}"
    callup_voice: str = "{areas}: {headlines}. 请用短信回复1 / Confirm by sending 1 as a text message."


class Policy(Value):
    """The whole document. `sha256` is the hash of the text it was read from."""

    outlet: OutletDefinition
    agencies: tuple[AgencyDefinition, ...] = Field(min_length=1)
    hazards: tuple[HazardDefinition, ...] = ()
    catalogue: str = ""
    gazetteer: GazetteerDefinition
    reading: ReadingDefinition = ReadingDefinition()
    expiry: ExpiryDefinition = ExpiryDefinition()
    chains: ChainDefinition = ChainDefinition()
    merge: MergeDefinition = MergeDefinition()
    release: ReleaseDefinition = ReleaseDefinition()
    telling: TellingDefinition = TellingDefinition()
    callup: CallUpDefinition = CallUpDefinition()
    texts: Mapping[Language, TextDefinition]
    sha256: str = ""

    @model_validator(mode="after")
    def _names_must_lead_somewhere(self) -> "Policy":
        problems = _text_problems(self.texts)
        problems += [
            f"texts: no templates for language {tag}" for tag in self.outlet.languages if tag not in self.texts
        ]
        ids = [agency.id for agency in self.agencies]
        problems += [f"agencies: the id {id_} occurs twice" for id_ in sorted({i for i in ids if ids.count(i) > 1})]
        codes = [hazard.code for hazard in self.hazards]
        problems += [
            f"hazards: the code {code} occurs twice" for code in sorted({c for c in codes if codes.count(c) > 1})
        ]
        known = set(codes)
        problems += call_up_problems(self.callup, known)
        merging = {hazard.code for hazard in self.hazards if hazard.merges_into is not None}
        for agency in self.agencies:
            strange = [code for code in agency.remit.hazards if code != "*" and code not in known]
            problems += [f"agencies.{agency.id}.remit.hazards: unknown hazard {code}" for code in strange]
        for hazard in self.hazards:
            if hazard.merges_into is not None and hazard.merges_into not in known:
                problems.append(f"hazards.{hazard.code}.merges_into: unknown hazard {hazard.merges_into}")
            if hazard.merges_into in merging:
                problems.append(f"hazards.{hazard.code}.merges_into: {hazard.merges_into} itself merges into another")
        problems += [
            f"reading.level_from: {source!r} is none of level, severity and parameter:<valueName>"
            for source in self.reading.level_from
            if source not in {"level", "severity"} and not re.fullmatch(r"parameter:.+", source)
        ]
        try:
            ZoneInfo(self.outlet.timezone)
        except (KeyError, ValueError, OSError):
            problems.append(f"outlet.timezone: unknown time zone {self.outlet.timezone}")
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @cached_property
    def hazard_index(self) -> HazardIndex:
        """The hazards, ready for look-ups."""
        return HazardIndex(self.hazards)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The outlet's time zone."""
        return ZoneInfo(self.outlet.timezone)

    @cached_property
    def _certificate_owners(self) -> Mapping[str, tuple[str, ...]]:
        owners: dict[str, tuple[str, ...]] = {}
        for agency in self.agencies:
            for mark in {fingerprint(certificate_bytes(pem)) for pem in agency.certificates}:
                owners[mark] = (*owners.get(mark, ()), agency.id)
        return owners

    def owners_of_certificate(self, certificate_sha256: str) -> tuple[str, ...]:
        """The agencies that have pinned the certificate with this SHA-256 (hex); none has where it is a stranger's."""
        return self._certificate_owners.get(certificate_sha256, ())

    @cached_property
    def agency_order(self) -> Mapping[str, int]:
        """Each agency's place in the document: the order in which headlines name them."""
        return {agency.id: place for place, agency in enumerate(self.agencies)}

    @cached_property
    def hazard_order(self) -> Mapping[str, int]:
        """Each hazard's place in the document."""
        return {hazard.code: place for place, hazard in enumerate(self.hazards)}

    def agency(self, agency_id: str) -> AgencyDefinition | None:
        """The agency with this id."""
        return next((agency for agency in self.agencies if agency.id == agency_id), None)

    def agency_of_sender(self, sender: str) -> AgencyDefinition | None:
        """The one agency that names this sender as its own; None when none or several do."""
        found = [agency for agency in self.agencies if agency.senders and agency.speaks_as(sender)]
        return found[0] if len(found) == 1 else None

    def hazard(self, code: str) -> HazardDefinition:
        """The hazard with this code.

        Raises:
            KeyError: the policy has none such; an event of an older policy names it.
        """
        found = self.hazard_index.get(code)
        if found is None:
            raise KeyError(code)
        return found


def parse_policy(text: str, catalogues: Mapping[str, Sequence[HazardDefinition]] | None = None) -> Policy:
    """Read a policy from its TOML text.

    `catalogues` are the hazard catalogues that `catalogue` may name; the document's own hazards come first and
    override the catalogue's.

    Raises:
        PolicyError: with every problem found.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError([f"not TOML: {error}"]) from error
    problems: list[str] = []
    known = catalogues or {}
    named = document.get("catalogue", "")
    if isinstance(named, str) and named and named not in known:
        problems.append(f"catalogue: unknown catalogue {named}")
    own = document.get("hazards", [])
    if isinstance(own, list) and isinstance(named, str):
        document["hazards"] = [*own, *_not_overridden(known.get(named, ()), own)]
    document["sha256"] = sha256(text.encode()).hexdigest()
    try:
        policy = Policy.model_validate(document)
    except ValidationError as error:
        raise PolicyError([*problems, *_sentences(error)]) from error
    if problems:
        raise PolicyError(problems)
    return policy


def _not_overridden(inherited: Sequence[HazardDefinition], own: Sequence[Any]) -> list[HazardDefinition]:
    own_codes = [entry.get("code") for entry in own if isinstance(entry, dict)]
    return [hazard for hazard in inherited if hazard.code not in own_codes]


def _text_problems(texts: Mapping[Language, TextDefinition]) -> list[str]:
    problems: list[str] = []
    for language, words in texts.items():
        for name, fields in FIELDS.items():
            found = template_problems(getattr(words, name), fields, REQUIRED[name])
            problems += [f"texts.{language}.{name}: {problem}" for problem in found]
        if len(words.lifted.splitlines()) > 1:
            problems.append(f"texts.{language}.lifted: must be one line")
        missing = ", ".join(level.value for level in Level if level not in words.levels)
        if missing:
            problems.append(f"texts.{language}.levels: no word for {missing}")
        if not words.drill_mark.strip():
            problems.append(f"texts.{language}.drill_mark: a drill must be marked")
    return problems


def _sentences(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for found in error.errors(include_url=False):
        where = ".".join(str(part) for part in found["loc"])
        words = found["msg"].removeprefix("Value error, ")
        lines += [f"{where}: {line}" if where else line for line in words.splitlines()]
    return lines
