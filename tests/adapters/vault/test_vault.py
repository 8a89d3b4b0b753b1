"""The vault keeps contacts sealed, finds them again, and forgets a person for good."""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.vault.sealing import SealBrokenError, VaultKey, key_in, new_person_key, open_sealed, seal
from adapters.vault.vault import FILE_NAME, KEY_NAME, Contact, ContactVault, Person, vault_in
from domain.recipients import ChannelKind

NOW = datetime(2026, 9, 13, tzinfo=UTC)
PHONE = "+8613800000001"
MAIL = "duty@town.example"


def person(phone: str = PHONE, mail: str = MAIL) -> Person:
    return Person("值班员甲", (Contact(ChannelKind.SMS, phone), Contact(ChannelKind.EMAIL, mail)))


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[ContactVault]:
    with vault_in(tmp_path) as opened:
        yield opened


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_who_is_entered_can_be_reached_and_found(vault: ContactVault) -> None:
    first, second = vault.enter([person(), person("+8613800000002", "other@town.example")])
    assert vault.addresses([first, second], ChannelKind.SMS) == {first: PHONE, second: "+8613800000002"}
    assert vault.found([Contact(ChannelKind.EMAIL, MAIL)]) == {Contact(ChannelKind.EMAIL, MAIL): [first]}
    assert vault.person(first) == Person(
        "值班员甲", (Contact(ChannelKind.EMAIL, MAIL), Contact(ChannelKind.SMS, PHONE))
    )


def test_no_contact_stands_readable_in_any_file(vault: ContactVault, tmp_path: Path) -> None:
    vault.enter([person()])
    held = bytes_in(tmp_path)
    for secret in (PHONE, PHONE.removeprefix("+86"), MAIL, "值班员甲"):
        assert secret.encode() not in held


def test_an_erased_person_is_gone_and_the_number_is_never_given_again(vault: ContactVault, tmp_path: Path) -> None:
    [number] = vault.enter([person()])
    sealed_before = bytes_in(tmp_path)
    assert vault.erase([number, 999], NOW) == [number]
    assert vault.erase([number], NOW) == []
    assert vault.person(number) is None
    assert vault.addresses([number], ChannelKind.SMS) == {}
    assert vault.found([Contact(ChannelKind.SMS, PHONE)]) == {Contact(ChannelKind.SMS, PHONE): []}
    assert vault.enter([person()]) == [number + 1]
    assert sealed_before != bytes_in(tmp_path)


def test_the_sealed_bytes_of_an_erased_person_are_in_no_page_of_the_file(vault: ContactVault, tmp_path: Path) -> None:
    [number] = vault.enter([person()])
    with vault._engine.connect() as connection:
        sealed = [row[0] for row in connection.exec_driver_sql("SELECT sealed FROM contacts")]
        sealed += [row[0] for row in connection.exec_driver_sql("SELECT sealed_key FROM people")]
    vault.erase([number], NOW)
    held = bytes_in(tmp_path)
    assert len(sealed) == 3
    assert [one for one in sealed if one in held] == []


def test_a_changed_person_keeps_the_number_and_loses_the_old_contact(vault: ContactVault) -> None:
    [number] = vault.enter([person()])
    vault.change({number: Person("", (Contact(ChannelKind.SMS, "+8613800000009"),))})
    assert vault.addresses([number], ChannelKind.SMS) == {number: "+8613800000009"}
    assert vault.addresses([number], ChannelKind.EMAIL) == {}
    assert vault.found([Contact(ChannelKind.SMS, PHONE)]) == {Contact(ChannelKind.SMS, PHONE): []}


def test_an_erased_person_stays_erased_whatever_is_entered_for_the_number(vault: ContactVault) -> None:
    [number] = vault.enter([person()])
    vault.erase([number], NOW)
    vault.change({number: person()})
    assert vault.person(number) is None


def test_another_key_opens_nothing(vault: ContactVault, tmp_path: Path) -> None:
    [number] = vault.enter([person()])
    vault.close()
    (tmp_path / KEY_NAME).write_bytes(bytes(32))
    with vault_in(tmp_path) as other, pytest.raises(SealBrokenError):
        other.addresses([number], ChannelKind.SMS)


def test_both_files_are_their_owners_alone(vault: ContactVault, tmp_path: Path) -> None:
    vault.enter([person()])
    for name in (FILE_NAME, KEY_NAME):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_many_people_are_entered_in_order(vault: ContactVault) -> None:
    numbers = vault.enter([person(f"+86138{place:08d}", f"p{place}@x.example") for place in range(1_200)])
    assert numbers == sorted(numbers)
    assert vault.count() == 1_200
    found = vault.addresses(numbers, ChannelKind.SMS)
    assert [found[number] for number in numbers] == [f"+86138{place:08d}" for place in range(1_200)]


def test_what_is_sealed_for_one_person_or_field_opens_for_no_other() -> None:
    own = new_person_key()
    sealed = seal(own, 7, "sms", PHONE)
    assert open_sealed(own, 7, "sms", sealed) == PHONE
    for key, number, field in ((own, 8, "sms"), (own, 7, "email"), (new_person_key(), 7, "sms")):
        with pytest.raises(SealBrokenError):
            open_sealed(key, number, field, sealed)


def test_a_file_that_holds_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / KEY_NAME).write_bytes(b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        key_in(tmp_path / KEY_NAME)
    with pytest.raises(ValueError, match="32 bytes"):
        VaultKey(b"")
