"""What every channel promises, run on each of them; and what the spool promises of its files."""

import asyncio
import base64
import email
import email.policy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.channels.carriers import CarriersChannel
from adapters.channels.carriers_definition import CarriersDefinition
from adapters.channels.plain import plain_line, plain_text
from adapters.channels.port import Accepted, Channel, Later, Letter, Outcome, Refused
from adapters.channels.screen import screen_channel
from adapters.channels.screen_definition import ScreenDefinition
from adapters.channels.spool import Spool
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind
from domain.telling_events import SendText
from tests.adapters.channels.gateway_house import LOOPBACK, accepts, base_of, route, said
from tests.adapters.webhooks.receivers import receiving, takes_all

TEXT = SendText(
    language="zh-CN", subject="暴雨红色预警", sms="【绍兴发布】暴雨红色预警。", body="请注意防范。\n第二行。"
)
ADDRESSES = {
    ChannelKind.SMS: "+8613800000001",
    ChannelKind.EMAIL: "somebody@people.example",
    ChannelKind.SCREEN: "screen-7",
    ChannelKind.VOICE: "+8613800000001",
}


@dataclass(frozen=True)
class Tried:
    """A channel under test, and what it has handed over so far."""

    channel: Channel
    arrived: Callable[[], list[bytes]]


def spool(kind: ChannelKind) -> Callable[[Path], Tried]:
    def made(folder: Path) -> Tried:
        def arrived() -> list[bytes]:
            return [path.read_bytes() for path in sorted(folder.rglob("*.*")) if path.is_file()]

        return Tried(Spool(folder, kind, sender="outlet@shaoxing.example"), arrived)

    return made


Making = Callable[[Path], AbstractContextManager[Tried]]


def spooling(kind: ChannelKind) -> Making:
    return lambda folder: nullcontext(spool(kind)(folder))


def gateway(**changed: Any) -> Making:
    @contextmanager
    def made(folder: Path) -> Iterator[Tried]:
        with receiving(accepts) as receiver:
            yield Tried(route(folder, base_of(receiver), **changed), lambda: [one.body for one in receiver.taken])

    return made


def aliyun() -> Making:
    @contextmanager
    def made(folder: Path) -> Iterator[Tried]:
        with receiving(lambda _taken, _count: said(Code="OK", BizId="1^0")) as receiver:
            channel = route(folder, base_of(receiver), profile="aliyun", template_code="SMS_1")
            yield Tried(channel, lambda: [one.path.encode() for one in receiver.taken])

    return made


@contextmanager
def screen(folder: Path) -> Iterator[Tried]:
    folder.mkdir(parents=True)
    (folder / "screens").write_text("whsec_" + base64.b64encode(b"k" * 32).decode(), encoding="ascii")
    with receiving(takes_all) as receiver:
        described = ScreenDefinition(id="screens", url=base_of(receiver), secret_file=Path("screens"))
        yield Tried(screen_channel(described, folder, LOOPBACK), lambda: [one.body for one in receiver.taken])


@contextmanager
def carriers(folder: Path) -> Iterator[Tried]:
    members: dict[str, Channel] = {
        name: Spool(folder / name, ChannelKind.SMS, sender="outlet@shaoxing.example", name=name) for name in ("a", "b")
    }
    described = CarriersDefinition(id="sms", carriers={"china-mobile": ("b", "a")}, default=("a",))
    yield Tried(
        CarriersChannel(described, members), lambda: [path.read_bytes() for path in sorted(folder.rglob("*.sms"))]
    )


CHANNELS: dict[str, Making] = {f"spool-{kind.value}": spooling(kind) for kind in ChannelKind} | {
    "gateway-sms": gateway(),
    "gateway-voice": gateway(serves="voice"),
    "gateway-aliyun": aliyun(),
    "screen": screen,
    "carriers": carriers,
}


@pytest.fixture(params=sorted(CHANNELS))
def tried(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tried]:
    with CHANNELS[request.param](tmp_path / "out") as made:
        yield made


def letter(kind: ChannelKind, number: int = 1, *, text: SendText = TEXT, address: str | None = None) -> Letter:
    return Letter(
        id=f"12-{number}",
        number=number,
        address=ADDRESSES[kind] if address is None else address,
        mode=Mode.LIVE,
        level=Level.RED,
        warning_id="warning",
        text=text,
        planned_at=datetime(2022, 9, 13, 8, tzinfo=UTC),
    )


