"""Build docs/asyncapi.yaml, the AsyncAPI 3.0 document of every topic, from declarations and the classes of events.

Usage: python -m scripts.asyncapi.build docs/asyncapi.yaml

The same code gives the same bytes. What is said of topics is here; what their records hold is in `records.py`.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from adapters.cluster.relaying import CLIENT
from adapters.settings import KafkaSettings
from domain.event import Event
from domain.events import ContributionsChanged, EventParked, MessageRejected, WarningReleased
from domain.messages import Mode
from domain.telling_events import DeliveriesRecorded
from scripts.asyncapi.records import DESCRIBED, JsonSchema, mode_name, record_name, reference, schemas
from streams.kafka_brokers import Brokers
from streams.kafka_topics import AGENCY_MESSAGES, Subject, Topic, TopicNames, declared

BINDING: Final = "0.5.0"
VERSION: Final = "1.0.0"
"""Of the form of records, not of the outlet."""

HEAD: Final = "# Made by `python -m scripts.asyncapi.build docs/asyncapi.yaml`: change that and make it anew.\n"

CLOUD_EVENT: Final = "application/cloudevents+json"
ANY_EVENT: Final = "event"
DRILL: Final = "drill."

DEFAULT_PARTITIONS: Final = KafkaSettings(Brokers("localhost:9092")).partitions

INTRODUCTION: Final = """\
What an outlet carries by Kafka, for those who send to it and those who read. docs/kafka.md tells how.

