"""P8: mail over 8 lasting connections to Postfix's `smtp-sink`, beside Postfix's own `smtp-source -d -s 8`.

Both sides hand the same number of messages of the same size to the same kind of server on this machine. Ours goes
through the channel as a sending worker uses it: every letter has its own recipient, headers and outcome, every reply
is checked, and rendering is within the time taken. After each turn the sink's own count must be what was sent.
"""

import asyncio
import os
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import uvloop

from adapters.bench.row import PeerMissingError, Row
from adapters.channels.definition_mail import MailDefinition, Security
from adapters.channels.mail_addresses import mailbox
from adapters.channels.mail_html import HtmlWriter
from adapters.channels.mail_message import MessageWriter
from adapters.channels.mail_opening import mail_channel
from adapters.channels.port import Accepted, Letter
from domain.levels import Level
from domain.messages import Mode
from domain.telling_events import SendText

MESSAGES = 10_000
CONNECTIONS = 8
GOAL = 1.0
SECONDS = 60.0
_SYSTEM_FOLDERS: Final = ("/usr/sbin", "/usr/local/sbin", "/sbin")

SENDER = "warnings@outlet.example"
AT = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
TEXT = SendText(
    language="zh-CN",
    subject="诸暨市 市气象台发布暴雨红色预警信号",
    sms="",
    body="市气象台发布暴雨红色预警信号\n\n预计未来三小时,我市西部山区累计雨量可达一百毫米以上,山洪、滑坡风险极高。\n\n"
    "请立即转移危险区域人员,停止户外活动。\n\nhttps://outlet.example/w/330681",
)


def measure(rounds: int = 5, messages: int = MESSAGES) -> list[Row]:
    """The ratio of our messages per second to those of smtp-source.

    Raises:
        PeerMissingError: Postfix's programs are not installed.
    """
    sink, source = program("smtp-sink"), program("smtp-source")
    size = len(_writer().content(letter(0), mailbox(letter(0).address)))
    ours, beside, stepwise = [], [], []
    for _ in range(rounds):
        beside.append(_source_turn(source, sink, messages, size))
        ours.append(_our_turn(sink, messages, pipelining=True))
        stepwise.append(_our_turn(sink, messages, pipelining=False))
    ratios = [theirs.seconds / own.seconds for theirs, own in zip(beside, ours, strict=True)]
    without = median([theirs.seconds / own.seconds for theirs, own in zip(beside, stepwise, strict=True)])
    work = median([theirs.busy_seconds / own.busy_seconds for theirs, own in zip(beside, ours, strict=True)])
    own_rate, their_rate = (messages / median([turn.seconds for turn in turns]) for turns in (ours, beside))
    return [
        Row(
            id="P8",
            measure=f"e-mail over {CONNECTIONS} connections to smtp-sink",
            beside=f"Postfix smtp-source -d -s {CONNECTIONS}, messages/s",
            ratio=median(ratios),
            goal=GOAL,
            rounds=tuple(ratios),
            note=f"{messages:,} messages of {size:,} bytes, {own_rate:,.0f}/s beside {their_rate:,.0f}/s, all counted "
            f"at the sink; {without:.2f} without pipelining; {work:.2f} by processor time, sinks included, which "
            "other load on the machine changes least",
        )
    ]


class _Turn(NamedTuple):
    """What it took: by the clock, and of the processors by both the sending and the receiving side."""

    seconds: float
    busy_seconds: float


def _busy_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def program(name: str) -> str:
    """Where it is.

    Raises:
        PeerMissingError: it is not installed.
    """
    path = shutil.which(name, path=os.pathsep.join([os.defpath, *_SYSTEM_FOLDERS]))
    if path is None:
        raise PeerMissingError(f"{name} is not installed (Debian's package is postfix; no service is needed)")
    return path


@contextmanager
def sink_running(sink: str, count: int) -> Iterator[int]:
    """A sink's port. At the end it must have got so many messages.

    Raises:
        RuntimeError: it has got another number.
    """
    port = _free_port()
    as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [sink, *as_nobody, "-c", f"127.0.0.1:{port}", "1000"]
    with tempfile.TemporaryFile() as counters:
        process = subprocess.Popen(command, stdout=counters, stderr=subprocess.PIPE)  # noqa: S603 -- Postfix's own
        try:
            _wait_until_it_listens(port)
            yield port
        finally:
            process.terminate()
            process.wait(SECONDS)
            assert process.stderr is not None
            process.stderr.close()
        counters.seek(0)
        found = re.findall(rb"mesg=(\d+)", counters.read())
    counted = int(found[-1]) if found else 0
    if counted != count:
        raise RuntimeError(f"the sink has {counted} of {count} messages")


def letter(number: int) -> Letter:
    """One of the letters that are sent."""
    return Letter(
        id=f"8d1f6a52-{number:08d}",
        number=number + 1,
        address=f"reader{number}@people.example",
        mode=Mode.LIVE,
        level=Level.RED,
        warning_id="330681",
        text=TEXT,
        planned_at=AT,
    )


async def send_all(port: int, count: int, *, pipelining: bool) -> None:
    """Send so many letters, as many at once as the channel's window allows.

    Raises:
        RuntimeError: one was not accepted.
    """
    definition = MailDefinition(
        id="bench",
        host="127.0.0.1",
        port=port,
        security=Security.NONE,
        sender=SENDER,
        hostname="outlet.example",
        connections=CONNECTIONS,
        pipelining=pipelining,
    )
    channel = mail_channel(definition, Path())
    await channel.open()
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            outcome = await channel.send(letter(number))
            if not isinstance(outcome, Accepted):
                raise RuntimeError(f"letter {number}: {outcome}")  # noqa: TRY004 -- an outcome, not a wrong type

    await asyncio.gather(*(worker() for _ in range(channel.window)))
    await channel.close()


def _our_turn(sink: str, messages: int, *, pipelining: bool) -> _Turn:
    busy = _busy_seconds()
    with sink_running(sink, messages) as port:
        seconds = _seconds_of(send_all(port, messages, pipelining=pipelining))
    return _Turn(seconds, _busy_seconds() - busy)


def _seconds_of(work: Coroutine[Any, Any, None]) -> float:
    started = time.perf_counter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(work, SECONDS))
    return time.perf_counter() - started


def _source_turn(source: str, sink: str, messages: int, size: int) -> _Turn:
    busy = _busy_seconds()
    with sink_running(sink, messages) as port:
        command: Sequence[str] = [
            source,
            *("-d", "-s", str(CONNECTIONS), "-m", str(messages), "-l", str(size)),
            *("-f", SENDER, "-t", letter(0).address, f"127.0.0.1:{port}"),
        ]
        started = time.perf_counter()
        subprocess.run(command, check=True, timeout=SECONDS)  # noqa: S603 -- Postfix's own
        seconds = time.perf_counter() - started
    return _Turn(seconds, _busy_seconds() - busy)


def _writer() -> MessageWriter:
    return MessageWriter(HtmlWriter(), sender=SENDER, sender_names={}, id_domain="outlet.example")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_listens(port: int) -> None:
    until = time.monotonic() + SECONDS
    connect = partial(socket.create_connection, ("127.0.0.1", port), timeout=SECONDS)
    while True:
        try:
            connect().close()
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
