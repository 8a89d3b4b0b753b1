"""What the server answers where no route is reached, how often one may ask, and what is told of who was refused."""

import json
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from adapters.cli.app import app as command_line
from adapters.clocks import ManualClock
from adapters.http.app import create_app
from adapters.http.documentation import kinds_of
from adapters.http.keys import AgencyKeys
from adapters.http.server import _bound, serving
from adapters.http.settings import Rate, networks
from adapters.http.turned_away import FILE_NAME, TurnedAway, turned_away_in
from adapters.settings import Settings
from adapters.wiring import build
from domain.events import MessageRejected
from tests.adapters.http.messages import as_json, json_message
from tests.adapters.http.outlets import GENEROUS, UNLIMITED, Outlet, outlet_at, problem, tighter
from tests.streams.messages import START, at, cap


def answers(outlet: Outlet, *parts: bytes, pause_seconds: float = 0.0) -> list[tuple[int, dict[str, str], bytes]]:
    """Send bytes; every answer until the server closes, as (status, headers, body)."""
    with socket.create_connection((outlet.at.host, outlet.at.port), timeout=10) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause_seconds)
        except OSError:
            pass
        held = b""
        try:
            while more := connection.recv(65_536):
                held += more
        except ConnectionError:
            pass
    found = []
    while held:
        head, _, held = held.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        found.append((int(first.split()[1]), headers, held[:length]))
        held = held[length:]
    return found


def is_problem(answer: tuple[int, dict[str, str], bytes], name: str, status: int) -> None:
    code, headers, body = answer
    assert code == status
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    document = json.loads(body)
    assert document["type"] == f"urn:single-outlet:problem:{name}"
    assert name in {kind.value.name for kind in kinds_of(status)}
    assert headers["x-request-id"] in document["instance"]


def test_what_the_server_answers_by_itself_is_a_problem_document_and_is_counted(tmp_path: Path) -> None:
    with outlet_at(tmp_path, tighter(header_seconds=0.3)) as outlet:
        is_problem(answers(outlet, b"nonsense\r\n\r\n")[0], "not-http", 400)
        huge = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: " + b"b" * 200_000
        is_problem(answers(outlet, huge)[0], "headers-too-large", 431)
        is_problem(answers(outlet, b"GET /livez HTTP/1.1\r\n")[0], "slow-head", 408)
        counted = outlet.client.get("/metrics").text
        for name in ("not-http", "headers-too-large", "slow-head"):
            assert f'outlet_http_turned_away_total{{problem="{name}"}} 1' in counted


def test_above_the_limit_of_connections_the_answer_is_503_and_when_to_come_again(tmp_path: Path) -> None:
    with outlet_at(tmp_path, tighter(max_connections=3)) as outlet:
        held = [socket.create_connection((outlet.at.host, outlet.at.port)) for _ in range(3)]
        try:
            for one in held:
                one.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
                assert one.recv(12) == b"HTTP/1.1 200"
            found = answers(outlet, b"GET /v1/warnings HTTP/1.1\r\nHost: x\r\n\r\n")
            is_problem(found[0], "unavailable", 503)
            assert int(found[0][1]["retry-after"]) >= 1
        finally:
            for one in held:
                one.close()
        deadline = time.monotonic() + 10
        while outlet.client.get("/livez").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_nothing_is_written_into_an_answer_that_has_begun(tmp_path: Path) -> None:
    """A stream whose client sends nonsense, or the beginning of a head, ends; it never holds another answer."""
    with outlet_at(tmp_path, tighter(header_seconds=0.3)) as outlet:
        for more in (b"nonsense\r\n\r\n", b"G"):
            with socket.create_connection((outlet.at.host, outlet.at.port), timeout=10) as connection:
                connection.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
                held = connection.recv(65_536)
                while b"event: ready" not in held:
                    held += connection.recv(65_536)
                connection.sendall(more)
                while more := connection.recv(65_536):
                    held += more
                assert held.count(b"HTTP/1.1") == 1


def test_a_connection_inherits_what_lets_dead_peers_go() -> None:
    with _bound("127.0.0.1", 0, 60) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000


