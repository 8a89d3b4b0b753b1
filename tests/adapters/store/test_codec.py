"""What the codec promises: events come back as they were, older versions too, and the unknown is named."""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.store.codec import EventCodec
from adapters.store.errors import UnknownEventTypeError, UnknownEventVersionError, UnreadableEventError
from domain.event import Event
from domain.events import EVENT_TYPES
from domain.ports import NewEvent
from domain.values import Value

AT = datetime(2026, 7, 1, tzinfo=UTC)
STREAM = UUID(int=7)


class Place(Value):
    code: str
    share: float


class Gauged(Event):
    TOPIC = "gauged"

    text: str
    places: tuple[Place, ...]
    levels: frozenset[int]
    note: str | None = None


class Renamed(Event):
    TOPIC = "renamed"
    VERSION = 3

    headline: str
    language: str


def first_renamed(fields: dict[str, Any]) -> dict[str, Any]:
    return {"at": fields["at"], "headline": fields["title"]}


def second_renamed(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "language": "zh-CN"}


STEPS = {("renamed", 1): first_renamed, ("renamed", 2): second_renamed}
CODEC = EventCodec({"gauged": Gauged, "renamed": Renamed}, STEPS)

# Whole minutes, as ISO 8601 writes them: pydantic drops the seconds of a historical local mean time.
offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))

gauged = st.builds(
    Gauged,
    at=st.datetimes(timezones=offsets),
    text=st.text(),
    places=st.lists(st.builds(Place, code=st.text(), share=st.floats(allow_nan=False))).map(tuple),
    levels=st.frozensets(st.integers(0, 4)),
    note=st.none() | st.text(),
)


@given(event=gauged)
def test_an_event_comes_back_equal_and_with_its_offset(event: Gauged) -> None:
    stored = CODEC.stored(NewEvent(stream_id=STREAM, version=1, event=event))
    again = CODEC.event(stored.topic, stored.state)
    assert again == event
    assert again.at.utcoffset() == event.at.utcoffset()


def test_a_figure_that_is_none_survives() -> None:
    event = Gauged(at=AT, text="", places=(Place(code="110101", share=math.nan),), levels=frozenset())
    stored = CODEC.stored(NewEvent(stream_id=STREAM, version=1, event=event))
    again = CODEC.event(stored.topic, stored.state)
    assert isinstance(again, Gauged)
    assert math.isnan(again.places[0].share)


def test_a_row_carries_stream_version_and_the_topic_with_its_version() -> None:
    event = Renamed(at=AT, headline="大风", language="zh-CN")
    stored = CODEC.stored(NewEvent(stream_id=STREAM, version=4, event=event))
    assert (stored.originator_id, stored.originator_version, stored.topic) == (STREAM, 4, "renamed:3")
    assert stored.state == '{"at":"2026-07-01T00:00:00Z","headline":"大风","language":"zh-CN"}'.encode()


@pytest.mark.parametrize(
    ("topic", "state"),
    [
        ("renamed:1", '{"at":"2026-07-01T00:00:00Z","title":"大风"}'),
        ("renamed:2", '{"at":"2026-07-01T00:00:00Z","headline":"大风"}'),
        ("renamed:3", '{"at":"2026-07-01T00:00:00Z","headline":"大风","language":"zh-CN"}'),
    ],
)
def test_every_version_ever_written_is_read_as_the_present_one(topic: str, state: str) -> None:
    assert CODEC.event(topic, state.encode()) == Renamed(at=AT, headline="大风", language="zh-CN")


@pytest.mark.parametrize("topic", ["lost:1", "lost", "", "gauged-too:1"])
def test_an_unknown_topic_is_named(topic: str) -> None:
    with pytest.raises(UnknownEventTypeError, match=f"stored topic {topic}$"):
        CODEC.event(topic, b"{}")


@pytest.mark.parametrize("topic", ["renamed:4", "renamed:0", "renamed:x", "renamed:03"])
def test_an_unknown_version_is_named_with_the_one_that_is_known(topic: str) -> None:
    with pytest.raises(UnknownEventVersionError, match=r"renamed is known up to version 3"):
        CODEC.event(topic, b"{}")


def test_a_class_that_is_not_registered_is_not_written() -> None:
    class Stray(Event):
        TOPIC = "gauged"

    with pytest.raises(UnknownEventTypeError, match="Stray"):
        CODEC.stored(NewEvent(stream_id=STREAM, version=1, event=Stray(at=AT)))


@pytest.mark.parametrize("state", [b"", b"{}", b"[]", b"\xff", b'{"at":1', b'{"at":"2026-07-01T00:00:00"}'])
@pytest.mark.parametrize("topic", ["gauged:1", "renamed:3", "renamed:2", "renamed:1"])
def test_bytes_that_are_no_such_event_are_named(topic: str, state: bytes) -> None:
    with pytest.raises(UnreadableEventError, match=topic):
        CODEC.event(topic, state)


def test_a_missing_step_between_versions_is_found_at_the_start() -> None:
    with pytest.raises(UnknownEventVersionError, match="renamed:1"):
        EventCodec({"renamed": Renamed}, {("renamed", 2): second_renamed})


@pytest.mark.parametrize("key", [("renamed", 3), ("renamed", 0), ("gone", 1)])
def test_a_step_that_leads_nowhere_is_found_at_the_start(key: tuple[str, int]) -> None:
    with pytest.raises(UnknownEventVersionError, match=f"{key[0]}:{key[1]}"):
        EventCodec({"renamed": Renamed}, {**STEPS, key: second_renamed})


def test_a_class_under_another_name_than_its_topic_is_found_at_the_start() -> None:
    with pytest.raises(UnknownEventTypeError, match="gauged"):
        EventCodec({"measured": Gauged}, {})


def test_every_event_of_the_domain_has_a_way_to_be_read() -> None:
    EventCodec(EVENT_TYPES)
