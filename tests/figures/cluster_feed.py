"""A feed into a distributed outlet: half of its conversations by HTTP, the others to the agencies' topics in Kafka.

Partners send in their order and again until they are answered, or until Kafka has confirmed. A gate holds them back,
so that what is to happen meanwhile happens while messages flow. What becomes of them is judged elsewhere.
"""

import gc
import logging
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from kafka.errors import KafkaError

from adapters.http.keys import FILE_NAME, AgencyKeys
from streams.kafka_brokers import Brokers
from streams.kafka_clients import producer_of
from streams.kafka_topics import TopicNames
from tests.cluster.cluster import Cluster
from tests.figures.r1_clients import Address, Answers, Partner
from tests.figures.r1_feed import Letter, for_clients

HTTP_CLIENTS = 4
IN_FLIGHT = 5
"""How many messages a producer sends before the first of them is confirmed."""

CONFIRMED = 202
CONFIRM_SECONDS = 90.0
RETRY_SECONDS = 0.2
LOOK_SECONDS = 0.5
QUIET_SECONDS = 240.0
"""Partners of whom none is answered for so long have failed; a server and what needs it have come back long before."""


@contextmanager
def clients_without_a_broker() -> Iterator[None]:
    """kafka-python leaves sockets whose connection failed to the garbage collector: it runs here, without its warning.

    What it says of them is not heard either, for pytest would keep it, and the sockets with it.
    """
    said = logging.getLogger("kafka")
    level = said.level
    said.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            yield
            gc.collect()
    finally:
        said.setLevel(level)


class Gate:
    """How many messages may have been sent by now."""

    def __init__(self) -> None:
        """It is closed."""
        self._news = threading.Condition()
        self._open_to = 0
        self._passed = 0

    def open_to(self, count: int) -> None:
        """Let so many pass in all."""
        with self._news:
            self._open_to = max(self._open_to, count)
            self._news.notify_all()

    def pass_through(self, count: int = 1) -> None:
        """Return when so many more may be sent."""
        with self._news:
            self._news.wait_for(lambda: self._passed < self._open_to)
            self._passed += count


class GatedPartner(Partner):
    """A partner over HTTP that waits at a gate."""

    def __init__(self, gate: Gate, *partner: Any) -> None:
        """What it is told beside the gate is a partner's."""
        super().__init__(*partner)
        self._gate = gate

    def _send_until_answered(self, letter: Letter) -> None:
        self._gate.pass_through()
        super()._send_until_answered(letter)


class KafkaPartner(threading.Thread):
    """Produces an agency's letters to its topic in their order, the last ones again while they are not confirmed."""

    def __init__(self, letters: Sequence[Letter], servers: str, gate: Gate, answers: Answers) -> None:
        """All letters are of one agency."""
        super().__init__(daemon=True)
        self._letters = letters
        self._servers = servers
        self._gate = gate
        self._answers = answers
        self._producer: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Produce all of it."""
        try:
            for start in range(0, len(self._letters), IN_FLIGHT):
                few = self._letters[start : start + IN_FLIGHT]
                self._gate.pass_through(len(few))
                self._produce_until_confirmed(few)
        except Exception as error:  # noqa: BLE001 -- told by whoever waits for this partner
            self.error = error
        finally:
            self._give_up()

    def _produce_until_confirmed(self, letters: Sequence[Letter]) -> None:
        end = time.monotonic() + QUIET_SECONDS
        while not self._confirmed(letters):
            assert time.monotonic() < end, "Kafka has not confirmed a message in all the time"
            with self._answers.lock:
                self._answers.retried += len(letters)
            time.sleep(RETRY_SECONDS)
        for letter in letters:
            self._answers.answered(letter.content, CONFIRMED)

    def _confirmed(self, letters: Sequence[Letter]) -> bool:
        try:
            if self._producer is None:
                self._producer = producer_of(Brokers(self._servers), self.name)
            topic = TopicNames().of_agency(letters[0].agency)
            sent = [self._producer.send(topic, letter.content) for letter in letters]
            for one in sent:
                one.get(timeout=CONFIRM_SECONDS)
        except KafkaError:
            self._give_up()
            return False
        return True

    def _give_up(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=0)


class ClusterFeed:
    """All partners of a cluster."""

    def __init__(self, cluster: Cluster, conversations: Sequence[Sequence[Letter]]) -> None:
        """Nothing is sent yet. Of an agency's conversations every other one goes by Kafka, in one order."""
        self.answers, self._gate = Answers(), Gate()
        by_http, by_kafka = conversations[::2], conversations[1::2]
        letters = [letter for conversation in by_kafka for letter in conversation]
        agencies = sorted({letter.agency for conversation in conversations for letter in conversation})
        self.total = sum(map(len, conversations))
        self.digests = {sha256(letter.content).hexdigest() for each in conversations for letter in each}
        with AgencyKeys(cluster.data / FILE_NAME) as store:
            keys = {agency: store.add_key(agency, datetime.now(UTC)).secret for agency in agencies}
        address = Address()
        address.put(cluster.url)
        servers = cluster.broker.bootstrap_servers
        self._partners: list[GatedPartner | KafkaPartner] = [
            GatedPartner(self._gate, mine, keys, address, self.answers) for mine in for_clients(by_http, HTTP_CLIENTS)
        ]
        self._partners += [
            KafkaPartner([one for one in letters if one.agency == agency], servers, self._gate, self.answers)
            for agency in agencies
        ]
        for partner in self._partners:
            partner.start()

    @property
    def faults(self) -> list[str]:
        """Why partners have given up."""
        return [str(partner.error) for partner in self._partners if partner.error is not None]

    def open_to(self, share: float) -> None:
        """Let this share of the feed be sent."""
        self._gate.open_to(min(self.total, round(self.total * share)))

    def finish(self, tend: Callable[[], None]) -> None:
        """Send what is left, and wait until all of it is answered; `tend` is called now and then.

        A process that began when its server had just been killed ends by itself, and has to be started again.

        Raises:
            AssertionError: there was no answer for minutes, or a partner gave up.
        """
        self.open_to(1)
        before, since = -1, time.monotonic()
        while (answered := self.answers.count) < self.total:
            tend()
            if answered != before:
                before, since = answered, time.monotonic()
            assert not self.faults, self.faults
            quiet = time.monotonic() - since < QUIET_SECONDS
            assert quiet, f"nothing was answered after {answered} messages: {self._waiting()}"
            time.sleep(LOOK_SECONDS)
        for partner in self._partners:
            partner.join(QUIET_SECONDS)

    def _waiting(self) -> list[str]:
        """Where each partner is that has not ended."""
        frames = sys._current_frames()
        alive = [partner for partner in self._partners if partner.is_alive()]
        return ["".join(traceback.format_stack(frames[one.ident])[-3:]) for one in alive if one.ident in frames]
