"""Our side of P9, a process of its own: messages over one SMPP route, receipts fetched as they come.

Says as JSON how many seconds it took from the first submit_sm until the last receipt.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from adapters.channels.port import Accepted, DeliveryReceipt, Letter
from adapters.channels.smpp import SmppChannel
from adapters.channels.smpp_connecting import Connector
from adapters.channels.smpp_definition import SmppDefinition
from domain.levels import Level
from domain.messages import Mode
from domain.telling_events import SendText

FIRST_NUMBER = 8_613_800_000_000


def letter(number: int, text: SendText, now: datetime) -> Letter:
    """To another number each."""
    return Letter(
        id=f"1-{number}",
        number=number + 1,
        address=f"+{FIRST_NUMBER + number}",
        mode=Mode.LIVE,
        level=Level.RED,
        warning_id="bench",
        text=text,
        planned_at=now,
    )


async def seconds_for(port: int, messages: int, window: int, words: str, folder: Path) -> float:
    """Send all, and wait for all receipts.

    Raises:
        ConnectionError: one was not accepted.
        ValueError: the receipts are not those of what was accepted, each once.
    """
    definition = SmppDefinition(
        id="bench",
        host="127.0.0.1",
        port=port,
        system_id="bench",
        password_file=Path("none"),
        source="10690000",
        window=window,
    )
    channel = SmppChannel(definition, Connector(definition, "bench"), folder / "ids.sqlite")
    text = SendText(language="zh-CN", subject="", sms=words, body="")
    now = datetime.now(UTC)
    letters = iter([letter(number, text, now) for number in range(messages)])
    accepted: list[str] = []
    await channel.open()
    began = time.perf_counter()

    async def lane() -> None:
        for one in letters:
            outcome = await channel.send(one)
            if not isinstance(outcome, Accepted):
                raise ConnectionError(str(outcome))
            accepted.append(outcome.reference)

    async def fetch() -> list[str]:
        fetched: list[str] = []
        async for receipt in channel.receipts():
            if isinstance(receipt, DeliveryReceipt):
                fetched.append(receipt.reference)
            if len(fetched) == messages:
                break
        return fetched

    fetching = asyncio.create_task(fetch())
    await asyncio.gather(*(lane() for _ in range(window)))
    fetched = await fetching
    seconds = time.perf_counter() - began
    await channel.close()
    if sorted(fetched) != sorted(accepted) or len(set(accepted)) != messages:
        raise ValueError("the receipts are not those of what was accepted")
    return seconds


def main() -> None:
    """Once; the words are the last argument."""
    port, messages, window = (int(figure) for figure in sys.argv[1:4])
    with TemporaryDirectory() as folder:
        seconds = uvloop.run(seconds_for(port, messages, window, sys.argv[4], Path(folder)))
    print(json.dumps({"seconds": seconds}))  # noqa: T201 -- read by p9


if __name__ == "__main__":
    main()
