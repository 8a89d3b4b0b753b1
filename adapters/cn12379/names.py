"""Identifiers and file names of 12379 messages, built and taken apart; every time in them is Beijing time.

An identifier joins feeds: the same one appears in 12379, NMC, weather.com.cn and CMA's CAP. Whom an
organisation code stands for is configuration and does not belong here.
"""

import re
from datetime import datetime, timedelta, timezone
from typing import Annotated

from pydantic import StringConstraints

from domain.levels import Level
from domain.messages import MessageType
from domain.values import Moment, Value

BEIJING = timezone(timedelta(hours=8))

SenderCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{14}$")]
"""Division (6 digits), organisation (3), unit (3) and extension (2) in one: `33000041600000`."""

_IDENTIFIER = re.compile(r"([0-9]{14})_([0-9]{14})(?:_([0-9]{1,9}))?")
_FILE_NAME = re.compile(
    r"([0-9]{14})_([0-9]{14})_([0-9A-Z]{5})"
    r"_(WHITE|BLUE|YELLOW|ORANGE|RED|UNKNOWN)_(ALERT|UPDATE|CANCEL)\.(?:XML|xml)"
)
_STAMP = "%Y%m%d%H%M%S"
_FILE_TYPES = (MessageType.ALERT, MessageType.UPDATE, MessageType.CANCEL)


class MalformedNameError(ValueError):
    """A text is not an identifier or file name of the prescribed form."""


class MessageIdentifier(Value):
    """`ZZZZZZDDDUUUXX_YYYYMMDDHHMMSS[_N]` in its parts; `sequence` is N as written, empty for none."""

    sender_code: SenderCode
    made: Moment
    sequence: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,9}$")] = ""

    @property
    def division(self) -> str:
        """The 6-digit code of the division whose organisation sends."""
        return self.sender_code[:6]

    @property
    def organisation(self) -> str:
        """The 3-digit code of the kind of organisation: 416 meteorology, 332 water."""
        return self.sender_code[6:9]


class FileName(Value):
    """`<senderCode>_<yyyymmddhhmmss>_<eventType>_<COLOUR>_<ALERT|UPDATE|CANCEL>.XML` in its parts.

    `level` is None for the colour UNKNOWN; `message_type` is Alert, Update or Cancel.
    """

    sender_code: SenderCode
    sent: Moment
    event_type: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{5}$")]
    level: Level | None
    message_type: MessageType


def build_identifier(identifier: MessageIdentifier) -> str:
    """The identifier as it is written; fractions of a second are dropped."""
    stem = f"{identifier.sender_code}_{_stamp(identifier.made)}"
    return f"{stem}_{identifier.sequence}" if identifier.sequence else stem


def parse_identifier(text: str) -> MessageIdentifier:
    """The parts of a written identifier.

    Raises:
        MalformedNameError: it is not of the prescribed form, or its time does not exist.
    """
    found = _IDENTIFIER.fullmatch(text)
    if found is None:
        raise MalformedNameError("An identifier is 14 digits, an underscore and 14 digits of Beijing time.")
    return MessageIdentifier(sender_code=found[1], made=_moment(found[2]), sequence=found[3] or "")


def build_file_name(name: FileName) -> str:
    """The file name as it is written; fractions of a second are dropped.

    Raises:
        MalformedNameError: no file name is prescribed for a type other than Alert, Update and Cancel.
    """
    if name.message_type not in _FILE_TYPES:
        raise MalformedNameError(f"No file name is prescribed for a message of type {name.message_type}.")
    colour = "UNKNOWN" if name.level is None else name.level.value.upper()
    stem = f"{name.sender_code}_{_stamp(name.sent)}_{name.event_type}"
    return f"{stem}_{colour}_{name.message_type.value.upper()}.XML"


def parse_file_name(text: str) -> FileName:
    """The parts of a written file name; the extension may be in small letters.

    Raises:
        MalformedNameError: it is not of the prescribed form, or its time does not exist.
    """
    found = _FILE_NAME.fullmatch(text)
    if found is None:
        raise MalformedNameError("A file name is <senderCode>_<time>_<eventType>_<COLOUR>_<TYPE>.XML.")
    sender_code, stamp, event_type, colour, kind = found.groups()
    return FileName(
        sender_code=sender_code,
        sent=_moment(stamp),
        event_type=event_type,
        level=None if colour == "UNKNOWN" else Level(colour.lower()),
        message_type=MessageType(kind.capitalize()),
    )


def _stamp(moment: datetime) -> str:
    beijing = moment.astimezone(BEIJING)
    # Not strftime alone: it does not pad years below 1000 on every platform.
    return f"{beijing.year:04d}{beijing.strftime('%m%d%H%M%S')}"


def _moment(stamp: str) -> datetime:
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=BEIJING)
    except ValueError as error:
        raise MalformedNameError(f"{stamp} is not a time of the form YYYYMMDDHHMMSS.") from error
