"""What somebody writes into a request becomes a contact and what is wanted, or a list of everything wrong with it.

No sentence repeats what was written as a contact: sentences are logged and shown where contacts must not be.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import phonenumbers
from email_validator import EmailNotValidError
from pydantic import Field

from adapters.audience.part import AudiencePart
from adapters.audience.places import Places
from adapters.audience.table import table_of
from adapters.rosters.checking import area_coded, circle_at, mail_address, telephone_number
from adapters.vault.vault import Contact
from domain.areas import Circle
from domain.findings import Code, Finding, refusal
from domain.levels import Level
from domain.messages import Mode
from domain.policy import Policy
from domain.ports import Gazetteer
from domain.recipients import EVERY_HAZARD, ChannelKind
from domain.subscriptions import MOST_AREAS, MOST_CIRCLES, Wanted
from domain.values import Value

CHINA: Final = "china"
_SENT_TO: Final = frozenset({phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE})
"""Kinds of numbers that a text message may go to: others take none, or take money for it."""

ShortText = Annotated[str, Field(max_length=100)]


class PointForm(Value):
    """A point with a radius around it: degrees in WGS 84, and kilometres."""

    latitude: float
    longitude: float
    radius_km: float = 0


class WantedForm(Value):
    """What somebody wants to be told of, as they write it. Left out: every hazard, every level, the first language."""

    areas: Annotated[tuple[ShortText, ...], Field(max_length=MOST_AREAS)] = ()
    points: Annotated[tuple[PointForm, ...], Field(max_length=MOST_CIRCLES)] = ()
    hazards: Annotated[tuple[ShortText, ...], Field(max_length=500)] = (EVERY_HAZARD,)
    level_min: ShortText = Level.WHITE.value
    language: ShortText = ""


class SubscriptionForm(WantedForm):
    """A whole request: a telephone number or a mail address, and what is wanted."""

    telephone: Annotated[str, Field(max_length=40)] = ""
    email: Annotated[str, Field(max_length=254)] = ""


class UnusableError(Exception):
    """A request cannot be used, with every reason."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Keep every finding."""
        self.findings = tuple(findings)
        super().__init__("; ".join(found.sentence for found in self.findings))


