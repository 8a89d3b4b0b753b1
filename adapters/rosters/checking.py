"""A row of a roster becomes a recipient and how to reach them, or a list of everything that is wrong with it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from adapters.rosters.columns import Columns
from adapters.rosters.tables import TableRow
from adapters.vault.vault import Contact, Person
from domain.areas import Area, Circle
from domain.levels import Level
from domain.messages import Mode
from domain.policy import Policy
from domain.ports import Gazetteer
from domain.recipients import EVERY_HAZARD, FIRST_TURN, LAST_TURN, LONGEST_POST, ChannelKind, Recipient

LARGEST_RADIUS_KM: Final = 1_000.0
_SEPARATORS: Final = re.compile(r"[,;，；、|/\s]+")
_LEVELS: Final[Mapping[str, Level]] = {
    **{level.value: level for level in Level},
    "白": Level.WHITE,
    "蓝": Level.BLUE,
    "黄": Level.YELLOW,
    "橙": Level.ORANGE,
    "红": Level.RED,
    "四级": Level.BLUE,
    "三级": Level.YELLOW,
    "二级": Level.ORANGE,
    "一级": Level.RED,
    "iv": Level.BLUE,
    "iii": Level.YELLOW,
    "ii": Level.ORANGE,
    "i": Level.RED,
}
_CHANNELS: Final[Mapping[str, ChannelKind]] = {
    **{kind.value: kind for kind in ChannelKind},
    "短信": ChannelKind.SMS,
    "邮件": ChannelKind.EMAIL,
    "屏幕": ChannelKind.SCREEN,
    "电话": ChannelKind.VOICE,
    "mail": ChannelKind.EMAIL,
    "e-mail": ChannelKind.EMAIL,
    "phone": ChannelKind.VOICE,
}


class RowCode(StrEnum):
    """Everything that can be wrong with a row. Stable: people's spreadsheets are mended by it."""

    PHONE = "phone"
    EMAIL = "email"
    NO_CONTACT = "no-contact"  # nothing by which the recipient could be reached
    CHANNEL = "channel"  # an unknown channel, or one for which the row has no contact
    AREA = "area"  # an area that the gazetteer does not know
    NO_AREA = "no-area"  # neither an area nor a point: never everywhere
    POINT = "point"  # coordinates or a radius that cannot be
    HAZARD = "hazard"
    LEVEL = "level"
    LANGUAGE = "language"
    POST = "post"  # what they answer for has too long a name
    TURN = "turn"  # no place in the order in which the people of a post are asked
    TWICE = "twice"  # the same recipient stands in the table twice


