"""A letter as the bodies of its `submit_sm` units. Nothing is sent here, and the clock comes in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from adapters.channels.port import Later, Letter, Outcome, Refused
from adapters.channels.smpp_definition import SmppDefinition, Validity
from adapters.channels.smpp_pdu import UDH_INDICATOR, address_field, submit_body
from adapters.channels.smpp_text import destination_of, encoded_text, reference_of, with_header
from domain.levels import Level

_LONGEST_VALIDITY: Final = timedelta(days=7)
"""SMSCs keep nothing longer, and some refuse to be asked to."""


class CannotBeSentError(Exception):
    """This letter cannot be handed over; `outcome` says whether it may be later."""

    def __init__(self, outcome: Outcome) -> None:
        """With what the worker is told."""
        self.outcome = outcome
        super().__init__(str(outcome))


class Writer:
    """Writes letters for one route."""

    def __init__(self, definition: SmppDefinition) -> None:
        """Use these for all letters."""
        self._definition = definition
        self._source = address_field(definition.source_ton, definition.source_npi, definition.source)

    def bodies(self, letter: Letter, clock: Callable[[], datetime]) -> list[bytes]:
        """The bodies of all parts, in order.

        Raises:
            NotANumberError: the address is not E.164.
            CannotBeSentError: there are no words, too many, or their time is over.
        """
        definition = self._definition
        text = encoded_text(letter.text.sms, definition.plain_alphabet, definition.plain_data_coding)
        total = len(text.contents)
        if not any(text.contents):
            raise CannotBeSentError(Refused("a message without words"))
        if total > definition.most_parts:
            raise CannotBeSentError(Refused(f"{total} parts, and {definition.most_parts} are the most"))
        number = destination_of(letter.address, definition.number_form, definition.region)
        reference = reference_of(letter.id, letter.text.sms)
        validity = "" if letter.expires is None else self._validity(letter.expires, clock())
        destination = address_field(definition.number_ton, definition.number_npi, number)
        return [
            submit_body(
                service_type=definition.service_type,
                source=self._source,
                destination=destination,
                esm_class=UDH_INDICATOR if total > 1 else 0,
                priority=definition.urgent_priority if letter.level >= Level.ORANGE else 0,
                validity=validity,
                asks_for_receipt=definition.receipts,
                data_coding=text.data_coding,
                content=with_header(content, reference, total, part) if total > 1 else content,
            )
            for part, content in enumerate(text.contents, 1)
        ]

    def _validity(self, expires: datetime, now: datetime) -> str:
        """Until when the SMSC may deliver it (7.1.1): what has expired must not ring a telephone."""
        left = min(expires - now, _LONGEST_VALIDITY)
        if left < timedelta(seconds=1):
            raise CannotBeSentError(Later("its content has expired"))
        match self._definition.validity:
            case Validity.NONE:
                return ""
            case Validity.ABSOLUTE:
                return f"{(now + left).astimezone(UTC):%y%m%d%H%M%S}000+"
            case Validity.RELATIVE:
                minutes, seconds = divmod(int(left.total_seconds()), 60)
                hours, minutes = divmod(minutes, 60)
                days, hours = divmod(hours, 24)
                return f"0000{days:02d}{hours:02d}{minutes:02d}{seconds:02d}000R"