Records of a key come in the order of the event log, and may come again: whoever has seen a `sequence` of a key passes
over that one and all below it. Drills have topics of their own. A later release may add fields and types of events; a
field that you do not know, pass over. A version of a release that you do not know is a warning that you cannot read:
let your people know.
"""


class Words(NamedTuple):
    """What is said of a topic, and which messages it carries."""

    summary: str
    key: str
    messages: Sequence[str]
    read_by_workers: bool = False


BY_DISTRICT: Final = "The district's code."

SAID: Final[Mapping[str, Words]] = {
    Subject.CONTRIBUTIONS: Words(
        "What agencies' chains of messages say of each district now. Of an event that concerns several districts, each "
        "gets a record with its own part.",
        BY_DISTRICT,
        [ContributionsChanged.TOPIC],
        read_by_workers=True,
    ),
    Subject.RELEASES: Words(
        "Every release of every district's warning.", BY_DISTRICT, [WarningReleased.TOPIC], read_by_workers=True
    ),
    Subject.WARNINGS: Words(
        "The newest release of each district: read from the beginning, it is the state of all districts. A district in "
        "which nothing is in force any more has a release without sections.",
        BY_DISTRICT,
        [WarningReleased.TOPIC],
    ),
    Subject.EVENTS: Words(
        "Every event of the outlet, whole.",
        "The district's code, else the agency's id, else the stream's.",
        [ANY_EVENT],
    ),
    Subject.DELIVERIES: Words(
        "What became of what was sent to people, by opaque numbers.", "The stream's id.", [DeliveriesRecorded.TOPIC]
    ),
    Subject.PARKED: Words(
        "What could not be taken: refused messages, and what a stage could not process. Neither has a mode, and so "
        "there is no such topic of drills.",
        "The agency's id, else the stream's.",
        [MessageRejected.TOPIC, EventParked.TOPIC],
    ),
}

AGENCY_SUMMARY: Final = (
    "Where an agency produces its messages, and nobody else may: who speaks is known by the topic alone. They are "
    "taken in in the order of the topic's one partition; the same message again changes nothing."
)

AGENCY_FORMS: Final[Mapping[str, tuple[str, str, JsonSchema]]] = {
    "cap": ("CAP 1.2, 1.1 or 1.0, also within EDXL-DE", "application/cap+xml", {"type": "string"}),
    "cn12379": ("12379 XML, also as a zip of one", "text/xml", {"type": "string"}),
    "cap-json": (
        "CAP as JSON, in the form of /openapi.json",
        "application/json",
        {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}, "maxItems": 1000}]},
    ),
}
"""Of these none is named by the sender: which one it is, is looked at, as for HTTP without a content type."""

PARAMETERS: Final[Mapping[str, JsonSchema]] = {
    "prefix": {"description": "OUTLET_KAFKA_TOPIC_PREFIX of the outlet.", "default": TopicNames().prefix},
    "agency": {"description": "The agency's id in the outlet's policy.", "examples": ["water"]},
}


def document() -> JsonSchema:
    """The whole document."""
    channels = dict(_channel(topic) for topic in declared(TopicNames("PREFIX"), ["AGENCY"]))
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "single-outlet over Kafka", "version": VERSION, "description": INTRODUCTION},
        "defaultContentType": CLOUD_EVENT,
        "servers": {
            "kafka": {
                "host": "{servers}",
                "protocol": "kafka",
                "description": "Over TLS or with SASL, where the operator says so.",
                "variables": {
                    "servers": {"default": "localhost:9092", "description": "Host and port, as told to you."}
                },
            }
        },
        "channels": channels,
        "operations": _operations(channels),
        "components": {"messages": _messages(), "parameters": dict(PARAMETERS), "schemas": dict(schemas())},
    }


def _channel(topic: Topic) -> tuple[str, JsonSchema]:
    """Its name in the document, and what is said of it."""
    address = topic.name.replace("PREFIX", "{prefix}").replace("AGENCY", "{agency}")
    if AGENCY_MESSAGES in address:
        name, summary, parameters = AGENCY_MESSAGES, AGENCY_SUMMARY, ["prefix", "agency"]
        messages = [f"{AGENCY_MESSAGES}.{form}" for form in AGENCY_FORMS]
    else:
        name = address.removeprefix("{prefix}.")
        said, drill = _said_of(name)
        summary, parameters = f"Of drills alone: {said.summary}" if drill else said.summary, ["prefix"]
        messages = [drill + message for message in said.messages]
    described = "" if topic.partitions else "OUTLET_KAFKA_PARTITIONS says into how many partitions it is divided."
    return name, {
        "address": address,
        "summary": summary,
        **({"description": described} if described else {}),
        "parameters": {each: {"$ref": f"#/components/parameters/{each}"} for each in parameters},
        "messages": {each.removeprefix(DRILL): {"$ref": f"#/components/messages/{each}"} for each in messages},
        "bindings": {
            "kafka": {
                "partitions": topic.partitions or DEFAULT_PARTITIONS,
                "topicConfiguration": {key: _typed(key, value) for key, value in topic.settings.items()},
                "bindingVersion": BINDING,
            }
        },
    }


def _said_of(channel: str) -> tuple[Words, str]:
    drill = DRILL if channel.startswith(DRILL) else ""
    return SAID[channel.removeprefix(DRILL)], drill


def _typed(setting: str, value: str) -> object:
    """The value of a topic's setting as AsyncAPI's binding wants it."""
    if setting == "cleanup.policy":
        return value.split(",")
    number = yaml.safe_load(value)
    return number if isinstance(number, int | float) and str(number) == value else value


def _operations(channels: Mapping[str, JsonSchema]) -> JsonSchema:
    """Who sends and receives, as seen from the outlet."""
    operations: JsonSchema = {}
    for name in channels:
        channel = {"$ref": f"#/channels/{name}"}
        by_worker = {"kafka": {"groupId": {"type": "string", "pattern": "-worker$"}, "bindingVersion": BINDING}}
        if name == AGENCY_MESSAGES:
            told = "The outlet's workers take in what an agency has produced."
            operations[f"receive.{name}"] = _operation("receive", channel, told, by_worker)
            continue
        said, _ = _said_of(name)
        by_relay = {"kafka": {"clientId": {"type": "string", "const": CLIENT}, "bindingVersion": BINDING}}
        told = "The outlet's relay produces what was recorded, in its order; everybody else reads."
        operations[f"send.{name}"] = _operation("send", channel, told, by_relay)
        if said.read_by_workers:
            told = "The outlet's workers run their stages on it."
            operations[f"receive.{name}"] = _operation("receive", channel, told, by_worker)
    return operations


def _operation(action: str, channel: JsonSchema, summary: str, bindings: JsonSchema) -> JsonSchema:
    return {"action": action, "channel": channel, "summary": summary, "bindings": bindings}


def _messages() -> JsonSchema:
    keys = {message: said.key for said in SAID.values() for message in said.messages}
    keys |= {MessageRejected.TOPIC: "The agency's id.", EventParked.TOPIC: "The stream's id."}
    messages: JsonSchema = {}
    for mode in Mode:
        drill = DRILL if mode is Mode.DRILL else ""
        for event in DESCRIBED:
            if drill and event in {MessageRejected, EventParked}:  # they have no mode
                continue
            messages[drill + event.TOPIC] = _message(event.TOPIC, keys[event.TOPIC], mode, record_name(event), event)
        messages[drill + ANY_EVENT] = _message(ANY_EVENT, keys[ANY_EVENT], mode, "EventRecord", None)
    for form, (title, content_type, payload) in AGENCY_FORMS.items():
        messages[f"{AGENCY_MESSAGES}.{form}"] = {
            "name": form,
            "title": title,
            "contentType": content_type,
            "payload": payload,
            "bindings": _keyed("Not looked at; leave it out."),
        }
    return messages


def _message(name: str, key: str, mode: Mode, record: str, event: type[Event] | None) -> JsonSchema:
    told = "Any event" if event is None else (event.__doc__ or "").split("\n", 1)[0].rstrip(".")
    return {
        "name": name,
        "title": f"{told}, in a drill" if mode is Mode.DRILL else told,
        "contentType": CLOUD_EVENT,
        "payload": {"allOf": [reference("CloudEvent"), reference(mode_name(mode)), reference(record)]},
        "bindings": _keyed(key),
    }


def _keyed(description: str) -> JsonSchema:
    return {"kafka": {"key": {"type": "string", "description": description}, "bindingVersion": BINDING}}


class _Writer(yaml.SafeDumper):  # type: ignore[misc]  # it has no types
    """YAML without anchors, whose texts of several lines are blocks."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 -- the library's signature
        return True


def _text(writer: _Writer, text: str) -> Any:  # noqa: ANN401 -- a node of the library's
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Writer.add_representer(str, _text)


def written(content: JsonSchema) -> str:
    """The document as it lies in docs/."""
    return HEAD + str(yaml.dump(content, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=110))


def main() -> int:
    """Write the document."""
    parser = argparse.ArgumentParser(description="Build the AsyncAPI document of the outlet's topics.")
    parser.add_argument("target", type=Path, help="the .yaml to write")
    target = parser.parse_args().target
    content = document()
    target.write_text(written(content), encoding="utf-8")
    sys.stdout.write(f"{len(content['channels'])} channels, {len(content['operations'])} operations\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