@dataclass(frozen=True, slots=True)
class RowFinding:
    """One thing that is wrong: the row as a person counts, the field, a stable code and a sentence."""

    row: int
    field: str
    code: RowCode
    sentence: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that can be taken in. `key` tells the recipient from the others of the roster; no number is given yet."""

    row: int
    key: str
    person: Person
    role: str
    language: str
    areas: tuple[str, ...]
    circles: tuple[Circle, ...]
    hazards: tuple[str, ...]
    level_min: Level
    channels: tuple[ChannelKind, ...]
    post: str = ""
    turn: int = FIRST_TURN

    def recipient(self, number: int, roster: str, mode: Mode) -> Recipient:
        """The recipient under this number."""
        return Recipient(
            number=number,
            roster=roster,
            mode=mode,
            role=self.role,
            language=self.language,
            areas=self.areas,
            circles=self.circles,
            hazards=self.hazards,
            level_min=self.level_min,
            channels=self.channels,
            post=self.post,
            turn=self.turn,
        )


class RowChecker:
    """Checks rows against a policy and its places. One checker serves one table: it knows what came twice."""

    def __init__(
        self, policy: Policy, gazetteer: Gazetteer, columns: Columns, *, region: str = "CN", role: str = ""
    ) -> None:
        """`region` is the country of telephone numbers without a country code, `role` that of rows without one."""
        self._policy = policy
        self._gazetteer = gazetteer
        self._columns = columns
        self._region = region
        self._role = role
        self._seen: dict[str, int] = {}
        self._names = {area.name: area.code for area in gazetteer.districts()}
        self._hazard_names = {
            name: hazard.code for hazard in policy.hazards for name in (hazard.code, *hazard.names.values())
        }

    def check(self, row: TableRow) -> tuple[Entry | None, list[RowFinding]]:
        """The row's entry, or None and everything that is wrong with it."""
        reading = _Reading(row, self._columns)
        contacts = self._contacts(reading)
        channels = self._channels(reading, contacts)
        areas, circles = self._areas(reading), self._circles(reading)
        if not areas and not circles and not reading.findings_of("areas", "latitude", "longitude", "radius_km"):
            reading.wrong(
                "areas", RowCode.NO_AREA, "neither an area nor a point says where this recipient is concerned"
            )
        entry = Entry(
            row=row.number,
            key=reading["key"] or next((contact.address for contact in contacts), ""),
            person=Person(reading["name"], tuple(contacts)),
            role=reading["role"] or self._role or "recipient",
            language=self._language(reading),
            areas=areas,
            circles=circles,
            hazards=self._hazards(reading),
            level_min=self._level(reading),
            channels=channels,
            post=self._post(reading),
            turn=self._turn(reading),
        )
        earlier = self._seen.setdefault(entry.key, row.number) if entry.key else row.number
        if earlier != row.number:
            reading.wrong("key", RowCode.TWICE, f"the same recipient stands in row {earlier}")
        return (None if reading.findings else entry), reading.findings

    def _contacts(self, reading: "_Reading") -> list[Contact]:
        found: list[Contact] = []
        if text := reading["phone"]:
            number = telephone_number(text, self._region)
            if number is None:
                reading.wrong("phone", RowCode.PHONE, f"{masked(text)} is no telephone number of {self._region}")
            else:
                found += [Contact(ChannelKind.SMS, number), Contact(ChannelKind.VOICE, number)]
        if text := reading["email"]:
            try:
                found.append(Contact(ChannelKind.EMAIL, mail_address(text)))
            except EmailNotValidError as error:
                reading.wrong("email", RowCode.EMAIL, str(error))
        if text := reading["screen"]:
            found.append(Contact(ChannelKind.SCREEN, text))
        if not found and not reading.findings:
            reading.wrong("phone", RowCode.NO_CONTACT, "no telephone number, mail address or screen")
        return found

    def _channels(self, reading: "_Reading", contacts: Sequence[Contact]) -> tuple[ChannelKind, ...]:
        has = [contact.kind for contact in contacts]
        named: list[ChannelKind] = []
        for word in _words(reading["channels"]):
            kind = _CHANNELS.get(word.casefold())
            if kind is None:
                reading.wrong("channels", RowCode.CHANNEL, f"there is no channel {word!r}")
            elif kind not in has:
                if contacts:
                    reading.wrong("channels", RowCode.CHANNEL, f"the row has no contact for {kind.value}")
            else:
                named.append(kind)
        # Nobody is phoned because they have a telephone: a voice is for those who ask for it, and for call-ups.
        return tuple(dict.fromkeys(named)) or tuple(kind for kind in has if kind is not ChannelKind.VOICE)

    def _areas(self, reading: "_Reading") -> tuple[str, ...]:
        codes: list[str] = []
        for word in _words(reading["areas"]):
            code = self._names.get(word, word)
            area = area_coded(self._gazetteer, code)
            if area is None:
                reading.wrong("areas", RowCode.AREA, f"no area of this outlet is called or coded {word!r}")
            else:
                codes.append(area.code)
        return tuple(dict.fromkeys(codes))

    def _circles(self, reading: "_Reading") -> tuple[Circle, ...]:
        texts = [reading[name] for name in ("latitude", "longitude", "radius_km")]
        if not any(texts):
            return ()
        try:
            circle = circle_at(float(texts[0]), float(texts[1]), float(texts[2] or 0))
        except ValueError:
            reading.wrong(
                "latitude", RowCode.POINT, "latitude, longitude and radius_km must be numbers in degrees and km"
            )
            return ()
        if circle is None:
            reading.wrong("latitude", RowCode.POINT, "no such place, or a radius above 1000 km")
            return ()
        return (circle,)

    def _hazards(self, reading: "_Reading") -> tuple[str, ...]:
        codes: list[str] = []
        for word in _words(reading["hazards"]):
            code = self._hazard_names.get(word)
            if word in {EVERY_HAZARD, "全部", "all"}:
                codes.append(EVERY_HAZARD)
            elif code is None:
                reading.wrong("hazards", RowCode.HAZARD, f"the policy knows no hazard {word!r}")
            else:
                codes.append(self._policy.hazard(code).merges_into or code)
        return tuple(dict.fromkeys(codes)) or (EVERY_HAZARD,)

    def _post(self, reading: "_Reading") -> str:
        post = " ".join(reading["post"].split())
        if len(post) > LONGEST_POST:
            reading.wrong("post", RowCode.POST, f"a post's name has at most {LONGEST_POST} characters")
        return post

    def _turn(self, reading: "_Reading") -> int:
        text = reading["turn"]
        if not text:
            return FIRST_TURN
        turn = int(text) if text.isdecimal() and len(text) <= len(str(LAST_TURN)) else 0
        if not FIRST_TURN <= turn <= LAST_TURN:
            reading.wrong("turn", RowCode.TURN, f"a turn is a number from {FIRST_TURN} to {LAST_TURN}")
        return turn

    def _level(self, reading: "_Reading") -> Level:
        text = reading["level_min"].casefold().removesuffix("预警").removesuffix("色")
        if not text:
            return Level.WHITE
        level = _LEVELS.get(text)
        if level is None:
            reading.wrong("level_min", RowCode.LEVEL, f"{reading['level_min']!r} is none of white to red")
        return level or Level.WHITE

    def _language(self, reading: "_Reading") -> str:
        languages = self._policy.outlet.languages
        text = reading["language"]
        found = next((tag for tag in languages if text.casefold() in {tag.casefold(), tag.split("-")[0]}), "")
        if text and not found:
            reading.wrong("language", RowCode.LANGUAGE, f"{text!r} is none of {', '.join(languages)}")
        return found or languages[0]


