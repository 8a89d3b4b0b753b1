"""Writes a release in the national 12379 form (GB/T 35965.1): one message for each section that changed.

The words and values that CAP shares come from `adapters/cap/writer_words.py`. Every time is Beijing time, as the
form prescribes, whatever the outlet's zone.
"""

import re
from collections.abc import Collection

from lxml import etree

from adapters.cap.writer_words import (
    areas_by_level,
    hazard_of,
    issuer_names,
    lifted_sentences,
    marked,
    most_certain,
    most_urgent,
    outlet_name,
    written_end,
    written_ring,
    written_time,
    xml_text,
)
from adapters.cn12379.areas import GEOCODE_SYSTEM
from adapters.cn12379.names import BEIJING, FileName, MalformedNameError, build_file_name
from adapters.cn12379.reader import NAMESPACE
from domain.event import Event
from domain.events import ReleaseText, SectionMessage, WarningReleased
from domain.messages import MessageType, Mode
from domain.policy import Policy
from domain.ports import Gazetteer
from domain.sections import Section
from domain.texts import headline_in, instructions, relayed_text
from domain.values import Language

LANGUAGE = "zh-CN"
_SENDER_CODE = re.compile(r"[0-9]{14}")
_EVENT_TYPE = re.compile(r"[0-9A-Z]{5}")
_DIVISION = re.compile(r"[0-9]{6}|[0-9]{9}|[0-9]{12}")
_CODE_DIGITS = 12


class Cn12379Writer:
    """A `WarningWriter` for 12379 XML. The same release under the same policy gives the same bytes.

    An outlet without a sender code writes nothing, and a hazard without a national event type (as its code, or as
    its `event_codes` in the system 12379) has no message: the form has no other way to say what happens.
    """

    def __init__(self, policy: Policy, gazetteer: Gazetteer) -> None:
        """Take the outlet's sender code from the policy.

        Raises:
            MalformedNameError: there is one and it is not 14 digits.
        """
        code = policy.outlet.sender_code
        if code and not _SENDER_CODE.fullmatch(code):
            raise MalformedNameError(f"outlet.sender_code: {code} is not 14 digits")
        self._policy = policy
        self._gazetteer = gazetteer

    def write(self, release: Event) -> Collection[tuple[str, bytes]]:
        """(file name, bytes in UTF-8) of each section's message, in the order of the release.

        Raises:
            TypeError: the event is no release.
        """
        if not isinstance(release, WarningReleased):
            raise TypeError(f"only a release can be written, not {release.TOPIC}")
        if not self._policy.outlet.sender_code:
            return []
        files: list[tuple[str, bytes]] = []
        for message in release.section_messages:
            event_type = self.event_type(message.hazard)
            if event_type:
                files.append((self._file_name(release, message, event_type), self._file(release, message, event_type)))
        return files

    def event_type(self, hazard: str) -> str:
        """The national event type of a hazard; empty when it has none."""
        codes = (hazard, *hazard_of(self._policy, hazard).event_codes.get(GEOCODE_SYSTEM, ()))
        return next((code for code in codes if _EVENT_TYPE.fullmatch(code)), "")

    def _file_name(self, release: WarningReleased, message: SectionMessage, event_type: str) -> str:
        return build_file_name(
            FileName(
                sender_code=self._policy.outlet.sender_code,
                sent=release.at,
                event_type=event_type,
                level=message.section.level,
                message_type=message.message_type,
            )
        )

    def _file(self, release: WarningReleased, message: SectionMessage, event_type: str) -> bytes:
        root: etree._Element = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})
        _Document(self._policy, self._gazetteer, release, message).fill(root, event_type)
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


