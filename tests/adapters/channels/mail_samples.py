"""Letters and mail channels for the tests."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from adapters.channels.definition_mail import MailDefinition
from adapters.channels.mail import MailChannel
from adapters.channels.mail_opening import mail_channel
from adapters.channels.port import Letter, Outcome
from domain.levels import Level
from domain.messages import Mode
from domain.telling_events import SendText

Result = TypeVar("Result")

SECONDS = 30.0
AT = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
CHINESE = SendText(
    language="zh-CN",
    subject="诸暨市 市气象台发布暴雨红色预警信号",
    sms="",
    body="市气象台发布暴雨红色预警信号\n\n预计未来三小时累计雨量可达100毫米以上。\n\nhttps://outlet.example/w/330681",
)
ENGLISH = SendText(
    language="en",
    subject="Red rainstorm warning for Zhuji",
    sms="",
    body="Red rainstorm warning\n\nMore than 100 mm within 3 hours. <Leave> low ground & stay away from rivers.\n.",
)


def letter(
    address: str = "reader@people.example",
    *,
    id_: str = "letter-1",
    text: SendText = CHINESE,
    mode: Mode = Mode.LIVE,
    level: Level = Level.RED,
    number: int = 7,
) -> Letter:
    return Letter(
        id=id_,
        number=number,
        address=address,
        mode=mode,
        level=level,
        warning_id="330681",
        text=text,
        planned_at=AT,
    )


def channel_to(port: int, folder: Path, **settings: Any) -> MailChannel:
    described = {
        "id": "mail",
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "warnings@outlet.example",
        "hostname": "outlet.example",
        "connections": 2,
        "timeout_seconds": 10.0,
        **settings,
    }
    return mail_channel(MailDefinition.model_validate(described), folder)


def run(
    work: Coroutine[Any, Any, Result], loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> Result:
    """The work's result, on a loop of its own and bounded in time."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(asyncio.wait_for(work, SECONDS))


async def sent(channel: MailChannel, *addresses: str) -> list[Outcome]:
    """The outcomes of one letter to each, all at once; then the channel is closed."""
    await channel.open()
    outcomes = await asyncio.gather(
        *(channel.send(letter(address, id_=f"letter-{n}")) for n, address in enumerate(addresses))
    )
    await channel.close()
    return list(outcomes)
