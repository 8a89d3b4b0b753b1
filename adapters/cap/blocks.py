"""One element with children, sorted by name: what every part of the reader works on.

`Block` is one in a tree, `Plain` one in the text of a document that `grammar.py` has matched. Both say the same of
the same message, findings and their paths included.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from lxml import etree

from adapters.cap.findings import Place
from adapters.cap.vocabulary import Plan


class Part(Protocol):
    """What a rule may ask of an element, wherever it was read."""

    texts: dict[str, str]

    @property
    def element(self) -> Place:
        """The element itself, for a finding."""

    @property
    def many(self) -> Collection[str]:
        """The names of the children that are there and may repeat."""

    @property
    def repeated(self) -> Sequence[str]:
        """The names of the children that are there again and must not be."""

    def where(self, name: str) -> Place:
        """The first child of this name, for a finding; the element itself when it has none."""


class Block:
    """An element's known children: the texts of those that come once, the elements of those that repeat.

    Of several that should come once the first counts; the names are in `repeated`. What the plan does not know is
    left out, since the schema has found it. The texts are taken out in one pass, because asking the tree costs more
    than anything else here; the elements themselves are looked up again only for findings.
    """

    __slots__ = ("element", "many", "repeated", "texts")

    def __init__(self, element: etree._Element, plan: Plan) -> None:
        self.element = element
        self.texts: dict[str, str] = {}
        self.many: dict[str, list[etree._Element]] = {}
        self.repeated: list[str] = []
        texts, many, single_names, many_names = self.texts, self.many, plan.single, plan.many
        for child in element:
            tag = child.tag
            if tag in single_names:
                name = single_names[tag]
                if name in texts:
                    self.repeated.append(name)
                else:
                    texts[name] = child.text or ""
            elif tag in many_names:
                name = many_names[tag]
                if name in many:
                    many[name].append(child)
                else:
                    many[name] = [child]

    def where(self, name: str) -> etree._Element:
        """The first child of this name, for a finding; the element itself when it has none."""
        for child in self.element:
            if isinstance(child.tag, str) and child.tag.rpartition("}")[2] == name:
                return child
        return self.element


class Plain:
    """An element's children as texts: of those that repeat, all in one run with their tags, or read already.

    An element whose text is empty may be left out of `texts` where that means the same.
    """

    __slots__ = ("blocks", "element", "many", "texts")
    repeated = ()

    def __init__(self, path: str, texts: dict[str, str], many: dict[str, str]) -> None:
        self.element = path
        self.texts = texts
        self.many = many
        self.blocks: list[Plain] = []
        """The elements within that have children of their own: an alert's infos, an info's areas."""

    def where(self, name: str) -> str:
        """The path of the child of this name, which comes once; the element's own when there is none."""
        return f"{self.element}/{name}" if name in self.texts else self.element

    def places(self, name: str, count: int) -> list[str]:
        """The paths of so many children of one name that have no children of their own."""
        if count == 1:
            return [f"{self.element}/{name}"]
        return [f"{self.element}/{name}[{number}]" for number in range(1, count + 1)]