def test_an_address_that_asks_too_fast_is_told_when_to_come_again_and_others_are_not(tmp_path: Path) -> None:
    limits = tighter(public_rate=Rate(per_second=0.01, burst=2), trusted_proxies=networks("127.0.0.1"))
    with outlet_at(tmp_path, limits) as outlet:

        def ask(address: str) -> Any:
            return outlet.client.get("/v1/warnings", headers={"X-Forwarded-For": address})

        assert [ask("198.51.100.1").status_code for _ in range(2)] == [200, 200]
        refused = ask("198.51.100.1")
        problem(refused, "too-many-requests", 429)
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["access-control-allow-origin"] == "*"
        assert ask("198.51.100.2").status_code == 200
        told = {"X-Forwarded-For": "198.51.100.1"}
        assert outlet.client.get("/livez", headers=told).status_code == 200
        assert outlet.post(cap("m-1"), headers=told).status_code == 202
        assert 'outlet_http_limited_total{by="public"} 1' in outlet.client.get("/metrics").text


def test_an_address_holds_so_many_streams_and_may_open_another_when_one_ends(tmp_path: Path) -> None:
    with outlet_at(tmp_path, tighter(public_rate=UNLIMITED, streams_per_address=2)) as outlet:
        with outlet.client.stream("GET", "/v1/stream") as one, outlet.client.stream("GET", "/v1/stream") as two:
            assert (one.status_code, two.status_code) == (200, 200)
            refused = outlet.client.get("/v1/stream")
            problem(refused, "too-many-requests", 429)
            assert outlet.client.get("/v1/warnings").status_code == 200
        deadline = time.monotonic() + 10
        while True:
            with outlet.client.stream("GET", "/v1/stream") as again:
                if again.status_code == 200:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.02)


