"""`serve` runs the whole outlet: what comes in over HTTP is public over HTTP, and it stops when it is told to."""

import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.http.server import ServerDidNotStartError, serve
from adapters.settings import Settings
from adapters.wiring import build
from tests.adapters.http.outlets import Outlet, receipts_of
from tests.streams.messages import cap


def test_what_comes_in_over_http_is_public_over_http(outlet: Outlet) -> None:
    receipts_of(outlet.post(cap("m-1", level="red")))
    deadline = time.monotonic() + 20
    while not (features := outlet.client.get("/v1/warnings").json()["features"]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert [feature["properties"]["code"] for feature in features] == ["330604"]


def test_serve_answers_until_it_is_told_to_stop_though_a_stream_is_open(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    stop = threading.Event()
    with build(Settings(data_dir=tmp_path, policy="shaoxing")) as platform:
        thread = threading.Thread(target=serve, args=(platform, "127.0.0.1", port, stop))
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as client:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                try:
                    assert client.get("/readyz").status_code == 200
                    break
                except httpx.ConnectError:
                    time.sleep(0.02)
            with client.stream("GET", "/v1/stream") as stream:
                assert stream.status_code == 200
                began = time.monotonic()
                stop.set()
                thread.join(20)
                assert not thread.is_alive()
                assert time.monotonic() - began < 8


def test_an_address_in_use_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken, build(Settings(data_dir=tmp_path, policy="shaoxing")) as platform:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServerDidNotStartError, match="cannot listen"):
            serve(platform, "127.0.0.1", taken.getsockname()[1], threading.Event())
        with AgencyKeys(tmp_path / FILE_NAME) as keys:
            assert keys.credentials() == []
