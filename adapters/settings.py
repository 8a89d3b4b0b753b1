"""Where this process keeps its data and which policy it runs under: the only reader of the environment."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from streams.kafka_brokers import Brokers
from streams.kafka_topics import TopicNames

DEFAULT_DATA: Final = Path("data")
DEFAULT_POLICY: Final = "shaoxing"
MOST_PARTITIONS: Final = 10_000


class SettingsError(Exception):
    """A variable of the environment holds what cannot be used."""


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """The Kafka that carries a distributed outlet (docs/cluster.md).

    `partitions` is into how many parts the districts are divided, and the most workers that can share them.
    """

    brokers: Brokers
    names: TopicNames = field(default_factory=TopicNames)
    partitions: int = 12
    replication_factor: int = 1

    @property
    def group(self) -> str:
        """The consumer group of the workers."""
        return f"{self.names.prefix}-worker"


@dataclass(frozen=True, slots=True)
class Settings:
    """`policy` names a shipped policy or the path of a TOML file; None means the adopted one, else the default.

    `signing_key` and `signing_certificate` are files in PEM with which released CAP documents are signed; without
    them the two in `signing/` of the data directory are, where they are there. `database_url` is the PostgreSQL
    database of everything that is stored (docs/postgresql.md); without it that is files here. With `kafka` the outlet
    is distributed: workers run the stages, and this process runs none of them.
    """

    data_dir: Path = DEFAULT_DATA
    policy: str | None = None
    language: str = "en"
    is_ci: bool = field(default=False)
    signing_key: Path | None = None
    signing_certificate: Path | None = None
    database_url: str | None = field(default=None, repr=False)
    kafka: KafkaSettings | None = None

    @property
    def signing_files(self) -> tuple[Path, Path] | None:
        """The files of the key and the certificate, there or not; None where documents are not signed."""
        key = self.data_dir / "signing" / "key.pem"
        certificate = key.with_name("certificate.pem")
        named = self.signing_key or self.signing_certificate
        if named is None and not key.exists() and not certificate.exists():
            return None
        return self.signing_key or key, self.signing_certificate or certificate

    @property
    def log_path(self) -> Path:
        """The event log's file."""
        return self.data_dir / "events.sqlite"

    @property
    def read_path(self) -> Path:
        """The read tables' file; it can be rebuilt from the log."""
        return self.data_dir / "read.sqlite"

    @property
    def audience_path(self) -> Path:
        """Who may be told, as taken in so far; it can be made again from the log."""
        return self.data_dir / "audience.bin"

    @property
    def spool_dir(self) -> Path:
        """Where released documents are written as files."""
        return self.data_dir / "outbox"

    @property
    def inbox_dir(self) -> Path:
        """The folder that `outlet run` watches."""
        return self.data_dir / "inbox"


def from_environment(*, data_dir: Path | None = None, policy: str | None = None) -> Settings:
    """Settings from the environment, as docs/cli.md lists it.

    OUTLET_DATA, OUTLET_POLICY, OUTLET_SIGNING_KEY, OUTLET_SIGNING_CERTIFICATE, OUTLET_DATABASE_URL, the variables that
    begin with OUTLET_KAFKA_ and LANG are read. What is given as an argument wins.

    Raises:
        SettingsError: a variable holds what cannot be used.
    """
    chinese = os.environ.get("LANG", "").startswith("zh")
    return Settings(
        data_dir=data_dir or Path(os.environ.get("OUTLET_DATA", str(DEFAULT_DATA))),
        policy=policy or os.environ.get("OUTLET_POLICY"),
        language="zh-CN" if chinese else "en",
        is_ci=bool(os.environ.get("CI")),
        signing_key=_file("OUTLET_SIGNING_KEY"),
        signing_certificate=_file("OUTLET_SIGNING_CERTIFICATE"),
        database_url=os.environ.get("OUTLET_DATABASE_URL") or None,
        kafka=_kafka(),
    )


def _kafka() -> KafkaSettings | None:
    """What OUTLET_KAFKA_BOOTSTRAP_SERVERS and its companions say; None where no Kafka is named."""
    servers = _text("BOOTSTRAP_SERVERS")
    if not servers:
        return None
    if not os.environ.get("OUTLET_DATABASE_URL"):
        raise SettingsError("OUTLET_KAFKA_BOOTSTRAP_SERVERS is set, and OUTLET_DATABASE_URL is not: it is needed too")
    password = _file("OUTLET_KAFKA_PASSWORD_FILE")
    try:
        return KafkaSettings(
            brokers=Brokers(
                servers,
                protocol=_text("SECURITY_PROTOCOL") or "PLAINTEXT",
                ca_file=_file("OUTLET_KAFKA_CA_FILE"),
                mechanism=_text("SASL_MECHANISM") or "SCRAM-SHA-512",
                username=_text("USERNAME"),
                password=password.read_text(encoding="utf-8").split("\n", 1)[0].strip() if password else "",
            ),
            names=TopicNames(_text("TOPIC_PREFIX") or "outlet"),
            partitions=_count("PARTITIONS", 12),
            replication_factor=_count("REPLICATION_FACTOR", 1),
        )
    except (ValueError, OSError) as error:
        raise SettingsError(f"OUTLET_KAFKA_…: {error}") from error


def _text(name: str) -> str:
    return os.environ.get(f"OUTLET_KAFKA_{name}", "").strip()


def _count(name: str, default: int) -> int:
    text = _text(name)
    if text and not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_PARTITIONS):
        raise ValueError(f"{name} is {text!r}, not a number from 1 to {MOST_PARTITIONS}")
    return int(text) if text else default


def _file(name: str) -> Path | None:
    """The file that a variable names; an empty one names none."""
    value = os.environ.get(name)
    return Path(value) if value else None
