"""Reading single elements of a 12379 document: text, codes and times, with every finding kept.

Nothing here knows what an element means; `reader.py` and `infos.py` do.
"""

import re
from datetime import datetime

from lxml import etree

from adapters.xml.safe import namespace_of, path_of, text_of
from domain.findings import Code, Finding, RefusedMessageError, note, refusal

XML_SPACE = " \t\r\n"
MOST_NAMESAKES = 200
MOST_FINDINGS = 200

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_QUOTED_CHARACTERS = 60


def quoted(text: str) -> str:
    """A sender's value for use in a sentence: short, and on one line."""
    shown = text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}…"
    return f"“{' '.join(shown.split())}”"


class Fields:
    """The elements of one document by name, in the root's namespace; `findings` fills as they are read."""

    def __init__(self, root: etree._Element) -> None:
        namespace = namespace_of(root)
        self._prefix = f"{{{namespace}}}" if namespace else ""
        self._paths: dict[etree._Element, str] = {}
        self.findings: list[Finding] = []

    def path(self, element: etree._Element, *below: str) -> str:
        """Where an element is, and what is named below it; kept, because counting namesakes costs a pass."""
        if element not in self._paths:
            self._paths[element] = path_of(element)
        return "/".join((self._paths[element], *below))

    @property
    def refused(self) -> bool:
        """Whether anything found so far refuses the message."""
        return any(found.refuses for found in self.findings)

    def refuse(self, code: Code, path: str, sentence: str) -> None:
        """Keep a finding that refuses the message."""
        self._keep(refusal(code, path, sentence))

    def note(self, code: Code, path: str, sentence: str) -> None:
        """Keep a finding that does not."""
        self._keep(note(code, path, sentence))

    def _keep(self, finding: Finding) -> None:
        """Keep a finding, up to a number behind which nobody reads on.

        Raises:
            RefusedMessageError: with everything found so far, when there is more than that.
        """
        if len(self.findings) == MOST_FINDINGS:
            last = refusal(Code.LIMIT, finding.path, f"More than {MOST_FINDINGS} findings; reading stopped here.")
            raise RefusedMessageError([*self.findings, last])
        self.findings.append(finding)

    def every(self, parent: etree._Element, name: str) -> list[etree._Element]:
        """The children of that name, in document order; none when there are so many that they are refused."""
        children = parent.findall(f"{self._prefix}{name}")
        if len(children) <= MOST_NAMESAKES:
            return children
        self.refuse(Code.LIMIT, self.path(parent, name), f"More than {MOST_NAMESAKES} {name} elements.")
        return []

    def only(self, parent: etree._Element, name: str) -> etree._Element | None:
        """The one child of that name; a second one refuses the message, for which of them is meant?"""
        children = self.every(parent, name)
        if len(children) > 1:
            self.refuse(Code.VALUE, self.path(children[1]), f"The element {name} may occur once.")
        return children[0] if children else None

    def text_in(self, element: etree._Element) -> str:
        """An element's text byte for byte; elements inside it would tear the text, so they refuse it."""
        if len(element):
            self.refuse(Code.VALUE, self.path(element), "There are elements where only text is due.")
        return text_of(element)

    def text(self, parent: etree._Element, name: str) -> str:
        """The text of the one child of that name, byte for byte; empty when there is none."""
        element = self.only(parent, name)
        return "" if element is None else self.text_in(element)

    def coded_in(self, element: etree._Element) -> str:
        """An element's text without white space around it, which is noted."""
        text = self.text_in(element)
        trimmed = text.strip(XML_SPACE)
        if trimmed and trimmed != text:
            self.note(Code.WHITESPACE, self.path(element), "White space around the value was trimmed.")
        return trimmed

    def coded(self, parent: etree._Element, name: str) -> str:
        """The value of the one child of that name, trimmed; empty when there is none."""
        element = self.only(parent, name)
        return "" if element is None else self.coded_in(element)

    def required(self, parent: etree._Element, name: str) -> str:
        """As `coded`, but a missing or empty value refuses the message."""
        value = self.coded(parent, name)
        if not value:
            self.refuse(Code.MISSING, self.path(parent, name), f"The element {name} is missing or empty.")
        return value

    def moment(self, parent: etree._Element, name: str, *, required: bool = False) -> datetime | None:
        """A time such as `2020-02-05 10:45:00+08:00` (or with T for the space); None when there is none."""
        text = self.required(parent, name) if required else self.coded(parent, name)
        if not text:
            return None
        path = self.path(parent, name)
        found = _TIME.fullmatch(text)
        moment = _moment(text) if found else None
        if found is None or moment is None:
            self.refuse(Code.TIME, path, f"{quoted(text)} is not a time of the form YYYY-MM-DD HH:MM:SS+08:00.")
            return None
        if found[1] is None:
            self.refuse(Code.TIME_ZONE, path, f"The time {text} has no zone; Beijing time ends in +08:00.")
            return None
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            self.refuse(Code.TIME_RANGE, path, f"The year {moment.year} cannot be meant.")
            return None
        return moment


def _moment(text: str) -> datetime | None:
    """None for a time that the calendar does not hold; the caller names the finding."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
