"""JSON of gateways: reading it, finding a place in it, and making a reason of it that repeats no number. Pure."""

import json
import re
from typing import Final
from urllib.parse import parse_qsl

from adapters.channels.gateway_profile import word_of
from adapters.channels.plain import plain_line

_NUMBER: Final = re.compile(r"\+?\d[\d -]{5,}\d")
_LONGEST_REASON: Final = 100
_LONGEST_WORD: Final = 200
_MOST_FIELDS: Final = 200


class UnreadableError(ValueError):
    """Bytes that are no document."""


def json_in(content: bytes) -> object:
    """The document.

    Raises:
        UnreadableError: it is no JSON in UTF-8.
    """
    try:
        return json.loads(content.decode("utf-8-sig"))
    except RecursionError as error:
        raise UnreadableError("the JSON is nested too deeply") from error
    except ValueError as error:
        raise UnreadableError("the bytes are no JSON in UTF-8") from error


def form_in(content: bytes) -> dict[str, str]:
    """The fields of a form.

    Raises:
        UnreadableError: it is none in UTF-8, or has too many fields.
    """
    try:
        pairs = parse_qsl(content.decode("ascii"), strict_parsing=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise UnreadableError("the bytes are no form in UTF-8") from error
    if not pairs:
        raise UnreadableError("the form is empty")
    return dict(pairs)


def at(document: object, path: str) -> object:
    """What stands at a path of names and places in lists (`messages.0.id`); None where a step leads nowhere."""
    found = document
    for step in path.split(".") if path else ():
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def word_at(document: object, path: str) -> str:
    """The word there; nothing where there is none, or one that is too long to be one."""
    word = word_of(at(document, path)) if path else ""
    return word if len(word) <= _LONGEST_WORD else ""


def without_numbers(text: str) -> str:
    """A gateway's words on one line, short, and without what may be somebody's number."""
    return _NUMBER.sub("…", plain_line(text))[:_LONGEST_REASON]
