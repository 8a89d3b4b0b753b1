"""Promise 7 for single facts: every recorded event survives JSON unchanged, and stays in its own stream."""

import types
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from domain.areas import Circle
from domain.chains import ListedItem
from domain.contributions import MessageKey
from domain.event import Event
from domain.events import EVENT_TYPES, ContributionEnded, EndReason, PolicyAdopted, ReleaseScheduled
from domain.messages import Mode
from domain.outlet import OutletState, Record, decide, evolve, stream_id_of
from domain.values import has_a_zone
from tests.domain.builders import RAIN, SHENGZHOU, SKY, START, YUECHENG, World, info, message, policy_with

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(min_value=datetime(1900, 1, 2), max_value=datetime(2999, 1, 1), timezones=zones)  # noqa: DTZ001 -- hypothesis adds the zone
SIMPLE: dict[object, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    datetime: moments,
    types.NoneType: st.none(),
    UUID: st.uuids(),
}


def anything(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of an annotated field, nested values included."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in SIMPLE:
        return SIMPLE[kind]
    if origin is Annotated:
        return anything(arguments[0])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in {types.UnionType, Union}:
        return st.one_of([anything(argument) for argument in arguments])
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(anything(arguments[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(anything, arguments))
    if origin is Mapping:
        return st.dictionaries(anything(arguments[0]), anything(arguments[1]), max_size=2)
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    assert issubclass(kind, BaseModel), kind
    fields = {name: anything(field.annotation) for name, field in kind.model_fields.items()}
    return st.builds(kind, **fields)


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=str)
def test_every_event_survives_json_unchanged(kind: type[Event]) -> None:
    @settings(max_examples=max(5, settings().max_examples // 5))
    @given(event=st.deferred(lambda: anything(kind)))
    def survives(event: Event) -> None:
        written = event.model_dump_json()
        read = kind.model_validate_json(written)
        assert read == event
        assert read.model_dump_json() == written

    survives()


def test_topics_are_distinct_and_every_event_has_a_version() -> None:
    assert all(topic == kind.TOPIC and kind.VERSION >= 1 for topic, kind in EVENT_TYPES.items())

    def kinds_below(kind: type[Event]) -> set[type[Event]]:
        return {kind, *(found for below in kind.__subclasses__() for found in kinds_below(below))}

    ours = {kind for kind in kinds_below(Event) - {Event} if kind.__module__.startswith("domain.")}
    assert ours == set(EVENT_TYPES.values())


def test_an_event_is_frozen_and_refuses_unknown_fields() -> None:
    event = PolicyAdopted(at=START, policy_sha256="0", text="")
    with pytest.raises(ValidationError):
        event.text = "other"  # type: ignore[misc]  # the point
    with pytest.raises(ValidationError):
        PolicyAdopted.model_validate({"at": START, "policy_sha256": "0", "text": "", "more": 1})


def test_a_time_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        has_a_zone(datetime(2022, 9, 13))  # noqa: DTZ001 -- the point
    with pytest.raises(ValueError, match="whole minutes"):
        has_a_zone(datetime(1900, 1, 1, tzinfo=timezone(timedelta(seconds=29143))))
    assert has_a_zone(START) is START


def test_a_districts_state_takes_only_its_own_streams_events() -> None:
    state = OutletState(district=YUECHENG, mode=Mode.LIVE)
    foreign = ReleaseScheduled(at=START, district=SHENGZHOU, mode=Mode.LIVE, revision=1, due=START)
    drill = foreign.model_copy(update={"district": YUECHENG, "mode": Mode.DRILL})
    for event in (foreign, drill):
        with pytest.raises(ValueError, match="is none of"):
            evolve(state, event)
    with pytest.raises(TypeError, match="belongs to no district"):
        evolve(state, PolicyAdopted(at=START, policy_sha256="0", text=""))


def test_a_district_takes_only_contributions_about_itself() -> None:
    world = World(policy_with())
    world.send(SKY, message("a", info(RAIN)))
    (contribution,) = world.state().contributions.values()
    elsewhere = OutletState(district=SHENGZHOU, mode=Mode.LIVE)
    with pytest.raises(ValueError, match="is none about"):
        decide(elsewhere, Record(contribution), policy=world.policy, now=START)


def test_recording_the_same_again_is_no_new_fact() -> None:
    world = World(policy_with())
    world.send(SKY, message("a", info(RAIN)))
    (contribution,) = world.state().contributions.values()
    assert world.act(Record(contribution)) == []


def test_ending_what_does_not_stand_is_no_fact() -> None:
    state = OutletState(district=YUECHENG, mode=Mode.LIVE)
    event = ContributionEnded(
        at=START, district=YUECHENG, mode=Mode.LIVE, chain="x", agency=SKY, reason=EndReason.CANCELLED
    )
    assert evolve(state, event) == state


def test_ids_are_made_of_what_they_name() -> None:
    assert stream_id_of("outlet", "live", YUECHENG) == stream_id_of("outlet", "live", YUECHENG)
    assert stream_id_of("outlet", "live", YUECHENG) != stream_id_of("outlet", "drill", YUECHENG)


def test_values_are_equal_by_their_fields() -> None:
    key = MessageKey(sender="s", identifier="i", sent=START)
    assert ListedItem(message=key, digest="d") == ListedItem(message=key, digest="d")
    assert Circle(latitude=30, longitude=120, radius_km=1).radius_km == 1
