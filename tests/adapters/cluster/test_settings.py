"""What the environment says of Kafka, and what it must not say."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.cli.app import app
from adapters.settings import KafkaSettings, SettingsError, from_environment

GOOD = {
    "OUTLET_DATABASE_URL": "postgresql://outlet@127.0.0.1/outlet",
    "OUTLET_KAFKA_BOOTSTRAP_SERVERS": "one.example:9092, two.example:9093",
}


@pytest.fixture(autouse=True)
def _good(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def kafka() -> KafkaSettings:
    found = from_environment().kafka
    assert found is not None
    return found


def test_servers_are_enough_and_everything_else_has_a_default() -> None:
    found = kafka()
    assert found.brokers.list == ["one.example:9092", "two.example:9093"]
    assert (found.names.prefix, found.partitions, found.replication_factor) == ("outlet", 12, 1)
    assert found.group == "outlet-worker"
    assert found.brokers.ssl_context() is None


def test_without_servers_the_outlet_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTLET_KAFKA_BOOTSTRAP_SERVERS", "")
    assert from_environment().kafka is None


def test_a_password_comes_from_a_file_and_is_in_no_representation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("s3cret-words\n", encoding="utf-8")
    monkeypatch.setenv("OUTLET_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("OUTLET_KAFKA_USERNAME", "outlet")
    monkeypatch.setenv("OUTLET_KAFKA_PASSWORD_FILE", str(tmp_path / "password"))
    options = kafka().brokers.client_options()
    assert options["sasl_plain_password"] == "s3cret-words"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["ssl_context"].check_hostname
    assert "s3cret-words" not in repr(from_environment())


BAD = {
    "OUTLET_KAFKA_BOOTSTRAP_SERVERS": ("nowhere", "is not HOST:PORT"),
    "OUTLET_KAFKA_SECURITY_PROTOCOL": ("HTTPS", "none of Kafka's protocols"),
    "OUTLET_KAFKA_TOPIC_PREFIX": ("名", "cannot begin a topic's name"),
    "OUTLET_KAFKA_PARTITIONS": ("0", "not a number from 1"),
    "OUTLET_KAFKA_REPLICATION_FACTOR": ("many", "not a number from 1"),
    "OUTLET_DATABASE_URL": ("", "OUTLET_DATABASE_URL is not"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_said_in_a_sentence_by_every_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    value, sentence = BAD[name]
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=sentence):
        from_environment()
    done = CliRunner().invoke(app, ["--data", str(tmp_path), "board"])
    assert done.exit_code == 2
    assert sentence in done.stderr


@pytest.mark.parametrize("command", ["topics", "relay", "worker", "projector", "courier"])
def test_a_process_of_a_distributed_outlet_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    monkeypatch.setenv("OUTLET_KAFKA_BOOTSTRAP_SERVERS", "")
    done = CliRunner().invoke(app, ["--data", str(tmp_path), command])
    assert done.exit_code == 1
    assert "OUTLET_KAFKA_BOOTSTRAP_SERVERS" in done.stderr