class _Document:
    """One message in the making: a section of a release, in one language."""

    def __init__(self, policy: Policy, gazetteer: Gazetteer, release: WarningReleased, message: SectionMessage) -> None:
        self._policy = policy
        self._gazetteer = gazetteer
        self._release = release
        self._message = message
        self._section: Section = message.section
        spoken = policy.outlet.languages
        self._language: Language = LANGUAGE if LANGUAGE in spoken else spoken[0]
        self._is_cancel = message.message_type is MessageType.CANCEL
        self._lifted = lifted_sentences(policy, release, self._language).get(message.hazard, "")

    @property
    def _headline(self) -> str:
        return self._marked(self._lifted if self._is_cancel else headline_in(self._section, self._language))

    def _marked(self, text: str) -> str:
        """The text, within the marks of a drill where it is one; an empty text stays empty."""
        return marked(self._policy, self._release.mode, self._language, text) if text else ""

    @property
    def _description(self) -> str:
        """The agencies' own words, byte for byte; in a cancel the sentence that lifts the warning."""
        return self._marked(self._lifted if self._is_cancel else relayed_text(self._section, self._language))

    def fill(self, root: etree._Element, event_type: str) -> None:
        """The whole of the message, in the order of the real ones; what is unknown is an empty element."""
        _add(root, "identifier", self._message.identifier)
        _add(root, "sender", outlet_name(self._policy, self._language))
        _add(root, "senderCode", self._policy.outlet.sender_code)
        _add(root, "sendTime", written_time(self._release.at, BEIJING, " "))
        _add(root, "status", "Actual" if self._release.mode is Mode.LIVE else "Exercise")
        _add(root, "msgType", self._message.message_type.value)
        _add(root, "scope", "Public")
        code = _add(root, "code")
        text = next((text for text in self._release.texts if text.language == self._language), None)
        self._methods(code, text)
        _add(root, "secClassification", "None")
        _add(root, "note", self._marked(self._lifted) if self._is_cancel else "")
        is_first = self._message.message_type is MessageType.ALERT
        _add(root, "references", "" if is_first else self._message.first)
        self._info(_add(root, "info"), event_type)

    def _methods(self, code: etree._Element, text: ReleaseText | None) -> None:
        """The wordings by channel. The audience is empty: whom to tell is for the receiving platform to say."""
        for name, wording in (("SMS", text.sms if text else ""), ("WEB", self._description)):
            if wording:
                method = _add(code, "method")
                _add(method, "methodName", name)
                _add(method, "message", wording)
                _add(method, "audienceGrp")
                _add(method, "audiencePrt")

    def _info(self, info: etree._Element, event_type: str) -> None:
        section, language = self._section, self._language
        effective = self._release.at if self._is_cancel else section.effective
        expires = None if self._is_cancel else section.expires
        _add(info, "language", language)
        _add(info, "eventType", event_type)
        _add(info, "urgency", most_urgent(section))
        _add(info, "severity", section.level.value.capitalize())
        _add(info, "certainty", most_certain(section))
        _add(info, "effective", written_time(effective, BEIJING, " "))
        _add(info, "onset", "" if self._is_cancel else written_time(section.effective, BEIJING, " "))
        _add(info, "expires", written_end(expires, BEIJING, " ") if expires else "")
        _add(info, "senderName", issuer_names(self._policy, section, language))
        _add(info, "headline", self._headline)
        _add(info, "description", self._description)
        told_to_do = "" if self._is_cancel else "\n".join(instructions(section, language))
        _add(info, "instruction", self._marked(told_to_do))
        _add(info, "web", self._policy.outlet.web)
        self._area(_add(info, "area"))

    def _area(self, area: etree._Element) -> None:
        """One area for all places, since one message has one severity; its words give each place's level."""
        codes = [code for place in self._section.areas for code in self._divisions(place.code)]
        rings = [ring for place in self._section.areas for ring in self._gazetteer.boundary(place.code)]
        _add(area, "areaDesc", self._area_words())
        for ring in rings:
            _add(area, "polygon", written_ring(ring))
        if not rings:
            _add(area, "polygon")
        _add(area, "circle")
        _add(area, "geocode", ",".join(dict.fromkeys(codes)))

    def _area_words(self) -> str:
        """The places, highest first; with each one's level in brackets when they are at different levels."""
        words = self._policy.texts[self._language]
        opening, closing = ("（", "）") if self._language.startswith("zh") else (" (", ")")
        groups = areas_by_level(self._section)
        several = len(groups) > 1
        names = [
            f"{area.name or area.code}{opening}{words.levels.get(level, level.value)}{closing}"
            if several
            else area.name or area.code
            for level, areas in groups
            for area in areas
        ]
        return words.separator.join(names)

    def _divisions(self, code: str) -> tuple[str, ...]:
        """The 12-digit codes of a place: its own, else those under which the gazetteer publishes it."""
        own = (code,) if _DIVISION.fullmatch(code) else tuple(value for _, value in self._gazetteer.geocodes(code))
        return tuple(value.ljust(_CODE_DIGITS, "0") for value in own if _DIVISION.fullmatch(value))


def _add(parent: etree._Element, name: str, text: str = "") -> etree._Element:
    """Append a child, empty where there is nothing to say: real messages leave no element out.

    What XML cannot hold becomes U+FFFD, which is visible; the form has no element to say so in.
    """
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    element.text = xml_text(text)[0] or None
    return element
