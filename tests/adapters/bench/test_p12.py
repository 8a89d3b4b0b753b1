"""The benches of P12 measure what they say; what they measure is no matter here."""

from collections import Counter

import pytest
from kafka.partitioner import murmur2

from adapters.bench import p12, p12_log
from adapters.bench.p12_outlet import POSITIVE, spread
from adapters.bench.row import PeerMissingError
from tests.kafka import broker


@pytest.mark.parametrize("partitions", [1, 2, 4])
def test_every_partition_has_as_many_messages_as_the_others(partitions: int) -> None:
    for messages in (400, p12.MESSAGES, 20_000):
        codes = [code for code, _ in spread(messages)]
        loads = Counter((murmur2(code.encode()) & POSITIVE) % partitions for code in codes)
        assert loads == dict.fromkeys(range(partitions), messages // partitions)


def test_without_kafka_the_bench_says_so() -> None:
    with pytest.raises(PeerMissingError, match=r"tests\.kafka"):
        p12.measure(rounds=1, kafka=None)


@pytest.mark.slow
@pytest.mark.kafka
@pytest.mark.postgres
def test_every_message_is_merged_once_by_two_workers_as_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(p12, "SIDES", ((2, 2),))
    monkeypatch.delitem(p12.GOALS, "4 workers on 4 partitions")
    monkeypatch.delitem(p12.GOALS, "1 worker on 4 partitions")
    rows = p12.measure(rounds=1, messages=80, kafka=broker.server().bootstrap_servers)
    assert [row.measure for row in rows] == ["2 workers on 2 partitions", p12.INTAKE, p12.RELAY, p12.PROJECTOR]
    assert all(row.ratio > 0 for row in rows)


@pytest.mark.slow
@pytest.mark.postgres
def test_the_log_holds_what_several_processes_were_told_it_does() -> None:
    rows = p12_log.measure(rounds=1, seconds=0.2)
    assert len(rows) == len(p12_log.SIDES)
    assert all(row.ratio > 0 for row in rows)
