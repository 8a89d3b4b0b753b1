"""What waits, what is handed over and what is withdrawn: the outbox with plans as dispatch records them."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import insert, select

from adapters.channels.port import DeliveryReceipt
from adapters.sending.letters import Handed, Lease, NextChannel, PutBack
from adapters.sending.outbox import Outbox
from adapters.sending.tables import METADATA, OUTCOMES
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind
from domain.routing import Kind
from domain.sending import Ending
from tests.adapters.sending.house import Town, at
from tests.streams.messages import cap

SMS, EMAIL = ChannelKind.SMS, ChannelKind.EMAIL


def filled(town: Town, outbox: Outbox) -> None:
    outbox.beat(town.clock.now(), 1e9)
    outbox.follow()
    while outbox.fill(town.audience):
        pass


def lease(town: Town, outbox: Outbox, kind: ChannelKind = SMS, most: int = 1_000) -> list[Lease]:
    return outbox.lease(Mode.LIVE, kind, most, town.clock.now())


def accept(town: Town, outbox: Outbox, leases: list[Lease], route: str = "desk") -> None:
    outbox.settle([(one, Handed(route, f"ref-{one.id}", town.clock.now())) for one in leases])


def reasons(town: Town, outbox: Outbox) -> dict[tuple[int, str], str]:
    while outbox.report(town.clock.now()):
        pass
    return {(one.number, one.state): one.reason for one in town.outcomes()}


def test_everybody_who_is_planned_for_is_leased_once(town: Town) -> None:
    numbers = town.people(300)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        first, second = lease(town, outbox, most=200), lease(town, outbox)
        assert sorted(one.number for one in first + second) == numbers
        assert lease(town, outbox) == []


def test_a_restart_in_the_middle_of_filling_goes_on_and_neither_misses_nor_doubles(town: Town) -> None:
    numbers = town.people(100)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        outbox.follow()
        assert outbox.fill(town.audience, people=30) == 30
    with town.outbox() as outbox:
        filled(town, outbox)
        assert sorted(one.number for one in lease(town, outbox)) == numbers


def test_an_urgent_plan_is_filled_in_and_leased_before_one_that_came_earlier(town: Town) -> None:
    town.people(50)
    reds = town.people(5, areas=("330683",))
    town.deliver(cap("r1", level="yellow"), minutes=0)
    town.wait_until(5)
    with town.outbox() as outbox:
        outbox.follow()
        outbox.fill(town.audience, people=10)
        town.deliver(cap("r2", level="red", codes=("330683",), minutes=5))
        outbox.follow()
        assert outbox.fill(town.audience, people=10) == 5
        assert [one.number for one in lease(town, outbox, most=5)] == reds


def test_a_plan_that_is_not_urgent_waits_for_others_and_goes_with_them_as_one_message(town: Town) -> None:
    [number] = town.people(1)
    town.deliver(cap("r1", level="yellow"), minutes=0)
    minute = 0
    while not town.plans():
        minute += 1
        town.wait_until(minute)
    with town.outbox() as outbox:
        filled(town, outbox)
        assert lease(town, outbox) == []
        town.deliver(cap("w1", agency="water", hazard="11A51", level="red", minutes=minute), minutes=minute)
        filled(town, outbox)
        [one] = lease(town, outbox)
        assert len(one.plans) == 2
        assert "暴雨" in one.text.subject
        assert "山洪" in one.text.subject
        accept(town, outbox, [one])
        assert reasons(town, outbox) == {(number, "accepted"): ""}
        assert len(town.outcomes()) == 2


def test_a_warning_that_is_raised_before_it_was_handed_over_is_told_as_new(town: Town) -> None:
    town.people(1)
    town.deliver(cap("r1", level="orange"), minutes=0)
    town.wait_until(3)
    town.deliver(cap("r2", kind="Update", level="red", minutes=4, references=(("r1", 0),)), minutes=4)
    assert [send.items[0].kind for _, plan in town.plans() for send in plan.sends] == [Kind.NEW, Kind.RAISED]
    with town.outbox() as outbox:
        filled(town, outbox)
        [one] = lease(town, outbox)
        assert one.plans == (town.plans()[1][0],)
        assert "升级" not in one.text.subject
        assert one.level is Level.RED
        assert reasons(town, outbox) == {(one.number, "withdrawn"): "superseded"}


def test_a_warning_that_is_lifted_before_it_was_handed_over_is_never_told(town: Town) -> None:
    [number] = town.people(1)
    town.deliver(cap("r1", level="red"), minutes=0)
    town.deliver(cap("r2", kind="Cancel", minutes=1, references=(("r1", 0),)), minutes=1)
    with town.outbox() as outbox:
        filled(town, outbox)
        assert lease(town, outbox) == []
        ends = [(one.number, one.reason) for one in town.outcomes() if outbox.report(town.clock.now())]
        assert ends == []
        reasons(town, outbox)
        assert sorted(one.reason for one in town.outcomes()) == ["never-told", "superseded"]
        assert {one.number for one in town.outcomes()} == {number}


def test_a_route_does_not_wait_behind_rounds_that_only_withdraw(town: Town) -> None:
    town.people(100)
    [other] = town.people(1, areas=("330683",))
    town.deliver(cap("r1", level="red"), minutes=0)
    town.deliver(cap("r2", kind="Cancel", minutes=1, references=(("r1", 0),)), minutes=1)
    town.deliver(cap("r3", level="red", minutes=2, codes=("330683",)), minutes=2)
    with town.outbox() as outbox:
        filled(town, outbox)
        [found] = lease(town, outbox, most=10)
        assert (found.number, found.is_all_clear) == (other, False)


def test_what_ends_everything_is_an_all_clear(town: Town) -> None:
    town.people(1)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        [alert] = lease(town, outbox)
        accept(town, outbox, [alert])
        town.deliver(cap("r2", kind="Cancel", minutes=1, references=(("r1", 0),)), minutes=1)
        filled(town, outbox)
        [clear] = lease(town, outbox)
        assert (alert.is_all_clear, clear.is_all_clear) == (False, True)


def test_the_all_clear_goes_to_who_was_told_and_waits_for_an_alert_under_way(town: Town) -> None:
    town.people(2)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        told, under_way = lease(town, outbox)
        accept(town, outbox, [told])
        town.deliver(cap("r2", kind="Cancel", minutes=1, references=(("r1", 0),)), minutes=1)
        filled(town, outbox)
        [lifted] = lease(town, outbox)
        assert lifted.number == told.number
        assert "解除" in lifted.text.subject
        accept(town, outbox, [under_way])
        town.platform.advance(at(2))
        [late] = lease(town, outbox)
        assert late.number == under_way.number
        assert "解除" in late.text.subject


def test_the_words_and_the_end_are_those_of_the_newest_release(town: Town) -> None:
    town.people(1)
    town.deliver(cap("r1", level="red", hours=2), minutes=0)
    town.deliver(cap("r2", kind="Update", level="red", hours=30, minutes=60, references=(("r1", 0),)), minutes=60)
    town.platform.advance(at(180))
    with town.outbox() as outbox:
        filled(town, outbox)
        [one] = lease(town, outbox)
        assert one.expires == at(60 + 30 * 60)


def test_what_has_expired_is_withdrawn(town: Town) -> None:
    [number] = town.people(1)
    town.deliver(cap("r1", level="red", hours=1), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        assert outbox.lease(Mode.LIVE, SMS, 10, at(61)) == []
        assert reasons(town, outbox) == {(number, "withdrawn"): "expired"}


def test_nothing_is_leased_while_sending_is_stopped_and_all_of_it_after(town: Town) -> None:
    town.people(3)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        town.stop()
        assert lease(town, outbox) == []
    with town.outbox() as again:
        assert again.standing.is_stopped
        town.resume()
        assert len(lease(town, again)) == 3


def test_a_drill_is_leased_by_drill_routes_alone(town: Town) -> None:
    town.people(2)
    drilled = town.people(2, mode=Mode.DRILL)
    town.deliver(cap("d1", level="red", status="Exercise"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        assert lease(town, outbox) == []
        found = outbox.lease(Mode.DRILL, SMS, 10, town.clock.now())
        assert [one.number for one in found] == drilled
        assert all(one.mode is Mode.DRILL for one in found)


def test_a_refusal_leads_to_the_next_channel_and_then_to_an_end_with_its_reason(town: Town) -> None:
    [number] = town.people(1, channels=(SMS, EMAIL))
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        [one] = lease(town, outbox)
        outbox.settle([(one, NextChannel("sms", Ending.REFUSED, "unknown number", town.clock.now()))])
        assert lease(town, outbox) == []
        [mail] = lease(town, outbox, EMAIL)
        assert mail.id == one.id
        outbox.settle([(mail, NextChannel("mail", Ending.REFUSED, "mailbox full", town.clock.now()))])
        assert lease(town, outbox, EMAIL) == []
        assert reasons(town, outbox) == {(number, "failed"): "refused: mailbox full"}


def test_a_result_that_is_stored_again_does_not_take_back_what_a_receipt_has_brought_meanwhile(town: Town) -> None:
    [number] = town.people(1, channels=(SMS, EMAIL))
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        [one] = lease(town, outbox)
        accept(town, outbox, [one])
        failed = DeliveryReceipt(f"ref-{one.id}", "failed", town.clock.now(), "absent subscriber")
        outbox.received("desk", [failed], town.clock.now())
        accept(town, outbox, [one])
        assert [mail.number for mail in lease(town, outbox, EMAIL)] == [number]


def test_whom_it_failed_to_reach_hears_no_all_clear(town: Town) -> None:
    town.people(1)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        [one] = lease(town, outbox)
        accept(town, outbox, [one])
        failed = DeliveryReceipt(f"ref-{one.id}", "failed", town.clock.now(), "absent subscriber")
        outbox.received("desk", [failed], town.clock.now())
        town.deliver(cap("r2", kind="Cancel", minutes=1, references=(("r1", 0),)), minutes=1)
        filled(town, outbox)
        assert lease(town, outbox) == []
        reasons(town, outbox)
        assert [(one.state, one.reason) for one in town.outcomes()] == [
            ("accepted", ""),
            ("failed", "failed: absent subscriber"),
            ("withdrawn", "never-told"),
        ]


def receipt(one: Lease, state: str = "delivered", when: datetime | None = None) -> DeliveryReceipt:
    assert state in {"delivered", "failed"}
    made = DeliveryReceipt(f"ref-{one.id}", "delivered", when or at(1))
    return made if state == "delivered" else replace(made, state="failed")


def test_a_receipt_counts_when_it_comes_before_the_acceptance_is_recorded(town: Town) -> None:
    town.people(1)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        [one] = lease(town, outbox)
        outbox.received("desk", [receipt(one)], town.clock.now())
        accept(town, outbox, [one])
        reasons(town, outbox)
        assert [found.state for found in town.outcomes()] == ["accepted", "delivered"]


def test_a_receipt_counts_after_a_restart_once_and_only_for_its_route(town: Town) -> None:
    town.people(1)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        [one] = lease(town, outbox)
        accept(town, outbox, [one])
    with town.outbox() as again:
        again.received("another", [receipt(one)], town.clock.now())
        again.received("desk", [receipt(one), receipt(one)], town.clock.now())
        again.received("desk", [receipt(one, "failed")], town.clock.now())
        reasons(town, again)
        assert [found.state for found in town.outcomes()] == ["accepted", "delivered"]


def test_what_a_dead_worker_had_comes_back_marked_and_an_all_clear_follows_in_doubt(town: Town) -> None:
    town.people(2)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as dead:
        filled(town, dead)
        dead.beat(town.clock.now(), 5)
        assert len(lease(town, dead)) == 2
    with town.outbox() as outbox:
        filled(town, outbox)
        assert lease(town, outbox) == []
        town.platform.advance(at(1))
        assert outbox.beat(town.clock.now(), 5) == 2
        again, other = lease(town, outbox)
        assert again.repeated
        accept(town, outbox, [again])
        outbox.settle([(other, PutBack(town.clock.now()))])
        town.deliver(cap("r2", kind="Cancel", minutes=2, references=(("r1", 0),)), minutes=2)
        filled(town, outbox)
        lifted = lease(town, outbox)
        assert len(lifted) == 2
        assert all("解除" in one.text.subject for one in lifted)
        reasons(town, outbox)
        assert [one.state for one in town.outcomes() if one.number == again.number] == ["accepted", "repeated"]


def test_a_result_that_comes_after_its_lease_was_lost_saves_the_repetition(town: Town) -> None:
    town.people(1)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as slow, town.outbox() as outbox:
        filled(town, slow)
        slow.beat(town.clock.now(), 5)
        [one] = lease(town, slow)
        town.platform.advance(at(1))
        assert outbox.beat(town.clock.now(), 5) == 1
        accept(town, slow, [one])
        assert lease(town, outbox) == []


def test_two_outboxes_never_lease_the_same_message(town: Town) -> None:
    numbers = town.people(60)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as one, town.outbox() as other:
        filled(town, one)
        filled(town, other)
        found: list[int] = []
        while some := lease(town, one, most=7) + lease(town, other, most=5):
            found += [each.number for each in some]
        assert sorted(found) == numbers


def test_outcomes_are_in_the_log_once_even_when_their_writer_was_stopped_in_between(town: Town) -> None:
    town.people(10)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        accept(town, outbox, lease(town, outbox))
        with outbox._engine.begin() as connection:
            connection.exec_driver_sql("UPDATE outcomes SET batch = 'named'")
            rows = connection.exec_driver_sql("SELECT * FROM outcomes").all()
        assert outbox.report(town.clock.now()) == 10
        with outbox._engine.begin() as connection:
            connection.execute(insert(OUTCOMES), [row._asdict() for row in rows])
        assert outbox.report(town.clock.now()) == 10
        assert len(town.outcomes()) == 10


def test_somebody_on_two_rosters_with_one_address_hears_the_same_words_once(town: Town) -> None:
    first = town.people(1, address=lambda place: "+8613800000001")
    second = town.people(1, address=lambda place: "+8613800000001")
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        one, other = lease(town, outbox)
        assert [one.number, other.number] == first + second
        assert outbox.is_first_with_these_words(one, first[0], town.clock.now(), 3600)
        assert not outbox.is_first_with_these_words(other, first[0], town.clock.now(), 3600)
        assert outbox.is_first_with_these_words(one, first[0], town.clock.now(), 3600)


def test_no_row_of_the_outbox_holds_an_address(town: Town, url: str | None) -> None:
    town.people(3, channels=(SMS, EMAIL))
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        accept(town, outbox, lease(town, outbox))
        with outbox._engine.connect() as connection:
            rows = [tuple(row) for table in METADATA.tables.values() for row in connection.execute(select(table))]
    content = repr(rows).encode() + b"".join(path.read_bytes() for path in town.folder.glob("outbox.sqlite*"))
    assert (url is None) is bool(list(town.folder.glob("outbox.sqlite*")))
    assert b"ref-" in content
    assert b"+86138" not in content
    assert b"people.example" not in content
