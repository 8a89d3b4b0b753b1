"""A short message as the parts that a network carries: in which alphabet, and where it is cut.

`domain.texts.sms_segments` counts by the same rules; a property test holds the two together. Bytes and protocols do
not belong here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

GSM7: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet in the order of its codes (3GPP TS 23.038, 6.2.1); the code 0x1B is the escape."""

ESCAPE: Final = "\x1b"

GSM7_EXTENDED: Final = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
"""What stands behind an escape (3GPP TS 23.038, 6.2.1.1)."""

_GSM7_SET: Final = frozenset(GSM7) - {ESCAPE} | frozenset(GSM7_EXTENDED)


class Alphabet(StrEnum):
    """In which alphabet a text is sent."""

    GSM7 = "gsm-7"
    UCS2 = "ucs-2"


@dataclass(frozen=True, slots=True)
class SmsParts:
    """A text cut into what fits a segment each; joined they are the text again."""

    alphabet: Alphabet
    parts: tuple[str, ...]


def fits_gsm7(text: str) -> bool:
    """Whether every character is in the default alphabet or its extension."""
    return _GSM7_SET.issuperset(text)


def sms_parts(text: str) -> SmsParts:
    """The parts of a text in the shorter alphabet that holds it: GSM-7 160, else 153 a part; UCS-2 70, else 67."""
    if fits_gsm7(text):
        return SmsParts(Alphabet.GSM7, _cut(text, _septets, alone=160, each=153))
    return ucs2_parts(text)


def ucs2_parts(text: str) -> SmsParts:
    """The same in UCS-2, whatever the text holds."""
    return SmsParts(Alphabet.UCS2, _cut(text, _ucs2_units, alone=70, each=67))


def _septets(letter: str) -> int:
    return 2 if letter in GSM7_EXTENDED else 1


def _ucs2_units(letter: str) -> int:
    return 2 if letter > "\uffff" else 1


def _cut(text: str, width: Callable[[str], int], *, alone: int, each: int) -> tuple[str, ...]:
    """Full parts one after the other; a character that takes two units is never cut in two."""
    widths = [width(letter) for letter in text]
    if sum(widths) <= alone:
        return (text,)
    parts: list[str] = []
    begin, used = 0, 0
    for place, units in enumerate(widths):
        if used + units > each:
            parts.append(text[begin:place])
            begin, used = place, 0
        used += units
    return (*parts, text[begin:])
