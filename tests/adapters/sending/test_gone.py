"""Addresses that are no more: who is reached by no channel leaves, and nobody else."""

from collections.abc import Sequence

from sqlalchemy import insert

from adapters.audience.recipients_codec import pack
from adapters.audience.table import table_of
from adapters.channels.port import Letter, Outcome, Refused
from adapters.sending.tables import DEAD
from adapters.vault.vault import Contact, Person
from domain.event import Event
from domain.messages import Mode
from domain.recipients import Recipient
from domain.sending import ADDRESS_IS_DEAD
from domain.subscriptions import subscription_stream
from domain.telling_events import SubscriptionConfirmed, SubscriptionEnded
from tests.adapters.sending.house import Desk, Town, accept, until
from tests.adapters.sending.test_outbox import EMAIL, SMS, filled, lease
from tests.streams.messages import cap


def is_dead(letter: Letter) -> Outcome:
    return Refused(f"550 {letter.address} does not exist", address_is_dead=True)


def is_full(letter: Letter) -> Outcome:
    return Refused("552 mailbox full")


def subscribed(town: Town) -> int:
    """A subscriber by text message in the town's district."""
    [number] = town.vault.enter([Person("", (Contact(SMS, "+8613800000001"),))])
    recipient = Recipient(number=number, roster="subscribers", role="subscriber", areas=("330604",), channels=(SMS,))
    packed = pack(table_of(Mode.LIVE, [recipient]))
    event = SubscriptionConfirmed(at=town.clock.now(), number=number, recipient_sha256=packed[-1].sha256)
    town.platform.runner.record(subscription_stream(number), event, [one.content for one in packed])
    return number


def ended(town: Town) -> list[int]:
    return [event.number for event in town.events() if isinstance(event, SubscriptionEnded)]


def history(town: Town, number: int) -> Sequence[Event]:
    return [recorded.event for recorded in town.platform.log.stream(subscription_stream(number))]


def test_a_subscriber_whose_address_is_dead_is_not_told_any_more(town: Town) -> None:
    number = subscribed(town)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.worker(Desk(answer=is_dead)):
        until(lambda: bool(ended(town)))
    end = history(town, number)[-1]
    assert isinstance(end, SubscriptionEnded)
    assert end.reason == ADDRESS_IS_DEAD
    town.audience.follow(town.platform.log.head())
    assert number not in town.audience.reachable()


def test_a_dead_mail_address_does_not_silence_the_text_messages(town: Town) -> None:
    [number] = town.people(1, channels=(EMAIL, SMS))
    town.deliver(cap("r1", level="red"), minutes=0)
    sms = Desk(name="sms")
    with town.worker(Desk(name="mail", kind=EMAIL, answer=is_dead), sms):
        until(lambda: len(town.outcomes()) == 1)
    assert [letter.number for letter in sms.given] == [number]
    assert ended(town) == []


def test_rostered_people_with_no_channel_left_leave_until_their_roster_comes_anew(town: Town) -> None:
    [number] = town.people(1, channels=(EMAIL, SMS))
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.worker(Desk(name="mail", kind=EMAIL, answer=is_dead), Desk(answer=is_dead)):
        until(lambda: bool(ended(town)))
    town.audience.follow(town.platform.log.head())
    assert number not in town.audience.reachable()


def test_a_full_mailbox_ends_nothing(town: Town) -> None:
    town.people(2)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.worker(Desk(answer=is_full)):
        until(lambda: len(town.outcomes()) == 2)
    assert ended(town) == []


def test_one_channel_dead_and_another_one_full_ends_nothing(town: Town) -> None:
    town.people(1, channels=(EMAIL, SMS))
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.worker(Desk(name="mail", kind=EMAIL, answer=is_dead), Desk(answer=is_full)):
        until(lambda: len(town.outcomes()) == 1)
    assert ended(town) == []


def test_it_is_recorded_once_for_several_warnings_and_whoever_was_killed_before_it_was_noted(town: Town) -> None:
    number = subscribed(town)
    town.deliver(cap("r1", level="red"), minutes=0)
    town.deliver(cap("w1", agency="water", hazard="11A51", level="red", minutes=1), minutes=1)
    with town.worker(Desk(answer=is_dead)):
        until(lambda: bool(ended(town)))
    with town.outbox() as outbox:
        with outbox._engine.begin() as connection:
            refused_at = history(town, number)[-1].at.timestamp()
            connection.execute(insert(DEAD).values(number=number, refused_at=refused_at))
        outbox.report_gone(town.clock.now())
        assert list(outbox._gone.found()) == []
    assert ended(town) == [number]


def test_who_is_told_nothing_by_a_dead_address_is_told_by_the_next_one(town: Town) -> None:
    [number] = town.people(1, channels=(EMAIL, SMS))
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.worker(Desk(name="mail", kind=EMAIL, answer=is_dead), Desk(name="sms", answer=accept)):
        until(lambda: len(town.outcomes()) == 1)
    town.deliver(cap("w1", agency="water", hazard="11A51", level="red", minutes=1), minutes=1)
    with town.outbox() as outbox:
        filled(town, outbox)
        assert [one.number for one in lease(town, outbox, EMAIL)] == [number]
