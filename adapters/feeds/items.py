"""One item of a list becomes one message, or is refused with everything that was found in it.

Words become codes here by the profile's tables; a word that no table has refuses the item, never the list.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin

from adapters.feeds.framing import JsonObject, raw_json
from adapters.feeds.profile import FieldRule, ListProfile
from adapters.feeds.values import FIRST_YEAR, LAST_YEAR, UNUSABLE, Values, pattern_text, quoted
from domain.areas import AreaClaim, Geocode
from domain.findings import Code, Finding
from domain.levels import Level
from domain.messages import AgencyMessage, Info, MessageFormat, MessageType, Named, Reference, Status
from domain.values import Moment, Value

GEOCODE_SYSTEM = "12379"
HAZARD_SYSTEM = "hazard"

_DIVISION = re.compile(r"[0-9]{6}")
_SEPARATORS = re.compile(r"[,，\s]+")
_REST_OF_A_FULL_CODE = "000000"


class Span(Value):
    """A time in which an archive saw an item listed: from `begins` up to, not including, `ends` (None: still)."""

    begins: Moment
    ends: Moment | None


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """An item as a message, with the id of the agency that it comes from and the spans in which it was listed."""

    message: AgencyMessage
    agency: str
    spans: tuple[Span, ...]
    path: str


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """An item that could not be read; `identifier` is empty when not even that could, `raw` is the item's JSON."""

    path: str
    identifier: str
    findings: tuple[Finding, ...]
    raw: str


