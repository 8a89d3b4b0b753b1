"""A gateway that does not call is asked; what it lists is kept before it is acknowledged."""

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from adapters.channels.port import Accepted, DeliveryReceipt, Incoming
from tests.adapters.channels.gateway_house import NOW, base_of, letter, opened, route, run, said, until
from tests.adapters.webhooks.receivers import Reply, Taken, receiving

PROFILE = """
name = "asked"
[signing]
scheme = "hmac-sha256"
[request]
path = "/send"
[request.fields]
to = "{recipient}"
text = "{text}"
[receipts]
items = "list"
reference = "id"
state = "state"
delivered = ["ok"]
[messages]
items = "list"
address = "from"
text = "text"
[[poll]]
holds = "receipts"
interval_seconds = 0.02
id = "id"
[poll.request]
path = "/reports"
[poll.request.fields]
account = "{key_id}"
[poll.acknowledge]
path = "/reports/seen"
[poll.acknowledge.fields]
ids = "{ids}"
[[poll]]
holds = "messages"
interval_seconds = 0.02
[poll.request]
path = "/inbound"
body = "form"
[poll.request.fields]
account = "{key_id}"
"""


@dataclass
class Lists:
    """The gateway: what it lists, and what it was told to forget."""

    waiting: list[dict[str, Any]] = field(default_factory=list)
    inbound: list[dict[str, Any]] = field(default_factory=list)
    seen: list[list[str]] = field(default_factory=list)
    spoil: list[Reply] = field(default_factory=list)
    spoil_acknowledgement: list[Reply] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, taken: Taken, _count: int) -> Reply:
        with self.lock:
            if taken.path == "/send":
                return Reply(200)
            if taken.path == "/inbound":
                found, self.inbound = self.inbound, []
                return said(list=found)
            if taken.path == "/reports/seen":
                ids = json.loads(taken.body)["ids"]
                self.seen.append(ids)
                if self.spoil_acknowledgement:
                    return self.spoil_acknowledgement.pop()
                self.waiting = [one for one in self.waiting if one["id"] not in ids]
                return Reply(204)
            return self.spoil.pop() if self.spoil else said(list=self.waiting[:3])


def asked(folder: Path, url: str, **changed: Any) -> Any:
    (folder / "asked.toml").write_text(PROFILE, encoding="utf-8")
    return route(folder, url, profile="asked.toml", callback_secret_file=None, **changed)


def listed(number: int) -> dict[str, Any]:
    return {"id": f"gw-{number}", "state": "ok"}


def test_everything_listed_comes_once_in_order_page_after_page_and_is_acknowledged(tmp_path: Path) -> None:
    async def play() -> None:
        gateway = Lists(waiting=[listed(number) for number in range(8)], inbound=[{"from": "13800000001", "text": "1"}])
        with receiving(gateway) as receiver:
            async with opened(asked(tmp_path, base_of(receiver))) as channel:
                assert await channel.send(letter()) == Accepted("7-1")
                came = channel.receipts()
                found = [await anext(came) for _ in range(9)]
                await until(lambda: not gateway.waiting)
        receipts = [one for one in found if isinstance(one, DeliveryReceipt)]
        assert receipts == [DeliveryReceipt(f"gw-{number}", "delivered", NOW) for number in range(8)]
        assert [one for one in found if isinstance(one, Incoming)] == [Incoming("+8613800000001", "1", NOW)]
        assert [one for ids in gateway.seen for one in ids] == [f"gw-{number}" for number in range(8)]
        reports = [one for one in receiver.taken if one.path == "/reports"]
        assert all(one.document == {"account": "outlet"} and one.headers["x-signature"] for one in reports)

    run(play())


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {}, b"<html>"),
        Reply(200, {}, b'{"other": []}'),
        Reply(500),
        Reply(429, {"retry-after": "0"}),
        Reply(302, {"location": "/elsewhere"}),
        Reply(closes=True),
        Reply(200, {}, b" " * 1_200_000),
    ],
)
def test_a_list_that_cannot_be_had_is_asked_for_again(
    tmp_path: Path, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    async def play() -> None:
        gateway = Lists(waiting=[listed(1)], spoil=[reply])
        with receiving(gateway) as receiver:
            async with opened(asked(tmp_path, base_of(receiver))) as channel:
                assert await anext(channel.receipts()) == DeliveryReceipt("gw-1", "delivered", NOW)
        assert gateway.spoil == []

    run(play())
    assert "receipts were asked for in vain" in caplog.text


def test_a_list_whose_acknowledgement_failed_comes_once_more_and_is_acknowledged_then(tmp_path: Path) -> None:
    async def play() -> None:
        gateway = Lists(waiting=[listed(1)], spoil_acknowledgement=[Reply(500)])
        with receiving(gateway) as receiver:
            async with opened(asked(tmp_path, base_of(receiver))) as channel:
                came = channel.receipts()
                assert await anext(came) == await anext(came) == DeliveryReceipt("gw-1", "delivered", NOW)
                await until(lambda: not gateway.waiting)
        assert gateway.seen == [["gw-1"], ["gw-1"]]

    run(play())


def test_what_cannot_be_kept_is_not_acknowledged(tmp_path: Path) -> None:
    async def play() -> None:
        gateway = Lists(waiting=[listed(number) for number in range(3)])
        with receiving(gateway) as receiver:
            async with opened(asked(tmp_path, base_of(receiver), most_waiting=2)):
                await until(lambda: sum(one.path == "/reports" for one in receiver.taken) >= 3)
        assert gateway.seen == []

    run(play())


def test_an_item_that_cannot_be_read_does_not_keep_the_others_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def play() -> None:
        gateway = Lists(waiting=[{"id": "odd"}, listed(1)])
        with receiving(gateway) as receiver:
            async with opened(asked(tmp_path, base_of(receiver))) as channel:
                assert await anext(channel.receipts()) == DeliveryReceipt("gw-1", "delivered", NOW)
                await until(lambda: not gateway.waiting)

    run(play())
    assert "item 0: no state at state" in caplog.text
