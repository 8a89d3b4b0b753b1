"""A platform on a clock set by hand, and a real server of its public API on a free loopback port."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from adapters.clocks import ManualClock
from adapters.http.problems import install
from adapters.http.public import PublicRouter, StreamOptions, public_router
from adapters.settings import Settings
from adapters.wiring import Platform, build
from domain.events import WarningReleased
from domain.messages import Mode
from streams.intake import Delivery, Outcome
from tests.adapters.http.public.samples import START, at, write_policy

SECONDS = 20.0
"""Longer than anything here takes; a test that waits for more has failed."""


class Desk:
    """What a test does with a platform."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    def deliver(self, content: bytes, *, minutes: float | None = None) -> None:
        """Hand over one message, at a minute if given, and take it through all stages."""
        if minutes is not None:
            self.platform.advance(at(minutes))
        [receipt] = self.platform.runner.submit([Delivery(content=content, agency=None, source="test")])
        assert receipt.outcome is Outcome.ACCEPTED, receipt
        self.platform.runner.pump()

    def releases(self, mode: Mode = Mode.LIVE) -> list[tuple[int, WarningReleased]]:
        """(position, release) of all in this mode."""
        found = [(one.position, one.event) for one in self.platform.log.read()]
        return [(place, event) for place, event in found if isinstance(event, WarningReleased) and event.mode is mode]

    def newest(self) -> WarningReleased:
        """The live release that came last."""
        return self.releases()[-1][1]


@dataclass(frozen=True)
class Served:
    """A running server."""

    base: str
    router: PublicRouter
    client: httpx.Client

    def get(self, path: str, **more: object) -> httpx.Response:
        """Ask, and read the whole answer."""
        return self.client.get(path, **more)  # type: ignore[arg-type]


@contextmanager
def serving(platform: Platform, options: StreamOptions | None = None) -> Iterator[Served]:
    """Serve the platform until the block ends."""
    app, router = FastAPI(), public_router(platform, options)
    install(app)
    app.include_router(router)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", ws="none", lifespan="on", timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + SECONDS
    while not server.started:
        assert thread.is_alive(), "the server has ended"
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.005)
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        with httpx.Client(base_url=base, timeout=SECONDS) as client:
            yield Served(base, router, client)
    finally:
        router.close()
        server.should_exit = True
        thread.join(SECONDS)
        assert not thread.is_alive(), "the server did not stop"


Serve = Callable[[StreamOptions], Served]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    settings = Settings(data_dir=tmp_path / "data", policy=str(write_policy(tmp_path / "policy")))
    with build(settings, clock=ManualClock(START)) as platform:
        yield Desk(platform)


@pytest.fixture
def served(desk: Desk) -> Iterator[Served]:
    with serving(desk.platform) as running:
        yield running


@pytest.fixture
def serve(desk: Desk) -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda options: stack.enter_context(serving(desk.platform, options))
