"""Gateways call back over a real server: what is answered 200 is kept, and everything else is a problem document."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from adapters.channels.gateway import GatewayChannel
from adapters.channels.port import DeliveryReceipt, Incoming
from adapters.http.gateways import gateways_router
from adapters.http.problems import install
from adapters.http.server import serving
from adapters.http.settings import HttpSettings
from tests.adapters.channels.gateway_house import CALLED_BY, NOW, route, run, signed_callback
from tests.adapters.http.outlets import Outlet

RECEIPTS = "/v1/gateways/city/receipts"
BODY = json.dumps({"receipts": [{"id": "gw-1", "state": "delivered", "at": "2026-09-13T07:59:00Z"}]}).encode()
DELIVERED = DeliveryReceipt("gw-1", "delivered", NOW - timedelta(minutes=1))


@contextmanager
def listening(*channels: GatewayChannel) -> Iterator[httpx.Client]:
    app = FastAPI()
    install(app)
    app.include_router(gateways_router({channel.name: channel for channel in channels}))
    with serving(app, "127.0.0.1", 0, HttpSettings()) as server:  # noqa: SIM117 -- the client needs its address
        with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
            yield client


async def post(
    client: httpx.Client, path: str = RECEIPTS, body: bytes = BODY, headers: dict[str, str] | None = None
) -> httpx.Response:
    signed = signed_callback(path, body) if headers is None else headers
    return await asyncio.to_thread(client.post, path, content=body, headers=signed)


def is_problem(response: httpx.Response, name: str, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["type"] == f"urn:single-outlet:problem:{name}"
    return document


def test_a_signed_report_is_kept_answered_as_agreed_and_handed_out(tmp_path: Path) -> None:
    async def play() -> None:
        channel = route(tmp_path, "https://gateway.example")
        await channel.open()
        with listening(channel) as client:
            answer = await post(client)
            message = json.dumps({"messages": {"from": "13800000001", "text": "1"}}).encode()
            other = await post(client, "/v1/gateways/city/messages", message)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert answer.headers["content-type"] == "application/json"
        assert other.status_code == 200
        came = channel.receipts()
        assert await anext(came) == DELIVERED
        assert await anext(came) == Incoming("+8613800000001", "1", NOW)
        await channel.close()

    run(play())


def test_what_was_answered_200_is_there_when_the_process_dies_right_after(tmp_path: Path) -> None:
    async def crash() -> None:
        channel = route(tmp_path, "https://gateway.example")
        await channel.open()
        with listening(channel) as client:
            assert (await post(client)).status_code == 200
        connection = channel._parts.inbox._connection
        assert connection is not None
        connection.close()  # nothing has been fetched, and nothing is closed

    async def again() -> None:
        channel = route(tmp_path, "https://gateway.example")
        await channel.open()
        assert await anext(channel.receipts()) == DELIVERED
        await channel.close()

    run(crash())
    run(again())


def test_callbacks_at_once_and_the_same_one_twice_are_all_kept(tmp_path: Path) -> None:
    async def play() -> None:
        channel = route(tmp_path, "https://gateway.example")
        await channel.open()
        bodies = [
            json.dumps(
                {
                    "receipts": [
                        {"id": f"gw-{number % 10}", "state": "sent"},
                        {"id": f"gw-{number % 10}", "state": "delivered"},
                    ]
                }
            ).encode()
            for number in range(20)
        ]
        with listening(channel) as client, ThreadPoolExecutor(8) as threads:
            answers = list(
                threads.map(
                    lambda body: client.post(RECEIPTS, content=body, headers=signed_callback(RECEIPTS, body)), bodies
                )
            )
        assert {answer.status_code for answer in answers} == {200}
        came = channel.receipts()
        found = [await anext(came) for _ in range(20)]
        await channel.close()
        assert sorted(one.reference for one in found if isinstance(one, DeliveryReceipt)) == sorted(
            f"gw-{number % 10}" for number in range(20)
        )

    run(play())


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({}, "bad-signature"),
        ({"authorization": f"Bearer {CALLED_BY}"}, "bad-signature"),
        (signed_callback(RECEIPTS, BODY, secret="another-secret-entirely"), "bad-signature"),
        (signed_callback(RECEIPTS, BODY + b" "), "bad-signature"),
        (signed_callback("/v1/gateways/city/messages", BODY), "bad-signature"),
        (signed_callback(RECEIPTS, BODY) | {"x-nonce": ""}, "bad-signature"),
        (signed_callback(RECEIPTS, BODY) | {"x-timestamp": "now"}, "bad-signature"),
        (signed_callback(RECEIPTS, BODY, NOW - timedelta(minutes=6)), "stale"),
        (signed_callback(RECEIPTS, BODY, NOW + timedelta(minutes=6)), "stale"),
    ],
)
def test_what_is_not_the_gateways_is_answered_401_and_nothing_of_it_is_kept(
    tmp_path: Path, headers: dict[str, str], name: str
) -> None:
    async def play() -> None:
        channel = route(tmp_path, "https://gateway.example")
        await channel.open()
        with listening(channel) as client:
            is_problem(await post(client, headers=headers), name, 401)
        await channel.close()
        assert [came async for came in channel.receipts()] == []

    run(play())


@pytest.mark.parametrize(
    ("proof", "path", "headers", "status"),
    [
        ("path-token", f"/v1/gateways/city/{CALLED_BY}/receipts", {}, 200),
        ("path-token", f"/v1/gateways/city/{CALLED_BY[:-1]}/receipts", {}, 401),
        ("path-token", RECEIPTS, {}, 401),
        ("bearer", RECEIPTS, {"authorization": f"Bearer {CALLED_BY}"}, 200),
        ("bearer", RECEIPTS, {"authorization": f"bearer  {CALLED_BY}"}, 200),
        ("bearer", RECEIPTS, {"authorization": f"Basic {CALLED_BY}"}, 401),
        ("bearer", RECEIPTS, {"authorization": "Bearer"}, 401),
        ("bearer", f"/v1/gateways/city/{CALLED_BY}/receipts", {}, 401),
        ("bearer", "/v1/gateways/city/x/receipts", {"authorization": f"Bearer {CALLED_BY}"}, 401),
    ],
)
def test_each_profile_says_what_proves_a_callback(
    tmp_path: Path, proof: str, path: str, headers: dict[str, str], status: int
) -> None:
    shipped = Path("adapters/channels/profiles/plain-json.toml").read_text(encoding="utf-8")
    (tmp_path / "own.toml").write_text(shipped.replace('proof = "hmac-sha256"', f'proof = "{proof}"'), encoding="utf-8")

    async def play() -> int:
        channel = route(tmp_path, "https://gateway.example", profile="own.toml")
        await channel.open()
        with listening(channel) as client:
            answer = await post(client, path, headers=headers)
        await channel.close()
        return answer.status_code

    assert run(play()) == status


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "no JSON"),
        (b"<xml/>", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 50_000, "nested too deeply"),
        (b'{"reports": []}', "no list at receipts"),
        (b'{"receipts": [{"state": "delivered"}]}', "1 of its items cannot be read; 0 were taken"),
    ],
)
def test_what_cannot_be_read_is_answered_400(tmp_path: Path, body: bytes, sentence: str) -> None:
    async def play() -> None:
        channel = route(tmp_path, "https://gateway.example")
        await channel.open()
        with listening(channel) as client:
            assert sentence in is_problem(await post(client, body=body), "malformed", 400)["detail"]
        await channel.close()

    run(play())


def test_of_a_report_that_can_be_read_in_part_that_part_is_kept_and_the_rest_is_named(tmp_path: Path) -> None:
    body = json.dumps({"receipts": [{"id": "+8613800000001"}, {"id": "gw-1", "state": "delivered"}]}).encode()

    async def play() -> None:
        channel = route(tmp_path, "https://gateway.example")
        await channel.open()
        with listening(channel) as client:
            document = is_problem(await post(client, body=body), "malformed", 400)
        assert [one["sentence"] for one in document["findings"]] == ["item 0: no state at state"]
        assert "13800000001" not in json.dumps(document)
        assert await anext(channel.receipts()) == DeliveryReceipt("gw-1", "delivered", NOW)
        await channel.close()

    run(play())


def test_an_unknown_route_and_one_without_such_reports_are_answered_404(tmp_path: Path) -> None:
    own = 'name = "own"\n[request]\npath = "/"\n[request.fields]\nto = "{recipient}"\ntext = "{text}"\n'
    (tmp_path / "own.toml").write_text(own, encoding="utf-8")

    async def play() -> None:
        channel = route(tmp_path, "https://gateway.example", profile="own.toml", callback_secret_file=None)
        await channel.open()
        with listening(channel) as client:
            is_problem(await post(client), "not-found", 404)
            is_problem(await post(client, "/v1/gateways/other/receipts"), "not-found", 404)
            assert (await asyncio.to_thread(client.get, RECEIPTS)).status_code == 405
        await channel.close()

    run(play())


def test_a_body_that_is_too_large_is_answered_413(tmp_path: Path) -> None:
    async def play() -> None:
        channel = route(tmp_path, "https://gateway.example")
        await channel.open()
        with listening(channel) as client:
            is_problem(await post(client, body=b" " * 1_100_000), "too-large", 413)
        await channel.close()

    run(play())


def test_a_full_route_and_one_that_is_not_open_have_the_gateway_come_again(tmp_path: Path) -> None:
    async def play() -> None:
        channel = route(tmp_path, "https://gateway.example", most_waiting=1)
        with listening(channel) as client:
            early = await post(client)
            await channel.open()
            first, second = await post(client), await post(client)
            came = channel.receipts()
            await anext(came)
            asking = asyncio.ensure_future(anext(came))  # asks for the next, and so lets go of the first
            third = second
            while third.status_code == 503:
                third = await post(client)
            await asking
            await channel.close()
            late = await post(client)
        assert first.status_code == third.status_code == 200
        for refused in (early, second, late):
            is_problem(refused, "unavailable", 503)
            assert refused.headers["retry-after"] == "5"

    run(play())


def test_beside_the_other_routes_of_an_outlet_the_callbacks_are_described(outlet: Outlet) -> None:
    outlet.app.include_router(gateways_router({}))
    found = outlet.app.openapi()["paths"]
    mine = [path for path in found if path.startswith("/v1/gateways/")]
    assert len(mine) == 4
    for path in mine:
        operation = found[path]["post"]
        assert operation["summary"]
        assert set(operation["responses"]) >= {"200", "400", "401", "404", "408", "413", "503"}