class _Reading:
    """One row's texts by field, and what was found wrong so far."""

    def __init__(self, row: TableRow, columns: Columns) -> None:
        self._row = row
        self._columns = columns
        self.findings: list[RowFinding] = []

    def __getitem__(self, field: str) -> str:
        heading = self._columns.of_field.get(field)
        return self._row.cells.get(heading, "") if heading is not None else ""

    def wrong(self, field: str, code: RowCode, sentence: str) -> None:
        self.findings.append(RowFinding(self._row.number, field, code, sentence))

    def findings_of(self, *fields: str) -> list[RowFinding]:
        return [found for found in self.findings if found.field in fields]


def telephone_number(text: str, region: str) -> str | None:
    """A number that can exist, as E.164; None for one that cannot."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def mail_address(text: str) -> str:
    """The address in its usual writing; nobody is asked whether there is such a mailbox.

    Raises:
        EmailNotValidError: it has not the form of an address.
    """
    return validate_email(text, check_deliverability=False, test_environment=True).normalized


def area_coded(gazetteer: Gazetteer, code: str) -> Area | None:
    """The area with this code, which may be filled up with zeros."""
    return gazetteer.area(code) or gazetteer.area(_without_zeros(code))


def circle_at(latitude: float, longitude: float, radius_km: float) -> Circle | None:
    """The circle around a point; None where there is no such place, or the radius cannot be meant."""
    is_a_place = abs(latitude) <= 90 and abs(longitude) <= 180 and 0 <= radius_km <= LARGEST_RADIUS_KM  # noqa: PLR2004
    if not is_a_place or not all(map(math.isfinite, (latitude, longitude, radius_km))):
        return None
    return Circle(latitude=latitude, longitude=longitude, radius_km=radius_km)


def masked(text: str) -> str:
    """The last two characters of a contact: enough to find the row by, too little to reach anybody."""
    return f"…{text[-2:]}"


def _words(text: str) -> list[str]:
    return [word for word in _SEPARATORS.split(text) if word]


def _without_zeros(code: str) -> str:
    """330683 for 330683000000, 330683101 for 330683101000: tables with 12 digits fill up with zeros."""
    if len(code) != 12 or not code.isdecimal():  # noqa: PLR2004 -- digits of a division code
        return code
    return code[:6] if code.endswith("000000") else code[:9] if code.endswith("000") else code
