"""`outlet relay`: the relay, one at a time, for as long as the process lives, whatever is away meanwhile."""

import logging
import threading
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from adapters.cluster.health import OK, Health, Sample
from adapters.cluster.lease import Lease
from adapters.settings import KafkaSettings
from adapters.store.codec import EventCodec
from domain.policy import Policy
from domain.ports import EventLog, LogUnavailableError, VersionConflictError
from streams.kafka_clients import producer_of
from streams.kafka_relay import Relay
from streams.park import Failed, attempt

log = logging.getLogger(__name__)

CLIENT: Final = "outlet-relay"
RETRY_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 1.0


def source_of(policy: Policy) -> str:
    """The URI by which CloudEvents name an outlet."""
    return f"urn:single-outlet:{policy.outlet.id}"


def relay_of(events: EventLog, policy: Policy, kafka: KafkaSettings) -> Relay:
    """A relay from this log to this Kafka."""
    make: Any = partial(producer_of, kafka.brokers, CLIENT)
    return Relay(events=events, forms=EventCodec(), producer=make, names=kafka.names, source=source_of(policy))


class RelayProcess:
    """Runs a relay under a lease."""

    def __init__(self, relay: Relay, events: EventLog, lease: Lease, *, again_from: int | None = None) -> None:
        """`again_from` produces again what lies behind that position, once."""
        self._relay = relay
        self._events = events
        self._lease = lease
        self._again_from = again_from
        self.trouble = ""

    def run(self, stop: threading.Event) -> None:
        """Relay until told to stop."""
        while not stop.is_set():
            with self._lease.held(stop) as is_ours:
                if is_ours:
                    self._work(stop)
        self._relay.close()

    def _work(self, stop: threading.Event) -> None:
        is_begun = False
        while not stop.is_set() and self._lease.still():
            done = _attempted(self._relay, self._again_from, is_begun=is_begun)
            if isinstance(done, Failed):
                self._say(done.error)
                is_begun = False
                stop.wait(RETRY_SECONDS)
                continue
            if self.trouble:
                log.warning("the relay goes on behind position %s", self._relay.counts.position)
            self.trouble, is_begun, self._again_from = "", True, None
            if not done:
                self._wait()

    def _wait(self) -> None:
        try:
            self._events.wait(after=self._relay.counts.position, timeout_seconds=LOOK_SECONDS)
        except LogUnavailableError as error:
            self._say(error)

    def _say(self, error: Exception) -> None:
        said = f"{type(error).__name__}: {error}"
        if said != self.trouble:
            log.error("the relay cannot go on, and tries again: %s", said)
        self.trouble = said

    def health(self) -> Health:
        """What the process says of itself; one that waits for its turn is well."""
        checks = {"relay": lambda: self.trouble or OK, "lease": lambda: self._lease.trouble or OK}
        return Health(checks, self._samples)

    def _samples(self) -> Iterable[Sample]:
        counts = self._relay.counts
        yield Sample("outlet_relay_is_active", float(self._lease.is_active))
        yield Sample("outlet_log_position", counts.head)
        yield Sample("outlet_relay_position", counts.position)
        for topic, count in sorted(counts.records.items()):
            yield Sample("outlet_relay_records_total", count, {"topic": topic})


def _attempted(relay: Relay, again_from: int | None, *, is_begun: bool) -> int | Failed:
    """The next batch, behind where the log says that the relay is unless it has begun."""

    def step() -> int:
        if not is_begun:
            relay.begin(again_from)
        return relay.step()

    try:
        return attempt(step)
    except (LogUnavailableError, VersionConflictError) as error:
        return Failed(error)
