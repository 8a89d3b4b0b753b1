"""A mail server in a process of its own that writes down every mail before it answers, and does what it is told.

python -m tests.figures.mail_house PORT FILE: says its port as a line of JSON. Each line on the standard input is JSON
with options of `Manners`, answered by `{}`; it ends with its input. A line of the file is JSON: to, id and subject as
the mail has them. What a figure makes of them does not belong here.
"""

import asyncio
import json
import os
import re
import sys
from dataclasses import dataclass, replace
from typing import Any, Final

import uvloop

_END: Final = b"\r\n.\r\n"
_LONGEST_LINE: Final = 4096
_TO: Final = re.compile(rb"\bTO:\s*<([^>]*)>", re.IGNORECASE)
_ID: Final = re.compile(rb"^Message-ID: (.*)\r$", re.MULTILINE)
_SUBJECT: Final = re.compile(rb"^Subject: (.*(?:\r\n[ \t].*)*)\r$", re.MULTILINE)


@dataclass(frozen=True)
class Manners:
    """How it answers: `refuse` is said to every recipient; of so many mails one ends the connection unanswered.

    Of those mails every other one was taken. `delay_ms` is before each answer, `greeting` what is said first.
    """

    refuse: str = ""
    refuse_one: str = ""
    drop_each: int = 0
    delay_ms: float = 0.0
    greeting: str = "220 mx.people.example ESMTP"


class House:
    """What all connections share."""

    def __init__(self, file: int) -> None:
        """Write to this descriptor."""
        self.file = file
        self.manners = Manners()
        self.mails = 0

    def take(self, to: str, content: bytes) -> None:
        """Write a mail down."""
        found = {
            "to": to,
            "id": _first(_ID, content),
            "subject": _first(_SUBJECT, content),
        }
        os.write(self.file, json.dumps(found).encode() + b"\n")


def _first(pattern: "re.Pattern[bytes]", content: bytes) -> str:
    found = pattern.search(content)
    return found.group(1).decode("ascii", "replace") if found else ""


class Visit(asyncio.Protocol):
    """One connection."""

    def __init__(self, house: House) -> None:
        """Nothing was said yet."""
        self._house = house
        self._buffer = b""
        self._in_content = False
        self._to: list[str] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._answer(self._house.manners.greeting)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._step():
            pass
        if not self._in_content and len(self._buffer) > _LONGEST_LINE * 1000:
            self._transport.abort()

    def _step(self) -> bool:
        """One command or one content; False when more must come first."""
        end = _END if self._in_content else b"\r\n"
        found, divider, rest = self._buffer.partition(end)
        if not divider:
            return False
        self._buffer = rest
        if self._in_content:
            self._in_content = False
            self._content(found)
        else:
            self._command(found)
        return not self._transport.is_closing()

    def _command(self, line: bytes) -> None:
        match line[:4].upper():
            case b"EHLO":
                self._answer("250-mx.people.example\r\n250-PIPELINING\r\n250 8BITMIME")
            case b"MAIL":
                self._to = []
                self._answer("250 2.1.0 Ok")
            case b"RCPT":
                self._recipient(line)
            case b"DATA" if self._to:
                self._in_content = True
                # The end of an empty content is found where its line begins.
                self._buffer = b"\r\n" + self._buffer
                self._answer("354 go on")
            case b"DATA":
                self._answer("554 5.5.1 no valid recipients")
            case b"QUIT":
                self._answer("221 2.0.0 Bye")
                self._transport.close()
            case b"RSET" | b"NOOP" | b"HELO":
                self._answer("250 2.0.0 Ok")
            case _:
                self._answer("502 5.5.2 unknown")

    def _recipient(self, line: bytes) -> None:
        found, manners = _TO.search(line), self._house.manners
        to = found.group(1).decode("utf-8", "replace") if found else ""
        if manners.refuse:
            self._answer(manners.refuse)
        elif manners.refuse_one and to == manners.refuse_one:
            self._answer(f"550 5.1.1 <{to}>: there is no mailbox {to} here")
        else:
            self._to.append(to)
            self._answer("250 2.1.5 Ok")

    def _content(self, content: bytes) -> None:
        house = self._house
        house.mails += 1
        turn, leaves = divmod(house.mails, house.manners.drop_each) if house.manners.drop_each else (0, 1)
        taken = leaves != 0 or turn % 2 == 0
        if taken:
            for to in self._to:
                house.take(to, content)
        self._to = []
        if leaves == 0:
            self._transport.abort()
        else:
            self._answer(f"250 2.0.0 Ok: queued as Q{house.mails}")

    def _answer(self, text: str) -> None:
        delay = self._house.manners.delay_ms
        said = f"{text}\r\n".encode()
        if delay:
            asyncio.get_running_loop().call_later(delay / 1000, self._say, said)
        else:
            self._say(said)

    def _say(self, said: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(said)


async def serve(port: int, path: str) -> None:
    """Serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    house = House(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    listening = await loop.create_server(lambda: Visit(house), "127.0.0.1", port)
    _say({"port": listening.sockets[0].getsockname()[1]})
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        house.manners = replace(house.manners, **json.loads(line))
        _say({})


def _say(document: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), sys.argv[2]))
