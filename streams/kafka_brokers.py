"""Where Kafka is, and how it is spoken to. Nothing here imports a client of it."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")

BOOTSTRAP_MILLISECONDS: Final = 10_000
"""How long a client looks for a broker before it says that there is none."""


@dataclass(frozen=True, slots=True)
class Brokers:
    """`servers` are `host:port`, separated by commas. With a SASL protocol a name and a password are needed.

    Raises:
        ValueError: the protocol is none of PROTOCOLS, or it lacks what it needs.
    """

    servers: str
    protocol: str = "PLAINTEXT"
    ca_file: Path | None = None
    mechanism: str = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise ValueError(f"{self.protocol!r} is none of Kafka's protocols: {', '.join(PROTOCOLS)}")
        if not all(server.rpartition(":")[0] and server.rpartition(":")[2].isdecimal() for server in self.list):
            raise ValueError(f"{self.servers!r} is not HOST:PORT, or several of them separated by commas")
        if self.protocol.startswith("SASL") and not (self.username and self.password):
            raise ValueError(f"{self.protocol} needs a name and a password")

    @property
    def list(self) -> list[str]:
        """Each server."""
        return [server.strip() for server in self.servers.split(",")]

    def ssl_context(self) -> ssl.SSLContext | None:
        """What encrypts, where the protocol does.

        Raises:
            OSError: the file of the authority cannot be read.
        """
        if not self.protocol.endswith("SSL"):
            return None
        return ssl.create_default_context(cafile=self.ca_file)

    def client_options(self) -> dict[str, Any]:
        """For a client of kafka-python."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.list,
            "security_protocol": self.protocol,
            "bootstrap_timeout_ms": BOOTSTRAP_MILLISECONDS,
        }
        if (context := self.ssl_context()) is not None:
            options["ssl_context"] = context
        if self.protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.username
            options["sasl_plain_password"] = self.password
        return options