class FormChecker:
    """Checks requests against a policy and its places."""

    def __init__(self, policy: Policy, gazetteer: Gazetteer, *, region: str | None = None) -> None:
        """`region` is the country whose numbers are taken; left out China's where the places are China's, else all."""
        self._policy = policy
        self._gazetteer = gazetteer
        own = "CN" if policy.gazetteer.source == CHINA else ""
        self._region = own if region is None else region
        self._places = Places(gazetteer, policy.gazetteer.geocode_system)

    @property
    def has_points(self) -> bool:
        """Whether a point can be placed at all: without boundaries no warning would ever concern it."""
        return any(self._places.shape(code) is not None for code in self._places.districts())

    def subscription(self, form: SubscriptionForm) -> tuple[Contact, Wanted]:
        """The contact and what is wanted.

        Raises:
            UnusableError: with everything that is wrong.
        """
        findings: list[Finding] = []
        contact = self._contact(form, findings)
        channel = contact.kind if contact is not None else ChannelKind.SMS
        wanted = self._wanted(form, channel, findings)
        if contact is None or wanted is None:
            raise UnusableError(findings)
        return contact, wanted

    def wanted(self, form: WantedForm, channel: ChannelKind) -> Wanted:
        """What is wanted, by this channel.

        Raises:
            UnusableError: with everything that is wrong.
        """
        findings: list[Finding] = []
        wanted = self._wanted(form, channel, findings)
        if wanted is None:
            raise UnusableError(findings)
        return wanted

    def _contact(self, form: SubscriptionForm, findings: list[Finding]) -> Contact | None:
        telephone, email = form.telephone.strip(), form.email.strip()
        if bool(telephone) == bool(email):
            findings.append(refusal(Code.MISSING, "/telephone", "Give a telephone number or a mail address, one."))
            return None
        if email:
            try:
                return Contact(ChannelKind.EMAIL, mail_address(email))
            except EmailNotValidError:
                findings.append(refusal(Code.VALUE, "/email", "This has not the form of a mail address."))
                return None
        number = telephone_number(telephone, self._region)
        if number is None or not self._may_be_sent_to(number):
            of = f" of {self._region}" if self._region else ", written with its country's code"
            findings.append(refusal(Code.VALUE, "/telephone", f"This is no mobile telephone number{of}."))
            return None
        return Contact(ChannelKind.SMS, number)

    def _may_be_sent_to(self, number: str) -> bool:
        """Whether text messages go there without costing somebody's money for nothing."""
        parsed = phonenumbers.parse(number)
        is_ours = not self._region or parsed.country_code == phonenumbers.country_code_for_region(self._region)
        return is_ours and phonenumbers.number_type(parsed) in _SENT_TO

    def _wanted(self, form: WantedForm, channel: ChannelKind, findings: list[Finding]) -> Wanted | None:
        areas = self._areas(form.areas, findings)
        circles = self._circles(form.points, findings)
        hazards = self._hazards(form.hazards, findings)
        level = next((level for level in Level if level.value == form.level_min), None)
        if level is None:
            levels = ", ".join(one.value for one in Level)
            findings.append(refusal(Code.UNKNOWN_LEVEL, "/level_min", f"Levels are {levels}."))
        languages = self._policy.outlet.languages
        language = form.language or languages[0]
        if language not in languages:
            findings.append(refusal(Code.LANGUAGE, "/language", f"Languages are {', '.join(languages)}."))
        if not form.areas and not form.points:
            findings.append(refusal(Code.NO_AREA, "/areas", "Name an area or a point: nobody is told of everywhere."))
        if findings or level is None:
            return None
        return Wanted(
            channel=channel, areas=areas, circles=circles, hazards=hazards, level_min=level, language=language
        )

    def _areas(self, codes: Iterable[str], findings: list[Finding]) -> tuple[str, ...]:
        found: list[str] = []
        for place, code in enumerate(codes):
            area = area_coded(self._gazetteer, code.strip())
            if area is None:
                findings.append(refusal(Code.OUTSIDE, f"/areas[{place + 1}]", "This outlet has no area of this code."))
            else:
                found.append(area.code)
        return tuple(dict.fromkeys(found))

    def _circles(self, points: Sequence[PointForm], findings: list[Finding]) -> tuple[Circle, ...]:
        if points and not self.has_points:
            findings.append(
                refusal(Code.OUTSIDE, "/points", "This outlet knows no boundaries, so that a point has no place in it.")
            )
            return ()
        found: list[Circle] = []
        for place, point in enumerate(points):
            path = f"/points[{place + 1}]"
            circle = circle_at(point.latitude, point.longitude, point.radius_km)
            if circle is None:
                findings.append(refusal(Code.COORDINATES, path, "There is no such place, or no such radius."))
            elif self._is_nowhere(circle):
                findings.append(refusal(Code.OUTSIDE, path, "The point lies outside the districts of this outlet."))
            else:
                found.append(circle)
        return tuple(dict.fromkeys(found))

    def _is_nowhere(self, circle: Circle) -> bool:
        """Whether no warning could ever concern it, as the audience itself says."""
        alone = Wanted(channel=ChannelKind.SMS, circles=(circle,)).recipient(1)
        return bool(AudiencePart(table_of(Mode.LIVE, [alone]), self._places).unplaced().nowhere)

    def _hazards(self, codes: Sequence[str], findings: list[Finding]) -> tuple[str, ...]:
        found: list[str] = []
        for place, code in enumerate(codes):
            hazard = self._policy.hazard_index.get(code)
            if code == EVERY_HAZARD:
                found.append(code)
            elif hazard is None:
                path = f"/hazards[{place + 1}]"
                findings.append(refusal(Code.UNKNOWN_HAZARD, path, "This outlet's policy has no such hazard."))
            else:
                found.append(hazard.merges_into or code)
        return (EVERY_HAZARD,) if EVERY_HAZARD in found or not found else tuple(dict.fromkeys(found))
