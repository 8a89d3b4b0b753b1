"""Events as Kafka carries them: CloudEvents 1.0 in JSON, with what a stage needs to take them as from the log.

docs/asyncapi.yaml describes the form for others. Nothing here knows of a client of Kafka.
"""

from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import msgspec

from domain.event import Event
from domain.messages import Mode
from domain.ports import RecordedEvent
from streams.by_district import district_of, mode_of
from streams.kafka_topics import LARGEST_RECORD_BYTES
from streams.park import Failed, attempt

TYPE_PREFIX: Final = "single-outlet."
SPECVERSION: Final = "1.0"
NEVER: Final = ""

OVERHEAD_BYTES: Final = 4096
"""What surrounds the data of a record, at most, with its headers."""


class EventForms(Protocol):
    """How an event is written and read, whatever its version."""

    def written(self, event: Event) -> tuple[str, bytes]:
        """Its stored topic, such as `warning-released:1`, and its JSON.

        Raises:
            CodecError: it is of no registered class.
        """
        ...

    def event(self, topic: str, state: bytes) -> Event:
        """The event in its present version.

        Raises:
            CodecError: the topic or its version is unknown, or the bytes are not such an event.
        """
        ...


class Consumed(NamedTuple):
    """A record as it was consumed, whatever client did it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None

    @property
    def place(self) -> str:
        """Where it lies, for people."""
        return f"{self.topic}/{self.partition}@{self.offset}"


class RecordError(Exception):
    """A record that cannot be taken as an event; `code` is stable, the text is for people."""

    def __init__(self, code: str, sentence: str) -> None:
        """A code and a sentence."""
        super().__init__(sentence)
        self.code = code


class CloudEvent(msgspec.Struct, omit_defaults=True):
    """The form of a record's value; numbers are text, for CloudEvents has only 32 bits for them.

    `sequence` is the position in the log. `previous` is the position of the record before it with the same key in the
    same topic, where the relay knows it. `dataref` stands in place of data that are too large.
    """

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    sequence: str
    streamid: str
    streamversion: str
    mode: str
    datacontenttype: str = "application/json"
    previous: str = NEVER
    dataref: str = NEVER
    data: msgspec.Raw = msgspec.Raw(b"")


class Read(NamedTuple):
    """A record that was understood: the event, the district it concerns, and what came before it, if that is said."""

    recorded: RecordedEvent
    mode: Mode
    district: str
    previous: int | None


def record_of(recorded: RecordedEvent, forms: EventForms, source: str, subject: str, previous: int | None) -> bytes:
    """The value of the record for an event, or for a slice of one; `source` is the outlet's URI."""
    stored, state = forms.written(recorded.event)
    name, _, version = stored.rpartition(":")
    fits = len(state) <= LARGEST_RECORD_BYTES - OVERHEAD_BYTES
    return msgspec.json.encode(
        CloudEvent(
            specversion=SPECVERSION,
            id=f"{recorded.stream_id}/{recorded.version}/{subject}",
            source=source,
            type=f"{TYPE_PREFIX}{name}.v{version}",
            subject=subject,
            time=recorded.event.at.isoformat(),
            sequence=str(recorded.position),
            streamid=str(recorded.stream_id),
            streamversion=str(recorded.version),
            mode=mode_of(recorded.event).value,
            previous=NEVER if previous is None else str(previous),
            dataref=NEVER if fits else f"{source}/events/{recorded.position}",
            data=msgspec.Raw(state if fits else b"null"),
        )
    )


_DECODER: Final = msgspec.json.Decoder(CloudEvent)


def cloud_event_in(consumed: Consumed) -> CloudEvent:
    """The envelope of a record; the data stay as they are.

    Raises:
        RecordError: there is none.
    """
    if consumed.value is None:
        raise RecordError("record-empty", "the record has no value")
    try:
        return _DECODER.decode(consumed.value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError("record-undecodable", f"the record is no CloudEvent of this outlet: {error}") from error


def read_record(consumed: Consumed, forms: EventForms) -> Read:
    """The slice of an event that a record carries.

    Raises:
        RecordError: it is none that can be read here, or its key is not the district that it concerns.
    """
    envelope = cloud_event_in(consumed)
    if envelope.dataref:
        raise RecordError("record-without-data", f"the data are too large for a record: {envelope.dataref}")
    stored = _stored_topic(envelope.type)
    read = attempt(lambda: _read(envelope, forms, stored))
    if isinstance(read, Failed):
        raise RecordError("record-unreadable", f"{type(read.error).__name__}: {read.error}") from read.error
    if consumed.key != read.district.encode():
        sentence = f"the key is {consumed.key!r}, and the data concern the district {read.district}"
        raise RecordError("record-wrong-key", sentence)
    return read


def _read(envelope: CloudEvent, forms: EventForms, stored: str) -> Read:
    event = forms.event(stored, bytes(envelope.data))
    recorded = RecordedEvent(
        position=_number(envelope.sequence),
        stream_id=UUID(envelope.streamid),
        version=_number(envelope.streamversion),
        event=event,
    )
    previous = _number(envelope.previous) if envelope.previous else None
    return Read(recorded, mode_of(event), district_of(event), previous)


def _stored_topic(type_: str) -> str:
    name, dot, version = type_.removeprefix(TYPE_PREFIX).rpartition(".v")
    if not dot or not type_.startswith(TYPE_PREFIX):
        raise RecordError("record-unknown-type", f"{type_!r} is no type of an event of this outlet")
    return f"{name}:{version}"


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ValueError(f"{text!r} is not a number")
    return int(text)


def subject_of(recorded: RecordedEvent) -> str:
    """What an event of any kind is about: its district, else its agency, else its stream."""
    event: Any = recorded.event
    found = getattr(event, "district", "") or getattr(event, "agency", "")
    return str(found or recorded.stream_id)
