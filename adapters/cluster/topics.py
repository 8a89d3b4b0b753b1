"""Topics as they are declared, made where they are missing, and compared where they are there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from kafka.admin import ConfigResource
from kafka.errors import TopicAlreadyExistsError

from adapters.cluster.reach import KafkaUnavailableError, admin_at
from adapters.settings import KafkaSettings
from streams.kafka_topics import Topic, declared, internal

CLIENT: Final = "outlet-topics"
TOPIC_RESOURCE: Final = "topic"


class State(StrEnum):
    """What became of a topic."""

    MADE = "made"
    THERE = "there"
    DIFFERS = "differs"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Checked:
    """A topic, what became of it, and in what it differs from its declaration."""

    topic: Topic
    state: State
    difference: str = ""

    def as_json(self) -> Mapping[str, Any]:
        """For programs."""
        return {
            "name": self.topic.name,
            "partitions": self.topic.partitions,
            "settings": dict(self.topic.settings),
            "state": self.state.value,
            "difference": self.difference,
        }


def wanted(kafka: KafkaSettings, agencies: Sequence[str]) -> list[Topic]:
    """The topics of an outlet with these agencies, each with its number of partitions."""
    return [
        topic if topic.partitions else Topic(topic.name, kafka.partitions, topic.settings)
        for topic in (*declared(kafka.names, agencies), *internal(kafka.names))
    ]


def ensured(kafka: KafkaSettings, agencies: Sequence[str]) -> list[Checked]:
    """Make what is missing; what is there is compared and left as it is, for people to decide.

    More partitions would send a district's next record another way than those before it, which are still on theirs.

    Raises:
        KafkaUnavailableError: no broker answers, or it refuses.
    """
    return _checked(kafka, agencies, State.MADE)


def compared(kafka: KafkaSettings, agencies: Sequence[str]) -> list[Checked]:
    """The same without making any.

    Raises:
        KafkaUnavailableError: no broker answers, or it refuses.
    """
    return _checked(kafka, agencies, State.MISSING)


def _checked(kafka: KafkaSettings, agencies: Sequence[str], of_missing: State) -> list[Checked]:
    topics = wanted(kafka, agencies)
    with admin_at(kafka, CLIENT) as admin:
        present = set(admin.list_topics())
        missing = [topic for topic in topics if topic.name not in present]
        if of_missing is State.MADE:
            _make(admin, missing, kafka.replication_factor)
        made = {topic.name for topic in missing}
        rest = [topic for topic in topics if topic.name not in made]
        differences = _differences(admin, rest)
    return [
        Checked(topic, of_missing)
        if topic.name in made
        else Checked(topic, State.DIFFERS if differences[topic.name] else State.THERE, differences[topic.name])
        for topic in topics
    ]


def identities_of(kafka: KafkaSettings, topics: Sequence[str]) -> Mapping[str, str]:
    """The ids of topics by name: one that is deleted and made anew has another.

    Raises:
        KafkaUnavailableError: no broker answers, or a topic is not there.
    """
    with admin_at(kafka, CLIENT) as admin:
        found = {topic["name"]: topic for topic in admin.describe_topics(list(topics))}
    if missing := [name for name in topics if name not in found or found[name]["error_code"]]:
        raise KafkaUnavailableError(f"there is no topic {', '.join(missing)}: `outlet topics` makes them")
    return {name: str(found[name]["topic_id"]) for name in topics}


def _make(admin: Any, topics: Sequence[Topic], replication_factor: int) -> None:  # noqa: ANN401 -- an untyped client
    if not topics:
        return
    asked = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": replication_factor,
            "configs": dict(topic.settings),
        }
        for topic in topics
    }
    try:
        admin.create_topics(asked)
    except TopicAlreadyExistsError:  # another process makes them at this moment
        admin.create_topics(asked, raise_errors=False)
    admin.wait_for_topics([topic.name for topic in topics])


def _differences(admin: Any, topics: Sequence[Topic]) -> Mapping[str, str]:  # noqa: ANN401 -- an untyped client
    if not topics:
        return {}
    names = [topic.name for topic in topics]
    partitions = {found["name"]: len(found["partitions"]) for found in admin.describe_topics(names)}
    settings = _settings(admin, names)
    found: dict[str, str] = {}
    for topic in topics:
        differs = [
            f"{name} is {settings[topic.name].get(name)}, declared {value}"
            for name, value in topic.settings.items()
            if settings[topic.name].get(name) != value
        ]
        if partitions[topic.name] != topic.partitions:
            differs.insert(0, f"{partitions[topic.name]} partitions, declared {topic.partitions}")
        found[topic.name] = "; ".join(differs)
    return found


def _settings(admin: Any, names: Sequence[str]) -> Mapping[str, Mapping[str, str]]:  # noqa: ANN401 -- an untyped client
    resources = [ConfigResource(TOPIC_RESOURCE, name) for name in names]
    described = admin.describe_configs(resources, config_filter="all")
    return {
        name: {setting: str(entry["value"]) for setting, entry in described[TOPIC_RESOURCE][name].items()}
        for name in names
    }
