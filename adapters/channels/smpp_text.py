"""Texts and numbers as SMPP carries them: alphabets, user data headers, types of number. Pure; no unit is made here."""

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers

from adapters.channels.plain import plain_text
from adapters.channels.smpp_definition import NumberForm, PlainAlphabet
from adapters.channels.smpp_pdu import (
    CONCATENATED_8,
    CONCATENATED_16,
    INTERNATIONAL,
    UCS2,
    UDH_INDICATOR,
    Delivery,
    Tag,
)
from domain.sms_parts import ESCAPE, GSM7, GSM7_EXTENDED, Alphabet, sms_parts, ucs2_parts

_GSM7_BYTES: Final = {letter: bytes([code]) for code, letter in enumerate(GSM7) if letter != ESCAPE} | {
    letter: bytes([GSM7.index(ESCAPE), code]) for letter, code in GSM7_EXTENDED.items()
}
_EXTENDED_BY_CODE: Final = {code: letter for letter, code in GSM7_EXTENDED.items()}
_LATIN1_CODINGS: Final = frozenset({2, 3})
_BYTES_OR_ASCII: Final = 1


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text ready to be sent: one content for each part, without user data headers."""

    data_coding: int
    contents: tuple[bytes, ...]


@lru_cache(256)
def encoded_text(text: str, alphabet: PlainAlphabet, plain_data_coding: int) -> Encoded:
    """The text without controls and direction marks (S7), in the shortest way that this SMSC reads."""
    clean = plain_text(text)
    cut = sms_parts(clean)
    if cut.alphabet is Alphabet.GSM7 and alphabet is PlainAlphabet.GSM:
        return Encoded(plain_data_coding, tuple(gsm7_bytes(part) for part in cut.parts))
    if cut.alphabet is Alphabet.GSM7 and alphabet is PlainAlphabet.LATIN1 and _fits_latin1(clean):
        # The SMSC turns it into GSM-7, where some of it takes two septets: cut as it will be counted then.
        return Encoded(plain_data_coding, tuple(part.encode("latin-1") for part in cut.parts))
    wide = cut if cut.alphabet is Alphabet.UCS2 else ucs2_parts(clean)
    return Encoded(UCS2, tuple(part.encode("utf-16-be") for part in wide.parts))


def gsm7_bytes(text: str) -> bytes:
    """One octet for each septet, as SMPP carries them; the SMSC packs them.

    Raises:
        KeyError: a character that the alphabet does not have.
    """
    return b"".join(_GSM7_BYTES[letter] for letter in text)


def gsm7_text(content: bytes) -> str:
    """What octets of septets say; what stands for nothing becomes U+FFFD."""
    letters: list[str] = []
    escaped = False
    for code in content:
        if escaped:
            letters.append(_EXTENDED_BY_CODE.get(code, "\N{REPLACEMENT CHARACTER}"))
            escaped = False
        elif code >= len(GSM7):
            letters.append("\N{REPLACEMENT CHARACTER}")
        elif GSM7[code] == ESCAPE:
            escaped = True
        else:
            letters.append(GSM7[code])
    return "".join(letters)


def _fits_latin1(text: str) -> bool:
    return all(letter <= "\xff" for letter in text)


def reference_of(letter_id: str, text: str) -> int:
    """The 8-bit number that tells a telephone which parts belong together.

    The same at every repetition of the same words, so that a part that comes twice takes the place of the first one;
    another for other words, so that parts of two texts are never put together.
    """
    return zlib.crc32(f"{letter_id}\0{text}".encode(errors="replace")) & 0xFF


def with_header(content: bytes, reference: int, total: int, part: int) -> bytes:
    """A part's content behind its user data header (3GPP TS 23.040, 9.2.3.24.1)."""
    return bytes((5, CONCATENATED_8, 3, reference, total, part)) + content


@dataclass(frozen=True, slots=True)
class Part:
    """What came in, and which part of a whole it is: the `part`-th of `total` that share `reference`."""

    text: str
    reference: int = 0
    total: int = 1
    part: int = 1


def received_part(delivery: Delivery, alphabet: PlainAlphabet) -> Part:
    """What somebody wrote, without controls and direction marks."""
    content, reference, total, part = delivery.content, 0, 1, 1
    if delivery.esm_class & UDH_INDICATOR and content:
        header, content = content[1 : 1 + content[0]], content[1 + content[0] :]
        reference, total, part = _concatenation(header)
    elif Tag.SAR_TOTAL in delivery.parameters:
        reference, total, part = (
            int.from_bytes(delivery.parameters.get(tag, b"\1"), "big")
            for tag in (Tag.SAR_REFERENCE, Tag.SAR_TOTAL, Tag.SAR_PART)
        )
    if not 1 <= part <= total:
        reference, total, part = 0, 1, 1
    return Part(plain_text(_decoded(content, delivery.data_coding, alphabet)), reference, total, part)


def _concatenation(header: bytes) -> tuple[int, int, int]:
    """Reference, total and part from the elements of a user data header."""
    at = 0
    while at + 2 <= len(header):
        kind, length = header[at], header[at + 1]
        element = header[at + 2 : at + 2 + length]
        if kind == CONCATENATED_8 and len(element) == 3:  # noqa: PLR2004 -- reference, total, part
            return element[0], element[1], element[2]
        if kind == CONCATENATED_16 and len(element) == 4:  # noqa: PLR2004 -- the same with a reference of two octets
            reference, total, part = struct.unpack(">HBB", element)
            return reference, total, part
        at += 2 + length
    return 0, 1, 1


def _decoded(content: bytes, data_coding: int, alphabet: PlainAlphabet) -> str:
    if data_coding == UCS2:
        return content.decode("utf-16-be", "replace")
    if data_coding in _LATIN1_CODINGS or (data_coding == 0 and alphabet is PlainAlphabet.LATIN1):
        return content.decode("latin-1")
    if data_coding == _BYTES_OR_ASCII:
        return content.decode("ascii", "replace")
    return gsm7_text(content)


class NotANumberError(ValueError):
    """Nothing can be sent to it. Its words do not repeat the number."""


def destination_of(number: str, form: NumberForm, region: str) -> str:
    """An E.164 number with its plus, in the form that the SMSC wants.

    Raises:
        NotANumberError: it is not E.164.
    """
    digits = number.removeprefix("+")
    if not number.startswith("+") or not digits.isascii() or not digits.isdigit() or not 7 <= len(digits) <= 15:  # noqa: PLR2004 -- E.164
        raise NotANumberError("not a number in E.164")
    match form:
        case NumberForm.PLUS:
            return number
        case NumberForm.NATIONAL:
            country = str(phonenumbers.country_code_for_region(region))
            return digits.removeprefix(country)
        case NumberForm.DIGITS:
            return digits


def e164_of(address: str, ton: int, region: str) -> str:
    """Who wrote to us, in E.164 where that can be told; a short code or a name stays as it is."""
    text = f"+{address}" if ton == INTERNATIONAL and not address.startswith("+") else address
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return plain_text(address)
    if not phonenumbers.is_possible_number(number):
        return plain_text(address)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
