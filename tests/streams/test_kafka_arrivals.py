"""What the watcher reads of records: the same as the event says, whatever else the topic carries."""

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.store.codec import EventCodec
from domain.arrivals import Arrived, Outcome, Window
from domain.contributions import MessageKey
from domain.events import ConflictingCopyArrived, DuplicateArrived, Event, MessageRejected, WaitEnded
from domain.messages import Mode
from domain.outlet import stream_id_of
from domain.ports import RecordedEvent
from streams.kafka_arrivals import arrival_in, counted, window_in
from streams.kafka_records import Consumed, RecordError, record_of, subject_of
from tests.streams.messages import at

NOW = at(3)
KEY = MessageKey(sender="water@example", identifier="m-1", sent=at(0))
OF_WATER: dict[str, Any] = {"at": NOW, "agency": "water", "mode": Mode.LIVE}


def refused(agency: str) -> MessageRejected:
    return MessageRejected(at=NOW, agency=agency, source="http", findings=(), raw_sha256="0", raw_size=1)


def consumed(event: Event) -> Consumed:
    recorded = RecordedEvent(17, stream_id_of("any"), 4, event)
    subject = subject_of(recorded)
    return Consumed("outlet.events", 0, 9, subject.encode(), record_of(recorded, EventCodec(), "urn:o", subject, None))


@pytest.mark.parametrize(
    ("event", "agency", "outcome"),
    [
        (refused("water"), "water", Outcome.REFUSED),
        (refused(""), "", Outcome.REFUSED),
        (DuplicateArrived(**OF_WATER, message=KEY), "water", Outcome.REPEATED),
        (
            ConflictingCopyArrived(**OF_WATER, message=KEY, first_sha256="0", raw_sha256="1"),
            "water",
            Outcome.REPEATED,
        ),
    ],
)
def test_an_arrival_is_known_by_its_agency_outcome_moment_and_position(
    event: Event, agency: str, outcome: Outcome
) -> None:
    assert arrival_in(consumed(event)) == Arrived(agency, outcome, NOW, 17)


def test_another_event_is_no_arrival() -> None:
    assert arrival_in(consumed(WaitEnded(**OF_WATER, chain="c"))) is None


@pytest.mark.parametrize("value", [None, b"", b"{", b"[1]", b'{"type": 3}'])
def test_what_is_no_event_is_said_to_be_none(value: bytes | None) -> None:
    with pytest.raises(RecordError):
        arrival_in(Consumed("outlet.events", 0, 9, b"", value))


def test_a_count_goes_on_from_what_was_written_and_takes_no_position_twice() -> None:
    first = Arrived("water", Outcome.ACCEPTED, NOW, 5)
    once = counted({}, first)
    assert counted(once, first) == once
    twice = counted(once, Arrived("water", Outcome.REFUSED, NOW, 7))
    assert window_in(twice) == Window(
        agency="water",
        begin=datetime(2022, 9, 13, 0, 0, tzinfo=UTC),
        accepted=1,
        refused=1,
        last=NOW,
        position=7,
    )