def parked(folder: Path, *more: str) -> Any:
    result = CliRunner().invoke(
        command_line, ["--data", str(folder), "parked", "--json", *more], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_every_refusal_is_seen_by_the_duty_officer_and_no_stranger_makes_the_log_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    with outlet_at(folder, tighter(max_body_bytes=50_000)) as outlet:
        monkeypatch.setattr("adapters.cli.upkeep.SystemClock", lambda: outlet.clock)
        water = outlet.key("water")
        problem(outlet.post(b"<alert", key=outlet.key()), "malformed", 400)
        problem(outlet.post(cap("m-1", agency="water", hazard="11B01"), agency="water", key=water), "refused", 422)
        problem(outlet.post(as_json(json_message("m-2", sender="")), kind="application/json"), "refused", 422)
        kept = len(outlet.topics())
        assert outlet.topics().count(MessageRejected.TOPIC) == 3
        for number in range(3):
            problem(outlet.post(cap("m-3"), key=f"outlet_{number}_x"), "unknown-key", 401)
        problem(outlet.post(cap("m-3"), agency="meteorology", key=water), "other-agency", 403)
        problem(outlet.post(cap("m-3"), agency="nobody-we-know", key="x"), "unknown-key", 401)
        problem(outlet.post(b"x" * 60_000), "too-large", 413)
        problem(outlet.post(cap("m-3"), kind="image/png"), "media-type", 415)
        assert len(outlet.topics()) == kept
    found = parked(folder)
    assert [item["kind"] for item in found["items"]] == ["rejected"] * 3
    counts = {(one["problem"], one["agency"]): one["count"] for one in found["turned_away"]}
    assert counts == {
        ("unknown-key", "meteorology"): 3,
        ("unknown-key", ""): 1,
        ("other-agency", "meteorology"): 1,
        ("too-large", "meteorology"): 1,
        ("media-type", "meteorology"): 1,
    }
    assert {one["last_address"] for one in found["turned_away"]} == {"127.0.0.1"}
    assert all(one["hour"].endswith("+08:00") for one in found["turned_away"])
    assert parked(folder, "--kind", "waiting")["turned_away"] == []
    assert parked(folder, "--agency", "water")["turned_away"] == []


def test_counts_are_kept_over_a_restart_and_forgotten_after_a_month(tmp_path: Path) -> None:
    for minutes in (0, 5, 70):
        turned = TurnedAway(tmp_path / FILE_NAME, ["water"])
        turned.count("unknown-key", at(minutes), agency="water", address=f"198.51.100.{minutes}")
        turned.close()
        turned.close()
    rows = turned_away_in(tmp_path, since=START)
    assert [(row.count, row.last_address) for row in rows] == [(1, "198.51.100.70"), (2, "198.51.100.5")]
    later = TurnedAway(tmp_path / FILE_NAME, ["water"])
    later.count("too-large", at(60 * 24 * 40), agency="a stranger's words", address="::/64")
    later.close()
    assert [(row.problem, row.agency) for row in turned_away_in(tmp_path, since=START)] == [("too-large", "")]


PUBLIC = ("/v1/warnings", "{path}", "{path}/explain", "{path}/revisions", "{path}/revisions/1", "/v1/feed.atom")


def test_every_public_address_keeps_the_same_rules(outlet: Outlet) -> None:
    outlet.post(cap("m-1", level="red"))
    deadline = time.monotonic() + 20
    while not (features := outlet.client.get("/v1/warnings").json()["features"]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for template in PUBLIC:
        address = template.format(path=f"/v1/warnings/{features[0]['id']}")
        got = outlet.client.get(address)
        assert got.status_code == 200, address
        assert got.headers["access-control-allow-origin"] == "*", address
        assert {"ETag", "Retry-After"} <= set(got.headers["access-control-expose-headers"].split(", ")), address
        assert "max-age=" in got.headers["cache-control"], address
        assert got.headers["x-content-type-options"] == "nosniff", address
        again = outlet.client.get(address, headers={"If-None-Match": got.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), address
        assert again.headers["etag"] == got.headers["etag"]
        head = outlet.client.head(address)
        assert (head.status_code, head.content) == (200, b""), address
        same = ("etag", "content-type", "content-length", "cache-control")
        assert {name: head.headers.get(name) for name in same} == {name: got.headers.get(name) for name in same}
        unknown = outlet.client.get(f"{address}?unheard=1")
        assert problem(unknown, "bad-request", 400)["code"] == "parameters", address
        assert unknown.headers["access-control-allow-origin"] == "*", address
        flight = outlet.client.options(address)
        assert flight.status_code == 204, address
        assert "GET" in flight.headers["access-control-allow-methods"]
        wrong = outlet.client.request("DELETE", address)
        problem(wrong, "method-not-allowed", 405)
        assert set(wrong.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}, address
        assert wrong.headers["access-control-allow-origin"] == "*", address
    assert outlet.client.get("/v1/warnings?unheard=1").headers.get("cache-control", "no-store") == "no-store"


def test_readiness_asks_what_works_beside_and_says_what_fails(tmp_path: Path) -> None:
    said = {"rounds": "ok"}
    clock = ManualClock(START)
    settings = Settings(data_dir=tmp_path, policy="shaoxing")
    with build(settings, clock=clock) as platform, AgencyKeys(tmp_path / "keys.sqlite") as keys:
        app = create_app(platform, keys, settings=GENEROUS, checks={"rounds": lambda: said["rounds"]})
        with (
            serving(app, "127.0.0.1", 0, GENEROUS) as at_,
            httpx.Client(base_url=at_.url, trust_env=False) as client,
        ):
            assert client.get("/readyz").status_code == 200
            said["rounds"] = "the last round began 300 s ago"
            assert problem(client.get("/readyz"), "unavailable", 503)["checks"] == {
                "log": "ok",
                "intake": "ok",
                "stages": "ok",
                "rounds": "the last round began 300 s ago",
            }
            assert client.get("/livez").status_code == 200


def test_health_says_what_it_says_and_does_not_leave_the_house(outlet: Outlet) -> None:
    assert outlet.client.get("/livez").text == "ok"
    assert set(outlet.client.get("/readyz").json()["checks"].values()) == {"ok"}
    assert outlet.client.head("/livez").status_code == 200
    assert outlet.client.get("/metrics").status_code == 200
