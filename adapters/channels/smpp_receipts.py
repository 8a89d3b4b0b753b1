"""What delivery receipts say, whichever of their many forms they come in. Pure: nothing is known here of what was sent.

The usual text is that of SMPP v3.4's appendix B (`id:… stat:… err:…`); the parameters of 5.3.2 say the same better.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal
from zoneinfo import ZoneInfo

from adapters.channels.plain import plain_line
from adapters.channels.smpp_definition import IdForm
from adapters.channels.smpp_pdu import Delivery, Tag

State = Literal["delivered", "failed", "under way"]

_WORDS: Final = re.compile(r"\b(id|stat|err|done[ _]date):(\S*)", re.IGNORECASE)
_USUAL: Final = re.compile(
    r"id:(\S+) sub:\S* dlvrd:\S* submit date:\S* done date:(\S*) stat:(\S*) err:(\S*)", re.IGNORECASE
)
_USUAL_NAMES: Final = ("id", "done date", "stat", "err")
_OUR_TEXT: Final = re.compile(r"\btext:", re.IGNORECASE)
_DONE: Final = re.compile(r"\d{10}(\d{2})?")
_BY_NUMBER: Final = {1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 8: "REJECTD"}
_UNDER_WAY: Final = frozenset({"ENROUTE", "ACCEPTD", "SCHEDUL", "BUFFRED"})


class Fault(StrEnum):
    """Why a receipt says nothing."""

    NO_ID = "a receipt without the id of a message"
    NO_STATE = "a receipt without a state"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one part; `done` is when, where the receipt says so and the zone is known."""

    message_id: str
    state: State
    reason: str
    done: datetime | None = None


def canonical_id(text: str, form: IdForm) -> str:
    """One name for a message, however it is written: SMSCs give an id in hex and write it in decimal in the receipt."""
    clean = text.strip()
    try:
        match form:
            case IdForm.DECIMAL:
                return str(int(clean, 10))
            case IdForm.HEX:
                return str(int(clean, 16))
            case IdForm.TEXT:
                return clean
    except ValueError:
        return clean


def receipt_of(
    delivery: Delivery, *, accepted_ids: IdForm, receipt_ids: IdForm, zone: ZoneInfo | None
) -> Receipt | Fault:
    """Read a receipt. The id in its parameter is in the form of the answer to `submit_sm`, that in its text may differ.

    A state that nobody knows is a failure: silence would say that the message may still arrive.
    """
    words = _fields(_readable(delivery.content))
    named = delivery.parameters.get(Tag.RECEIPTED_MESSAGE_ID, b"").split(b"\0")[0].decode("ascii", "replace")
    message_id = canonical_id(named, accepted_ids) if named else canonical_id(words.get("id", ""), receipt_ids)
    if not message_id:
        return Fault.NO_ID
    number = int.from_bytes(delivery.parameters.get(Tag.MESSAGE_STATE, b""), "big")
    state = _BY_NUMBER.get(number) or words.get("stat", "").upper() or ("UNKNOWN" if number else "")
    if not state:
        return Fault.NO_STATE
    if state == "DELIVRD":
        return Receipt(message_id, "delivered", "", _done(words.get("done date", ""), zone))
    if state in _UNDER_WAY:
        return Receipt(message_id, "under way", "")
    error = words.get("err", "") or _network_error(delivery)
    reason = plain_line(f"{state} {error}")[:100]
    return Receipt(message_id, "failed", reason, _done(words.get("done date", ""), zone))


def _fields(text: str) -> Mapping[str, str]:
    """The fields in small letters; those of the usual form are found at once."""
    usual = _USUAL.match(text)
    if usual is not None:
        return dict(zip(_USUAL_NAMES, usual.groups(), strict=True))
    # What follows `text:` was written by people, and could look like fields.
    fields = _OUR_TEXT.split(text, maxsplit=1)[0]
    return {name.lower().replace("_", " "): value for name, value in _WORDS.findall(fields)}


def _readable(content: bytes) -> str:
    """Receipts are ASCII, whatever their coding says; some come as UTF-16."""
    if content[:1] == b"\0":
        content = content[1::2]
    return content.decode("ascii", "replace")


def _network_error(delivery: Delivery) -> str:
    value = delivery.parameters.get(Tag.NETWORK_ERROR_CODE, b"")
    return f"{value[0]}:{int.from_bytes(value[1:], 'big')}" if len(value) == 3 else ""  # noqa: PLR2004 -- 5.3.2.31


def _done(text: str, zone: ZoneInfo | None) -> datetime | None:
    if zone is None or not _DONE.fullmatch(text):
        return None
    form = "%y%m%d%H%M%S" if len(text) == 12 else "%y%m%d%H%M"  # noqa: PLR2004 -- with seconds
    try:
        return datetime.strptime(text, form).replace(tzinfo=zone)
    except ValueError:
        return None
