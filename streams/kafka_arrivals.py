"""What the watcher reads of a record, and how it writes a window. Knows nothing of faust.

The envelope says nearly all of it, in every version of an event: what happened, of whom, when, and where in the log.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from domain.arrivals import OUTCOMES, Arrived, Window, folded
from domain.events import MessageRejected
from streams.kafka_records import TYPE_PREFIX, Consumed, cloud_event_in


class _Refused(msgspec.Struct):
    """What the envelope does not say of a refusal: its subject is a stream where nobody knows whose message it was."""

    agency: str


_DECODER: Final = msgspec.json.Decoder(_Refused)


def arrival_in(consumed: Consumed) -> Arrived | None:
    """The message that came, as a record of `events` says; None where the event is another one.

    Raises:
        RecordError: it is no CloudEvent of an outlet.
        ValueError: a number, a time or the data are not what they should be.
    """
    envelope = cloud_event_in(consumed)
    topic = envelope.type.removeprefix(TYPE_PREFIX).rpartition(".v")[0]
    outcome = OUTCOMES.get(topic)
    if outcome is None:
        return None
    agency = _DECODER.decode(envelope.data).agency if topic == MessageRejected.TOPIC else envelope.subject
    return Arrived(agency, outcome, datetime.fromisoformat(envelope.time), int(envelope.sequence))


def counted(value: Mapping[str, Any] | None, arrived: Arrived) -> dict[str, Any]:
    """A window as plain JSON with an arrival counted; nothing, where it is the first."""
    return folded(window_in(value) if value else None, arrived).model_dump(mode="json")


def window_in(value: Mapping[str, Any]) -> Window:
    """The window that `counted` wrote."""
    return Window.model_validate(value)
