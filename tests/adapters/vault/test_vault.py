"""The vault keeps contacts sealed, finds them again, and forgets a person for good: in a file and in a database."""

import stat
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text

from adapters.settings import Settings
from adapters.store import kept_tables
from adapters.vault import tables
from adapters.vault.sealing import SealBrokenError, VaultKey, key_in, new_person_key, open_sealed, seal
from adapters.vault.tables import CONTACTS, KEY_MARKS, METADATA, PEOPLE
from adapters.vault.vault import FILE_NAME, KEY_NAME, Contact, ContactVault, OtherKeyError, Person, vault_in, vault_of
from domain.recipients import ChannelKind
from tests import postgres

NOW = datetime(2026, 9, 13, tzinfo=UTC)
PHONE = "+8613800000001"
MAIL = "duty@town.example"


def person(phone: str = PHONE, mail: str = MAIL) -> Person:
    return Person("值班员甲", (Contact(ChannelKind.SMS, phone), Contact(ChannelKind.EMAIL, mail)))


@pytest.fixture(params=[pytest.param("postgres", marks=pytest.mark.postgres), "sqlite"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Of an outlet with files, and of one with a database."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres.schema()) if request.param == "postgres" else None
        yield Settings(data_dir=tmp_path, database_url=url)


@pytest.fixture
def vault(settings: Settings) -> Iterator[ContactVault]:
    with vault_of(settings) as opened:
        yield opened


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def stored(vault: ContactVault) -> list[object]:
    """Every value in every row."""
    with vault._engine.connect() as connection:
        return [
            value for table in METADATA.tables.values() for row in connection.execute(select(table)) for value in row
        ]


def files_of(vault: ContactVault, tmp_path: Path) -> bytes:
    """What the vault's database has on the disk, but for a server's write-ahead log."""
    if vault._engine.dialect.name == "sqlite":
        return bytes_in(tmp_path)
    if not postgres.server().own:
        pytest.skip("needs a server whose files can be read")
    with vault._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        folder = connection.execute(text("SHOW data_directory")).scalar_one()
    return bytes_in(Path(folder) / "base")


def test_who_is_entered_can_be_reached_and_found(vault: ContactVault) -> None:
    first, second = vault.enter([person(), person("+8613800000002", "other@town.example")])
    assert vault.addresses([first, second], ChannelKind.SMS) == {first: PHONE, second: "+8613800000002"}
    assert vault.found([Contact(ChannelKind.EMAIL, MAIL)]) == {Contact(ChannelKind.EMAIL, MAIL): [first]}
    assert vault.person(first) == person_by_kind()


def test_no_contact_stands_readable_in_any_file_or_row(vault: ContactVault, tmp_path: Path) -> None:
    [number] = vault.enter([person()])
    rows = stored(vault)
    assert number in rows
    held = files_of(vault, tmp_path) + repr(rows).encode()
    for secret in (PHONE, PHONE.removeprefix("+86"), MAIL, "值班员甲"):
        assert secret.encode() not in held


def test_an_erased_person_is_gone_and_the_number_is_never_given_again(vault: ContactVault) -> None:
    [number] = vault.enter([person()])
    assert vault.erase([number, 999], NOW) == [number]
    assert vault.erase([number], NOW) == []
    assert vault.person(number) is None
    assert vault.addresses([number], ChannelKind.SMS) == {}
    assert vault.found([Contact(ChannelKind.SMS, PHONE)]) == {Contact(ChannelKind.SMS, PHONE): []}
    assert vault.enter([person()]) == [number + 1]


def test_a_number_whose_row_is_gone_is_never_given_again(vault: ContactVault) -> None:
    [number] = vault.enter([person()])
    with vault._engine.begin() as connection:
        connection.execute(PEOPLE.delete())
    assert vault.enter([person()]) == [number + 1]


def test_the_sealed_bytes_of_an_erased_person_are_in_no_page_of_any_file(vault: ContactVault, tmp_path: Path) -> None:
    [number, other] = vault.enter([person(), person("+8613800000002", "other@town.example")])
    with vault._engine.connect() as connection:
        sealed, kept = (
            [
                *connection.execute(select(CONTACTS.c.sealed).where(CONTACTS.c.number == whose)).scalars(),
                *connection.execute(select(PEOPLE.c.sealed_key).where(PEOPLE.c.number == whose)).scalars(),
            ]
            for whose in (number, other)
        )
    held = files_of(vault, tmp_path)
    assert all(one in held for one in sealed + kept)
    vault.erase([number], NOW)
    held = files_of(vault, tmp_path)
    assert len(sealed) == 3
    assert [one for one in sealed if one in held] == []
    assert all(one in held for one in kept)
    assert vault.addresses([other], ChannelKind.SMS) == {other: "+8613800000002"}


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


def test_another_key_opens_nothing_and_is_refused(vault: ContactVault, settings: Settings) -> None:
    vault.enter([person()])
    (settings.data_dir / KEY_NAME).write_bytes(bytes(32))
    with pytest.raises(OtherKeyError):
        vault_of(settings)


def test_without_its_key_a_vault_is_refused_and_none_is_made_in_its_place(
    vault: ContactVault, settings: Settings
) -> None:
    vault.enter([person()])
    (settings.data_dir / KEY_NAME).unlink()
    with pytest.raises(OtherKeyError, match=KEY_NAME):
        vault_of(settings)
    assert not (settings.data_dir / KEY_NAME).exists()


def test_a_vault_whose_key_was_never_marked_takes_the_key_that_opens_it_and_no_other(
    vault: ContactVault, settings: Settings
) -> None:
    [number] = vault.enter([person()])
    key = (settings.data_dir / KEY_NAME).read_bytes()
    with vault._engine.begin() as connection:
        connection.execute(KEY_MARKS.delete())
    (settings.data_dir / KEY_NAME).write_bytes(bytes(32))
    with pytest.raises(OtherKeyError):
        vault_of(settings)
    (settings.data_dir / KEY_NAME).write_bytes(key)
    with vault_of(settings) as again:
        assert again.addresses([number], ChannelKind.SMS) == {number: PHONE}


def test_both_files_are_their_owners_alone(tmp_path: Path) -> None:
    with vault_in(tmp_path) as vault:
        vault.enter([person()])
        for name in (FILE_NAME, KEY_NAME):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_one_database_has_one_vault_for_all_who_have_its_key(
    vault: ContactVault, settings: Settings, tmp_path: Path
) -> None:
    [number] = vault.enter([person()])
    with vault_of(settings) as other:
        assert other.addresses([number], ChannelKind.SMS) == {number: PHONE}
        assert other.erase([number], NOW) == [number]
    assert vault.person(number) is None
    assert bool(settings.database_url) is not (tmp_path / FILE_NAME).exists()


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


@pytest.fixture
def server_vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ContactVault]:
    """One in a database, whose statements wait for others only shortly."""
    monkeypatch.setattr(kept_tables, "BUSY_SECONDS", 0.2)
    with postgres.schema() as url, vault_of(Settings(data_dir=tmp_path, database_url=url)) as opened:
        yield opened


@pytest.mark.postgres
def test_people_are_erased_from_tables_that_are_too_large_to_be_written_anew(
    server_vault: ContactVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "REWRITTEN_BYTES", 0)
    [number, other] = server_vault.enter([person(), person("+8613800000002")])
    assert server_vault.erase([number], NOW) == [number]
    assert server_vault.addresses([number, other], ChannelKind.SMS) == {other: "+8613800000002"}


@pytest.mark.postgres
def test_an_erasure_holds_although_the_files_cannot_be_cleaned_now(
    server_vault: ContactVault, caplog: pytest.LogCaptureFixture
) -> None:
    [number] = server_vault.enter([person()])
    with server_vault._engine.connect().execution_options(reads_only=True) as other:
        other.execute(text("LOCK TABLE people IN SHARE UPDATE EXCLUSIVE MODE"))
        assert server_vault.erase([number], NOW) == [number]
    assert server_vault.person(number) is None
    assert "old bytes" in caplog.text
    assert PHONE not in caplog.text


@pytest.mark.postgres
def test_a_vault_in_a_file_is_carried_over_once_with_its_numbers_and_erasures(tmp_path: Path) -> None:
    with vault_in(tmp_path) as before:
        first, erased, last = before.enter([person(), person(), person("+8613800000003")])
        before.erase([erased], NOW)
    with postgres.schema() as url:
        settings = Settings(data_dir=tmp_path, database_url=url)
        with vault_of(settings) as vault:
            assert vault.person(first) == person_by_kind()
            assert vault.person(erased) is None
            assert vault.enter([person("+8613800000004")]) == [last + 1]
            vault.erase([first], NOW)
        with vault_of(settings) as vault:
            assert vault.count() == 2
            assert vault.person(first) is None


def person_by_kind() -> Person:
    """The same person as it comes out of a vault."""
    return Person("值班员甲", (Contact(ChannelKind.EMAIL, MAIL), Contact(ChannelKind.SMS, PHONE)))
