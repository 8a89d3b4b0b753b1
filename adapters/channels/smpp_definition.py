"""How a route over SMPP is described in `connections.toml`, and what of it cannot be used. Nothing is opened here."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from adapters.channels.definition_mail import is_loopback
from domain.messages import Mode
from domain.values import Value

PLAIN_PORT: Final = 2775
TLS_PORT: Final = 3550
_DIGITS_ONLY_TYPES: Final = frozenset({1, 2})
"""Types of number that are digits and nothing else: international and national."""


class PlainAlphabet(StrEnum):
    """What the SMSC takes the bytes of a text in its default alphabet for."""

    GSM = "gsm"
    LATIN1 = "latin-1"
    NONE = "none"  # everything goes as UCS-2


class NumberForm(StrEnum):
    """How the SMSC wants a recipient's number."""

    DIGITS = "digits"  # 8613800138000
    PLUS = "plus"  # +8613800138000
    NATIONAL = "national"  # 13800138000, for numbers of `region`; others stay in full


class IdForm(StrEnum):
    """In which form the SMSC names a message."""

    TEXT = "text"
    DECIMAL = "decimal"
    HEX = "hex"


class Validity(StrEnum):
    """How the SMSC is told until when a message may be delivered."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"
    NONE = "none"


def _is_printable_ascii(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("is printable ASCII")
    return text


def _is_a_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not a time zone such as Asia/Shanghai")
    return name


Byte = Annotated[int, Field(ge=0, le=255)]
Status = Annotated[int, Field(ge=1, le=0xFFFFFFFF)]
Ascii5 = Annotated[str, StringConstraints(max_length=5), AfterValidator(_is_printable_ascii)]
Ascii12 = Annotated[str, StringConstraints(max_length=12), AfterValidator(_is_printable_ascii)]
Ascii15 = Annotated[str, StringConstraints(min_length=1, max_length=15), AfterValidator(_is_printable_ascii)]
Ascii20 = Annotated[str, StringConstraints(max_length=20), AfterValidator(_is_printable_ascii)]
Ascii40 = Annotated[str, StringConstraints(max_length=40), AfterValidator(_is_printable_ascii)]


class SmppDefinition(Value):
    """One `[[channels]]` entry of kind `smpp`. Paths are relative to the data directory; `docs/sms.md` tells more."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    kind: Literal["smpp"] = "smpp"
    mode: Mode = Mode.LIVE

    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]+$", max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    tls: bool = False
    ca_file: Path | None = None
    plain_smpp: bool = False

    system_id: Ascii15
    password_file: Path
    system_type: Ascii12 = ""
    address_range: Ascii40 = ""

    source: Ascii20 = ""
    source_ton: Byte = 0
    source_npi: Byte = 0
    number_form: NumberForm = NumberForm.DIGITS
    number_ton: Byte = 1
    number_npi: Byte = 1
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "CN"

    service_type: Ascii5 = ""
    plain_alphabet: PlainAlphabet = PlainAlphabet.GSM
    plain_data_coding: Byte = 0
    most_parts: Annotated[int, Field(ge=1, le=255)] = 20
    urgent_priority: Annotated[int, Field(ge=0, le=3)] = 0
    validity: Validity = Validity.RELATIVE

    receipts: bool = True
    accepted_ids: IdForm = IdForm.TEXT
    receipt_ids: IdForm = IdForm.TEXT
    receipt_zone: Annotated[str, AfterValidator(_is_a_zone)] | None = None
    keep_days: Annotated[float, Field(gt=0, le=60)] = 7.0

    window: Annotated[int, Field(ge=1, le=1000)] = 50
    connect_seconds: Annotated[float, Field(gt=0, le=120)] = 10.0
    response_seconds: Annotated[float, Field(gt=0, le=300)] = 30.0
    enquire_link_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0
    longest_pause_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0

    throttled_statuses: frozenset[Status] = frozenset()
    refused_statuses: frozenset[Status] = frozenset()
    dead_statuses: frozenset[Status] = frozenset()

    @property
    def port_used(self) -> int:
        """The port, or the usual one."""
        return self.port or (TLS_PORT if self.tls else PLAIN_PORT)

    @property
    def zone(self) -> ZoneInfo | None:
        """In which the SMSC writes the times of its receipts; None where that is not known."""
        return ZoneInfo(self.receipt_zone) if self.receipt_zone else None

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.ca_file is not None and not self.tls:
            raise ValueError("`ca_file` is for `tls = true`")
        if not self.tls and not is_loopback(self.host) and not self.plain_smpp:
            raise ValueError(
                "SMPP without TLS sends numbers, texts and the password in the clear; where the way to the SMSC is "
                "protected otherwise (a leased line, a VPN), set `plain_smpp = true`"
            )
        if self.source_ton in _DIGITS_ONLY_TYPES and not self.source.isdigit():
            raise ValueError("`source` must be digits alone with a `source_ton` of 1 or 2")
        named = [*self.throttled_statuses, *self.refused_statuses, *self.dead_statuses]
        if len(named) != len(set(named)):
            raise ValueError("a status stands in two of `throttled_statuses`, `refused_statuses`, `dead_statuses`")
        return self
