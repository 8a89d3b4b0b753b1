"""docs/asyncapi.yaml: it is AsyncAPI, it says of every topic what is declared, and every record is as it says.

Records are the relay's own, of events that a platform recorded; nothing here needs a broker.
"""

import difflib
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import jsonschema_rs
import pytest
import yaml

from adapters.clocks import ManualClock
from adapters.settings import KafkaSettings, Settings
from adapters.store.codec import EventCodec
from adapters.wiring import Platform, build
from domain.drill_events import DrillStarted
from domain.event import Event
from domain.events import EVENT_TYPES
from domain.messages import Mode
from domain.outlet import Command, OutletState, decide, stream_id_of
from domain.policy import Policy
from domain.recipients import ChannelKind
from domain.telling_events import DeliveriesRecorded, DeliveryRecorded
from scripts.asyncapi import build as build_script
from streams import kafka_records
from streams.kafka_brokers import Brokers
from streams.kafka_relay import Outgoing, Relay
from streams.kafka_topics import TopicNames, declared
from tests.conftest import PROJECT
from tests.streams.asyncapi_specs import asyncapi_schema
from tests.streams.conftest import Desk
from tests.streams.messages import START, cap

DOCUMENT = PROJECT / "docs" / "asyncapi.yaml"
NAMES = TopicNames("test")
SOURCE = "urn:single-outlet:test"
AGENCIES = ["water", "meteorology"]

DESCRIBED = {
    "contributions": {"contributions-changed"},
    "releases": {"warning-released"},
    "warnings": {"warning-released"},
    "deliveries": {"deliveries-recorded"},
    "parked": {"message-rejected", "event-parked"},
}
"""The topics with data that are described, and the kinds of their events."""


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))


class Described:
    """The document as readers of records use it."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self._validators: dict[tuple[str, str], Any] = {}

    def channel(self, topic: str) -> str:
        """The name of a topic's channel."""
        return topic.removeprefix(f"{NAMES.prefix}.")

    def is_valid(self, topic: str, value: bytes) -> bool:
        """Whether a record is as one of the topic's messages says."""
        return any(validator.is_valid(json.loads(value)) for validator in self._of(topic))

    def why_not(self, topic: str, value: bytes) -> list[str]:
        """What is wrong with it by each message of the topic."""
        record = json.loads(value)
        return [str(error) for validator in self._of(topic) for error in validator.iter_errors(record)]

    def _of(self, topic: str) -> Iterator[Any]:
        for name, message in self.document["channels"][self.channel(topic)]["messages"].items():
            if (topic, name) not in self._validators:
                schema = {
                    **resolved(self.document, message["$ref"])["payload"],
                    "components": self.document["components"],
                }
                self._validators[topic, name] = jsonschema_rs.Draft7Validator(schema, validate_formats=True)
            yield self._validators[topic, name]


@pytest.fixture(scope="module")
def described(document: Any) -> Described:
    return Described(document)


def resolved(document: Any, reference: str) -> Any:
    found = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


# --- the document ---------------------------------------------------------------------------------------------


def test_the_file_is_what_the_script_makes_of_topics_and_events_as_they_are() -> None:
    lies, made = DOCUMENT.read_text(encoding="utf-8"), build_script.written(build_script.document())
    difference = difflib.unified_diff(
        lies.splitlines(), made.splitlines(), "docs/asyncapi.yaml", "made anew", lineterm=""
    )
    assert lies == made, "\n".join(difference)


def test_it_is_asyncapi(document: Any) -> None:
    jsonschema_rs.validator_for(asyncapi_schema()).validate(document)


def test_every_reference_leads_somewhere_and_every_part_is_referred_to(document: Any) -> None:
    references = set(_references(document))
    for reference in references:
        resolved(document, reference)
    parts = {f"#/components/{kind}/{name}" for kind, named in document["components"].items() for name in named}
    assert parts <= references
    assert {f"#/channels/{name}" for name in document["channels"]} <= references


def _references(part: Any) -> Iterator[str]:
    match part:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for one in part.values():
                yield from _references(one)
        case list():
            for one in part:
                yield from _references(one)


