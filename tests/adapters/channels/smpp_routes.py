"""A route to an SMSC of the tests, letters for it, and what the SMSC has read of them."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.bench.p9_node import modules
from adapters.bench.row import PeerMissingError
from adapters.channels.port import DeliveryReceipt, Incoming, Letter
from adapters.channels.smpp import SmppChannel
from adapters.channels.smpp_connecting import Connector
from adapters.channels.smpp_definition import SmppDefinition
from adapters.settings import from_environment
from domain.levels import Level
from domain.messages import Mode
from domain.telling_events import SendText

SECONDS = 90.0
SHORT = "【某市应急】某区暴雨红色预警，请立即转移避险。"
LONG = SHORT * 7
"""Three parts."""


def need_node() -> None:
    """Skip where the npm package cannot be had; where everything is to be tested, that is a failure."""
    try:
        modules()
    except PeerMissingError as error:
        if from_environment().is_ci:
            pytest.fail(f"the SMSC is needed in continuous integration: {error}")
        pytest.skip(str(error))


def definition(port: int | None, **changed: Any) -> SmppDefinition:
    base = {
        "id": "carrier",
        "host": "127.0.0.1",
        "port": port,
        "system_id": "outlet",
        "password_file": "password",
        "source": "10690000",
        "longest_pause_seconds": 0.5,
    }
    return SmppDefinition.model_validate(base | changed)


def channel(folder: Path, port: int, **changed: Any) -> SmppChannel:
    described = definition(port, **changed)
    return SmppChannel(described, Connector(described, "secret"), folder / "ids.sqlite", chance=lambda: 0.5)


def letter(number: int, sms: str = SHORT, **changed: Any) -> Letter:
    base: dict[str, Any] = {
        "id": f"7-{number}",
        "number": number,
        "address": f"+86138{number:08d}",
        "mode": Mode.LIVE,
        "level": Level.RED,
        "warning_id": "w",
        "text": SendText(language="zh-CN", subject="", sms=sms, body=""),
        "planned_at": datetime.now(UTC),
    }
    return Letter(**(base | changed))


def submitted(log: Path) -> list[dict[str, Any]]:
    """Every submit_sm that the SMSC has read, in order."""
    if not log.exists():
        return []
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


async def fetched(route: SmppChannel, count: int) -> list[DeliveryReceipt | Incoming]:
    """The next that come back."""
    receipts = route.receipts()
    return [await anext(receipts) for _ in range(count)]


async def until(is_so: Callable[[], bool]) -> None:
    """Wait; the test's own time limit ends what never becomes so."""
    while not is_so():  # noqa: ASYNC110 -- what is waited for is in another process, or tells nobody
        await asyncio.sleep(0.01)


async def until_bound(route: SmppChannel) -> None:
    await until(lambda: route._session is not None)


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine, bounded in time."""

    async def bounded() -> None:
        async with asyncio.timeout(SECONDS):
            await test

    asyncio.run(bounded())


async def with_route(route: SmppChannel, use: Callable[[SmppChannel], Awaitable[None]]) -> None:
    """Open, use and close a route."""
    await route.open()
    try:
        await use(route)
    finally:
        await route.close()
