"""Routes by carrier: the right one first, the next at once when it is down, and what comes back is matched."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.channels import carriers
from adapters.channels.carriers import CarriersChannel
from adapters.channels.carriers_definition import CarriersDefinition
from adapters.channels.carriers_numbers import carrier_of, known_carriers
from adapters.channels.port import Accepted, Channel, DeliveryReceipt, Incoming, Later, Letter, Outcome, Refused
from adapters.channels.smpp_inbox import Inbox
from domain.messages import Mode
from domain.recipients import ChannelKind
from tests.adapters.channels.gateway_house import (
    NOW,
    letter,
    opened,
    run,
    until,
)

MOBILE, UNICOM, TELECOM, BROADNET = "+8613800000001", "+8613000000001", "+8613300000001", "+8619200000001"

Answer = Callable[[Letter], Outcome]


def accept(letter: Letter) -> Outcome:
    return Accepted(letter.id)


def down(_letter: Letter) -> Outcome:
    return Later("down", is_route_down=True)


@dataclass
class Member:
    """A route that answers as it is told, and keeps what it was given."""

    name: str
    answer: Answer = accept
    window: int = 10
    kind: ChannelKind = ChannelKind.SMS
    given: list[str] = field(default_factory=list)
    inbox: Inbox = field(default_factory=Inbox)
    acknowledged: list[str] = field(default_factory=list)
    is_open: bool = False
    under_way: int = 0
    most_under_way: int = 0
    gate: asyncio.Event | None = None

    async def open(self) -> None:
        self.is_open = True

    async def close(self) -> None:
        self.is_open = False
        self.inbox.close()

    async def send(self, letter: Letter) -> Outcome:
        self.given.append(letter.id)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        if self.gate is not None:
            await self.gate.wait()
        self.under_way -= 1
        return self.answer(letter)

    def receipts(self) -> AsyncIterator[DeliveryReceipt | Incoming]:
        return self.inbox

    def bring(self, reference: str) -> None:
        receipt = DeliveryReceipt(reference, "delivered", NOW)
        self.inbox.put(receipt, lambda: self.acknowledged.append(reference))


def definition(**changed: Any) -> CarriersDefinition:
    base: dict[str, Any] = {
        "id": "sms",
        "carriers": {"china-mobile": ["mobile", "cloud"], "china-unicom": ["unicom", "cloud"]},
        "default": ["cloud", "mobile"],
        "first_wait_seconds": 0.05,
        "longest_wait_seconds": 0.2,
    }
    return CarriersDefinition.model_validate(base | changed)


@dataclass
class House:
    mobile: Member = field(default_factory=lambda: Member("mobile"))
    unicom: Member = field(default_factory=lambda: Member("unicom"))
    cloud: Member = field(default_factory=lambda: Member("cloud"))

    def channel(self, **changed: Any) -> CarriersChannel:
        members: dict[str, Channel] = {one.name: one for one in (self.mobile, self.unicom, self.cloud)}
        return CarriersChannel(definition(**changed), members, chance=lambda: 0.0)


def to(address: str, number: int = 1) -> Letter:
    return letter(number, address=address)


@pytest.mark.parametrize(
    ("number", "carrier"),
    [
        (MOBILE, "china-mobile"),
        (UNICOM, "china-unicom"),
        (TELECOM, "china-telecom"),
        (BROADNET, "china-broadnet"),
        ("+8657588888888", ""),
        ("13800000001", ""),
        ("somebody", ""),
        ("", ""),
    ],
)
def test_a_numbers_carrier_is_told_by_the_numbering_plan(number: str, carrier: str) -> None:
    assert carrier_of(number) == carrier
    assert {"china-mobile", "china-unicom", "china-telecom", "china-broadnet"} <= known_carriers()


def test_a_letter_goes_by_the_first_route_of_its_carrier_and_else_by_the_default() -> None:
    house = House()

    async def play() -> list[Outcome]:
        async with opened(house.channel()) as channel:
            return [await channel.send(to(one, n)) for n, one in enumerate((MOBILE, UNICOM, TELECOM, "odd"), 1)]

    assert run(play()) == [
        Accepted("mobile:7-1"),
        Accepted("unicom:7-2"),
        Accepted("cloud:7-3"),
        Accepted("cloud:7-4"),
    ]


def test_where_the_first_route_is_down_the_next_is_tried_at_once_and_the_first_is_left_alone_for_a_while() -> None:
    house = House()
    house.mobile.answer = down

    async def play() -> None:
        async with opened(house.channel(first_wait_seconds=600, longest_wait_seconds=600)) as channel:
            for number in range(1, 6):
                assert await channel.send(to(MOBILE, number)) == Accepted(f"cloud:7-{number}")

    run(play())
    assert house.mobile.given == ["7-1"]
    assert len(house.cloud.given) == 5


def test_a_route_that_was_down_is_tried_by_one_letter_and_by_all_when_it_is_back() -> None:
    house = House()
    house.mobile.answer = down

    async def play() -> None:
        async with opened(house.channel()) as channel:
            await channel.send(to(MOBILE, 1))
            while len(house.mobile.given) < 2:  # its wait ends
                await channel.send(to(MOBILE, 2))
                await asyncio.sleep(0.01)
            house.mobile.answer, house.mobile.gate = accept, asyncio.Event()
            probing = asyncio.create_task(channel.send(to(MOBILE, 3)))
            while house.mobile.under_way < 1:
                if probing.done():
                    probing = asyncio.create_task(channel.send(to(MOBILE, 3)))
                await asyncio.sleep(0.01)
            others = await asyncio.gather(*(channel.send(to(MOBILE, number)) for number in range(10, 15)))
            assert {one.reference.partition(":")[0] for one in others if isinstance(one, Accepted)} == {"cloud"}
            assert house.mobile.under_way == 1
            house.mobile.gate.set()
            assert await probing == Accepted("mobile:7-3")
            assert await channel.send(to(MOBILE, 20)) == Accepted("mobile:7-20")

    run(play())


def test_a_letter_that_may_have_arrived_is_not_handed_to_another_route_and_its_route_is_left_alone() -> None:
    house = House()
    house.mobile.answer = lambda _letter: Later("no answer", in_doubt=True)

    async def play() -> None:
        async with opened(house.channel(first_wait_seconds=600, longest_wait_seconds=600)) as channel:
            assert await channel.send(to(MOBILE, 1)) == Later("mobile: no answer", in_doubt=True)
            assert house.cloud.given == []
            assert await channel.send(to(MOBILE, 1)) == Accepted("cloud:7-1")

    run(play())


def test_a_refusal_and_a_later_of_the_letter_itself_are_the_letters_own() -> None:
    house = House()
    house.mobile.answer = lambda _letter: Refused("no such number", address_is_dead=True)
    house.unicom.answer = lambda _letter: Later("too often", after_seconds=7.0)

    async def play() -> None:
        async with opened(house.channel()) as channel:
            assert await channel.send(to(MOBILE)) == Refused("no such number", address_is_dead=True)
            assert await channel.send(to(UNICOM)) == Later("unicom: too often", after_seconds=7.0)
            assert await channel.send(letter(mode=Mode.DRILL)) == Refused("sms is a route for live, and this is drill")

    run(play())
    assert house.cloud.given == []


def test_when_every_route_of_a_carrier_is_down_the_letter_waits_and_the_whole_is_down_only_when_all_are() -> None:
    house = House()
    house.mobile.answer = house.cloud.answer = down

    async def play() -> None:
        async with opened(house.channel(first_wait_seconds=60, longest_wait_seconds=60)) as channel:
            found = await channel.send(to(MOBILE))
            assert isinstance(found, Later)
            assert found.reason == "mobile: down; cloud: down"
            assert not found.is_route_down, "numbers of another carrier still go"
            assert 0 < found.after_seconds <= 60
            assert await channel.send(to(UNICOM)) == Accepted("unicom:7-1")
            house.unicom.answer = down
            last = await channel.send(to(UNICOM))
            assert isinstance(last, Later)
            assert last.is_route_down

    run(play())


def test_a_route_is_never_given_more_at_once_than_its_window() -> None:
    house = House(mobile=Member("mobile", window=3))

    async def play() -> None:
        house.mobile.gate = asyncio.Event()
        async with opened(house.channel()) as channel:
            assert channel.window == 23
            sending = [asyncio.create_task(channel.send(to(MOBILE, number))) for number in range(9)]
            await until(lambda: house.mobile.under_way == 3)
            house.mobile.gate.set()
            assert all(isinstance(one, Accepted) for one in await asyncio.gather(*sending))

    run(play())
    assert house.mobile.most_under_way == 3


def test_receipts_of_every_route_come_under_its_name_and_are_acknowledged_to_it_when_the_next_is_asked_for() -> None:
    house = House()

    async def play() -> None:
        channel = house.channel()
        async with opened(channel):
            assert [one.is_open for one in (house.mobile, house.unicom, house.cloud)] == [True] * 3
            house.mobile.bring("1")
            house.mobile.bring("2")
            came = channel.receipts()
            assert await anext(came) == DeliveryReceipt("mobile:1", "delivered", NOW)
            assert house.mobile.acknowledged == []
            assert await anext(came) == DeliveryReceipt("mobile:2", "delivered", NOW)
            assert house.mobile.acknowledged == ["1"]
            house.cloud.bring("1")
            house.cloud.inbox.put(Incoming(MOBILE, "1", NOW))
            assert await anext(came) == DeliveryReceipt("cloud:1", "delivered", NOW)
            assert await anext(came) == Incoming(MOBILE, "1", NOW)
        assert [one.is_open for one in (house.mobile, house.unicom, house.cloud)] == [False] * 3
        assert [one async for one in channel.receipts()] == []

    run(play())


def noting(taken: list[tuple[str, str]], name: str, outcome: Outcome, one: Letter) -> Outcome:
    taken.append((one.id, name))
    return outcome


@given(st.lists(st.tuples(st.sampled_from([MOBILE, UNICOM, TELECOM]), st.sampled_from("adlrq")), max_size=30))
def test_whatever_the_routes_answer_a_letter_is_accepted_by_one_route_or_by_none(
    letters: list[tuple[str, str]],
) -> None:
    answers: dict[str, Outcome] = {
        "a": Accepted("x"),
        "d": Later("down", is_route_down=True),
        "l": Later("later"),
        "r": Refused("no"),
        "q": Later("doubt", in_doubt=True, is_route_down=True),
    }
    house = House()
    taken: list[tuple[str, str]] = []

    async def play() -> None:
        async with opened(house.channel()) as channel:
            for number, (address, word) in enumerate(letters):
                for member, outcome in (
                    (house.mobile, answers[word]),
                    (house.unicom, answers[word]),
                    (house.cloud, Accepted("y")),
                ):
                    member.answer = partial(noting, taken, member.name, outcome)
                found = await channel.send(to(address, number))
                tried = [name for id_, name in taken if id_ == f"7-{number}"]
                assert len(set(tried)) == len(tried), "no route is tried twice"
                if isinstance(found, Accepted):
                    assert found.reference.partition(":")[0] == tried[-1], "the last that was tried has it"
                elif tried:
                    assert not (isinstance(found, Later) and found.in_doubt) or len(tried) == 1 or word == "q"

    run(play())


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"default": []}, "default"),
        ({"default": ["a", "a"]}, "named twice"),
        ({"default": ["sms"]}, "names itself"),
        ({"carriers": {"China Mobile": ["a"]}}, "carriers"),
    ],
)
def test_a_definition_that_cannot_be_meant_is_refused(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        definition(**changed)


def test_a_route_that_stays_full_gives_the_letter_back_and_it_was_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carriers, "_ROOM_SECONDS", 0.05)
    house = House(mobile=Member("mobile", window=1))

    async def play() -> None:
        house.mobile.gate = asyncio.Event()
        async with opened(house.channel()) as channel:
            first = asyncio.create_task(channel.send(to(MOBILE, 1)))
            await until(lambda: house.mobile.under_way == 1)
            assert await channel.send(to(MOBILE, 2)) == Later("mobile: no room in this route")
            house.mobile.gate.set()
            assert await first == Accepted("mobile:7-1")

    run(play())
    assert house.mobile.given == ["7-1"]


def test_letters_that_waited_for_room_take_the_next_route_when_theirs_went_down_meanwhile() -> None:
    house = House(mobile=Member("mobile", answer=down, window=1))

    async def play() -> list[Outcome]:
        house.mobile.gate = asyncio.Event()
        async with opened(house.channel(first_wait_seconds=60, longest_wait_seconds=60)) as channel:
            sending = [asyncio.create_task(channel.send(to(MOBILE, number))) for number in range(4)]
            await until(lambda: house.mobile.under_way == 1)
            house.mobile.gate.set()
            return list(await asyncio.gather(*sending))

    assert run(play()) == [Accepted(f"cloud:7-{number}") for number in range(4)]
    assert house.mobile.given == ["7-0"]


def test_a_defect_in_what_one_route_brings_is_told_and_the_others_are_heard(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Member):
        async def receipts(self) -> AsyncIterator[DeliveryReceipt | Incoming]:
            if self.is_open:
                raise ValueError(MOBILE)
            yield Incoming(MOBILE, "", NOW)

    house = House(mobile=Broken("mobile"))

    async def play() -> None:
        async with opened(house.channel()) as channel:
            house.cloud.bring("1")
            assert await anext(channel.receipts()) == DeliveryReceipt("cloud:1", "delivered", NOW)

    run(play())
    assert "a defect ended what the route mobile hears: ValueError" in caplog.text
    assert MOBILE not in caplog.text
