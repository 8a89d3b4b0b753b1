"""Every topic, declared in one place: what it carries, its key, how it is divided, and how long it keeps what.

Drills have topics of their own. Whoever wants to know the present state of all districts reads `warnings` from the
beginning: it is compacted, and keeps each district's newest release.
Not here: clients of Kafka; they are in the relay, in the worker, and in the adapter that creates topics.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from domain.messages import Mode

LARGEST_RECORD_BYTES: Final = 8 * 1024 * 1024
"""Of every topic. What is larger is named by its position in the log, from which it can be asked for."""

LARGEST_MESSAGE_BYTES: Final = LARGEST_RECORD_BYTES

DAY_MILLISECONDS: Final = 24 * 3600 * 1000
_PREFIX: Final = re.compile(r"[a-zA-Z0-9._-]{1,100}")


class Subject(StrEnum):
    """What a topic carries, which is also the last part of its name."""

    CONTRIBUTIONS = "contributions"
    RELEASES = "releases"
    WARNINGS = "warnings"
    EVENTS = "events"
    DELIVERIES = "deliveries"
    PARKED = "parked"


AGENCY_MESSAGES: Final = "agency-messages"

WINDOWS: Final = "arrivals"
"""The watchers' table of what came from whom."""

WINDOWS_KEPT_SECONDS: Final = 24 * 3600
"""How long a watcher remembers a window. For ever it is counted from the log, by the read side."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is created. `partitions` 0 stands for as many as the districts are divided into."""

    name: str
    partitions: int
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopicNames:
    """The names of topics under a prefix.

    Raises:
        ValueError: the prefix cannot begin a topic's name.
    """

    prefix: str = "outlet"

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise ValueError(f"{self.prefix!r} cannot begin a topic's name: letters, digits, dots, dashes, underlines")

    def of(self, subject: Subject, mode: Mode) -> str:
        """The topic of a subject; a drill's never is that of live warnings."""
        drill = ".drill" if mode is Mode.DRILL else ""
        return f"{self.prefix}{drill}.{subject.value}"

    def both(self, subject: Subject) -> tuple[str, str]:
        """The topics of a subject, live and drill."""
        return self.of(subject, Mode.LIVE), self.of(subject, Mode.DRILL)

    def of_agency(self, agency: str) -> str:
        """Where an agency produces its messages; nobody else may."""
        return f"{self.prefix}.{AGENCY_MESSAGES}.{agency}"

    def agency_of(self, topic: str) -> str:
        """The agency whose topic this is: the topic says who speaks, whatever the message says.

        Raises:
            ValueError: it is no agency's topic.
        """
        begins = f"{self.prefix}.{AGENCY_MESSAGES}."
        agency = topic.removeprefix(begins)
        if agency == topic or not agency:
            raise ValueError(f"{topic} is no agency's topic")
        return agency

    @property
    def watchers(self) -> str:
        """The consumer group of the watchers, under which faust also names their table's changelog."""
        return f"{self.prefix}-watcher"

    @property
    def changelog_of_windows(self) -> str:
        """Where the watchers' table is kept, as faust names it."""
        return f"{self.watchers}-{WINDOWS}-changelog"


KEPT_AS_LOG: Final = {
    "cleanup.policy": "delete",
    "retention.ms": str(30 * DAY_MILLISECONDS),
    "max.message.bytes": str(LARGEST_RECORD_BYTES),
}
"""The event store keeps everything for ever; a topic, as long as somebody may be away."""

UNPACKED: Final = {**KEPT_AS_LOG, "compression.type": "uncompressed"}
"""For what others produce: the broker unpacks it, so that neither a form of compression that the workers' client does
not know nor a small record that becomes a huge one ever reaches them."""

NEWEST_OF_EACH_KEY: Final = {
    "cleanup.policy": "compact",
    "min.cleanable.dirty.ratio": "0.1",
    "segment.ms": str(DAY_MILLISECONDS),
    "max.message.bytes": str(LARGEST_RECORD_BYTES),
}

NEWEST_OF_EACH_WINDOW: Final = {
    **NEWEST_OF_EACH_KEY,
    # Windows end, so their keys do: what is older than the table remembers goes too.
    "cleanup.policy": "compact,delete",
    "retention.ms": str(2 * WINDOWS_KEPT_SECONDS * 1000),
    "segment.ms": str(3600 * 1000),
}

_SHAPES: Final[Mapping[Subject, tuple[int, Mapping[str, str]]]] = {
    # Key: the district. One partition holds each district's records in the order of the log.
    Subject.CONTRIBUTIONS: (0, KEPT_AS_LOG),
    Subject.RELEASES: (0, KEPT_AS_LOG),
    Subject.WARNINGS: (0, NEWEST_OF_EACH_KEY),
    # Key: the district or the agency, else the stream.
    Subject.EVENTS: (0, KEPT_AS_LOG),
    Subject.DELIVERIES: (1, KEPT_AS_LOG),
    Subject.PARKED: (1, KEPT_AS_LOG),
}


def declared(names: TopicNames, agencies: Iterable[str]) -> list[Topic]:
    """All topics of an outlet with these agencies."""
    topics = [
        Topic(name, partitions, settings)
        for subject, (partitions, settings) in _SHAPES.items()
        for name in names.both(subject)
        # What is parked belongs to no mode: a message that cannot be read says none.
        if subject is not Subject.PARKED or name == names.of(subject, Mode.LIVE)
    ]
    # One partition: an agency's messages are taken in in the order in which it sent them.
    return topics + [Topic(names.of_agency(agency), 1, UNPACKED) for agency in agencies]


def internal(names: TopicNames) -> list[Topic]:
    """What processes of ours keep for themselves in Kafka; nobody else reads it, and its form is theirs to change."""
    # As many partitions as the topic that is counted: a table's part moves with the part of the topic that feeds it.
    return [Topic(names.changelog_of_windows, 0, NEWEST_OF_EACH_WINDOW)]
