"""The JSON schemas of records: the envelope, what a mode adds to it, and the data of each kind of event by its class.

They are for readers of records that an earlier or a later release of the outlet may have produced: a field that has a
default may be missing, and one that is not named here may be there. AsyncAPI's own dialect is JSON Schema draft-07.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from domain.event import Event
from domain.events import EVENT_TYPES, ContributionsChanged, EventParked, MessageRejected, WarningReleased
from domain.messages import Mode
from domain.telling_events import DeliveriesRecorded
from streams.kafka_records import SPECVERSION, TYPE_PREFIX

JsonSchema = dict[str, Any]

DESCRIBED: Final[Sequence[type[Event]]] = (
    WarningReleased,
    ContributionsChanged,
    DeliveriesRecorded,
    EventParked,
    MessageRejected,
)
"""The events whose data are described; every other one is an object of its class in `domain/`."""

_REFERENCE: Final = "#/components/schemas/"
_POSITION: Final = "^[0-9]+$"
_SINGLE_LINE_BREAK: Final = re.compile(r"(?<!\n)\n(?!\n)")


def type_of(event: type[Event]) -> str:
    """The CloudEvents type of an event in its present version."""
    return f"{TYPE_PREFIX}{event.TOPIC}.v{event.VERSION}"


def reference(name: str) -> JsonSchema:
    """Names a schema of the document."""
    return {"$ref": f"{_REFERENCE}{name}"}


def mode_name(mode: Mode) -> str:
    """The schema of what a mode adds."""
    return f"{mode.value.capitalize()}Record"


def record_name(event: type[Event]) -> str:
    """The schema of what a kind of event adds."""
    return f"{event.__name__}Record"


def schemas() -> Mapping[str, JsonSchema]:
    """Every schema of the document by name."""
    return {
        "CloudEvent": _cloud_event(),
        **{mode_name(mode): _of_mode(mode) for mode in Mode},
        "EventRecord": _of_any_event(),
        **{record_name(event): _of_event(event) for event in DESCRIBED},
        **_data(),
    }


def _cloud_event() -> JsonSchema:
    texts = {
        "id": ("Stream, version and subject: the same whenever the record is produced again.", None),
        "source": ("The outlet.", "^urn:single-outlet:.+$"),
        "type": ("The kind of event and its version.", rf"^{re.escape(TYPE_PREFIX)}[a-z-]+\.v[0-9]+$"),
        "subject": ("What it is about, and the record's key: a district, else an agency, else a stream.", "^.+$"),
        "sequence": (
            "The position in the event log. It rises with each record of a key; repeats have the same.",
            _POSITION,
        ),
        "streamid": ("The event's stream.", "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
        "streamversion": ("The event's number within its stream.", _POSITION),
    }
    properties: JsonSchema = {"specversion": {"const": SPECVERSION}}
    for name, (description, pattern) in texts.items():
        properties[name] = {"type": "string", "description": description, **({"pattern": pattern} if pattern else {})}
    properties |= {
        "time": {"type": "string", "format": "date-time", "description": "When it was decided."},
        "mode": {"enum": [mode.value for mode in Mode], "description": "Live or drill; the topic says the same."},
        "previous": {
            "type": "string",
            "pattern": _POSITION,
            "description": "The `sequence` of the record before it with this key in this topic; missing where the "
            "relay does not know it, as after a restart.",
        },
        "dataref": {
            "type": "string",
            "description": "Stands in place of data that are too large for a record, and names their position.",
        },
        "datacontenttype": {"const": "application/json", "description": "Left out, as CloudEvents allows."},
        "data": {"type": ["object", "null"], "description": "The event; null beside `dataref` alone."},
    }
    return {
        "type": "object",
        "description": "CloudEvents 1.0 in JSON. Numbers are text, for CloudEvents has only 32 bits for them.",
        "required": ["specversion", *texts, "time", "mode", "data"],
        "properties": properties,
        "if": {"required": ["dataref"]},
        "then": {"properties": {"data": {"type": "null"}}},
        "else": {"properties": {"data": {"type": "object"}}},
    }


def _of_mode(mode: Mode) -> JsonSchema:
    """Events without a mode of their own are live."""
    said = {"properties": {"mode": {"const": mode.value}}}
    return {
        "description": f"A record of a {mode.value} topic.",
        "properties": {**said["properties"], "data": said},
    }


def _of_any_event() -> JsonSchema:
    types = [type_of(event) for event in EVENT_TYPES.values()]
    return {
        "description": "Any event of the outlet. Of a type that is not listed, take no notice.",
        "properties": {"type": {"enum": types}},
    }


def _of_event(event: type[Event]) -> JsonSchema:
    return {
        "properties": {
            "type": {"const": type_of(event)},
            "data": {"anyOf": [reference(event.__name__), {"type": "null"}]},
        }
    }


class _Untitled(GenerateJsonSchema):
    """Without titles, which would say every name a second time."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 -- the generator's signature
        return False


def _data() -> Mapping[str, JsonSchema]:
    _, found = models_json_schema(
        [(event, "serialization") for event in DESCRIBED],
        ref_template=f"{_REFERENCE}{{model}}",
        schema_generator=_Untitled,
    )
    return {name: _open(schema) for name, schema in found["$defs"].items()}


def _open(schema: Any) -> Any:  # noqa: ANN401 -- any JSON
    """The same, where fields that are not named may be there too, and sentences run on over the ends of lines."""
    match schema:
        case dict():
            return {key: _said(key, value) for key, value in schema.items() if not _narrows(key, value)}
        case list():
            return [_open(one) for one in schema]
        case _:
            return schema


def _narrows(key: str, value: object) -> bool:
    """Whether this closes an object, or names what has a name; a field may be called `title` too, and is a schema."""
    return (key == "additionalProperties" and value is False) or (key == "title" and isinstance(value, str))


def _said(key: str, value: Any) -> Any:  # noqa: ANN401 -- any JSON
    return _SINGLE_LINE_BREAK.sub(" ", value) if key == "description" and isinstance(value, str) else _open(value)
