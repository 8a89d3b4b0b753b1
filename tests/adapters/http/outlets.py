"""An outlet that listens: a platform on a clock set by hand, its server, and one partner's view of it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from adapters.clocks import ManualClock
from adapters.http.app import OutletApp, create_app
from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.http.server import Serving, serving
from adapters.http.settings import HttpSettings, Rate
from adapters.settings import Settings
from adapters.wiring import Platform, build
from tests.streams.messages import START

UNLIMITED = Rate(per_second=1_000_000, burst=1_000_000)
GENEROUS = HttpSettings(agency_rate=UNLIMITED, address_rate=UNLIMITED)


@dataclass
class Outlet:
    """A listening outlet, and what a partner does with it."""

    platform: Platform
    clock: ManualClock
    keys: AgencyKeys
    app: OutletApp
    at: Serving
    client: httpx.Client

    def key(self, agency: str = "meteorology") -> str:
        """A fresh key of this agency."""
        return self.keys.add_key(agency, self.clock.now()).secret

    def post(
        self,
        content: bytes,
        *,
        agency: str = "meteorology",
        key: str | None = None,
        kind: str | None = "application/cap+xml",
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Post as this agency, by default with a key of its own."""
        sent = {"Authorization": f"Bearer {key or self.key(agency)}", **(headers or {})}
        if kind is not None:
            sent["Content-Type"] = kind
        return self.client.post(f"/v1/agencies/{agency}/messages", content=content, headers=sent)

    def topics(self) -> list[str]:
        """Every recorded topic, in order."""
        return [recorded.event.TOPIC for recorded in self.platform.log.read()]

    def wait_for_topic(self, topic: str) -> None:
        """Until the stages have recorded this."""
        deadline = time.monotonic() + 20
        while topic not in self.topics():
            assert time.monotonic() < deadline, f"no {topic} in {self.topics()}"
            time.sleep(0.01)


@contextmanager
def outlet_at(folder: Path, settings: HttpSettings = GENEROUS, *, policy: str = "shaoxing") -> Iterator[Outlet]:
    """A listening outlet on this data directory."""
    clock = ManualClock(START)
    with ExitStack() as stack:
        platform = stack.enter_context(build(Settings(data_dir=folder, policy=policy), clock=clock))
        keys = stack.enter_context(AgencyKeys(folder / FILE_NAME))
        app = create_app(platform, keys, settings=settings)
        stack.callback(app.shut)
        at = stack.enter_context(serving(app, "127.0.0.1", 0, settings))
        client = stack.enter_context(httpx.Client(base_url=at.url, timeout=30, trust_env=False))
        yield Outlet(platform, clock, keys, app, at, client)


def tighter(**limits: Any) -> HttpSettings:
    """Generous settings but for these."""
    return replace(GENEROUS, **limits)


def problem(response: httpx.Response, name: str, status: int) -> dict[str, Any]:
    """The problem document of an answer, after checking that it is this one."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["type"] == f"urn:single-outlet:problem:{name}"
    assert document["status"] == status
    assert response.headers["x-request-id"] in document["instance"]
    return document


def receipts_of(response: httpx.Response) -> list[dict[str, Any]]:
    """The receipts of an answer that took everything."""
    assert response.status_code == 202, response.text
    found: list[dict[str, Any]] = response.json()["receipts"]
    return found
