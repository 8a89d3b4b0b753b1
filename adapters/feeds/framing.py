"""From the bytes of a list to its items: encoding, JavaScript around the JSON, the path to the items, limits.

A list that cannot be read whole is refused whole, for what is not listed counts as ended. What an item means is
`items.py`'s.
"""

import json
from dataclasses import dataclass
from typing import Any

from adapters.feeds.profile import Envelope
from domain.findings import Code, Finding, RefusedMessageError, refusal


@dataclass(frozen=True, slots=True)
class ListLimits:
    """How much a list may hold."""

    max_bytes: int = 8 * 1024 * 1024
    max_items: int = 10_000


DEFAULT_LIST_LIMITS = ListLimits()


@dataclass(frozen=True, slots=True)
class BrokenItem:
    """A line that is no JSON object: its text, and why."""

    raw: str
    finding: Finding


JsonObject = dict[str, Any]


def items_in(
    content: bytes, envelope: Envelope, limits: ListLimits = DEFAULT_LIST_LIMITS
) -> list[JsonObject | BrokenItem]:
    """The items of a list in their order.

    Raises:
        RefusedMessageError: TOO_LARGE, EMPTY, NOT_UTF8, NOT_JSON, ENVELOPE or LIMIT; the list cannot be used at all.
    """
    text = _text(content, limits)
    found = _lines(text) if envelope.shape == "lines" else _listed(_unframed(text, envelope), envelope)
    if len(found) > limits.max_items:
        raise _refused(Code.LIMIT, "/", f"The list holds {len(found)} items; the limit is {limits.max_items}.")
    return [
        item if isinstance(item, (dict, BrokenItem)) else _no_object(number, item)
        for number, item in enumerate(found, start=1)
    ]


def document_in(content: bytes, envelope: Envelope, limits: ListLimits = DEFAULT_LIST_LIMITS) -> object:
    """The whole JSON around the items of a list that is one document.

    Raises:
        RefusedMessageError: TOO_LARGE, EMPTY, NOT_UTF8, NOT_JSON or ENVELOPE.
    """
    return _unframed(_text(content, limits), envelope)


def value_at(value: object, path: str) -> object:
    """What stands at a dotted path of names, or None where a step leads nowhere."""
    for step in path.split(".") if path else ():
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def raw_json(value: object) -> str:
    """A value as JSON that can be kept and sent on: readable Chinese, halves of surrogate pairs escaped."""
    try:
        return json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace").decode()
    except RecursionError:
        return "…"


def _text(content: bytes, limits: ListLimits) -> str:
    if len(content) > limits.max_bytes:
        raise _refused(Code.TOO_LARGE, "/", f"The list has {len(content)} bytes; the limit is {limits.max_bytes}.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(Code.NOT_UTF8, "/", "The bytes are not UTF-8.") from error
    if not text.strip():
        # Empty bytes are a failed answer. A list in which nothing is in force is `[]`.
        raise _refused(Code.EMPTY, "/", "The list has no content.")
    return text


def _unframed(text: str, envelope: Envelope) -> object:
    body = text.strip()
    if envelope.prefix:
        if not body.startswith(envelope.prefix):
            raise _refused(Code.ENVELOPE, "/", f"The list does not begin with {envelope.prefix}")
        body = body.removeprefix(envelope.prefix).rstrip("; \t\r\n")
    whole = _parsed(body)
    if isinstance(whole, BrokenItem):
        raise RefusedMessageError([whole.finding])
    for path, expected in envelope.expects.items():
        if value_at(whole, path) != expected:
            sentence = f"The answer does not hold {expected!r}, so it is no list of what is in force."
            raise _refused(Code.ENVELOPE, _steps(path), sentence)
    return whole


def _listed(whole: object, envelope: Envelope) -> list[object]:
    found = value_at(whole, envelope.items)
    if envelope.shape == "single" and isinstance(found, dict):
        return [found]
    if envelope.shape == "list" and isinstance(found, list):
        return found
    due = "an object" if envelope.shape == "single" else "a list"
    raise _refused(Code.ENVELOPE, _steps(envelope.items), f"There is no {due.split()[1]} where {due} is due.")


def _lines(text: str) -> list[object]:
    return [_parsed(line, number) for number, line in enumerate(_filled_lines(text), start=1)]


def _filled_lines(text: str) -> list[str]:
    # Not splitlines(): it also splits at separators that JSON strings may hold.
    return [line for line in text.split("\n") if line.strip()]


def _parsed(text: str, number: int | None = None) -> object:
    path = "/" if number is None else f"/items[{number}]"
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        return BrokenItem(text, refusal(Code.TOO_DEEP, path, "The JSON is nested too deeply."))
    except ValueError as error:
        return BrokenItem(text, refusal(Code.NOT_JSON, path, f"This is not JSON: {error}."))


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _no_object(number: int, item: object) -> BrokenItem:
    return BrokenItem(raw_json(item), refusal(Code.VALUE, f"/items[{number}]", "The item is not an object."))


def _steps(path: str) -> str:
    return "/" + path.replace(".", "/")


def _refused(code: Code, path: str, sentence: str) -> RefusedMessageError:
    return RefusedMessageError([refusal(code, path, sentence)])
