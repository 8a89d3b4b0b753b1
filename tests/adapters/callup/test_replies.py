"""Replies by short message: what waits for their sender is confirmed, and nothing is told of who wrote what."""

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from adapters.callup.replies import Fate, ReplyReader
from adapters.channels.port import Incoming
from adapters.vault.vault import Contact, ContactVault, Person, vault_in
from domain.callup_events import CallUpConfirmed
from domain.messages import Mode
from domain.ports import LogUnavailableError
from domain.recipients import ChannelKind
from projections.callups import waiting_for
from tests.adapters.sending.house import until
from tests.streams.called import Bureau, bureau_in, person
from tests.streams.messages import START

ONE, OTHER, STRANGER = "+8613800000001", "+8613800000002", "+8613800000099"


@dataclass
class Told:
    """What was handed on, and what is answered to it."""

    is_waited_for: bool = True
    codes: list[tuple[tuple[int, ...], str]] = field(default_factory=list)
    ends: list[tuple[int, ...]] = field(default_factory=list)

    def confirm(self, numbers: Collection[int], text: str, now: datetime) -> bool:
        assert now == START
        self.codes.append((tuple(numbers), text))
        return self.is_waited_for

    def end(self, numbers: Collection[int], now: datetime) -> bool:
        assert now == START
        self.ends.append(tuple(numbers))
        return self.is_waited_for


@dataclass
class Desk:
    """A platform with people who can be called up, its vault, and a reader of replies."""

    bureau: Bureau
    vault: ContactVault
    told: Told
    reader: ReplyReader

    def say(self, address: str, text: str, *, route: str = "city", fate: Fate) -> None:
        """A message comes; wait until it has come to this."""
        before = self.reader.fates.get(fate, 0)
        self.reader.take(route, Incoming(address, text, START))
        until(lambda: self.reader.fates.get(fate, 0) == before + 1)
        self.bureau.platform.runner.pump()

    def confirmations(self) -> list[CallUpConfirmed]:
        return self.bureau.events(CallUpConfirmed)


@contextmanager
def desk_in(folder: Path) -> Iterator[Desk]:
    with bureau_in(folder) as bureau, vault_in(folder) as vault:
        vault.enter([Person("", (Contact(ChannelKind.SMS, address),)) for address in (ONE, OTHER)])
        told = Told()
        with ReplyReader(
            bureau.platform,
            vault,
            confirm_by_reply=told.confirm,
            end_by_reply=told.end,
            drill_routes=("exercise",),
        ) as reader:
            yield Desk(bureau, vault, told, reader)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as made:
        yield made


@pytest.fixture
def called(desk: Desk) -> Desk:
    """Number 1 is called up for a red."""
    desk.bureau.roster(person(1))
    desk.bureau.deliver("a", 0)
    return desk


@pytest.mark.parametrize("address", [ONE, "8613800000001", "13800000001", "+86 138 0000 0001", "008613800000001"])
def test_a_reply_confirms_however_the_provider_writes_its_number(called: Desk, address: str) -> None:
    called.say(address, "已收到。", fate=Fate.CONFIRMED)
    [confirmed] = called.confirmations()
    assert (confirmed.number, confirmed.how, confirmed.by) == (1, "sms", "")


def test_one_reply_confirms_everything_that_waits_for_its_sender(desk: Desk) -> None:
    desk.bureau.roster(person(1, areas=("330604", "330683")))
    desk.bureau.deliver("a", 0)
    desk.bureau.deliver("b", 1, codes=("330683",))
    desk.say(ONE, "1", fate=Fate.CONFIRMED)
    assert {one.district for one in desk.confirmations()} == {"330604", "330683"}


def test_who_is_not_asked_confirms_nothing(called: Desk) -> None:
    called.say(OTHER, "1", fate=Fate.NOT_WAITED_FOR)
    called.say(STRANGER, "1", fate=Fate.UNKNOWN_SENDER)
    called.say("a service", "1", fate=Fate.UNKNOWN_SENDER)
    assert called.confirmations() == []


@pytest.mark.parametrize("text", ["", "没收到", "1个村受淹", "你是谁"])
def test_a_reply_that_says_something_else_confirms_nothing(called: Desk, text: str) -> None:
    called.say(ONE, text, fate=Fate.NOT_UNDERSTOOD)
    assert called.confirmations() == []


def test_a_second_reply_confirms_nothing_more(called: Desk) -> None:
    called.say(ONE, "1", fate=Fate.CONFIRMED)
    called.say(ONE, "1", fate=Fate.NOT_WAITED_FOR)
    assert len(called.confirmations()) == 1


def test_a_reply_after_the_lifting_comes_too_late(called: Desk) -> None:
    called.bureau.deliver("b", 1, kind="Cancel", references=(("a", 0),))
    called.say(ONE, "1", fate=Fate.NOT_WAITED_FOR)
    assert called.confirmations() == []


