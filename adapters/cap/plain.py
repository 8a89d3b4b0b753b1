"""The short way: a well-behaved document is read from its text, without building a tree.

Most messages are plain: elements in their order, no attributes, comments or CDATA. `grammar.py` recognises them, and
what it recognises is well-formed and valid, so that no parser and no validator need look at it again. Every other
document takes the long way (`tree.py`). A test holds the two against each other, message by message.
"""

import itertools
import re
from collections.abc import Iterable
from functools import lru_cache

from adapters.cap.blocks import Plain
from adapters.cap.fields import Fields
from adapters.cap.findings import Found, Place
from adapters.cap.grammar import FORMS, Grammar, Shape, grammar
from adapters.cap.shapes import Ring
from adapters.cap.vocabulary import MOST_CHILDREN
from domain.areas import AreaClaim, Geocode
from domain.messages import Resource

_CHARACTERS = bytes(byte for byte in range(256) if byte >= ord(" ") or byte in b"\t\n\r")
"""The bytes that XML 1.0 allows; what those above 127 make up is checked by decoding."""

_REFERENCE = re.compile("&(?:#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6})|(lt|gt|quot|apos|amp));")
_NAMED = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "amp": "&"}
_CHARACTER = re.compile("[\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LARGEST_CHARACTER = 0x10FFFF

_FORMS = frozenset(FORMS)
_ROOT = re.compile(r"""<(cap:|)alert[^<>"']{0,40}["']([^"'<>]{1,60})["']""")
_LISTED = frozenset({"category", "responseType"})
_FARTHEST_ROOT = 1_000
_FEWEST_BYTES_PER_TAG = 3
_STRIDE = 6
"""The tags of one pair, those that close included."""


def plain_fields(document: bytes, found: Found) -> "tuple[PlainFields, Plain] | None":
    """A reader for a document that is plain, and its alert; None when it must be read the long way.

    The document is one that `adapters.xml.safe.checked` has passed.
    """
    text = _text(document)
    root = _ROOT.search(text, 0, _FARTHEST_ROOT) if text else None
    form = (root[1], root[2]) if root else ("", "")
    if form not in _FORMS:
        return None
    if "&" in text and not _references_are_sound(text):
        return None
    fields = PlainFields(grammar(*form), found, has_references="&" in text)
    alert = fields.alert(text)
    if alert is None and (same := _with_values_written_out(text, form[0])) != text:
        alert = fields.alert(same)
    return (fields, alert) if alert is not None else None


def _with_values_written_out(text: str, prefix: str) -> str:
    """The same document with an end tag for every empty value, so that all pairs have as many tags."""
    for empty in (f"<{prefix}value/>", f"<{prefix}value />"):
        text = text.replace(empty, f"<{prefix}value></{prefix}value>")
    return text


def _references_are_sound(text: str) -> bool:
    references = list(_REFERENCE.finditer(text))
    return len(references) == text.count("&") and all(map(_character, references))


def _character(reference: re.Match[str]) -> str:
    """The character that is meant; empty when XML has none such."""
    decimal, hexadecimal, name = reference.groups()
    if name:
        return _NAMED[name]
    number = int(decimal) if decimal else int(hexadecimal, 16)
    character = chr(number) if number <= _LARGEST_CHARACTER else ""
    return character if _CHARACTER.fullmatch(character) else ""


def _text(document: bytes) -> str:
    """The document's characters, with line ends as a parser hands them on; empty when they are not plain."""
    if len(document) > 2 * MOST_CHILDREN * _FEWEST_BYTES_PER_TAG and document.count(b"<") > 2 * MOST_CHILDREN:
        return ""
    if document.translate(None, _CHARACTERS):
        return ""
    try:
        text = document.decode()
    except UnicodeDecodeError:
        return ""
    # Besides control characters, XML lacks two that UTF-8 can hold. One character is sought much faster than three.
    if "\ufffe" in text or "\uffff" in text or ("]" in text and "]]>" in text):
        return ""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.removeprefix("\ufeff")


@lru_cache(maxsize=256)
def _listed(run: str, start: int) -> tuple[str, ...]:
    """The values in a run of elements whose values the schema lists; there are few, and nothing to trim."""
    return tuple([piece[start:] for piece in run.split("<")[1::2]])


class PlainFields(Fields[Plain]):
    """Reads the blocks of one alert in its text."""

    def __init__(self, known: Grammar, found: Found, *, has_references: bool) -> None:
        super().__init__(found)
        self._grammar = known
        self._has_references = has_references
        self._pair_starts = (len(f"{known.prefix}valueName>"), len(f"{known.prefix}value>"))
        self._polygons: dict[str, tuple[Ring, ...]] = {}
        self._geocodes: dict[str, tuple[Geocode, ...]] = {}

    def alert(self, text: str) -> Plain | None:
        """The alert with its infos and their areas; None when anything in the text is not as the grammar says."""
        known = self._grammar
        match = known.head.matches.match(text)
        if match is None:
            return None
        alert = self._block("/alert", known.head, match)
        position = match.end()
        while match := known.info.matches.match(text, position):
            info = self._block(f"/alert/info[{len(alert.blocks) + 1}]", known.info, match)
            alert.blocks.append(info)
            position = match.end()
            while match := known.area.matches.match(text, position):
                info.blocks.append(self._area_block(f"{info.element}/area[{len(info.blocks) + 1}]", match))
                position = match.end()
            match = known.info_end.match(text, position)
            if match is None:
                return None
            position = match.end()
        if alert.blocks:
            alert.many["info"] = ""
        return alert if known.end.fullmatch(text, position) else None

    def _block(self, path: str, shape: Shape, match: re.Match[str]) -> Plain:
        groups = match.groups()
        texts = {name: text for name, group in shape.single if (text := groups[group]) is not None}
        if self._has_references:
            texts = {name: self._characters(text) for name, text in texts.items()}
        return Plain(path, texts, {name: run for name, group in shape.many if (run := groups[group])})

    def _area_block(self, path: str, match: re.Match[str]) -> Plain:
        """As `_block`, with texts and runs in one: areas are by far the most blocks, and nothing asks for all texts."""
        parts = {name: text for name, text in zip(self._grammar.area_names, match.groups(), strict=True) if text}
        if self._has_references and "areaDesc" in parts:
            parts["areaDesc"] = self._characters(parts["areaDesc"])
        return Plain(path, parts, parts)

    def _characters(self, text: str) -> str:
        if self._has_references and "&" in text:
            return _REFERENCE.sub(_character, text)
        return text

    def _texts(self, block: Plain, name: str) -> list[str]:
        """The texts of the elements of one name, which have no children."""
        start = len(self._grammar.prefix) + len(name) + 1
        texts = [piece[start:] for piece in block.many[name].split("<")[1::2]]
        return [self._characters(text) for text in texts] if self._has_references else texts

    def infos(self, alert: Plain) -> Iterable[Plain]:
        """The info blocks of an alert."""
        return alert.blocks

    def tokens(self, block: Plain, name: str) -> tuple[str, ...]:
        """All values of an element that repeats, trimmed, without empty ones."""
        if name in _LISTED:
            return _listed(block.many[name], len(self._grammar.prefix) + len(name) + 1)
        texts = self._texts(block, name)
        stripped = [text.strip() for text in texts]
        if stripped != texts:
            for text, value, place in zip(texts, stripped, block.places(name, len(texts)), strict=True):
                if text != value:
                    self.note_trimmed(place, value)
        return tuple([value for value in stripped if value])

    def areas(self, info: Plain) -> tuple[AreaClaim, ...]:
        """The areas of an info block."""
        return tuple([self.area(area) for area in info.blocks])

    def shapes(self, area: Plain, name: str) -> Iterable[tuple[str, Place]]:
        """The texts of the polygons or circles of an area, and where they stand."""
        texts = self._texts(area, name)
        return zip(texts, area.places(name, len(texts)), strict=True)

    def polygons(self, area: Plain) -> tuple[Ring, ...]:
        """The rings of an area that can be read; those of a run that has been read are known, with all findings."""
        run = area.many["polygon"]
        read = self._polygons.get(run)
        if read is None:
            read = self._polygons[run] = super().polygons(area)
        return read

    def geocodes(self, area: Plain) -> tuple[Geocode, ...]:
        """The geocodes of an area; blocks in several languages repeat them, so the same run is read once if sound."""
        run = area.many["geocode"]
        read = self._geocodes.get(run)
        if read is None:
            read = super().geocodes(area)
            if all(geocode.name for geocode in read):
                self._geocodes[run] = read
        return read

    def resources(self, info: Plain) -> tuple[Resource, ...]:
        """The resources of an info block."""
        shape = self._grammar.resource
        matches = shape.matches.finditer(info.many["resource"])
        paths = (f"{info.element}/resource[{number}]" for number in itertools.count(1))
        return tuple(
            [self.resource(self._block(path, shape, match)) for match, path in zip(matches, paths, strict=False)]
        )

    def pairs(self, block: Plain, name: str, *, keep_value: bool = False) -> Iterable[tuple[str, str]]:
        """Name and value of each element of a name; `keep_value` hands the value on byte for byte."""
        pieces = block.many[name].split("<")
        name_starts, value_starts = self._pair_starts
        names = [piece[name_starts:] for piece in pieces[2::_STRIDE]]
        values = [piece[value_starts:] for piece in pieces[4::_STRIDE]]
        if self._has_references:
            names, values = list(map(self._characters, names)), list(map(self._characters, values))
        names = [text.strip() for text in names]
        if not keep_value:
            values = [text.strip() for text in values]
        if "" in names:
            for number, text in enumerate(names, 1):
                if not text:
                    self.nameless(f"{block.element}/{name}[{number}]")
        return zip(names, values, strict=True)
