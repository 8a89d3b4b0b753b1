"""Whether somebody listens where Kafka should be: asked before a client is made, which looks longer and says less."""

import socket
from typing import Final

from adapters.cluster.health import OK
from adapters.settings import KafkaSettings

CONNECT_SECONDS: Final = 2.0


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