def test_a_reply_that_crosses_the_lifting_confirms_nothing(called: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = waiting_for(called.bureau.platform.tables, [1])
    called.bureau.deliver("b", 1, kind="Cancel", references=(("a", 0),))
    monkeypatch.setattr("adapters.callup.replies.waiting_for", lambda _tables, _numbers: seen)
    called.say(ONE, "1", fate=Fate.NOT_WAITED_FOR)
    assert called.confirmations() == []


def test_a_reply_by_a_live_route_never_confirms_a_drill_and_the_other_way_round(desk: Desk) -> None:
    desk.bureau.roster(person(1))
    desk.bureau.roster(person(2, roster="exercise", mode=Mode.DRILL), name="exercise", mode=Mode.DRILL)
    desk.vault.change({2: Person("", (Contact(ChannelKind.SMS, ONE),))})
    desk.bureau.deliver("a", 0)
    desk.bureau.deliver("d", 0, status="Exercise")
    desk.say(ONE, "1", route="city", fate=Fate.CONFIRMED)
    assert [(one.mode, one.number) for one in desk.confirmations()] == [(Mode.LIVE, 1)]
    desk.say(ONE, "1", route="exercise", fate=Fate.CONFIRMED)
    assert [(one.mode, one.number) for one in desk.confirmations()] == [(Mode.LIVE, 1), (Mode.DRILL, 2)]


def test_codes_and_wishes_to_be_left_alone_are_handed_on(desk: Desk) -> None:
    desk.say(ONE, "验证码 123456", fate=Fate.SUBSCRIBED)
    desk.say(ONE, "TD", fate=Fate.UNSUBSCRIBED)
    assert (desk.told.codes, desk.told.ends) == ([((1,), "验证码 123456")], [(1,)])
    desk.told.is_waited_for = False
    desk.say(OTHER, "654321", fate=Fate.NOT_WAITED_FOR)
    desk.say(OTHER, "退订", fate=Fate.NOT_WAITED_FOR)


def test_no_log_line_tells_who_wrote_or_what(called: Desk, caplog: pytest.LogCaptureFixture) -> None:
    def breaks(*_: object) -> bool:
        raise RuntimeError(f"{ONE} 123456")

    caplog.set_level(logging.DEBUG)
    called.reader._confirm_by_reply = breaks
    called.say(STRANGER, "1", fate=Fate.UNKNOWN_SENDER)
    called.say(ONE, "一句秘密的话", fate=Fate.NOT_UNDERSTOOD)
    called.say(ONE, "123456", fate=Fate.FAILED)
    assert "unknown-sender" in caplog.text
    assert "RuntimeError" in caplog.text
    assert not [secret for secret in ("1380000", "秘密", "123456") if secret in caplog.text]


def test_a_defect_with_one_reply_leaves_the_next_one_to_be_read(called: Desk) -> None:
    def breaks(*_: object) -> bool:
        raise RuntimeError("planted")

    called.reader._end_by_reply = breaks
    called.say(ONE, "TD", fate=Fate.FAILED)
    called.say(ONE, "1", fate=Fate.CONFIRMED)


def test_a_reply_waits_while_the_log_is_out_of_reach(called: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    runner, failures = called.bureau.platform.runner, [1, 2]
    carry_out: Callable[..., object] = runner.act

    def act(action: Callable[..., object]) -> object:
        if failures:
            failures.pop()
            raise LogUnavailableError("the disk is away")
        return carry_out(action)

    monkeypatch.setattr("adapters.callup.replies.RETRY_SECONDS", 0.01)
    monkeypatch.setattr(runner, "act", act)
    called.say(ONE, "1", fate=Fate.CONFIRMED)
    assert (failures, len(called.confirmations())) == ([], 1)


def test_taking_never_waits_and_what_is_too_much_is_counted(tmp_path: Path) -> None:
    gate, entered = threading.Event(), threading.Event()

    def blocks(*_: object) -> bool:
        entered.set()
        return gate.wait(30)

    with bureau_in(tmp_path) as bureau, vault_in(tmp_path) as vault:
        vault.enter([Person("", (Contact(ChannelKind.SMS, ONE),))])
        reader = ReplyReader(
            bureau.platform, vault, confirm_by_reply=blocks, end_by_reply=lambda *_: False, most_waiting=2
        )
        with reader:
            reader.take("city", Incoming(ONE, "123456", START))
            assert entered.wait(30)
            for _ in range(4):
                reader.take("city", Incoming(ONE, "123456", START))
            assert reader.fates == {Fate.TOO_MANY: 3}
            gate.set()
        assert reader.fates == {Fate.TOO_MANY: 3, Fate.SUBSCRIBED: 2}


def test_what_has_come_is_read_before_the_reader_ends(tmp_path: Path) -> None:
    with desk_in(tmp_path) as desk:
        desk.bureau.roster(person(1))
        desk.bureau.deliver("a", 0)
        for text in ("你好", "1"):
            desk.reader.take("city", Incoming(ONE, text, START))
        desk.reader.__exit__(None, None, None)
        assert desk.reader.fates == {Fate.NOT_UNDERSTOOD: 1, Fate.CONFIRMED: 1}
