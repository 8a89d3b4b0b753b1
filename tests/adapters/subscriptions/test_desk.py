"""Who subscribes is who confirmed, a contact is nowhere but in the vault, and a crash leaves nothing behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.subscriptions.desk import Ended, NoRequestError, SubscriptionDesk, WrongCodeError
from adapters.subscriptions.waiting import FILE_NAME, TooManyRequestsError, WaitingRequests
from adapters.vault.vault import Contact, ContactVault, Person
from domain.levels import Level
from domain.recipients import ChannelKind
from domain.subscriptions import subscription_stream
from domain.telling_events import PersonErased, SubscriptionConfirmed, SubscriptionEnded
from tests.adapters.sending.house import Town
from tests.adapters.subscriptions.office import EMAIL, MAIL, OTHER_SMS, PHONE, SMS, Office, office_in, wanted


def test_nobody_subscribes_before_they_have_confirmed(office: Office) -> None:
    asked = office.desk.ask(SMS, wanted("330604"), office.now)
    number = office.number_of(asked.id)
    assert office.desk.subscriber(number) is None
    assert office.everyone() == []
    assert office.desk.confirm_by_code(asked.id, office.code(asked.id), office.now) == number
    subscriber = office.desk.subscriber(number)
    assert subscriber is not None
    assert (subscriber.roster, subscriber.role, subscriber.areas) == ("subscribers", "subscriber", ("330604",))
    assert office.everyone() == [number]
    assert office.vault.addresses([number], ChannelKind.SMS) == {number: PHONE}


def test_confirming_twice_is_as_good_as_once(office: Office) -> None:
    asked = office.desk.ask(SMS, wanted(), office.now)
    first = office.desk.confirm_by_code(asked.id, office.code(asked.id), office.now)
    assert office.desk.confirm_by_code(asked.id, office.code(asked.id), office.now) == first
    assert office.desk.confirm(asked.id, office.now) == first
    assert office.topics().count(SubscriptionConfirmed.TOPIC) == 1


def test_a_second_subscription_of_a_contact_changes_the_first_and_keeps_its_number(office: Office) -> None:
    first = office.subscribe(SMS, wanted("330604"))
    asked = office.desk.ask(SMS, wanted("330683", level_min=Level.RED), office.now)
    subscriber = office.desk.subscriber(first)
    assert subscriber is not None
    assert subscriber.areas == ("330604",), "nothing changes before it is confirmed"
    assert office.desk.confirm_by_code(asked.id, office.code(asked.id), office.now) == first
    subscriber = office.desk.subscriber(first)
    assert subscriber is not None
    assert (subscriber.areas, subscriber.level_min) == (("330683",), Level.RED)
    assert office.everyone() == [first]
    assert office.vault.found([SMS]) == {SMS: [first]}, "the number that the request waited under is erased"


def test_what_is_asked_is_done_alike_for_who_subscribes_and_for_who_does_not(office: Office) -> None:
    office.subscribe(SMS)
    seen = []
    for contact in (SMS, OTHER_SMS):
        before, people = office.platform.log.head(), office.vault.count()
        asked = office.desk.ask(contact, wanted(), office.now)
        seen.append((office.platform.log.head() - before, office.vault.count() - people, asked.expires))
    assert seen[0] == seen[1]


def test_a_code_is_dead_after_five_attempts_even_the_right_one(office: Office) -> None:
    asked = office.desk.ask(SMS, wanted(), office.now)
    right = office.code(asked.id)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    for _ in range(5):
        with pytest.raises(WrongCodeError):
            office.desk.confirm_by_code(asked.id, wrong, office.now)
    with pytest.raises(NoRequestError):
        office.desk.confirm_by_code(asked.id, right, office.now)
    assert office.everyone() == []


def test_an_expired_request_is_gone_with_the_contact_that_nobody_confirmed(office: Office) -> None:
    asked = office.desk.ask(SMS, wanted(), office.now)
    code = office.code(asked.id)
    office.later(minutes=30)
    with pytest.raises(NoRequestError):
        office.desk.confirm_by_code(asked.id, code, office.now)
    assert office.desk.sweep(office.now) == 1
    assert office.vault.count() == 0
    assert office.vault.found([SMS]) == {SMS: []}
    assert office.desk.sweep(office.now) == 0


def test_sweeping_leaves_subscribers_their_contact(office: Office) -> None:
    number = office.subscribe(SMS)
    office.subscribe(SMS, wanted("330683"))
    office.later(days=2)
    assert office.desk.sweep(office.now) == 2
    assert office.vault.addresses([number], ChannelKind.SMS) == {number: PHONE}
    assert office.everyone() == [number]


def test_a_request_by_mail_waits_a_day(office: Office) -> None:
    asked = office.desk.ask(EMAIL, wanted(channel=ChannelKind.EMAIL), office.now)
    office.later(hours=23)
    assert office.desk.confirm_by_code(asked.id, office.code(asked.id), office.now)


def test_a_contact_is_asked_for_three_times_an_hour_and_ten_times_a_day(office: Office) -> None:
    refused: list[TooManyRequestsError] = []
    for _ in range(24 * 4):
        try:
            office.desk.ask(SMS, wanted(), office.now)
        except TooManyRequestsError as error:
            refused.append(error)
        office.desk.sweep(office.now)
        office.later(minutes=15)
    assert len(refused) == 24 * 4 - 10
    assert {error.by for error in refused} == {"contact"}
    assert all(error.wait.total_seconds() > 0 for error in refused)
    office.desk.ask(OTHER_SMS, wanted(), office.now)  # another contact is not kept waiting


def test_the_writing_of_an_address_does_not_lift_its_limit(office: Office) -> None:
    for address in ("a@people.example", "A@people.example", "a@PEOPLE.example"):
        office.desk.ask(Contact(ChannelKind.EMAIL, address), wanted(channel=ChannelKind.EMAIL), office.now)
    with pytest.raises(TooManyRequestsError):
        office.desk.ask(Contact(ChannelKind.EMAIL, "A@People.example"), wanted(channel=ChannelKind.EMAIL), office.now)


def test_no_more_than_so_many_requests_wait_at_once(office: Office, tmp_path: Path) -> None:
    with SubscriptionDesk(
        office.platform, office.vault, office.links, WaitingRequests(tmp_path / "few.sqlite", most=2)
    ) as desk:
        for place in range(2):
            desk.ask(Contact(ChannelKind.SMS, f"+861380000010{place}"), wanted(), office.now)
        with pytest.raises(TooManyRequestsError) as caught:
            desk.ask(Contact(ChannelKind.SMS, "+8613800000109"), wanted(), office.now)
        assert caught.value.by == "subscriptions"
        office.later(minutes=30)
        desk.ask(Contact(ChannelKind.SMS, "+8613800000109"), wanted(), office.now)


def test_a_reply_with_the_code_from_its_telephone_confirms_and_from_another_does_not(office: Office) -> None:
    asked = office.desk.ask(SMS, wanted(), office.now)
    stranger = office.number_of(office.desk.ask(OTHER_SMS, wanted(), office.now).id)
    code, number = office.code(asked.id), office.number_of(asked.id)
    assert not office.desk.confirm_by_reply([stranger], code, office.now)
    assert not office.desk.confirm_by_reply([number], "收到", office.now)
    assert not office.desk.confirm_by_reply([number], f"{code}{code}", office.now)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    assert office.desk.confirm_by_reply([4711, number], f" {wide}。", office.now)
    assert office.desk.subscriber(number) is not None


def test_who_ends_is_erased_and_told_nothing_afterwards(office: Office) -> None:
    number = office.subscribe(SMS)
    assert office.desk.end(number, office.now) is Ended.ENDED
    events = [one.event for one in office.platform.log.read()]
    assert [type(event) for event in events[-2:]] == [SubscriptionEnded, PersonErased]
    assert office.desk.subscriber(number) is None
    assert office.vault.person(number) is None
    assert office.everyone() == []
    assert office.desk.end(number, office.now) is Ended.NOTHING_STOOD
    assert office.subscribe(SMS) != number, "who comes back is somebody new"


def test_the_link_of_a_request_that_changed_a_subscription_ends_that_one(office: Office) -> None:
    first = office.subscribe(SMS)
    asked = office.desk.ask(SMS, wanted("330683"), office.now)
    waited_as = office.number_of(asked.id)
    office.desk.confirm_by_code(asked.id, office.code(asked.id), office.now)
    assert office.desk.end(waited_as, office.now) is Ended.ENDED
    assert office.desk.subscriber(first) is None


def test_a_reply_ends_what_subscribes_and_waits_and_leaves_a_duty_holder_on_the_roster(tmp_path: Path) -> None:
    town = Town(tmp_path / "data")
    town.people(1, address=lambda _: PHONE)
    town.close()
    with office_in(tmp_path / "data") as office:
        [rostered] = office.vault.found([SMS])[SMS]
        assert office.desk.end(rostered, office.now) is Ended.ON_A_ROSTER
        assert not office.desk.end_by_reply([rostered], office.now)
        subscriber = office.subscribe(SMS)
        asked = office.desk.ask(SMS, wanted(), office.now)
        numbers = office.vault.found([SMS])[SMS]
        assert sorted(numbers) == sorted({rostered, subscriber, office.number_of(asked.id)})
        assert office.desk.end_by_reply(numbers, office.now)
        assert office.vault.found([SMS]) == {SMS: [rostered]}
        assert office.everyone() == [rostered]
        with pytest.raises(NoRequestError):
            office.desk.confirm(asked.id, office.now)


def test_the_contact_is_in_no_event_and_no_file_but_sealed_in_the_vault(office: Office) -> None:
    office.subscribe(SMS)
    office.subscribe(EMAIL)
    office.desk.ask(OTHER_SMS, wanted(), office.now)
    texts = "".join(one.event.model_dump_json() for one in office.platform.log.read())
    kept = b"".join(path.read_bytes() for path in office.platform.settings.data_dir.rglob("*") if path.is_file())
    for address in (PHONE, OTHER_SMS.address, MAIL):
        assert address not in texts
        assert address.encode() not in kept
        assert address.lstrip("+").encode() not in kept
    mode = (office.platform.settings.data_dir / FILE_NAME).stat().st_mode
    assert mode & 0o077 == 0


class Broken(Exception):
    """The power failed here."""


def broken(*_: Any, **__: Any) -> Any:
    raise Broken


def crash_at(patch: pytest.MonkeyPatch, where: Any, name: str, do: Callable[[], object]) -> None:
    """Do something up to where the power fails."""
    with patch.context() as failing:
        failing.setattr(where, name, broken)
        with pytest.raises(Broken):
            do()


@pytest.mark.parametrize("at", ["change", "record"])
def test_a_crash_while_a_request_is_taken_leaves_no_contact_for_long(
    office: Office, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    where: Any = office.vault if at == "change" else office.platform.runner
    crash_at(monkeypatch, where, at, lambda: office.desk.ask(SMS, wanted(), office.now))
    office.later(minutes=31)
    office.desk.sweep(office.now)
    assert office.vault.count() == 0


@pytest.mark.parametrize(("target", "name"), [(WaitingRequests, "confirmed"), (ContactVault, "erase")])
def test_a_crash_while_confirming_is_mended_by_confirming_again(
    office: Office, monkeypatch: pytest.MonkeyPatch, target: type, name: str
) -> None:
    first = office.subscribe(SMS)
    asked = office.desk.ask(SMS, wanted("330683"), office.now)
    code = office.code(asked.id)
    crash_at(monkeypatch, target, name, lambda: office.desk.confirm_by_code(asked.id, code, office.now))
    assert office.desk.confirm_by_code(asked.id, code, office.now) == first
    assert office.topics().count(SubscriptionConfirmed.TOPIC) == 2
    office.later(days=1)
    office.desk.sweep(office.now)
    assert office.vault.found([SMS]) == {SMS: [first]}


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_crash_while_somebody_leaves_ends_in_one_or_the_other(
    office: Office, monkeypatch: pytest.MonkeyPatch, *, is_recorded: bool
) -> None:
    number = office.subscribe(SMS)
    where, name = (office.vault, "erase") if is_recorded else (office.platform.runner, "act")
    crash_at(monkeypatch, where, name, lambda: office.desk.end(number, office.now))
    office.desk.sweep(office.now)
    assert (office.vault.person(number) is None) is is_recorded
    assert office.everyone() == ([] if is_recorded else [number])


def test_who_was_erased_by_the_operator_subscribes_no_more(office: Office) -> None:
    number = office.subscribe(SMS)
    asked = office.desk.ask(SMS, wanted(), office.now)
    office.vault.erase(office.vault.found([SMS])[SMS], office.now)
    assert office.desk.subscriber(number) is None
    assert not office.desk.change(number, wanted("330683"))
    with pytest.raises(NoRequestError):
        office.desk.confirm(asked.id, office.now)


def test_what_a_subscriber_changes_holds_at_once(office: Office) -> None:
    number = office.subscribe(SMS)
    before = office.platform.log.head()
    assert office.desk.change(number, wanted("330683", hazards=("11B01",)))
    subscriber = office.desk.subscriber(number)
    assert subscriber is not None
    assert (subscriber.areas, subscriber.hazards) == (("330683",), ("11B01",))
    assert office.desk.change(number, wanted("330683", hazards=("11B01",)))
    assert office.platform.log.head() == before + 1, "the same again is nothing new"


def test_whose_subscription_ended_because_their_address_is_dead_is_erased_by_the_next_sweep(office: Office) -> None:
    number, other = office.subscribe(SMS), office.subscribe(OTHER_SMS)
    event = SubscriptionEnded(at=office.now, number=number, reason="the address is dead")
    office.platform.runner.record(subscription_stream(number), event)
    assert office.desk.subscriber(number) is None
    assert office.desk.ending(number, office.now) is Ended.NOTHING_STOOD
    head = office.platform.log.head()
    for _ in range(2):
        office.desk.sweep(office.now)
        assert office.platform.log.head() == head + 1, "they are erased once"
    assert office.vault.person(number) is None
    assert office.everyone() == [other]


def test_a_duty_holder_whose_address_is_dead_keeps_it_for_whoever_looks_after_the_roster(tmp_path: Path) -> None:
    town = Town(tmp_path / "data")
    [rostered] = town.people(1, address=lambda _: PHONE)
    town.close()
    with office_in(tmp_path / "data") as office:
        event = SubscriptionEnded(at=office.now, number=rostered, reason="the address is dead")
        office.platform.runner.record(subscription_stream(rostered), event)
        office.desk.sweep(office.now)
        assert office.vault.addresses([rostered], ChannelKind.SMS) == {rostered: PHONE}
        assert office.desk.ending(rostered, office.now) is Ended.ON_A_ROSTER


def test_an_unknown_request_is_no_request(office: Office) -> None:
    for attempt in (
        lambda: office.desk.confirm(uuid4(), office.now),
        lambda: office.desk.confirm_by_code(uuid4(), "123456", office.now),
    ):
        check: Callable[[], object] = attempt
        with pytest.raises(NoRequestError):
            check()
    assert office.desk.end(4711, office.now) is Ended.NOTHING_STOOD
    assert office.vault.enter([Person("", ())])
