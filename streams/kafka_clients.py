"""Clients of kafka-python with the settings that the relay and the commands need. faust's worker makes its own."""

from contextlib import suppress
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaTimeoutError

from streams.kafka_brokers import Brokers
from streams.kafka_topics import LARGEST_RECORD_BYTES

ABORT_SECONDS: Final = 5.0
"""How long the thread of a producer that is given up may take to notice it."""


class EndingProducer(KafkaProducer):  # type: ignore[misc]  # the client ships no types
    """A producer of which nothing is left after `close`, whatever was on its way.

    The client's own raises when not everything arrives in time, and lives on: what it has queued could come long
    after what its successor produces, and stand in a compacted topic as the newest.
    """

    def close(self, timeout: float | None = None, null_logger: bool = False) -> None:  # noqa: FBT001, FBT002 -- its form
        """Give up what is not confirmed after so many seconds."""
        try:
            super().close(timeout, null_logger)
        except KafkaTimeoutError:
            self._sender.force_close()
            with suppress(KafkaTimeoutError):
                super().close(ABORT_SECONDS, null_logger)


def producer_of(brokers: Brokers, client_id: str) -> Any:  # noqa: ANN401 -- the client ships no types
    """A producer: idempotent, confirmed by all replicas, and dividing by murmur2 as Java's clients do.

    Raises:
        KafkaError: no broker answers.
    """
    return EndingProducer(
        **brokers.client_options(),
        client_id=client_id,
        enable_idempotence=True,
        acks="all",
        linger_ms=5,
        batch_size=256 * 1024,
        max_request_size=LARGEST_RECORD_BYTES,
        allow_auto_create_topics=False,
    )


def admin_of(brokers: Brokers, client_id: str) -> Any:  # noqa: ANN401 -- the client ships no types
    """A client that creates and describes topics.

    Raises:
        KafkaError: no broker answers.
    """
    return KafkaAdminClient(**brokers.client_options(), client_id=client_id)
