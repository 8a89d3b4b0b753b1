"""Notices in the outbox: the newest of a subject counts, links are made at the hand-over, and needless ones stay."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from adapters.channels.port import Accepted, Letter, Outcome, Refused
from adapters.links import links_in
from adapters.sending.lane import Pace
from adapters.sending.service import routes_with_spool
from domain.levels import Level
from domain.messages import Mode
from domain.notices import Notice, NoticesPlanned, NoticesWithdrawn, Purpose
from domain.outlet import stream_id_of
from domain.recipients import ChannelKind
from domain.telling_events import SendText
from tests.adapters.sending.house import QUICK, Desk, Town, at, until
from tests.adapters.sending.test_outbox import EMAIL, SMS, accept, filled, lease, reasons
from tests.streams.messages import cap

SUBJECT, OTHER = UUID(int=7), UUID(int=8)


def planned(
    town: Town,
    numbers: Sequence[int],
    text: str = "Confirm: {link} or reply {code}.",
    *,
    channels: tuple[ChannelKind, ...] = (SMS,),
    subject: UUID = SUBJECT,
    mode: Mode = Mode.LIVE,
    minutes: int = 60,
    level: Level = Level.RED,
) -> None:
    now = town.clock.now()
    words = SendText(language="en", subject="Please confirm", sms=text, body=text)
    event = NoticesPlanned(
        at=now,
        mode=mode,
        purpose=Purpose.CALL_UP,
        subject=subject,
        level=level,
        notices=tuple(Notice(number=number, channels=channels, text=words) for number in numbers),
        expires=now + timedelta(minutes=minutes),
        warning_id="w-1",
    )
    town.platform.runner.record(stream_id_of("notices", str(subject)), event)


def taken_back(town: Town, numbers: Sequence[int], subject: UUID = SUBJECT) -> None:
    event = NoticesWithdrawn(
        at=town.clock.now(),
        mode=Mode.LIVE,
        purpose=Purpose.CALL_UP,
        subject=subject,
        numbers=tuple(numbers),
        reason="confirmed",
    )
    town.platform.runner.record(stream_id_of("notices", str(subject)), event)


def test_each_gets_their_own_link_and_code_and_neither_is_stored(town: Town) -> None:
    one, other = town.people(2)
    planned(town, [one, other])
    with town.outbox() as outbox:
        filled(town, outbox)
        found = lease(town, outbox)
        accept(town, outbox, found)
    assert [each.number for each in found] == [one, other]
    for each in found:
        link = town.links.link(Purpose.CALL_UP, SUBJECT, each.number)
        code = town.links.code(Purpose.CALL_UP, SUBJECT, each.number)
        assert each.text.sms == f"Confirm: {link} or reply {code}."
        assert (each.purpose, each.level, each.warning_id) == (Purpose.CALL_UP, Level.RED, "w-1")
        stored = b"".join(path.read_bytes() for path in town.folder.glob("*.sqlite*"))
        assert link.rsplit("/", 1)[1].encode() not in stored


def test_without_a_public_address_the_text_has_no_gap(town: Town) -> None:
    planned(town, town.people(1))
    town.links = links_in(town.folder)
    with town.outbox() as outbox:
        filled(town, outbox)
        [one] = lease(town, outbox)
    assert one.text.sms.startswith("Confirm: or reply ")


def test_a_call_takes_the_place_of_a_text_message_that_still_waits(town: Town) -> None:
    [number] = town.people(1, channels=(SMS,))
    planned(town, [number], "first")
    planned(town, [number], "second", channels=(ChannelKind.VOICE,))
    with town.outbox() as outbox:
        filled(town, outbox)
        assert lease(town, outbox) == []
        [call] = lease(town, outbox, ChannelKind.VOICE)
        assert call.text.sms == "second"
        assert reasons(town, outbox) == {(number, "withdrawn"): "superseded"}


def test_the_next_notice_waits_for_one_that_is_under_way(town: Town) -> None:
    [number] = town.people(1)
    planned(town, [number], "first")
    with town.outbox() as outbox:
        filled(town, outbox)
        [first] = lease(town, outbox)
        planned(town, [number], "second")
        filled(town, outbox)
        assert lease(town, outbox) == []
        accept(town, outbox, [first])
        town.platform.advance(at(1))
        [second] = lease(town, outbox)
        assert second.text.sms == "second"


def test_subjects_do_not_touch_each_other(town: Town) -> None:
    [number] = town.people(1)
    planned(town, [number], "one")
    planned(town, [number], "other", subject=OTHER)
    taken_back(town, [number], OTHER)
    with town.outbox() as outbox:
        filled(town, outbox)
        assert [one.text.sms for one in lease(town, outbox)] == ["one"]
        assert reasons(town, outbox) == {(number, "withdrawn"): "needless"}


def test_what_is_taken_back_ends_at_once_and_a_later_notice_goes_out(town: Town) -> None:
    one, other = town.people(2)
    planned(town, [one, other], "first")
    taken_back(town, [one])
    with town.outbox() as outbox:
        filled(town, outbox)
        assert reasons(town, outbox) == {(one, "withdrawn"): "needless"}
        planned(town, [one], "again")
        filled(town, outbox)
        assert sorted((each.number, each.text.sms) for each in lease(town, outbox)) == [
            (one, "again"),
            (other, "first"),
        ]


def test_nothing_goes_out_after_its_end(town: Town) -> None:
    [number] = town.people(1)
    planned(town, [number], minutes=5)
    town.platform.advance(at(5))
    with town.outbox() as outbox:
        filled(town, outbox)
        assert lease(town, outbox) == []
        assert reasons(town, outbox) == {(number, "withdrawn"): "expired"}


def test_a_notice_under_lease_is_not_handed_over_once_it_was_taken_back(town: Town) -> None:
    numbers = town.people(30)
    planned(town, numbers)
    desk = Desk(window=2, seconds=0.02)
    with town.worker(desk):
        until(lambda: len(desk.given) >= 4)
        taken_back(town, numbers)
        until(lambda: len(town.outcomes()) == 30)
    told = [one for one in town.outcomes() if one.state == "accepted"]
    assert {one.reason for one in town.outcomes() if one.state == "withdrawn"} == {"needless"}
    assert len(told) == len(desk.given) < 30


def test_channels_are_the_notices_own_and_fail_over_in_their_order(town: Town) -> None:
    [number] = town.people(1, channels=(SMS, EMAIL))
    planned(town, [number], channels=(EMAIL, SMS))
    mail = Desk(name="mail", kind=EMAIL, answer=lambda letter: Refused("no", address_is_dead=True))
    sms = Desk(name="sms")
    with town.worker(mail, sms):
        until(lambda: len(town.outcomes()) == 1)
    assert len(mail.began) == 1
    assert [(one.state, one.channel, one.route) for one in town.outcomes()] == [("accepted", SMS, "sms")]


def test_two_numbers_with_one_address_are_both_asked(town: Town) -> None:
    numbers = town.people(1, address=lambda place: "+8613800000001")
    numbers += town.people(1, address=lambda place: "+8613800000001")
    planned(town, numbers)
    desk = Desk()
    with town.worker(desk):
        until(lambda: len(town.outcomes()) == 2)
    assert sorted(letter.number for letter in desk.given) == sorted(numbers)


def test_the_notices_of_a_drill_reach_the_spool_alone(town: Town) -> None:
    planned(town, town.people(1, mode=Mode.DRILL), mode=Mode.DRILL)
    desk = Desk()
    folder = town.folder / "spool"
    routes = routes_with_spool([], folder, "outlet@shaoxing.example")
    with town.worker(desk, *routes, pace=QUICK):
        until(lambda: len(town.outcomes()) == 1)
    assert desk.given == []
    assert len(list((folder / "drill").glob("*.sms"))) == 1
    assert not list(folder.glob("*.sms"))


def test_a_red_notice_goes_before_a_yellow_warning(town: Town) -> None:
    people = town.people(20)
    town.deliver(cap("y1", level="yellow"), minutes=0)
    town.wait_until(5)
    planned(town, people[:1])
    with town.outbox() as outbox:
        filled(town, outbox)
        first, *_ = lease(town, outbox, most=5)
    assert first.purpose is Purpose.CALL_UP


def test_a_notice_that_may_have_been_handed_over_is_marked_when_it_is_repeated(town: Town) -> None:
    planned(town, town.people(1))
    marks: list[bool] = []

    def answer(letter: Letter) -> Outcome:
        marks.append(letter.repeated)
        if len(marks) == 1:
            raise RuntimeError
        return Accepted()

    pace = Pace(look_seconds=0.01, first_wait_seconds=0.0, longest_wait_seconds=0.0)
    with town.worker(Desk(answer=answer), pace=pace):
        until(lambda: len(town.outcomes()) == 2)
    assert marks == [False, True]


@pytest.mark.parametrize("times", [1, 3])
def test_it_is_entered_once_however_often_the_outbox_is_opened(town: Town, times: int) -> None:
    numbers = town.people(3)
    planned(town, numbers)
    for _ in range(times):
        with town.outbox() as outbox:
            filled(town, outbox)
    with town.outbox() as outbox:
        outbox.beat(town.clock.now(), 1e9)
        assert [one.number for one in lease(town, outbox)] == numbers
