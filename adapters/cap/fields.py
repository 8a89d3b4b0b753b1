"""The elements of an alert become the domain's values.

Here: which element is which field, and what is trimmed. Not here: whether the values are acceptable (`rules.py`),
and how they are got out of a tree (`tree.py`) or a text (`plain.py`).
Texts that people read are handed on byte for byte; names, codes and values of lists are trimmed.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from adapters.cap import unchecked
from adapters.cap.blocks import Part
from adapters.cap.findings import Found, Place
from adapters.cap.shapes import Ring, Rings, circle, height_feet
from adapters.cap.times import moment
from adapters.cap.vocabulary import DEFAULT_LANGUAGE
from domain.areas import AreaClaim, Geocode
from domain.findings import Code
from domain.messages import Info, Resource

Values = dict[str, Any]
AnyPart = TypeVar("AnyPart", bound=Part)

_INFO_TOKENS = ("language", "event", "urgency", "severity", "certainty", "web")


class Fields(ABC, Generic[AnyPart]):
    """Reads the blocks of one alert; the order in which it does so is the order of the findings."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.rings = Rings(found)

    @abstractmethod
    def infos(self, alert: AnyPart) -> Iterable[AnyPart]:
        """The info blocks of an alert."""

    @abstractmethod
    def tokens(self, block: AnyPart, name: str) -> tuple[str, ...]:
        """All values of an element that repeats, trimmed, without empty ones."""

    @abstractmethod
    def areas(self, info: AnyPart) -> tuple[AreaClaim, ...]:
        """The areas of an info block."""

    @abstractmethod
    def resources(self, info: AnyPart) -> tuple[Resource, ...]:
        """The resources of an info block."""

    @abstractmethod
    def shapes(self, area: AnyPart, name: str) -> Iterable[tuple[str, Place]]:
        """The texts of the polygons or circles of an area, and where they stand."""

    @abstractmethod
    def pairs(self, block: AnyPart, name: str, *, keep_value: bool = False) -> Iterable[tuple[str, str]]:
        """Name and value of each element of a name; `keep_value` hands the value on byte for byte."""

    def trim(self, block: Part, names: Sequence[str]) -> None:
        """Take white space off values that are matched and not read by people; it is noted."""
        texts = block.texts
        for name in names:
            if name in texts:
                text = texts[name]
                stripped = text.strip()
                if stripped != text:
                    texts[name] = stripped
                    self.note_trimmed(block.where(name), stripped)

    def note_trimmed(self, where: Place, stripped: str) -> None:
        """A value is no longer what its sender wrote, unless there was none."""
        if stripped:
            self.found.note(Code.WHITESPACE, where, "White space around the value was trimmed.")

    def nameless(self, where: Place) -> None:
        """A pair has a value of nothing."""
        self.found.add(self.found.checks.incomplete, Code.MISSING, where, "The pair has no name (valueName).")

    def info(self, block: AnyPart, sent: datetime) -> Info:
        """One info block."""
        self.trim(block, _INFO_TOKENS)
        texts, many, get = block.texts, block.many, block.texts.get
        values: Values = {
            "language": get("language") or DEFAULT_LANGUAGE,
            "event": get("event", ""),
            "categories": self.tokens(block, "category") if "category" in many else (),
            "urgency": get("urgency") or "Unknown",
            "severity": get("severity") or "Unknown",
            "certainty": get("certainty") or "Unknown",
            "sender_name": get("senderName", ""),
            "headline": get("headline", ""),
            "description": get("description", ""),
            "instruction": get("instruction", ""),
            "audience": get("audience", ""),
            "contact": get("contact", ""),
            "web": get("web", ""),
            "areas": self.areas(block),
        }
        for name in ("effective", "onset", "expires"):
            if name in texts:
                values[name] = moment(block, name, self.found, sent=sent)
        if "responseType" in many:
            values["response_types"] = self.tokens(block, "responseType")
        if "eventCode" in many:
            values["event_codes"] = unchecked.named(self.pairs(block, "eventCode"))
        if "parameter" in many:
            values["parameters"] = unchecked.named(self.pairs(block, "parameter", keep_value=True))
        if "resource" in many:
            values["resources"] = self.resources(block)
        return unchecked.info(values)

    def area(self, block: AnyPart) -> AreaClaim:
        """One area. Its shapes have their types from the parser, so that nothing looks at each number again."""
        texts, many, found = block.texts, block.many, self.found
        description = texts.get("areaDesc", "")
        if not description or description.isspace():
            found.add(found.checks.incomplete, Code.MISSING, block.element, "The area has no description (areaDesc).")
        values: Values = {"description": description}
        if "polygon" in many:
            values["polygons"] = self.polygons(block)
        if "circle" in many:
            circles = [circle(text, place, found) for text, place in self.shapes(block, "circle")]
            values["circles"] = tuple([shape for shape in circles if shape is not None])
        if "geocode" in many:
            values["geocodes"] = self.geocodes(block)
        for name in ("altitude", "ceiling"):
            if name in texts:
                values[name] = height_feet(block, name, found)
        return unchecked.area_claim(values)

    def polygons(self, area: AnyPart) -> tuple[Ring, ...]:
        """The rings of an area that can be read."""
        rings = [self.rings.ring(text, place) for text, place in self.shapes(area, "polygon")]
        return tuple([ring for ring in rings if ring is not None])

    def geocodes(self, area: AnyPart) -> tuple[Geocode, ...]:
        """The geocodes of an area."""
        return unchecked.geocodes(self.pairs(area, "geocode"))

    def resource(self, block: Part) -> Resource:
        """One resource; content in the message itself (derefUri) is left behind."""
        self.trim(block, ("mimeType", "uri"))
        get = block.texts.get
        values = {"description": get("resourceDesc", ""), "mime_type": get("mimeType", ""), "uri": get("uri", "")}
        return unchecked.resource(values)
