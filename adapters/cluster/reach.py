"""Whether somebody listens where Kafka should be: asked before a client is made, which looks longer and says less."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from kafka.errors import KafkaError

from adapters.cluster.health import OK
from adapters.settings import KafkaSettings
from streams.kafka_clients import admin_of

CONNECT_SECONDS: Final = 2.0


class KafkaUnavailableError(Exception):
    """No broker answers, or it refuses."""


@contextmanager
def admin_at(kafka: KafkaSettings, client_id: str) -> Iterator[Any]:
    """A client that creates and describes topics, for the length of a block.

    Raises:
        KafkaUnavailableError: no broker answers, or it refuses what is asked of it in the block.
    """
    if (found := broker_answers(kafka)) != OK:
        raise KafkaUnavailableError(found)
    try:
        with closing(admin_of(kafka.brokers, client_id)) as admin:
            yield admin
    except KafkaError as error:
        raise KafkaUnavailableError(f"Kafka at {kafka.brokers.servers}: {type(error).__name__}: {error}") from error


def broker_answers(kafka: KafkaSettings) -> str:
    """`ok` while one of the brokers takes connections."""
    why = ""
    for server in kafka.brokers.list:
        host, _, port = server.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
        except OSError as error:
            why = why or f"no broker answers at {kafka.brokers.servers}: {error.strerror or error}"
        else:
            return OK
    return why