def send(channel: Channel, *letters: Letter) -> list[Outcome]:
    async def all_of_them() -> list[Outcome]:
        await channel.open()
        try:
            return list(await asyncio.gather(*(channel.send(one) for one in letters)))
        finally:
            await channel.close()

    return asyncio.run(all_of_them())


def test_a_letter_that_is_accepted_has_arrived(tried: Tried) -> None:
    [outcome] = send(tried.channel, letter(tried.channel.kind))
    assert isinstance(outcome, Accepted)
    assert len(tried.arrived()) == 1


def test_a_window_of_letters_goes_over_at_once_and_each_arrives(tried: Tried) -> None:
    assert tried.channel.window >= 1
    letters = [letter(tried.channel.kind, number) for number in range(1, tried.channel.window + 1)]
    outcomes = send(tried.channel, *letters)
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len(tried.arrived()) == len(letters)


def test_a_channel_may_be_closed_without_a_letter_and_its_receipts_end(tried: Tried) -> None:
    async def only_open_and_close() -> list[object]:
        await tried.channel.open()
        await tried.channel.close()
        return [came async for came in tried.channel.receipts()]

    assert asyncio.run(only_open_and_close()) == []


@pytest.mark.parametrize("address", ["", "a@b.example\r\nBcc: c@d.example", "a@b.example,c@d.example", "<nobody>"])
def test_what_is_no_address_is_refused_and_the_reason_does_not_repeat_it(tmp_path: Path, address: str) -> None:
    for kind in (ChannelKind.EMAIL, ChannelKind.SMS):
        tried = spool(kind)(tmp_path)
        [outcome] = send(tried.channel, letter(kind, address=address))
        assert isinstance(outcome, Refused)
        assert not address or address not in outcome.reason
    assert not list(tmp_path.rglob("*.*"))


def test_the_same_letter_again_is_the_same_file(tmp_path: Path) -> None:
    tried = spool(ChannelKind.SMS)(tmp_path)
    one = letter(ChannelKind.SMS)
    send(tried.channel, one, replace(one, repeated=True), letter(ChannelKind.SMS, 2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["12-1.sms", "12-2.sms"]


def test_drills_lie_apart(tmp_path: Path) -> None:
    tried = spool(ChannelKind.EMAIL)(tmp_path)
    send(tried.channel, replace(letter(ChannelKind.EMAIL), mode=Mode.DRILL))
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.eml")] == ["drill/12-1.eml"]


def test_a_subject_cannot_bring_headers_of_its_own(tmp_path: Path) -> None:
    text = SendText(language="en", subject="Rain\r\nBcc: c@d.example\n\nbody", sms="x", body="Stay\u202e away")
    send(spool(ChannelKind.EMAIL)(tmp_path).channel, letter(ChannelKind.EMAIL, text=text))
    message = email.message_from_bytes((tmp_path / "12-1.eml").read_bytes(), policy=email.policy.default)
    assert message["Bcc"] is None
    assert message["Subject"] == "Rain Bcc: c@d.example body"
    assert message.get_content().strip() == "Stay away"


def test_a_text_message_holds_no_control_and_no_direction_characters(tmp_path: Path) -> None:
    text = SendText(language="en", subject="x", sms="Rain\x00\x1b[31m \u202eder\u2066!\tgo", body="x")
    send(spool(ChannelKind.SMS)(tmp_path).channel, letter(ChannelKind.SMS, text=text))
    assert (tmp_path / "12-1.sms").read_text().split("\n\n", 1)[1] == "Rain[31m der! go\n"


def test_plain_text_keeps_lines_and_a_line_is_one() -> None:
    assert plain_text("one\r\ntwo\u2028three\ufeff") == "one\ntwo\nthree"
    assert plain_line(" one\r\n two ") == "one two"


def test_a_folder_that_cannot_be_written_is_a_route_that_is_down(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    [outcome] = send(Spool(blocked, ChannelKind.SMS, sender="a@b.example"), letter(ChannelKind.SMS))
    assert isinstance(outcome, Later)
    assert outcome.is_route_down
