"""What got through: the writers' output read back by the standard library and held against what it may be.

Each judge gives sentences, none where nothing got through. They know Unicode by its own tables, not by ours.
"""

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

LONGEST_LINE = 998
"""Of a mail, without its end (RFC 5322, 2.1.1)."""

_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
_NOT_FOR_TELEPHONES = _CONTROLS | {"Co", "Cn"}
_DIRECTING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_MARKS = frozenset({"LEFT-TO-RIGHT MARK", "RIGHT-TO-LEFT MARK", "ARABIC LETTER MARK"})
_BEGINS_A_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_PASSED_OVER = " \t\r\n"
"""What some spreadsheets leave out at a cell's beginning."""


def is_control(letter: str) -> bool:
    """Whether it controls a terminal, a line or the direction of what follows."""
    return unicodedata.category(letter) in _CONTROLS or _directs(letter)


def _directs(letter: str) -> bool:
    return unicodedata.bidirectional(letter) in _DIRECTING or unicodedata.name(letter, "") in _MARKS


def in_text(text: str) -> Iterator[str]:
    """What a telephone should never get; line feeds part lines."""
    bad = {
        letter
        for letter in set(text) - {"\n"}
        if unicodedata.category(letter) in _NOT_FOR_TELEPHONES or _directs(letter)
    }
    if bad:
        yield f"characters {sorted(hex(ord(letter)) for letter in bad)}"


def in_transfer(content: bytes) -> Iterator[str]:
    """What would end a mail before its end, or be read as something else by another server."""
    if not content.endswith(b"\r\n.\r\n"):
        yield "it does not end"
    if b"\r\n.\r\n" in content[:-1]:
        yield "it ends in the middle"
    rest = content.replace(b"\r\n", b"")
    if b"\r" in rest or b"\n" in rest:
        yield "half a line end"
    if not content.isascii() or b"\0" in content:
        yield "octets that not every server takes"
    if max(map(len, content.split(b"\r\n"))) > LONGEST_LINE:
        yield "a line too long"


def read(content: bytes) -> EmailMessage:
    """A mail as the standard library reads it."""
    message = message_from_bytes(content, policy=policy.SMTPUTF8)
    assert isinstance(message, EmailMessage)
    return message


def in_mail(message: EmailMessage, *, headers: Collection[str], to: str, sender: str) -> Iterator[str]:
    """Headers that were not meant, other recipients, other parts."""
    found = {name.lower(): value for name, value in message.items()}
    names = Counter(name.lower() for name in message.keys())  # noqa: SIM118 -- with their repetitions
    strange = names - Counter(name.lower() for name in headers)
    if strange or not {"to", "from", "subject", "mime-version"} <= names.keys():
        yield f"headers {sorted(names.elements())}"
        return
    for name, value in found.items():
        if any(is_control(letter) for letter in str(value)):
            yield f"a control in {name}"
    for name, wanted in {"to": to, "from": sender}.items():
        addresses = [one.addr_spec for one in found[name].addresses]
        if addresses != [wanted]:
            yield f"{name}: {addresses}"
    parts = list(message.iter_parts()) or [message]
    kinds = [part.get_content_type() for part in parts]
    if kinds not in (["text/plain"], ["text/plain", "text/html"]):
        yield f"parts {kinds}"
    defects = [str(defect) for part in {message, *parts} for defect in part.defects]
    if defects:
        yield f"defects {defects}"
    own = {name.lower() for part in parts if part is not message for name in part.keys()}  # noqa: SIM118 -- as above
    if own - {"content-type", "content-transfer-encoding"}:
        yield f"headers of a part: {sorted(own)}"


def bodies(message: EmailMessage) -> tuple[str, str]:
    """The plain text of a mail, and its HTML where it has it."""
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    return ("" if plain is None else plain.get_content(), "" if html is None else html.get_content())


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.found |= {f"{tag} {name}" for name, _ in attrs}


def markup_of(html: str) -> set[str]:
    """Every element and attribute that is there."""
    tags = _Tags()
    tags.feed(html)
    tags.close()
    return tags.found


def in_short_file(content: bytes, headers: Collection[str]) -> Iterator[str]:
    """Lines in the head of a spooled message that were not meant."""
    head, _, text = content.decode().partition("\n\n")
    names = [line.partition(":")[0] for line in head.splitlines()]
    if Counter(names) != Counter(headers):
        yield f"lines {names}"
    yield from in_text(text)


def in_table(content: str, rows: int, delimiters: Sequence[str] = (",", ";", "\t")) -> Iterator[str]:
    """Cells that a spreadsheet would reckon, whichever of these it takes for the end of a cell."""
    for delimiter in delimiters:
        table = list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))
        formulas = [cell for row in table for cell in row if cell.lstrip(_PASSED_OVER)[:1] in _BEGINS_A_FORMULA]
        if formulas:
            yield f"{len(formulas)} formulas where {delimiter!r} ends a cell, such as {formulas[0][:40]!r}"
        if delimiter == "," and len(table) != rows:
            yield f"{len(table)} rows of {rows}"
