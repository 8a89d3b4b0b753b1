"""What a gateway reports, by callback or when asked: receipts and messages from people, read by its profile. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from adapters.channels.gateway_json import UnreadableError, at, without_numbers, word_at
from adapters.channels.gateway_profile import MessageRule, ReceiptRule, TimeRule, word_of
from adapters.channels.plain import plain_text
from adapters.channels.port import DeliveryReceipt, Incoming
from adapters.channels.smpp_definition import NumberForm
from adapters.channels.smpp_pdu import INTERNATIONAL
from adapters.channels.smpp_text import e164_of

Item = DeliveryReceipt | Incoming

_LONGEST_TEXT: Final = 4_000
_UNKNOWN_TYPE_OF_NUMBER: Final = 0
_SINCE_1970: Final = re.compile(r"[0-9]{10}(?:[0-9]{3})?")
_SECONDS_DIGITS: Final = 10
"""More digits than these are milliseconds."""


@dataclass(slots=True)
class Read:
    """What was read, and what could not be: `faults` name the items by their place, and nothing of their content."""

    items: list[Item] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def receipts_in(document: object, rule: ReceiptRule, received: datetime) -> Read:
    """Every final receipt of a report; those that say that a letter is still under way are passed over.

    Raises:
        UnreadableError: there is no list where the profile says.
    """

    def receipt(item: object) -> Item | str | None:
        reference, state = word_at(item, rule.reference), word_at(item, rule.state)
        if not reference:
            return f"no reference at {rule.reference}"
        if not state:
            return f"no state at {rule.state}"
        if state in rule.pending:
            return None
        outcome: Literal["delivered", "failed"] = "delivered" if state in rule.delivered else "failed"
        reason = "" if outcome == "delivered" else without_numbers(word_at(item, rule.reason) or state)
        return DeliveryReceipt(reference, outcome, _moment(item, rule, received), reason)

    return _read(document, rule.items, receipt)


def messages_in(document: object, rule: MessageRule, region: str, received: datetime) -> Read:
    """Every message from somebody in a report.

    Raises:
        UnreadableError: there is no list where the profile says.
    """
    type_of_number = INTERNATIONAL if rule.number_form is NumberForm.DIGITS else _UNKNOWN_TYPE_OF_NUMBER

    def message(item: object) -> Item | str | None:
        address, text = word_at(item, rule.address), at(item, rule.text)
        if not address:
            return f"no number at {rule.address}"
        if not isinstance(text, (str, int)) or isinstance(text, bool):
            return f"no text at {rule.text}"
        words = plain_text(str(text))[:_LONGEST_TEXT]
        return Incoming(e164_of(address, type_of_number, region), words, _moment(item, rule, received))

    return _read(document, rule.items, message)


def _read(document: object, path: str, read_one: Callable[[object], Item | str | None]) -> Read:
    found = at(document, path)
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise UnreadableError(f"there is no list {f'at {path}' if path else 'of reports'}")
    read = Read()
    for place, item in enumerate(found):
        one = read_one(item)
        if isinstance(one, str):
            read.faults.append(f"item {place}: {one}")
        elif one is not None:
            read.items.append(one)
    return read


def _moment(item: object, rule: TimeRule, received: datetime) -> datetime:
    """When it happened; when we heard of it, where that is not said, cannot be read, or lies in the future."""
    found = at(item, rule.at) if rule.at else None
    text = word_of(found)
    is_a_count = not rule.time_format and _SINCE_1970.fullmatch(text)
    moment = _seconds(text) if is_a_count else _written(text, rule)
    return received if moment is None else min(moment, received)


def _seconds(text: str) -> datetime:
    """The moment of seconds since 1970, or milliseconds."""
    return datetime.fromtimestamp(int(text[:_SECONDS_DIGITS]), UTC)


def _written(text: str, rule: TimeRule) -> datetime | None:
    try:
        form = rule.time_format
        # The zone, if the text has none, is the profile's.
        moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(rule.zone))
        return zoned.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
