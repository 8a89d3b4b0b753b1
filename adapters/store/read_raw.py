"""Stored events as they lie in SQLite, for readers that look at a part of their JSON only.

Most of a rebuild would otherwise be the building of objects that no projection asks for.
"""

import json
from collections.abc import Sequence
from sqlite3 import Connection

from adapters.store.codec import EventCodec
from domain.events import EVENT_TYPES

STATES = """
    SELECT rowid, topic, state FROM stored_events
    WHERE rowid > ? AND rowid <= ? AND topic NOT IN (SELECT value FROM json_each(?)) ORDER BY rowid
"""


def read_raw(
    reader: Connection, codec: EventCodec, *, after: int, until: int, topics: frozenset[str]
) -> Sequence[tuple[int, str, bytes]]:
    """(position, topic, JSON of the present version) of the events of these topics; see `projections.follow.RawLog`.

    Events that this program knows and nobody asks for are passed over; one that it does not know is an error here
    as everywhere.

    Raises:
        CodecError: an event is unknown, or of an unknown version, or unreadable and not of the present version.
    """
    present = {f"{topic}:{kind.VERSION}": topic for topic, kind in EVENT_TYPES.items() if topic in topics}
    passed = [
        f"{topic}:{version}"
        for topic, kind in EVENT_TYPES.items()
        if topic not in topics
        for version in range(1, kind.VERSION + 1)
    ]
    rows = reader.execute(STATES, (after, until, json.dumps(passed))).fetchall()
    found: list[tuple[int, str, bytes]] = []
    for position, stored_topic, state in rows:
        topic = present.get(stored_topic)
        if topic is None:
            event = codec.event(stored_topic, state)
            found.append((position, event.TOPIC, event.model_dump_json().encode()))
        else:
            found.append((position, topic, state))
    return found