class ItemReading:
    """The reading of one item. Make one for each item and call `read` once."""

    def __init__(self, profile: ListProfile, number: int, item: JsonObject) -> None:
        self._profile = profile
        self._item = item
        self._values = Values(profile, number, item)
        self._title = self._take_title_apart()

    def read(self) -> ListedMessage | RefusedItem:
        """The message with its agency and spans, or the refused item with all findings."""
        values, fields = self._values, self._profile.fields
        identifier = values.required(fields.identifier)
        sent = values.moment(fields.sent, required=True)
        issuers = self._issuers()
        agency = self._agency(issuers)
        message_type = self._message_type()
        info = self._info(issuers)
        spans = self._spans()
        references = self._references(identifier, message_type)
        sender = values.text(fields.sender).strip() or self._first_of(issuers)
        if values.refused or sent is None or info is None or agency is None:
            raw = raw_json(self._item)
            return RefusedItem(values.path, identifier, tuple(values.findings), raw)
        message = AgencyMessage(
            format=MessageFormat.LIST,
            sender=sender,
            identifier=identifier,
            sent=sent,
            status=Status.ACTUAL,
            message_type=message_type,
            source=self._profile.name,
            references=references,
            infos=(info,),
            listed=True,
            notes=tuple(values.findings),
        )
        return ListedMessage(message=message, agency=agency, spans=spans, path=values.path)

    def _take_title_apart(self) -> Mapping[str, str]:
        rules = self._profile.title
        if rules is None:
            return {}
        title = pattern_text(self._values.text_at(rules.path))
        for pattern in rules.patterns:
            found = re.search(pattern, title)
            if found is not None:
                return {group: text.strip() for group, text in found.groupdict().items() if text}
        return {}

    def _word(self, rule: FieldRule | None, group: str) -> tuple[str, str]:
        """(word, path) by a field's rule or else the title's group; the word is empty where there is none."""
        if rule is not None:
            return self._values.text(rule).strip(), self._values.path_to(rule)
        title = self._profile.title
        path = self._values.path if title is None else self._values.path_at(title.path)
        return self._title.get(group, ""), path

    def _issuers(self) -> str:
        """Who issues it, all of them, as the list has it."""
        word, path = self._word(self._profile.fields.issuer, "issuers")
        if not word:
            self._values.refuse(Code.MISSING, path, "The item does not say who issues it.")
        return word

    def _first_of(self, issuers: str) -> str:
        title = self._profile.title
        return issuers if title is None else re.split(title.issuer_separator, issuers)[0].strip()

    def _agency(self, issuers: str) -> str | None:
        """The agency by the first issuer's name, else by a field of its own: joint warnings carry another's code."""
        rule = self._profile.fields.agency
        names = [self._first_of(issuers), self._values.text(rule).strip()]
        for name in filter(None, names):
            agency = self._profile.agency_of(name)
            if agency is not None:
                return agency
        if any(names):
            _, path = self._word(self._profile.fields.issuer, "issuers")
            shown = " / ".join(quoted(name) for name in names if name)
            self._values.refuse(Code.UNKNOWN_AGENCY, path, f"The profile knows no agency for {shown}.")
        return None

    def _message_type(self) -> MessageType:
        """An alert, unless the item says that it lifts one: a list knows no updates."""
        title, rule = self._profile.title, self._profile.cancel
        if title is not None and self._title.get("verb") in title.cancel_verbs:
            return MessageType.CANCEL
        if rule is not None and self._values.text_at(rule.path).strip() in rule.words:
            return MessageType.CANCEL
        return MessageType.ALERT

    def _hazard(self) -> tuple[str, str] | None:
        """(name, code) of the hazard."""
        word, path = self._word(self._profile.fields.hazard, "hazard")
        code = self._profile.hazards.get(word)
        if code is None:
            self._values.refuse(Code.UNKNOWN_HAZARD, path, f"The profile knows no hazard {quoted(word)}.")
            return None
        return word, code

    def _level(self) -> Level | None:
        word, path = self._word(self._profile.fields.level, "level")
        level = self._profile.levels.get(word)
        if level is None:
            self._values.refuse(Code.UNKNOWN_LEVEL, path, f"The profile knows no level {quoted(word)}.")
        return level

    def _info(self, issuers: str) -> Info | None:
        values, fields = self._values, self._profile.fields
        hazard, level = self._hazard(), self._level()
        onset: datetime | None = values.moment(fields.onset)
        area = self._area()
        texts = [values.text(rule) for rule in (fields.headline, fields.description, fields.instruction)]
        web = self._web()
        if hazard is None or level is None:
            return None
        name, code = hazard
        return Info(
            language=self._profile.language,
            event=name,
            event_codes=(Named(name=HAZARD_SYSTEM, value=code),),
            severity=level.cap_severity,
            level=level,
            onset=onset,
            sender_name=issuers,
            headline=texts[0],
            description=texts[1],
            instruction=texts[2],
            web=web,
            areas=(area,),
        )

    def _area(self) -> AreaClaim:
        """Where it applies. A claim may come out empty: that is for the interpretation to refuse, never to widen."""
        values, rules = self._values, self._profile.area
        words = values.text(rules.names)
        names = [name.strip() for name in re.split(f"[{re.escape(rules.separators)}]", words)]
        geocodes = self._division_claimed()
        if rules.names is not None and not any(names) and not geocodes:
            values.note(Code.NO_AREA, values.path_to(rules.names), "The item names no place.")
        return AreaClaim(
            description=words if rules.description is None else values.text(rules.description),
            place_names=tuple(dict.fromkeys(name for name in names if name)),
            geocodes=geocodes,
        )

    def _division_claimed(self) -> tuple[Geocode, ...]:
        values, rules = self._values, self._profile.area
        if rules.division is None:
            return ()
        path = values.path_to(rules.division)
        division = values.text(rules.division).strip()
        if not _DIVISION.fullmatch(division):
            values.note(Code.NO_AREA, path, "The item holds no code of a division.")
            return ()
        kind = _kind_of(division)
        if kind not in rules.division_kinds:
            sentence = f"The division {division} is a {kind}: which part of it is meant, the list does not say."
            values.note(Code.NO_AREA, path, sentence)
            return ()
        return (Geocode(name=GEOCODE_SYSTEM, value=division + _REST_OF_A_FULL_CODE),)

    def _web(self) -> str:
        rule, values = self._profile.fields.web, self._values
        address = values.text(rule).strip()
        if rule is None or not address:
            return ""
        try:
            return urljoin(self._profile.web_base, address)
        except ValueError:
            values.note(Code.VALUE, values.path_to(rule), f"{quoted(address)} is not an address; it was left out.")
            return ""

    def _references(self, identifier: str, message_type: MessageType) -> tuple[Reference, ...]:
        rule, values = self._profile.fields.references, self._values
        if rule is None or message_type is not MessageType.CANCEL:
            return ()
        value = values.value(rule.path)
        words = value if isinstance(value, list) else _SEPARATORS.split(values.text(rule))
        names = dict.fromkeys(word for word in words if isinstance(word, str) and word and word != identifier)
        if any(UNUSABLE.search(name) for name in names):
            values.refuse(Code.REFERENCES, values.path_to(rule), "A reference holds characters that none can.")
            return ()
        return tuple(Reference(identifier=name) for name in names)

    def _spans(self) -> tuple[Span, ...]:
        rule = self._profile.fields.spans
        if rule is None:
            return ()
        value = self._values.value(rule.path)
        spans = [_span(pair) for pair in value] if isinstance(value, list) else [None]
        found = tuple(span for span in spans if span is not None)
        if len(found) < len(spans):
            sentence = "The times of listing are not pairs of ISO times with zones, the earlier first."
            self._values.refuse(Code.TIME, self._values.path_to(rule), sentence)
        return found


def _kind_of(division: str) -> str:
    if division.endswith("0000"):
        return "province"
    return "city" if division.endswith("00") else "county"


def _span(pair: object) -> Span | None:
    """None for what is no pair of times in order; the caller names the finding."""
    match pair:
        case [str() as begins, str() | None as ends]:
            try:
                span = Span(
                    begins=datetime.fromisoformat(begins),
                    ends=None if ends is None else datetime.fromisoformat(ends),
                )
            except ValueError:
                return None
            return span if _is_sensible(span) else None
        case _:
            return None


def _is_sensible(span: Span) -> bool:
    years = {moment.year for moment in (span.begins, span.ends) if moment is not None}
    in_order = span.ends is None or span.begins < span.ends
    return in_order and all(FIRST_YEAR <= year <= LAST_YEAR for year in years)
