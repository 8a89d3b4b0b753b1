"""The mail channel and servers without extensions, or that keep to no rules."""

import asyncio
from pathlib import Path

import pytest

from adapters.channels.port import Accepted, Later, Outcome, Refused
from tests.adapters.channels.mail_samples import channel_to, letter, run, sent
from tests.adapters.channels.mail_servers import bare_server, well_behaved


def test_an_international_address_is_refused_where_the_server_does_not_take_it(tmp_path: Path) -> None:
    async def work() -> list[Outcome]:
        async with bare_server(well_behaved) as (port, _):
            return await sent(channel_to(port, tmp_path, connections=1), "张三@例子.中国", "reader@people.example")

    international, plain = run(work())
    assert isinstance(international, Refused)
    assert not international.address_is_dead
    assert isinstance(plain, Accepted)


def test_a_server_that_takes_data_for_a_refused_recipient_is_given_nothing(tmp_path: Path) -> None:
    def rule(line: bytes, number: int) -> bytes:
        if line.startswith(b"EHLO"):
            return b"250-mx\r\n250 PIPELINING\r\n"
        return b"550 5.1.1 unknown\r\n" if line.startswith(b"RCPT TO:<gone@") else well_behaved(line, number)

    async def work() -> tuple[list[Outcome], list[bytes]]:
        async with bare_server(rule) as (port, lines):
            channel = channel_to(port, tmp_path, connections=1)
            return await sent(channel, "gone@people.example", "reader@people.example"), lines

    (gone, reader), lines = run(work())
    assert gone == Refused("RCPT: 550 5.1.1 unknown", address_is_dead=True)
    assert isinstance(reader, Accepted)
    after_data = lines[lines.index(b"DATA\r\n") + 1]
    assert after_data == b".\r\n"
    assert b"To: gone@people.example\r\n" not in lines


def test_no_command_follows_before_its_reply_where_pipelining_is_not_announced(tmp_path: Path) -> None:
    waiting: list[bytes] = []

    async def work() -> list[Outcome]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 mx\r\n")
            while line := await reader.readline():
                answer = well_behaved(line, 0)
                if answer:
                    # Whatever came together with the command would be here by now.
                    await asyncio.sleep(0.01)
                    waiting.append(bytes(reader._buffer))  # type: ignore[attr-defined]
                    writer.write(answer)
            writer.close()

        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        outcomes = await sent(channel_to(port, tmp_path, connections=1), "a@people.example", "b@people.example")
        listening.close()
        return outcomes

    assert all(isinstance(outcome, Accepted) for outcome in run(work()))
    assert set(waiting) == {b""}


@pytest.mark.parametrize("answer", [b"hello\r\n", b"250-" + b"x" * 70_000 + b"\r\n", b"250-" * 20_000, b"999 no\r\n"])
def test_a_server_that_does_not_speak_smtp_gets_no_letter_and_ends_no_loop(tmp_path: Path, answer: bytes) -> None:
    def rule(line: bytes, number: int) -> bytes:
        return answer if line.startswith(b"MAIL") else well_behaved(line, number)

    async def work() -> list[Outcome]:
        async with bare_server(rule) as (port, _):
            return await sent(channel_to(port, tmp_path, connections=1), "reader@people.example")

    (outcome,) = run(work())
    assert isinstance(outcome, Later)


def test_a_sender_the_server_does_not_take_is_the_routes_fault_and_not_the_recipients(tmp_path: Path) -> None:
    def rule(line: bytes, number: int) -> bytes:
        return b"550 5.7.1 not you\r\n" if line.startswith(b"MAIL") else well_behaved(line, number)

    async def work() -> list[Outcome]:
        async with bare_server(rule) as (port, _):
            return await sent(channel_to(port, tmp_path, connections=1), "reader@people.example")

    assert run(work()) == [Later("MAIL: 550 5.7.1 not you", is_route_down=True)]


def test_idle_connections_are_kept_alive_and_dead_ones_replaced(tmp_path: Path) -> None:
    async def work() -> tuple[Outcome, list[bytes]]:
        is_dropped = asyncio.Event()

        def rule(line: bytes, number: int) -> bytes | None:
            if line.startswith(b"NOOP") and number == 1:
                is_dropped.set()
                return None
            return well_behaved(line, number)

        async with bare_server(rule) as (port, lines):
            channel = channel_to(port, tmp_path, connections=1, keep_alive_seconds=0.05)
            await channel.open()
            await is_dropped.wait()
            outcome = await channel.send(letter())
            await channel.close()
            return outcome, lines

    outcome, lines = run(work())
    assert isinstance(outcome, Accepted)
    assert sum(line.startswith(b"EHLO") for line in lines) == 2
    assert lines[-1] == b"QUIT\r\n"
