"""Events to stored rows and back: JSON by pydantic's compiled code, with a version of our own in the topic.

A stored topic reads `message-accepted:1`. The library's mapper is not used, and so neither are its transcoder and
its upcasting: an event of an older version passes through UPCASTERS here, one step at a time.
What does not belong here: SQL, and anything about what an event says.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from eventsourcing.persistence import StoredEvent

from adapters.store.errors import UnknownEventTypeError, UnknownEventVersionError, UnreadableEventError
from domain.event import Event
from domain.events import EVENT_TYPES
from domain.ports import NewEvent

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""From the fields of one version to the fields of the next."""

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}
"""(topic, version) -> the step to version + 1. A step, once released, is never removed."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a stored topic is read: the class, and the steps that lead to its present version."""

    event_type: type[Event]
    steps: tuple[Upcaster, ...]

    def event(self, state: bytes) -> Event:
        if self.steps:
            fields = json.loads(state)
            if not isinstance(fields, dict):
                raise ValueError("the fields are not a JSON object")
            for step in self.steps:
                fields = step(fields)
            state = json.dumps(fields, ensure_ascii=False).encode()
        return cast(Event, self.event_type.__pydantic_validator__.validate_json(state))


class EventCodec:
    """Writes events in their present version and reads every version that was ever written.

    Raises:
        UnknownEventTypeError: on construction, when a class is registered under another name than its TOPIC.
        UnknownEventVersionError: on construction, when an upcaster is missing between version 1 and the present
            one, or stands where no version is. A gap is found at the start, not at the first old event.
    """

    def __init__(
        self,
        event_types: Mapping[str, type[Event]] = EVENT_TYPES,
        upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
    ) -> None:
        self._topics: dict[type[Event], str] = {}
        self._readings: dict[str, _Reading] = {}
        for topic, event_type in event_types.items():
            if topic != event_type.TOPIC:
                raise UnknownEventTypeError(f"{event_type.__name__} has the topic {event_type.TOPIC}, not {topic}")
            self._topics[event_type] = f"{topic}:{event_type.VERSION}"
            steps: tuple[Upcaster, ...] = ()
            self._readings[f"{topic}:{event_type.VERSION}"] = _Reading(event_type, steps)
            for version in range(event_type.VERSION - 1, 0, -1):
                if (topic, version) not in upcasters:
                    raise UnknownEventVersionError(f"no upcaster leads on from {topic}:{version}")
                steps = (upcasters[topic, version], *steps)
                self._readings[f"{topic}:{version}"] = _Reading(event_type, steps)
        for topic, version in upcasters:
            if f"{topic}:{version}" not in self._readings or f"{topic}:{version + 1}" not in self._readings:
                raise UnknownEventVersionError(f"an upcaster leads on from {topic}:{version}, which is not read")

    def stored(self, new: NewEvent) -> StoredEvent:
        """The row that keeps this event.

        Raises:
            UnknownEventTypeError: its class is not registered.
        """
        topic, state = self.written(new.event)
        return StoredEvent(
            originator_id=new.stream_id,
            originator_version=new.version,
            topic=topic,
            state=state,
        )

    def written(self, event: Event) -> tuple[str, bytes]:
        """The stored topic and the bytes of this event.

        Raises:
            UnknownEventTypeError: its class is not registered.
        """
        topic = self._topics.get(type(event))
        if topic is None:
            raise UnknownEventTypeError(f"{type(event).__name__} is not a registered event")
        return topic, event.__pydantic_serializer__.to_json(event)

    def event(self, topic: str, state: bytes) -> Event:
        """The event that was stored under this topic, brought to its present version.

        Raises:
            UnknownEventTypeError: no class is registered for the topic.
            UnknownEventVersionError: the topic is known, this version of it is not.
            UnreadableEventError: the bytes are not such an event.
        """
        reading = self._readings.get(topic)
        if reading is None:
            raise self._unknown(topic)
        try:
            return reading.event(state)
        except (ValueError, LookupError, TypeError) as error:
            # Pydantic's and json's errors are ValueErrors; the others come from a step that misses a field.
            raise UnreadableEventError(f"stored bytes are not an event {topic}: {error}") from error

    def others(self, topics: frozenset[str]) -> Sequence[str]:
        """Every stored topic that is known and is of none of these: what a reader of these may pass over."""
        return [stored for stored in self._readings if stored.rpartition(":")[0] not in topics]

    def _unknown(self, stored_topic: str) -> UnknownEventTypeError | UnknownEventVersionError:
        topic, _, version = stored_topic.rpartition(":")
        for event_type in self._topics:
            if topic == event_type.TOPIC:
                return UnknownEventVersionError(
                    f"{topic} is known up to version {event_type.VERSION}, the log holds version {version}"
                )
        return UnknownEventTypeError(f"no event is registered for the stored topic {stored_topic}")
