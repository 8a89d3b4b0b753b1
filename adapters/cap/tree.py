"""The blocks of an alert out of its tree, whatever their state: what every document can be read by."""

from collections.abc import Iterable, Iterator
from itertools import islice

from lxml import etree

from adapters.cap.blocks import Block
from adapters.cap.fields import Fields
from adapters.cap.findings import Found, Place
from adapters.cap.vocabulary import Vocabulary
from domain.areas import AreaClaim
from domain.findings import Code
from domain.messages import Resource

_PAIR = 2


class TreeFields(Fields[Block]):
    """Reads the blocks of one alert in a tree.

    `is_regular` says that the alert satisfies its schema and has nothing in its texts that splits them (comments,
    CDATA sections): then the texts of all pairs of a block can be had at once, which is several times faster than
    asking each element.
    """

    def __init__(self, vocabulary: Vocabulary, found: Found, *, is_regular: bool) -> None:
        super().__init__(found)
        self._vocabulary = vocabulary
        self._is_regular = is_regular
        self._geocode_texts: Iterator[str] | None = None
        """What is left of the texts of the geocodes of one info block, where they can be had at once."""

    def infos(self, alert: Block) -> Iterable[Block]:
        """The info blocks of an alert."""
        return [Block(element, self._vocabulary.info) for element in alert.many.get("info", ())]

    def tokens(self, block: Block, name: str) -> tuple[str, ...]:
        """All values of an element that repeats, trimmed, without empty ones."""
        values: list[str] = []
        for element in block.many[name]:
            text = element.text or ""
            stripped = text.strip()
            if stripped != text:
                self.note_trimmed(element, stripped)
            if stripped:
                values.append(stripped)
        return tuple(values)

    def areas(self, info: Block) -> tuple[AreaClaim, ...]:
        """The areas of an info block."""
        plan = self._vocabulary.area
        blocks = [Block(element, plan) for element in info.many.get("area", ())]
        count = sum([len(block.many.get("geocode", ())) for block in blocks])
        texts = self._texts(self._vocabulary.geocode_texts, info, count) if count else None
        self._geocode_texts = iter(texts) if texts is not None else None
        return tuple([self.area(block) for block in blocks])

    def shapes(self, area: Block, name: str) -> Iterable[tuple[str, Place]]:
        """The texts of the polygons or circles of an area, and where they stand."""
        return [(element.text or "", element) for element in area.many[name]]

    def resources(self, info: Block) -> tuple[Resource, ...]:
        """The resources of an info block."""
        plan = self._vocabulary.resource
        return tuple([self.resource(Block(element, plan)) for element in info.many["resource"]])

    def pairs(self, block: Block, name: str, *, keep_value: bool = False) -> Iterable[tuple[str, str]]:
        """Name and value of each element of a name; `keep_value` hands the value on byte for byte."""
        elements = block.many[name]
        texts: list[str] | None = None
        if name == "geocode" and self._geocode_texts is not None:
            texts = list(islice(self._geocode_texts, _PAIR * len(elements)))
        elif name == "parameter":
            texts = self._texts(self._vocabulary.parameter_texts, block, len(elements))
        if texts is None:
            texts = [text for element in elements for text in self._loose_pair(element)]
        names = [text.strip() for text in texts[::2]]
        for element, text in zip(elements, names, strict=True):
            if not text:
                self.nameless(element)
        return zip(names, texts[1::2] if keep_value else [text.strip() for text in texts[1::2]], strict=True)

    def _texts(self, path: etree.XPath, block: Block, pairs: int) -> list[str] | None:
        """The texts of so many names and values, in order; None when one of them is empty, or others may be there."""
        if not self._is_regular:
            return None
        texts: list[str] = path(block.element)
        return texts if len(texts) == _PAIR * pairs else None

    def _loose_pair(self, element: etree._Element) -> tuple[str, str]:
        """A pair in any order, or as CAP 1.0 writes it: `name=value` in one text."""
        block = Block(element, self._vocabulary.pair)
        if not len(element):
            name, _, value = (element.text or "").partition("=")
            return name, value
        for name in block.repeated:
            self.found.note(Code.VALUE, element, f"There is more than one {name}; the first is read.")
        return block.texts.get("valueName", ""), block.texts.get("value", "")
