"""The bodies of `submit_sm` units, read here by the book (SMPP 3.4, 4.4.1) and not by the code that wrote them."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.sms_parts import GSM7, GSM7_EXTENDED

ESCAPE = 0x1B
UCS2 = 8
HEADER_FOLLOWS = 0x40


@dataclass(frozen=True, slots=True)
class Units:
    """The text of all units together, and to whom they go."""

    text: str
    numbers: frozenset[str]


def text_in(bodies: Iterable[bytes]) -> Units:
    """What the units say."""
    texts: list[str] = []
    numbers: set[str] = set()
    for body in bodies:
        _, _, rest = body.partition(b"\0")  # service_type
        _, _, rest = rest[2:].partition(b"\0")  # source
        number, _, rest = rest[2:].partition(b"\0")
        numbers.add(number.decode("ascii", "replace"))
        esm_class = rest[0]
        _, _, rest = rest[3:].partition(b"\0")  # schedule_delivery_time
        _, _, rest = rest.partition(b"\0")  # validity_period
        data_coding, length = rest[2], rest[4]
        content = rest[5 : 5 + length]
        if len(rest) != 5 + length:
            raise ValueError("octets behind the message")
        if esm_class & HEADER_FOLLOWS:
            content = content[1 + content[0] :]
        texts.append(content.decode("utf-16-be", "surrogatepass") if data_coding == UCS2 else _septets(content))
    return Units("".join(texts), frozenset(numbers))


def _septets(content: bytes) -> str:
    extended = {code: letter for letter, code in GSM7_EXTENDED.items()}
    codes = iter(content)
    return "".join(extended[next(codes)] if code == ESCAPE else GSM7[code] for code in codes)
