"""Clients of kafka-python with the settings that the relay and the commands need. faust's worker makes its own."""

from typing import Any

from kafka import KafkaAdminClient, KafkaProducer

from streams.kafka_brokers import Brokers
from streams.kafka_topics import LARGEST_RECORD_BYTES


def producer_of(brokers: Brokers, client_id: str) -> Any:  # noqa: ANN401 -- the client ships no types
    """A producer: idempotent, confirmed by all replicas, and dividing by murmur2 as Java's clients do.

    Raises:
        KafkaError: no broker answers.
    """
    return KafkaProducer(
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