def test_every_declared_topic_has_a_channel_with_its_partitions_and_settings_and_no_other_has(document: Any) -> None:
    default = KafkaSettings(Brokers("localhost:9092")).partitions
    said = {
        channel["address"].format(prefix="test", agency="water"): channel["bindings"]["kafka"]
        for channel in document["channels"].values()
    }
    assert {
        name: (binding["partitions"], {key: _setting(value) for key, value in binding["topicConfiguration"].items()})
        for name, binding in said.items()
    } == {topic.name: (topic.partitions or default, dict(topic.settings)) for topic in declared(NAMES, AGENCIES[:1])}


def _setting(value: Any) -> str:
    """A setting as Kafka takes it."""
    return ",".join(value) if isinstance(value, list) else str(value)


def test_the_page_for_people_names_every_topic_too() -> None:
    page = (PROJECT / "docs" / "kafka.md").read_text(encoding="utf-8")
    named = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `outlet.")}
    live = {topic.name for topic in declared(TopicNames(), ["<agency>"]) if ".drill." not in topic.name}
    assert named == live


def test_events_are_of_every_kind_that_can_be_recorded(document: Any) -> None:
    types = document["components"]["schemas"]["EventRecord"]["properties"]["type"]["enum"]
    assert sorted(types) == sorted(f"single-outlet.{kind.TOPIC}.v{kind.VERSION}" for kind in EVENT_TYPES.values())


# --- records --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A log that holds every kind of event whose data are described, live and in a drill."""
    folder = tmp_path_factory.mktemp("records")
    with (
        pytest.MonkeyPatch.context() as patch,
        build(Settings(data_dir=folder, policy="shaoxing"), clock=ManualClock(START)) as platform,
    ):
        desk = Desk(platform)
        for status in ("Actual", "Exercise"):
            both = ("330602", "330604")
            desk.deliver(cap(f"a-{status}", status=status, level="orange", codes=both))
            desk.deliver(cap(f"b-{status}", status=status, agency="water", hazard="11A51", level="red", codes=both))
            desk.deliver(cap(f"c-{status}", status=status, kind="Cancel", minutes=1, references=((f"a-{status}", 0),)))
        desk.deliver(b"<alert")
        patch.setattr("streams.district.decide", _fails_for_one_district)
        desk.deliver(cap("d", codes=("330681",)))
        for mode in Mode:
            platform.runner.record(stream_id_of("test", mode.value), _deliveries(mode))
        platform.runner.record(stream_id_of("test"), DrillStarted(at=START, drill="d", title="演练", by="officer"))
        yield platform


def _fails_for_one_district(state: OutletState, command: Command, *, policy: Policy, now: datetime) -> list[Event]:
    if state.district == "330681":
        raise RuntimeError("planted")
    return decide(state, command, policy=policy, now=now)


def _deliveries(mode: Mode) -> DeliveriesRecorded:
    row = DeliveryRecorded(planned=1, number=7, channel=ChannelKind.SMS, route="spool", state="accepted", at=START)
    return DeliveriesRecorded(at=START, mode=mode, deliveries=(row,))


def records_of(platform: Platform) -> list[Outgoing]:
    """Every record of the log; the relay is never asked for a producer."""
    relay = Relay(events=platform.log, forms=EventCodec(), producer=_none, names=NAMES, source=SOURCE)
    return [outgoing for recorded in platform.log.read() for outgoing in relay.records_of(recorded)]


def _none() -> Any:
    raise AssertionError("nothing is produced here")


@pytest.fixture(scope="module")
def records(platform: Platform) -> list[Outgoing]:
    return records_of(platform)


def kind_of(record: Outgoing) -> str:
    return str(json.loads(record.value)["type"].removeprefix("single-outlet.").rpartition(".v")[0])


def test_every_record_is_as_its_topic_says_and_its_key_is_its_subject(
    records: list[Outgoing], described: Described
) -> None:
    wrong = [(one, described.why_not(one.topic, one.value)) for one in records if not is_valid(described, one)]
    assert wrong == []
    assert all(json.loads(one.value)["subject"].encode() == one.key for one in records)


def is_valid(described: Described, record: Outgoing) -> bool:
    return described.is_valid(record.topic, record.value)


def test_each_kind_of_event_that_is_described_was_among_them_live_and_in_a_drill(records: list[Outgoing]) -> None:
    for subject, kinds in DESCRIBED.items():
        assert {kind_of(one) for one in records if one.topic == f"test.{subject}"} == kinds
        # What was refused or parked has no mode.
        in_a_drill = set() if subject == "parked" else kinds
        assert {kind_of(one) for one in records if one.topic == f"test.drill.{subject}"} == in_a_drill


def test_a_record_of_a_drill_is_refused_in_the_live_topic_and_the_other_way_round(
    records: list[Outgoing], described: Described
) -> None:
    for one in records:
        drill, live = f"{NAMES.prefix}.drill.", f"{NAMES.prefix}."
        other = one.topic.replace(drill, live) if one.topic.startswith(drill) else one.topic.replace(live, drill)
        if described.channel(other) == "drill.parked":  # there is none
            continue
        assert not described.is_valid(other, one.value), one


Record = dict[str, Any]


def _without(name: str) -> Callable[[Record], object]:
    return lambda record: record.pop(name)


def _with(name: str, value: object) -> Callable[[Record], object]:
    return lambda record: record.update({name: value})


def _data_with(name: str, value: object) -> Callable[[Record], object]:
    return lambda record: record["data"].update({name: value})


ALTERATIONS: dict[str, Callable[[Record], object]] = {
    **{f"no {name}": _without(name) for name in ("specversion", "id", "source", "type", "subject", "time", "data")},
    **{f"no {name}": _without(name) for name in ("sequence", "streamid", "streamversion", "mode")},
    "another version of CloudEvents": _with("specversion", "0.3"),
    "another system": _with("source", "https://example.org"),
    "another kind": _with("type", "single-outlet.policy-adopted.v1"),
    "another version": _with("type", "single-outlet.warning-released.v99"),
    "a number": _with("sequence", 7),
    "a position that is none": _with("previous", "-1"),
    "a time without a zone": _with("time", "2022-09-13T08:00:00"),
    "nothing": _with("data", None),
    "a text": _with("data", "released"),
    "data and where they are": _with("dataref", "urn:single-outlet:test/events/1"),
    "no time of the event": lambda record: record["data"].pop("at"),
    "a time that is none": _data_with("at", "today"),
    "data of the other mode": lambda record: record["data"].update(
        mode="live" if record["mode"] == "drill" else "drill"
    ),
}


@pytest.mark.parametrize("alter", ALTERATIONS.values(), ids=ALTERATIONS)
def test_an_altered_record_is_refused(
    records: list[Outgoing], described: Described, alter: Callable[[Record], object]
) -> None:
    for one in records:
        if described.channel(one.topic).removeprefix("drill.") in DESCRIBED:
            record = json.loads(one.value)
            alter(record)
            assert not described.is_valid(one.topic, json.dumps(record).encode()), record


def test_a_level_that_is_none_is_refused_wherever_it_stands(records: list[Outgoing], described: Described) -> None:
    altered = [one._replace(value=one.value.replace(b'"level":"red"', b'"level":"purple"')) for one in records]
    altered = [after for before, after in zip(records, altered, strict=True) if before != after]
    assert {described.channel(one.topic) for one in altered} >= {"contributions", "warnings", "drill.releases"}
    assert not [one for one in altered if not one.topic.endswith("events") and is_valid(described, one)]


def test_records_of_earlier_and_later_releases_are_as_the_document_says(
    records: list[Outgoing], described: Described
) -> None:
    [*_, one] = [one for one in records if one.topic == "test.warnings"]
    record = json.loads(one.value)
    del record["data"]["cause"]  # it has a default, so an event may be older than the field
    record["data"]["added_later"] = record["addedlater"] = "something"
    assert described.why_not(one.topic, json.dumps(record).encode()) == []


def test_a_record_whose_data_are_too_large_names_their_position_and_is_as_the_document_says(
    platform: Platform, described: Described, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_records, "LARGEST_RECORD_BYTES", kafka_records.OVERHEAD_BYTES)
    for one in records_of(platform):
        record = json.loads(one.value)
        assert (record["dataref"], record["data"]) == (f"{SOURCE}/events/{record['sequence']}", None)
        assert is_valid(described, one), described.why_not(one.topic, one.value)
