"""The bench of P9 measures what it says; what it measures is no matter here."""

import json
from pathlib import Path

import pytest

from adapters.bench import p9, p9_node
from adapters.bench.row import PeerMissingError
from domain.texts import sms_segments
from tests.adapters.channels.smpp_routes import need_node


def test_both_sides_send_all_messages_in_one_part_and_get_all_receipts(tmp_path: Path) -> None:
    need_node()
    assert sms_segments(p9.WORDS) == 1
    log = tmp_path / "log"
    with p9_node.smsc(log=str(log)) as server:
        assert p9.ours(server, 120) > 0
        ours = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        log.write_text("")
        assert p9.beside(server, 120) > 0
        beside = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    same = ("to", "from", "ton", "npi", "text", "dataCoding", "registered", "esmClass")
    assert len(ours) == len(beside) == 120
    assert sorted([one[name] for name in same] for one in ours) == sorted(
        [one[name] for name in same] for one in beside
    )


def test_a_side_that_is_refused_ends_the_round() -> None:
    need_node()
    with p9_node.smsc(statuses={"8613800000000": 8}) as server:
        for side in (p9.ours, p9.beside):
            with pytest.raises(ChildProcessError):
                side(server, 10)


def test_without_node_the_bench_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PeerMissingError, match="nodejs"):
        p9.measure(rounds=1)


def test_without_npm_a_cache_that_is_empty_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "node").write_text("#!/bin/sh\n")
    (tmp_path / "node").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PeerMissingError, match="npm is not installed"):
        p9_node.modules(tmp_path / "cache")
