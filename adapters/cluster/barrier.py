"""For a person's command on a distributed outlet: what has arrived until now is decided on first, by those who do that.

In one process a command takes everything through the stages itself before it decides. Here it waits until relay and
workers have: for what agencies have produced, for the relay, for the merging of every district. When that takes too
long (a worker is away) the person is told, and the command goes on: an emergency stop must not wait for a broker.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from kafka import TopicPartition
from kafka.admin import OffsetSpec

from adapters.cluster.reach import KafkaUnavailableError, admin_at
from adapters.settings import KafkaSettings
from domain.ports import EventLog
from streams.kafka_relay import FOLLOWER
from streams.kafka_topics import Subject

log = logging.getLogger(__name__)

CLIENT: Final = "outlet-command"
PATIENCE_SECONDS: Final = 15.0
LOOK_SECONDS: Final = 0.1


class Barrier:
    """Waits until the workers have dealt with what is there now."""

    def __init__(self, events: EventLog, kafka: KafkaSettings, agencies: Iterable[str]) -> None:
        """Nothing is connected yet."""
        self._events = events
        self._kafka = kafka
        self._agencies = tuple(agencies)
        self._passed_at = -1

    def wait(self) -> None:
        """Return when they have, or when waiting is over; that is said."""
        if self._events.head() == self._passed_at:  # nothing has come since the last time
            return
        try:
            why = self._waited()
        except KafkaUnavailableError as error:
            why = str(error)
        if why:
            log.warning("the workers may not have dealt with all that has arrived: %s", why)
        self._passed_at = self._events.head()

    def _waited(self) -> str:
        """Empty when it is so, else what was waited for in vain."""
        names, deadline = self._kafka.names, time.monotonic() + PATIENCE_SECONDS
        with admin_at(self._kafka, CLIENT) as admin:
            of_agencies = _places(admin, [names.of_agency(agency) for agency in self._agencies])
            if not _until(lambda: not self._lags(admin, of_agencies), deadline):
                return "messages of agencies wait in Kafka"
            head = self._events.head()
            if not _until(lambda: self._events.follower_position(FOLLOWER) >= head, deadline):
                return f"the relay has not come to position {head}"
            contributions = _places(admin, names.both(Subject.CONTRIBUTIONS))
            if not _until(lambda: not self._lags(admin, contributions), deadline):
                return "changed contributions wait for a worker"
        return ""

    def _lags(self, admin: Any, places: Sequence[TopicPartition]) -> bool:  # noqa: ANN401 -- the client ships no types
        """Whether the group has not committed what these partitions hold now."""
        ends: Mapping[Any, Any] = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
        group = self._kafka.group
        committed: Mapping[Any, Any] = admin.list_group_offsets({group: places}).get(group, {})
        return any(_offset(committed.get(place)) < _offset(end) for place, end in ends.items())


def _places(admin: Any, topics: Sequence[str]) -> list[TopicPartition]:  # noqa: ANN401 -- the client ships no types
    described = admin.describe_topics(list(topics))
    return [TopicPartition(one["name"], part["partition_index"]) for one in described for part in one["partitions"]]


def _offset(found: Any) -> int:  # noqa: ANN401 -- the client ships no types
    return 0 if found is None else max(0, int(found.offset))


def _until(is_so: Callable[[], bool], deadline: float) -> bool:
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True
