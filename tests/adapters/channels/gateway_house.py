"""A gateway of the tests on loopback, routes to it and letters for it. Nothing here asserts anything."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.channels.gateway import GatewayChannel
from adapters.channels.gateway_definition import GatewayDefinition
from adapters.channels.gateway_opening import gateway_channel
from adapters.channels.gateway_signing import canonical_string
from adapters.channels.port import Channel, Letter, Outcome
from adapters.clocks import ManualClock
from adapters.net.client import Reach
from domain.levels import Level
from domain.messages import Mode
from domain.ports import Clock
from domain.telling_events import SendText
from tests.adapters.webhooks.receivers import Receiver, Reply, Taken

SECONDS = 60.0
NOW = datetime(2026, 9, 13, 8, 0, tzinfo=UTC)
LOOPBACK = Reach(networks=(ip_network("127.0.0.0/8"),))
SECRET = "a-secret-of-the-gateway"
CALLED_BY = "a-secret-of-the-callbacks"
TEXT = SendText(
    language="zh-CN",
    subject="暴雨红色预警",
    sms="【绍兴发布】上虞区暴雨红色预警，请立即转移避险。",
    body="请注意防范。\n第二行。",
    short="【绍兴发布】暴雨红色预警，详情见链接。",
)
NUMBER = "+8613800000001"


def base_of(receiver: Receiver) -> str:
    parts = urlsplit(receiver.url)
    return f"{parts.scheme}://{parts.netloc}"


def definition(url: str, **changed: Any) -> GatewayDefinition:
    base = {
        "id": "city",
        "profile": "plain-json",
        "url": url,
        "key_id": "outlet",
        "secret_file": "secret",
        "callback_secret_file": "callback",
        "sign_name": "绍兴发布",
        "connect_seconds": 2.0,
        "answer_seconds": 5.0,
    }
    return GatewayDefinition.model_validate(base | changed)


def route(
    folder: Path, url: str, *, clock: Clock | None = None, reach: Reach = LOOPBACK, **changed: Any
) -> GatewayChannel:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "secret").write_text(SECRET + "\n", encoding="ascii")
    (folder / "callback").write_text(CALLED_BY + "\n", encoding="ascii")
    return gateway_channel(definition(url, **changed), folder, reach, clock=clock or ManualClock(NOW))


def letter(number: int = 1, **changed: Any) -> Letter:
    base: dict[str, Any] = {
        "id": f"7-{number}",
        "number": number,
        "address": f"+86138{number:08d}",
        "mode": Mode.LIVE,
        "level": Level.RED,
        "warning_id": "warning",
        "text": TEXT,
        "planned_at": NOW,
    }
    return Letter(**(base | changed))


def worded(sms: str, short: str = "") -> SendText:
    return TEXT.model_copy(update={"sms": sms, "short": short})


def repeated(one: Letter) -> Letter:
    return replace(one, repeated=True)


def said(**words: Any) -> Reply:
    """An answer with these words as JSON."""
    body = json.dumps(words).encode()
    return Reply(200, {"content-type": "application/json"}, body)


def accepts(request: Taken, _count: int) -> Reply:
    """The gateway of `plain-json`: takes everything, and names it after our own id."""
    return said(status="accepted", id=f"gw-{request.document['id']}")


def signed_callback(path: str, body: bytes, now: datetime = NOW, secret: str = CALLED_BY) -> dict[str, str]:
    """The headers of a callback as a gateway signs it."""
    timestamp = str(int(now.timestamp()))
    content = canonical_string("POST", path, timestamp, "n-1", body)
    return {
        "content-type": "application/json",
        "x-timestamp": timestamp,
        "x-nonce": "n-1",
        "x-signature": hmac.new(secret.encode(), content, sha256).hexdigest(),
    }


def run(test: Coroutine[Any, Any, Any]) -> Any:
    """Run a test's coroutine, bounded in time."""

    async def bounded() -> Any:
        async with asyncio.timeout(SECONDS):
            return await test

    return asyncio.run(bounded())


@asynccontextmanager
async def opened(channel: Channel) -> AsyncIterator[Channel]:
    await channel.open()
    try:
        yield channel
    finally:
        await channel.close()


def sent(channel: Channel, *letters: Letter) -> list[Outcome]:
    """Hand letters over, one after the other."""

    async def all_of_them() -> list[Outcome]:
        async with opened(channel):
            return [await channel.send(one) for one in letters]

    found: list[Outcome] = run(all_of_them())
    return found


async def until(is_so: Callable[[], bool]) -> None:
    """Wait; the test's own time limit ends what never becomes so."""
    while not is_so():  # noqa: ASYNC110 -- what is waited for is in another thread, and tells nobody
        await asyncio.sleep(0.01)
