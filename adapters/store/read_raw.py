"""Stored events as they lie in the database, for readers that look at a part of their JSON only.

Most of a rebuild would otherwise be the building of objects that no projection asks for. Knows no database.
"""

from collections.abc import Iterable, Sequence

from adapters.store.codec import EventCodec
from domain.events import EVENT_TYPES

RawRow = tuple[int, str, bytes]
"""Position, stored topic and JSON of an event."""


def passed_over(topics: frozenset[str]) -> Sequence[str]:
    """The stored topics that this program knows and a reader of these topics does not ask for."""
    return [
        f"{topic}:{version}"
        for topic, kind in EVENT_TYPES.items()
        if topic not in topics
        for version in range(1, kind.VERSION + 1)
    ]


def present_states(
    rows: Iterable[RawRow], codec: EventCodec, topics: frozenset[str]
) -> Sequence[tuple[int, str, bytes]]:
    """(position, topic, JSON of the present version) of these rows; see `projections.follow.RawLog`.

    The rows are those that are left when `passed_over` ones are: an event that this program does not know is an error
    here as everywhere.

    Raises:
        CodecError: an event is unknown, or of an unknown version, or unreadable and not of the present version.
    """
    present = {f"{topic}:{kind.VERSION}": topic for topic, kind in EVENT_TYPES.items() if topic in topics}
    found: list[tuple[int, str, bytes]] = []
    for position, stored_topic, state in rows:
        topic = present.get(stored_topic)
        if topic is None:
            event = codec.event(stored_topic, state)
            found.append((position, event.TOPIC, event.model_dump_json().encode()))
        else:
            found.append((position, topic, state))
    return found
