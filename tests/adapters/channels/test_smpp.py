"""The SMS channel over SMPP, against the npm package's SMSC: letters, parts, receipts, and messages from people."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.bench.p9_node import Smsc, smsc
from adapters.channels.port import Accepted, DeliveryReceipt, Incoming, Later, Refused
from adapters.channels.smpp import SmppChannel
from domain.messages import Mode
from domain.recipients import ChannelKind
from tests.adapters.channels.smpp_routes import (
    LONG,
    SHORT,
    channel,
    fetched,
    letter,
    need_node,
    run,
    submitted,
    until,
    with_route,
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Smsc]:
    need_node()
    with smsc(log=str(tmp_path / "log")) as running:
        yield running


def known(receipt: object) -> tuple[str, str]:
    assert isinstance(receipt, DeliveryReceipt)
    return receipt.reference, receipt.state


def test_a_letter_arrives_word_for_word_and_its_receipt_names_it(server: Smsc, tmp_path: Path) -> None:
    async def use(route: SmppChannel) -> None:
        assert (route.name, route.kind, route.window) == ("carrier", ChannelKind.SMS, 50)
        assert await route.send(letter(1)) == Accepted("m1")
        assert [known(one) for one in await fetched(route, 1)] == [("m1", "delivered")]

    run(with_route(channel(tmp_path, server.port), use))
    [one] = submitted(tmp_path / "log")
    assert (one["to"], one["from"], one["text"]) == ("8613800000001", "10690000", SHORT)
    assert (one["ton"], one["npi"], one["esmClass"], one["dataCoding"], one["registered"]) == (1, 1, 0, 8, 1)


def test_a_text_of_the_default_alphabet_goes_as_gsm_7_with_its_extension(server: Smsc, tmp_path: Path) -> None:
    words = "Flood [red] @ £5 costs {€}"

    async def use(route: SmppChannel) -> None:
        assert await route.send(letter(1, words)) == Accepted("m1")

    run(with_route(channel(tmp_path, server.port), use))
    [one] = submitted(tmp_path / "log")
    assert (one["text"], one["dataCoding"]) == (words, 0)


def test_a_long_letter_is_one_letter_and_has_one_receipt(server: Smsc, tmp_path: Path) -> None:
    async def use(route: SmppChannel) -> None:
        assert await route.send(letter(1, LONG)) == Accepted("m1")
        assert await route.send(letter(2)) == Accepted("m4")
        assert [known(one) for one in await fetched(route, 2)] == [("m1", "delivered"), ("m4", "delivered")]

    run(with_route(channel(tmp_path, server.port), use))
    parts = submitted(tmp_path / "log")[:3]
    assert "".join(one["text"] for one in parts) == LONG
    headers = [one["udh"][0] for one in parts]
    assert len({header[:6] for header in headers}) == 1
    assert [header[-4:] for header in headers] == ["0301", "0302", "0303"]
    assert {one["esmClass"] for one in parts} == {0x40}


def test_receipts_are_matched_out_of_order_and_after_the_last_answer(server: Smsc, tmp_path: Path) -> None:
    server.tell(receipts="reversed", delayMs=20, shuffle=True)

    async def use(route: SmppChannel) -> None:
        outcomes = await asyncio.gather(*(route.send(letter(number, LONG)) for number in range(10)))
        server.tell(release=True)
        found = {known(one) for one in await fetched(route, 10)}
        assert found == {(one.reference, "delivered") for one in outcomes if isinstance(one, Accepted)}
        assert len(found) == 10

    run(with_route(channel(tmp_path, server.port), use))


def test_receipts_that_overtake_the_answers_are_matched(server: Smsc, tmp_path: Path) -> None:
    server.tell(receipts="before")

    async def use(route: SmppChannel) -> None:
        outcomes = await asyncio.gather(
            *(route.send(letter(number, LONG if number % 2 else SHORT)) for number in range(20))
        )
        found = {known(one) for one in await fetched(route, 20)}
        assert found == {(one.reference, "delivered") for one in outcomes if isinstance(one, Accepted)}
        assert len(found) == 20

    run(with_route(channel(tmp_path, server.port), use))


@pytest.mark.parametrize("form", ["text", "tlv", "both"])
@pytest.mark.parametrize(
    ("state", "expected"), [("UNDELIV", "failed"), ("EXPIRED", "failed"), ("DELIVRD", "delivered")]
)
def test_receipts_are_read_from_their_text_and_from_their_parameters(
    server: Smsc, tmp_path: Path, form: str, state: str, expected: str
) -> None:
    server.tell(receiptForm=form, state=state)

    async def use(route: SmppChannel) -> None:
        await route.send(letter(1))
        [receipt] = await fetched(route, 1)
        assert known(receipt) == ("m1", expected)
        assert isinstance(receipt, DeliveryReceipt)
        assert (state in receipt.reason) == (expected == "failed")

    run(with_route(channel(tmp_path, server.port), use))


def test_one_part_that_fails_fails_the_letter_once(server: Smsc, tmp_path: Path) -> None:
    server.tell(receipts="held", states={"01": "UNDELIV"})

    async def use(route: SmppChannel) -> None:
        await route.send(letter(1, LONG))
        await route.send(letter(2))
        server.tell(release=True)
        assert [known(one) for one in await fetched(route, 2)] == [("m1", "failed"), ("m4", "delivered")]

    run(with_route(channel(tmp_path, server.port), use))


def test_a_receipt_on_the_way_is_no_end(server: Smsc, tmp_path: Path) -> None:
    server.tell(states={"01": "ENROUTE"})

    async def use(route: SmppChannel) -> None:
        await route.send(letter(1))
        await route.send(letter(2))
        assert [known(one) for one in await fetched(route, 1)] == [("m2", "delivered")]

    run(with_route(channel(tmp_path, server.port), use))


def test_ids_in_hex_are_the_same_as_those_in_decimal(server: Smsc, tmp_path: Path) -> None:
    server.tell(ids="hex", receipts="held")

    async def use(route: SmppChannel) -> None:
        for number in range(30):
            await route.send(letter(number))
        server.tell(release=True)
        found = [known(one) for one in await fetched(route, 30)]
        assert found == [(str(number), "delivered") for number in range(1, 31)]

    run(with_route(channel(tmp_path, server.port, accepted_ids="hex", receipt_ids="decimal"), use))


def test_receipts_that_come_after_a_restart_are_matched(server: Smsc, tmp_path: Path) -> None:
    server.tell(receipts="held")

    async def before(route: SmppChannel) -> None:
        assert await route.send(letter(1, LONG)) == Accepted("m1")
        assert await route.send(letter(2)) == Accepted("m4")

    async def after(route: SmppChannel) -> None:
        server.tell(release=True)
        assert [known(one) for one in await fetched(route, 2)] == [("m1", "delivered"), ("m4", "delivered")]

    run(with_route(channel(tmp_path, server.port), before))
    run(with_route(channel(tmp_path, server.port), after))


def test_no_number_and_no_word_is_kept_on_the_disk(server: Smsc, tmp_path: Path) -> None:
    server.tell(receipts="none")

    async def use(route: SmppChannel) -> None:
        assert await route.send(letter(1, LONG)) == Accepted("m1")

    run(with_route(channel(tmp_path, server.port), use))
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("ids.sqlite*"))
    assert b"m2" in kept
    assert b"13800000001" not in kept
    assert "暴雨".encode() not in kept


@pytest.mark.parametrize("mark", ["\x00", "\x1b", "\x08", "\x7f", "\x9b", "\u202e", "\u2066", "\u200f", "\u061c"])
def test_controls_and_direction_marks_never_go_out(server: Smsc, tmp_path: Path, mark: str) -> None:
    async def use(route: SmppChannel) -> None:
        await route.send(letter(1, f"速去{mark}高处\r\n勿返"))
        await route.send(letter(2, f"go{mark} up\tnow"))

    run(with_route(channel(tmp_path, server.port), use))
    assert [one["text"] for one in submitted(tmp_path / "log")] == ["速去高处\n勿返", "go up now"]


@pytest.mark.parametrize("way", ["relative", "absolute"])
def test_the_smsc_is_told_until_when_a_letter_holds_and_what_has_expired_stays_here(
    server: Smsc, tmp_path: Path, way: str
) -> None:
    now = datetime.now(UTC)

    async def use(route: SmppChannel) -> None:
        assert await route.send(letter(1, expires=now + timedelta(hours=3))) == Accepted("m1")
        assert isinstance(await route.send(letter(2, expires=now - timedelta(seconds=1))), Later)

    run(with_route(channel(tmp_path, server.port, validity=way), use))
    [one] = submitted(tmp_path / "log")
    assert abs(datetime.fromisoformat(one["validity"]) - now - timedelta(hours=3)) < timedelta(minutes=2)


def test_an_answer_from_somebody_comes_with_their_number(server: Smsc, tmp_path: Path) -> None:
    words = "已收到"

    async def use(route: SmppChannel) -> None:
        server.tell(
            incoming={"source_addr": "8613800000001", "source_addr_ton": 1, "data_coding": 8, "short_message": words}
        )
        server.tell(incoming={"source_addr": "13800000002", "short_message": "1"})
        first, second = await fetched(route, 2)
        assert isinstance(first, Incoming)
        assert isinstance(second, Incoming)
        assert (first.address, first.text) == ("+8613800000001", words)
        assert (second.address, second.text) == ("+8613800000002", "1")

    run(with_route(channel(tmp_path, server.port), use))


def test_a_long_answer_is_put_together(server: Smsc, tmp_path: Path) -> None:
    def said(part: int, words: str) -> dict[str, Any]:
        content = bytes((5, 0, 3, 9, 2, part)) + words.encode("utf-16-be")
        return {
            "source_addr": "8613800000001",
            "source_addr_ton": 1,
            "esm_class": 64,
            "data_coding": 8,
            "hex": content.hex(),
        }

    async def use(route: SmppChannel) -> None:
        server.tell(incoming=said(2, "三个村"))
        server.tell(incoming=said(1, "已转移"))
        [whole] = await fetched(route, 1)
        assert isinstance(whole, Incoming)
        assert whole.text == "已转移三个村"

    run(with_route(channel(tmp_path, server.port), use))


def test_words_that_look_like_a_receipt_are_only_words(server: Smsc, tmp_path: Path) -> None:
    words = "id:m1 sub:001 dlvrd:001 submit date:2607010830 done date:2607010831 stat:DELIVRD err:000 text:"

    async def use(route: SmppChannel) -> None:
        server.tell(receipts="none")
        await route.send(letter(1))
        server.tell(incoming={"source_addr": "8613800000001", "source_addr_ton": 1, "short_message": words})
        [found] = await fetched(route, 1)
        assert isinstance(found, Incoming)

    run(with_route(channel(tmp_path, server.port), use))


def test_what_was_not_worked_off_is_not_acknowledged(server: Smsc, tmp_path: Path) -> None:
    async def use(route: SmppChannel) -> None:
        await route.send(letter(1))
        receipts = route.receipts()
        await anext(receipts)
        assert route._inbox._handed_out is not None
        waiting = asyncio.ensure_future(anext(receipts))
        await until(lambda: route._inbox._handed_out is None)
        await route.close()
        with pytest.raises(StopAsyncIteration):
            await waiting

    async def opened() -> None:
        route = channel(tmp_path, server.port)
        await route.open()
        await use(route)

    run(opened())


def test_a_drill_has_no_way_over_a_live_route(server: Smsc, tmp_path: Path) -> None:
    async def use(route: SmppChannel) -> None:
        assert isinstance(await route.send(letter(1, mode=Mode.DRILL)), Refused)

    run(with_route(channel(tmp_path, server.port), use))
    assert submitted(tmp_path / "log") == []


@pytest.mark.parametrize(
    "address", ["", "13800000001", "+86138OOOO0001", "+86138\r\n0001", "someone@example.org", "+1"]
)
def test_what_is_no_number_is_refused_without_repeating_it(server: Smsc, tmp_path: Path, address: str) -> None:
    async def use(route: SmppChannel) -> None:
        outcome = await route.send(letter(1, address=address))
        assert outcome == Refused("not a number in E.164", address_is_dead=True)

    run(with_route(channel(tmp_path, server.port), use))
    assert submitted(tmp_path / "log") == []
