"""What a screen's controller is told, as JSON. Pure; its schema stands in `docs/gateways.md`, and a test holds both.

An all-clear ends what the screen shows of its warning.
"""

import re
from datetime import datetime
from typing import Any, Final

from msgspec.json import encode

from adapters.channels.plain import plain_line, plain_text
from adapters.channels.port import Later, Letter, Refused
from adapters.channels.screen_definition import ScreenDefinition
from adapters.channels.smpp_writing import CannotBeSentError

SHOW: Final = "show"
END: Final = "end"

_DEVICE: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_TEXT: Final = {"type": "string"}

SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "What the outlet tells a screen's controller",
    "type": "object",
    "required": [
        "id",
        "action",
        "device",
        "mode",
        "level",
        "colour",
        "text",
        "subject",
        "language",
        "method",
        "duration_seconds",
        "starts",
        "expires",
        "warning_id",
        "repeated",
    ],
    "properties": {
        "id": {**_TEXT, "minLength": 1, "description": "Of this message; the same at every repetition."},
        "action": {"enum": [SHOW, END], "description": "`end`: show nothing more of `warning_id`, but for `text`."},
        "device": {**_TEXT, "pattern": "^[A-Za-z0-9._:-]{1,100}$"},
        "mode": {"enum": ["live", "drill"]},
        "level": {"enum": ["white", "blue", "yellow", "orange", "red"]},
        "colour": {**_TEXT, "pattern": "^#[0-9A-Fa-f]{6}$"},
        "text": {**_TEXT, "minLength": 1},
        "subject": _TEXT,
        "language": _TEXT,
        "method": {"enum": ["SMS", "LED", "SPEAKER", "TV", "BROADCAST", "WEB", "PHONE", "FAX"]},
        "duration_seconds": {"type": "integer", "minimum": 1, "description": "From `starts`; never past `expires`."},
        "starts": {**_TEXT, "format": "date-time"},
        "expires": {"type": ["string", "null"], "format": "date-time"},
        "warning_id": _TEXT,
        "repeated": {"type": "boolean", "description": "An earlier copy may have been shown already."},
    },
    "additionalProperties": False,
}


def screen_body(letter: Letter, definition: ScreenDefinition, now: datetime) -> bytes:
    """The body of the request that shows or ends a message on one device.

    Raises:
        CannotBeSentError: the address is no device, there are no words, or their time is over.
    """
    if not _DEVICE.fullmatch(letter.address):
        raise CannotBeSentError(Refused("not the id of a device", address_is_dead=True))
    text = plain_text(letter.text.body).strip() or plain_text(letter.text.sms).strip()
    if not text:
        raise CannotBeSentError(Refused("a message without words"))
    seconds = definition.duration_of(letter.address)
    if letter.expires is not None:
        left = int((letter.expires - now).total_seconds())
        if left < 1:
            raise CannotBeSentError(Later("its content has expired"))
        seconds = min(seconds, left)
    return encode(
        {
            "id": letter.id,
            "action": END if letter.is_all_clear else SHOW,
            "device": letter.address,
            "mode": letter.mode.value,
            "level": letter.level.value,
            "colour": definition.colour_of(letter.level),
            "text": text,
            "subject": plain_line(letter.text.subject),
            "language": letter.text.language,
            "method": definition.method_of(letter.address).value,
            "duration_seconds": seconds,
            "starts": now.isoformat(),
            "expires": None if letter.expires is None else letter.expires.isoformat(),
            "warning_id": letter.warning_id,
            "repeated": letter.repeated,
        }
    )
