"""SMPP 3.4's protocol data units as bytes and back (SMPP v3.4, issue 1.2, sections 3 to 5). No connection, no clock.

Only what a sender of short messages needs. What cannot be read raises the one error of this module.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

HEADER: Final = struct.Struct(">IIII")
_PARAMETER: Final = struct.Struct(">HH")
HEADER_LENGTH: Final = 16
MOST_LENGTH: Final = 70_000
"""A payload of 64 KB is the longest that the protocol knows."""

RESPONSE: Final = 0x8000_0000
LAST_SEQUENCE: Final = 0x7FFF_FFFF
VERSION: Final = 0x34

UDH_INDICATOR: Final = 0x40
KIND_MASK: Final = 0x3C
RECEIPT_KINDS: Final = frozenset({0x04, 0x20})
"""`esm_class` of a receipt and of one on the way (5.2.12)."""

ASKS_FOR_RECEIPT: Final = 1
UCS2: Final = 8
INTERNATIONAL: Final = 1

CONCATENATED_8: Final = 0x00
CONCATENATED_16: Final = 0x08


class Command(IntEnum):
    """The `command_id`s (5.1.2.1) that are used here."""

    GENERIC_NACK = 0x80000000
    SUBMIT_SM = 0x00000004
    DELIVER_SM = 0x00000005
    UNBIND = 0x00000006
    BIND_TRANSCEIVER = 0x00000009
    ENQUIRE_LINK = 0x00000015
    ALERT_NOTIFICATION = 0x00000102
    DATA_SM = 0x00000103


class Tag(IntEnum):
    """The optional parameters (5.3.2) that are read here."""

    RECEIPTED_MESSAGE_ID = 0x001E
    SAR_REFERENCE = 0x020C
    SAR_TOTAL = 0x020E
    SAR_PART = 0x020F
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class MalformedError(ValueError):
    """What was received is not SMPP."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One unit; `body` is all that follows the header."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    def packed(self) -> bytes:
        """Its bytes."""
        return HEADER.pack(HEADER_LENGTH + len(self.body), self.command, self.status, self.sequence) + self.body


class PduReader:
    """Cuts a stream of bytes into units."""

    def __init__(self) -> None:
        """Nothing has been received."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Pdu]:
        """The units that are whole now.

        Raises:
            MalformedError: a length that no unit has; nothing after it can be read.
        """
        buffer = self._buffer
        buffer += data
        units: list[Pdu] = []
        begin, end = 0, len(buffer)
        while end - begin >= HEADER_LENGTH:
            length, command, status, sequence = HEADER.unpack_from(buffer, begin)
            if not HEADER_LENGTH <= length <= MOST_LENGTH:
                raise MalformedError(f"a unit of {length} bytes")
            if end - begin < length:
                break
            body = bytes(buffer[begin + HEADER_LENGTH : begin + length])
            units.append(Pdu(command, status, sequence, body))
            begin += length
        del buffer[:begin]
        return units


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the SMSC hands over: a receipt, or a message from somebody. `content` still has its user data header."""

    source_ton: int
    source: str
    esm_class: int
    data_coding: int
    content: bytes
    parameters: dict[int, bytes]

    @property
    def is_receipt(self) -> bool:
        """Whether it speaks of a message of ours. Its words alone do not say so: anybody could write them."""
        return self.esm_class & KIND_MASK in RECEIPT_KINDS or Tag.RECEIPTED_MESSAGE_ID in self.parameters


def text_field(text: str) -> bytes:
    """A C-octet string."""
    return text.encode("ascii") + b"\0"


def bind_body(*, system_id: str, password: str, system_type: str, address_range: str) -> bytes:
    """The body of `bind_transceiver` (4.1.5)."""
    names = b"".join(text_field(name) for name in (system_id, password, system_type))
    return names + bytes([VERSION, 0, 0]) + text_field(address_range)


def submit_body(  # noqa: PLR0913 -- the protocol's own fields
    *,
    service_type: str,
    source: bytes,
    destination: bytes,
    esm_class: int,
    priority: int,
    validity: str,
    asks_for_receipt: bool,
    data_coding: int,
    content: bytes,
) -> bytes:
    """The body of `submit_sm` (4.4.1); `source` and `destination` come from `address_field`."""
    return b"".join(
        (
            text_field(service_type),
            source,
            destination,
            bytes((esm_class, 0, priority)),
            b"\0",  # schedule_delivery_time: at once
            text_field(validity),
            bytes((ASKS_FOR_RECEIPT if asks_for_receipt else 0, 0, data_coding, 0, len(content))),
            content,
        )
    )


def address_field(ton: int, npi: int, address: str) -> bytes:
    """Type of number, numbering plan and the address itself."""
    return bytes((ton, npi)) + text_field(address)


def message_id_of(body: bytes) -> str:
    """The `message_id` of a `submit_sm_resp` (4.4.2), empty where there is none."""
    return body.partition(b"\0")[0].decode("ascii", "replace").strip()


def delivery_of(pdu: Pdu) -> Delivery:
    """Read a `deliver_sm` (4.6.1) or a `data_sm` (4.7.1).

    Raises:
        MalformedError: it ends too early.
    """
    try:
        return _delivery(pdu.body, is_data=pdu.command == Command.DATA_SM)
    except (IndexError, ValueError, struct.error) as error:
        raise MalformedError("a unit that ends within a field") from error


def _delivery(body: bytes, *, is_data: bool) -> Delivery:
    end = body.index(0)  # service_type
    source_ton = body[end + 1]
    begin = end + 3
    end = body.index(0, begin)
    source = body[begin:end].decode("ascii", "replace")
    at = body.index(0, end + 3) + 1  # destination: ourselves
    esm_class = body[at]
    if is_data:
        data_coding, content, at = body[at + 2], b"", at + 3  # registered_delivery between them
    else:
        at = body.index(0, at + 3)  # behind protocol_id and priority_flag: schedule_delivery_time
        at = body.index(0, at + 1) + 1  # validity_period
        data_coding, length = body[at + 2], body[at + 4]
        content = body[at + 5 : at + 5 + length]
        at += 5 + length
        if at > len(body):
            raise IndexError
    parameters: dict[int, bytes] = {}
    while at + 4 <= len(body):
        tag, length = _PARAMETER.unpack_from(body, at)
        # Of one that occurs twice the first counts.
        parameters.setdefault(tag, body[at + 4 : at + 4 + length])
        at += 4 + length
    if at > len(body):
        raise IndexError
    return Delivery(
        source_ton, source, esm_class, data_coding, content or parameters.get(Tag.MESSAGE_PAYLOAD, b""), parameters
    )
