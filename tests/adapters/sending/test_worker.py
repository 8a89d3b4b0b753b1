"""The worker with channels that are slow, down, forgetful or wrong."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.channels.port import Accepted, DeliveryReceipt, Incoming, Later, Letter, Outcome, Refused
from adapters.sending.lane import Pace, Route
from adapters.sending.service import routes_with_spool
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind
from tests.adapters.sending.house import QUICK, Desk, Town, at, until
from tests.streams.messages import cap

SMS, EMAIL = ChannelKind.SMS, ChannelKind.EMAIL

FOR_HOURS = replace(QUICK, first_wait_seconds=6 * 3600.0, longest_wait_seconds=6 * 3600.0)
"""Who is put off is put off for as long as a test takes, but for when somebody brings them forward."""


def test_everybody_gets_one_letter_at_their_address_and_the_log_says_so(town: Town) -> None:
    numbers = town.people(120)
    town.deliver(cap("r1", level="red"), minutes=0)
    desk = Desk()
    with town.worker(desk):
        until(lambda: len(town.outcomes()) == 120)
    assert sorted(letter.number for letter in desk.given) == numbers
    assert all(letter.address.startswith("+86138") for letter in desk.given)
    assert {one.state for one in town.outcomes()} == {"accepted"}
    assert desk.most_under_way <= desk.window


def test_what_is_planned_while_it_runs_is_handed_over_the_red_before_the_yellow(town: Town) -> None:
    town.people(400)
    town.people(3, areas=("330683",))
    town.deliver(cap("r1", level="yellow"), minutes=0)
    town.wait_until(5)
    desk = Desk(window=5, seconds=0.005)
    with town.worker(desk):
        until(lambda: len(desk.given) > 10)
        town.deliver(cap("r2", level="red", codes=("330683",), minutes=5))
        until(lambda: len(town.outcomes()) == 403)
    reds = [place for place, letter in enumerate(desk.given) if letter.level is Level.RED]
    assert reds[-1] < 400


def test_an_emergency_stop_holds_within_seconds_what_is_under_way_included_and_the_rest_goes_on_later(
    town: Town,
) -> None:
    numbers = town.people(60)
    town.deliver(cap("r1", level="red"), minutes=0)
    desk = Desk(window=4, seconds=0.05)
    slow = Desk(name="slow", window=4, seconds=60.0)
    with town.worker(desk, slow):
        until(lambda: len(desk.given) > 4 and slow.under_way == 4)
        town.stop()
        stopped = time.monotonic()
        until(lambda: desk.under_way == 0 and slow.under_way == 0, 5)
        count = len(desk.began)
        threading.Event().wait(0.3)
        assert len(desk.began) == count
        assert max(desk.began) < stopped + 5
        assert len(desk.given) < 60
        slow.seconds = 0.0
        town.resume()
        until(lambda: sum(one.state == "accepted" for one in town.outcomes()) == 60)
    assert sorted(letter.number for letter in desk.given + slow.given) == numbers
    assert sum(letter.repeated for letter in desk.given + slow.given) <= 8


def test_a_newer_plan_stops_letters_that_were_leased_before_it(town: Town) -> None:
    town.people(40)
    town.deliver(cap("r1", level="red"), minutes=0)
    desk = Desk(window=40, seconds=0.0)
    with town.worker(Route(desk, per_second=10)):
        until(lambda: len(desk.given) >= 1)
        town.deliver(cap("r2", kind="Cancel", minutes=1, references=(("r1", 0),)), minutes=1)
        head = len(desk.given)
        until(lambda: len(town.outcomes()) == 80)
    alerts = [letter for letter in desk.given if "解除" not in letter.text.subject]
    told = {letter.number for letter in alerts}
    assert len(alerts) <= head + 1
    assert {letter.number for letter in desk.given if letter not in alerts} == told


def test_a_route_that_is_down_hands_its_letters_to_another_and_comes_back(town: Town) -> None:
    town.people(30)
    town.deliver(cap("r1", level="red"), minutes=0)
    down = Desk(name="down", answer=lambda letter: Later("connection lost", is_route_down=True))
    up = Desk(name="up", window=5, seconds=0.01)
    with town.worker(down, up):
        until(lambda: len(town.outcomes()) == 30)
    assert {one.route for one in town.outcomes()} == {"up"}
    assert not any(letter.repeated for letter in up.given)


def test_a_route_that_was_down_sends_everything_when_it_returns(town: Town) -> None:
    town.people(30)
    town.deliver(cap("r1", level="red"), minutes=0)
    is_down = [True]

    def answer(letter: Letter) -> Outcome:
        return Later("refused", is_route_down=True) if is_down[0] else Accepted(letter.id)

    desk = Desk(answer=answer)
    with town.worker(desk):
        until(lambda: len(desk.began) >= 3)
        assert not desk.given
        is_down[0] = False
        until(lambda: len(town.outcomes()) == 30)
    assert len(desk.given) == 30


@pytest.mark.parametrize("trouble", [Later("busy"), Later("connection lost", is_route_down=True)])
def test_when_a_route_serves_again_the_most_urgent_go_first_though_they_were_put_off(
    town: Town, trouble: Later
) -> None:
    town.people(40)
    town.people(12, areas=("330683",))
    town.deliver(cap("r1", level="red", codes=("330683",)), minutes=0)
    heals_after = [10**9]
    tried: list[Letter] = []

    def answer(letter: Letter) -> Outcome:
        tried.append(letter)
        if len(tried) <= 12:
            return Later("busy")
        return trouble if len(tried) <= heals_after[0] else Accepted(letter.id)

    desk = Desk(window=3, answer=answer)
    with town.worker(desk, pace=FOR_HOURS):
        until(lambda: len(tried) == 12)
        heals_after[0] = 15
        town.deliver(cap("r2", level="yellow", minutes=5), minutes=5)
        town.wait_until(10)
        until(lambda: len(town.outcomes()) == 52)
    reds = [place for place, letter in enumerate(desk.given) if letter.level is Level.RED]
    assert len(reds) == 12
    assert reds[-1] < 12 + desk.window


def test_whom_a_route_puts_off_for_good_it_is_not_asked_about_again_for_each_that_it_serves(town: Town) -> None:
    town.people(60)
    numbers = town.people(6, areas=("330683",))
    town.deliver(cap("r1", level="red", codes=("330683",)), minutes=0)
    full: list[int] = []

    def answer(letter: Letter) -> Outcome:
        if letter.number in numbers:
            full.append(letter.number)
            return Later("452 mailbox full")
        return Accepted(letter.id)

    with town.worker(Desk(window=2, answer=answer), pace=FOR_HOURS):
        until(lambda: len(full) == 6)
        town.deliver(cap("r2", level="yellow", minutes=5), minutes=5)
        town.wait_until(10)
        until(lambda: len(town.outcomes()) == 60)
    assert len(full) <= 12


def test_who_is_refused_is_told_by_their_next_channel_and_a_reason_names_no_address(town: Town) -> None:
    town.people(5, channels=(SMS, EMAIL))
    town.people(1)
    town.deliver(cap("r1", level="red"), minutes=0)
    sms = Desk(name="sms", answer=lambda letter: Refused(f"550 {letter.address} is unknown"))
    mail = Desk(name="mail", kind=EMAIL)
    with town.worker(sms, mail):
        until(lambda: len(town.outcomes()) == 6)
    assert len(mail.given) == 5
    assert all("@" in letter.address for letter in mail.given)
    [failed] = [one for one in town.outcomes() if one.state == "failed"]
    assert failed.reason == "refused: 550 … is unknown"


def test_a_letter_that_is_tried_in_vain_is_given_up_with_its_reason(town: Town) -> None:
    town.people(1)
    town.deliver(cap("r1", level="red"), minutes=0)
    desk = Desk(answer=lambda letter: Later("busy"))
    pace = Pace(look_seconds=0.01, most_attempts=3, first_wait_seconds=0.0, longest_wait_seconds=0.0)
    with town.worker(desk, pace=pace):
        until(lambda: len(town.outcomes()) == 1)
    assert town.outcomes()[0].reason == "given-up: busy"
    assert len(desk.began) == 3


def test_what_may_have_arrived_is_marked_when_it_is_tried_again(town: Town) -> None:
    town.people(1)
    town.deliver(cap("r1", level="red"), minutes=0)
    marks: list[bool] = []

    def answer(letter: Letter) -> Outcome:
        marks.append(letter.repeated)
        return Later("no answer", in_doubt=True) if len(marks) == 1 else Accepted(letter.id)

    pace = Pace(look_seconds=0.01, first_wait_seconds=0.0, longest_wait_seconds=0.0)
    with town.worker(Desk(answer=answer), pace=pace):
        until(lambda: len(town.outcomes()) == 2)
    assert marks == [False, True]
    assert [one.state for one in town.outcomes()] == ["accepted", "repeated"]


def test_a_defect_in_a_route_ends_neither_it_nor_the_letters(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    town.people(3)
    town.deliver(cap("r1", level="red"), minutes=0)
    failed: list[str] = []

    def answer(letter: Letter) -> Outcome:
        if letter.id not in failed:
            failed.append(letter.id)
            raise RuntimeError(f"no way to {letter.address}")
        return Accepted(letter.id)

    pace = Pace(look_seconds=0.01, first_wait_seconds=0.0, longest_wait_seconds=0.0)
    desk = Desk(answer=answer)
    with town.worker(desk, pace=pace):
        until(lambda: len(desk.given) == 3)
    assert all(letter.repeated for letter in desk.given)
    assert "RuntimeError" in caplog.text
    assert "+86138" not in caplog.text


def test_two_workers_side_by_side_hand_each_letter_over_once(town: Town) -> None:
    numbers = town.people(200)
    town.deliver(cap("r1", level="red"), minutes=0)
    one, other = Desk(name="one", window=7, seconds=0.002), Desk(name="other", window=5, seconds=0.002)
    with town.worker(one), town.worker(other):
        until(lambda: len(town.outcomes()) == 200)
    assert sorted(letter.number for letter in one.given + other.given) == numbers


def test_receipts_are_matched_and_what_people_send_is_passed_on_by_none(town: Town) -> None:
    town.people(4)
    town.deliver(cap("r1", level="red"), minutes=0)
    desk = Desk()
    with town.worker(desk):
        until(lambda: len(desk.given) == 4)
        desk.bring(*(DeliveryReceipt(f"ref-{letter.id}", "delivered", at(1)) for letter in desk.given))
        desk.bring(Incoming("+8613800000001", "1", at(1)))
        until(lambda: sum(one.state == "delivered" for one in town.outcomes()) == 4)


def test_the_same_address_on_two_rosters_gets_the_same_words_once(town: Town) -> None:
    for _ in range(2):
        town.people(1, address=lambda place: "+8613800000001")
    town.deliver(cap("r1", level="red"), minutes=0)
    desk = Desk()
    with town.worker(desk):
        until(lambda: len(town.outcomes()) == 2)
    assert len(desk.given) == 1
    assert sorted((one.state, one.reason) for one in town.outcomes()) == [
        ("accepted", ""),
        ("withdrawn", "same-address"),
    ]


def test_whom_the_vault_does_not_know_any_more_is_failed_with_that_reason(town: Town) -> None:
    numbers = town.people(2)
    town.deliver(cap("r1", level="red"), minutes=0)
    town.vault.erase(numbers[:1], town.clock.now())
    desk = Desk()
    with town.worker(desk):
        until(lambda: len(town.outcomes()) == 2)
    assert sorted((one.number, one.reason) for one in town.outcomes()) == [(numbers[0], "no-address"), (numbers[1], "")]


def test_a_worker_that_cannot_read_the_log_hands_nothing_over(town: Town) -> None:
    town.people(50)
    town.deliver(cap("r1", level="red"), minutes=0)
    desk = Desk()
    blind = Pace(look_seconds=0.02, blind_seconds=-1.0)
    with town.worker(desk, pace=blind):
        threading.Event().wait(0.3)
    assert desk.began == []
    with town.worker(desk, pace=QUICK):
        until(lambda: len(desk.given) == 50)
    assert not any(letter.repeated for letter in desk.given)


def test_drills_reach_the_spool_alone_and_a_fresh_install_sends_nothing(town: Town, tmp_path: Path) -> None:
    town.people(2, mode=Mode.DRILL)
    town.people(2)
    town.deliver(cap("d1", level="red", status="Exercise"), minutes=0)
    town.deliver(cap("r1", level="red"), minutes=0)
    desk = Desk()
    with town.worker(*routes_with_spool([Route(desk)], tmp_path / "spool", "outlet@shaoxing.example")):
        until(lambda: len(town.outcomes()) == 4)
    assert {letter.mode for letter in desk.given} == {Mode.LIVE}
    assert len(list((tmp_path / "spool" / "drill").glob("*.sms"))) == 2
    assert not list((tmp_path / "spool").glob("*.sms"))
