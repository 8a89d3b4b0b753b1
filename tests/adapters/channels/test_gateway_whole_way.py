"""From a plan to a delivered letter: the worker, a gateway on loopback, and its callbacks to the real server."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from adapters.clocks import ManualClock
from adapters.connections import OutboundDefinition, parse_connections
from adapters.http.gateways import gateways_router
from adapters.http.problems import install
from adapters.http.server import serving
from adapters.http.settings import HttpSettings
from adapters.sending.lane import Route
from adapters.sending.routes import callback_receivers, routes_of
from tests.adapters.channels.gateway_house import CALLED_BY, LOOPBACK, SECRET, accepts, base_of, said, signed_callback
from tests.adapters.sending.house import START, Town, town_in, until
from tests.adapters.webhooks.receivers import Receiver, Reply, Taken, receiving
from tests.streams.messages import cap

DOCUMENT = """
[[channels]]
id = "sms"
kind = "carriers"
default = ["city"]

[[channels]]
id = "city"
kind = "gateway"
profile = "plain-json"
url = "{url}"
key_id = "outlet"
secret_file = "secret"
callback_secret_file = "callback"
"""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with town_in(tmp_path / "data") as made:
        yield made


def routes_to(town: Town, gateway: Receiver) -> list[Route]:
    (town.folder / "secret").write_text(SECRET, encoding="ascii")
    (town.folder / "callback").write_text(CALLED_BY, encoding="ascii")
    document = parse_connections(DOCUMENT.replace("{url}", base_of(gateway)))
    return routes_of(document.channels, town.folder, OutboundDefinition(networks=LOOPBACK.networks), clock=town.clock)


@contextmanager
def served(routes: list[Route]) -> Iterator[httpx.Client]:
    app = FastAPI()
    install(app)
    app.include_router(gateways_router(callback_receivers(routes)))
    with ExitStack() as stack:
        at = stack.enter_context(serving(app, "127.0.0.1", 0, HttpSettings()))
        yield stack.enter_context(httpx.Client(base_url=at.url, timeout=30, trust_env=False))


def report(client: httpx.Client, *receipts: dict[str, Any]) -> int:
    body = json.dumps({"receipts": receipts}).encode()
    path = "/v1/gateways/city/receipts"
    return client.post(path, content=body, headers=signed_callback(path, body, START)).status_code


def states(town: Town) -> list[str]:
    return sorted(one.state for one in town.outcomes())


def states_as_time_goes_by(town: Town) -> list[str]:
    """The states, after a moment more: what waits is due by the outlet's clock."""
    assert isinstance(town.clock, ManualClock)
    town.clock.set(town.clock.now() + timedelta(milliseconds=50))
    return states(town)


def test_receipts_early_twice_and_of_nobody_leave_every_letter_delivered_once(town: Town) -> None:
    numbers = town.people(12)
    calling: list[Callable[[Taken], None]] = []

    def answer(taken: Taken, count: int) -> Reply:
        if count % 2 == 0:  # the report overtakes the answer
            for call in calling:
                call(taken)
        return accepts(taken, count)

    with receiving(answer) as gateway:
        routes = routes_to(town, gateway)
        with served(routes) as client:

            def call(taken: Taken) -> None:
                assert report(client, delivered(taken)) == 200

            calling.append(call)
            town.deliver(cap("r1", level="red"), minutes=0)
            with town.worker(*routes):
                until(lambda: len(gateway.taken) == 12)
                until(lambda: states(town).count("accepted") == 12)
                everything = [delivered(taken) for taken in gateway.taken]
                assert report(client, *everything, *everything, {"id": "gw-nobody", "state": "delivered"}) == 200
                until(lambda: states(town).count("delivered") == 12)
    assert states(town) == ["accepted"] * 12 + ["delivered"] * 12
    assert sorted(one.number for one in town.outcomes() if one.state == "delivered") == numbers
    assert {one.route for one in town.outcomes()} == {"sms"}


def delivered(taken: Taken) -> dict[str, Any]:
    return {"id": f"gw-{taken.document['id']}", "state": "delivered"}


def test_letters_in_doubt_are_repeated_under_the_same_id_and_told_so(town: Town) -> None:
    town.people(3)

    def answer(taken: Taken, count: int) -> Reply:
        return Reply(closes=True) if count < 3 else accepts(taken, count)

    with receiving(answer) as gateway:
        routes = routes_to(town, gateway)
        town.deliver(cap("r1", level="red"), minutes=0)
        with town.worker(*routes):
            until(lambda: states_as_time_goes_by(town).count("accepted") == 3)
    again = [one.document for one in gateway.taken if one.document["repeated"]]
    assert {one["id"] for one in again} <= {one.document["id"] for one in gateway.taken[:3]}
    assert states(town) == ["accepted"] * 3 + ["repeated"] * 3
    assert len({one.headers["idempotency-key"] for one in gateway.taken}) == 3


def test_a_gateway_that_is_throttled_gets_everything_in_the_end_and_nothing_twice(town: Town) -> None:
    town.people(20)

    def answer(taken: Taken, count: int) -> Reply:
        return said(status="busy") if count % 3 == 0 else accepts(taken, count)

    with receiving(answer) as gateway:
        routes = routes_to(town, gateway)
        town.deliver(cap("r1", level="red"), minutes=0)
        with town.worker(*routes):
            until(lambda: states_as_time_goes_by(town).count("accepted") == 20)
    assert states(town) == ["accepted"] * 20
    assert not any(one.document["repeated"] for one in gateway.taken)
