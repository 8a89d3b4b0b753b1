"""The benches of P1 and P2 measure what they say; what they measure is no matter here."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.bench import p1, p1_alertmanager, p1_postgres, p2, p2_postgres
from adapters.bench.p1_messages import alertmanagers, ours
from adapters.bench.p1_processes import receiver_process, server_process
from adapters.bench.p1_sender import RefusedRequestError, Request, send
from adapters.bench.row import PeerMissingError
from adapters.policies import load

NOW = datetime(2031, 3, 4, 8, tzinfo=UTC)


def body(request: Request) -> object:
    return json.loads(request.content.partition(b"\r\n\r\n")[2])


def has_alertmanager() -> bool:
    try:
        p1_alertmanager.found()
    except PeerMissingError:
        return False
    return True


def test_every_message_is_for_another_county_on_both_sides() -> None:
    counties = p1.every_county()
    assert len({code for code, _ in counties}) == len(counties) > p1.WARM_UP + p1.MESSAGES
    own = [body(one) for one in ours(range(5), counties, NOW, size=1, key="k")]
    beside = [body(one) for one in alertmanagers(range(5), counties, NOW, size=1)]
    codes = [message["info"][0]["area"][0]["geocode"][0]["value"] for message in own]  # type: ignore[index]
    assert codes == [alert[0]["labels"]["district"] for alert in beside]  # type: ignore[index]
    assert len(set(codes)) == 5


def test_a_batch_is_one_request_with_the_tokens_of_all_its_messages() -> None:
    counties = p1.every_county()
    for made in (
        ours(range(250), counties, NOW, size=100, key="k"),
        alertmanagers(range(250), counties, NOW, size=100),
    ):
        assert [len(one.tokens) for one in made] == [100, 100, 50]
        assert [len(body(one)) for one in made] == [100, 100, 50]  # type: ignore[arg-type]


def test_the_policy_groups_nothing_and_has_every_county(tmp_path: Path) -> None:
    policy, _ = load(str(p1.write_policy(tmp_path)))
    assert policy.release.group_wait_seconds == 0
    assert len(policy.gazetteer.districts) > 30


def test_the_receiver_counts_each_token_once_and_says_so_when_one_is_repeated() -> None:
    def notification(token: str) -> Request:
        content = f"benchtoken{token} and again benchtoken{token}".encode()
        return Request(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(content) + content, [token])

    with receiver_process() as receiver:
        sent = send([notification("0000001"), notification("0000002")], receiver.port, connections=2, seconds=20)
        first = receiver.first(2)
        assert set(first) == set(sent.at) == {"0000001", "0000002"}
        assert all(first[token] >= sent.at[token] >= sent.began for token in first)
        send([notification("0000003")] * 2, receiver.port, connections=1, seconds=20)
        with pytest.raises(AssertionError, match="repeated"):
            receiver.first(1)


def test_a_request_that_is_not_taken_ends_the_round(tmp_path: Path) -> None:
    policy = p1.write_policy(tmp_path)
    with (
        receiver_process() as receiver,
        server_process(tmp_path / "data", policy, receiver.port) as (port, _),
        pytest.raises(RefusedRequestError, match="401"),
    ):
        send(ours(range(1), p1.every_county(), NOW, size=1, key="wrong"), port, connections=1, seconds=20)


def test_without_alertmanager_the_bench_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PeerMissingError, match="prometheus-alertmanager"):
        p1.measure(rounds=1)


@pytest.mark.slow
@pytest.mark.skipif(not has_alertmanager(), reason="Alertmanager is not installed")
@pytest.mark.parametrize("bench", [p1, p2, p1_postgres, p2_postgres])
def test_every_message_is_notified_once_on_both_sides(bench: object) -> None:
    rows = bench.measure(rounds=1, messages=120)  # type: ignore[attr-defined]
    assert len(rows) == 2
    assert all(row.ratio > 0 for row in rows)
