"""The bench of P10 measures what it says; what it measures is no matter here."""

import pytest

from adapters.bench.p10 import measure


@pytest.mark.slow
def test_the_bench_tells_every_client_on_both_sides() -> None:
    [row] = measure(rounds=1, clients=20)
    assert row.id == "P10"
    assert row.ratio > 0
    assert "20 clients" in row.note
