"""The contact vault: recipient numbers, and under each what only its own key opens.

Nothing here knows of warnings. Other parts hold numbers, and ask for an address at the moment of sending.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from sqlalchemy import Connection, Engine, Select, bindparam, delete, func, insert, select, update

from adapters.settings import Settings
from adapters.store.errors import StoreError
from adapters.store.kept_tables import as_set, is_one_of, reading, refusals_named
from adapters.vault.sealing import SealBrokenError, VaultKey, key_in, new_person_key, open_sealed, seal
from adapters.vault.tables import CONTACTS, KEY_MARKS, PEOPLE, VAULT, forget_deleted
from domain.recipients import ChannelKind

Item = TypeVar("Item")

FILE_NAME: Final = "vault.sqlite"
KEY_NAME: Final = "vault.key"
NAME: Final = "name"
_AT_ONCE: Final = 500
"""Numbers in one query: every database takes so many parameters."""


class OtherKeyError(StoreError):
    """This vault was sealed with another key than the one that is here."""


@dataclass(frozen=True, slots=True)
class Contact:
    """How somebody is reached: `address` is a telephone number as E.164, or a mail address."""

    kind: ChannelKind
    address: str


@dataclass(frozen=True, slots=True)
class Reach:
    """Somebody's address of one kind. `first_number` is the lowest of all numbers under which it is entered.

    Where `is_shared` is false there is no other number.
    """

    address: str
    first_number: int
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Person:
    """A person to be entered: a name for people who look after the roster, and the contacts."""

    name: str
    contacts: tuple[Contact, ...]


class ContactVault:
    """One vault in one database. Safe to use from many threads."""

    def __init__(self, engine: Engine, key: VaultKey) -> None:
        """The engine is closed with the vault.

        Raises:
            OtherKeyError: the vault was sealed with another key.
        """
        self._engine = engine
        self._key = key
        self._must_be_its_key()

    def enter(self, people: Sequence[Person]) -> list[int]:
        """Enter people who are not in here yet, all or none; their numbers, in the same order."""
        if not people:
            return []
        with self._engine.begin() as connection:
            sentence = insert(PEOPLE).returning(PEOPLE.c.number, sort_by_parameter_order=True)
            numbers = [row.number for row in connection.execute(sentence, [{"erased": None} for _ in people])]
            self._write(connection, zip(numbers, people, strict=True))
        return numbers

    def change(self, people: Mapping[int, Person]) -> None:
        """Enter other names or contacts for numbers that are in here; erased ones stay erased."""
        with self._engine.begin() as connection:
            standing: list[int] = []
            for some in _in_parts(list(people)):
                not_erased = PEOPLE.c.number.in_(some), PEOPLE.c.sealed_key.is_not(None)
                standing += connection.execute(select(PEOPLE.c.number).where(*not_erased)).scalars()
                connection.execute(delete(CONTACTS).where(CONTACTS.c.number.in_(some)))
            self._write(connection, [(number, people[number]) for number in standing])

    def _write(self, connection: Connection, people: Iterable[tuple[int, Person]]) -> None:
        keys, contacts = [], []
        for number, person in people:
            own = new_person_key()
            keys.append(
                {
                    "whose": number,
                    "sealed_key": self._key.seal_key(own, number),
                    "name": seal(own, number, NAME, person.name) if person.name else None,
                }
            )
            contacts += [
                {
                    "number": number,
                    "kind": contact.kind.value,
                    "sealed": seal(own, number, contact.kind.value, contact.address),
                    "mark": self._key.mark(contact.kind.value, contact.address),
                }
                for contact in person.contacts
            ]
        if keys:
            connection.execute(update(PEOPLE).where(PEOPLE.c.number == bindparam("whose")), keys)
        if contacts:
            connection.execute(insert(CONTACTS), contacts)

    def found(self, contacts: Sequence[Contact]) -> dict[Contact, list[int]]:
        """Under which numbers each of these contacts is entered, without opening anything."""
        marks = {self._key.mark(contact.kind.value, contact.address): contact for contact in contacts}
        numbers: dict[Contact, list[int]] = {contact: [] for contact in contacts}
        with reading(self._engine) as connection:
            for some in _in_parts(list(marks)):
                rows = connection.execute(select(CONTACTS.c.mark, CONTACTS.c.number).where(CONTACTS.c.mark.in_(some)))
                for mark, number in rows:
                    numbers[marks[mark]].append(number)
        return numbers

    def addresses(self, numbers: Sequence[int], kind: ChannelKind) -> dict[int, str]:
        """The addresses of this kind of these numbers; who has none, or was erased, is not in it.

        Raises:
            SealBrokenError: the vault's key is another one than that which sealed them.
        """
        return {number: reach.address for number, reach in self.reached(numbers, kind).items()}

    def reached(self, numbers: Sequence[int], kind: ChannelKind) -> dict[int, Reach]:
        """The same, with who else has the address: by its mark, without opening anybody's.

        Raises:
            SealBrokenError: the vault's key is another one than that which sealed them.
        """
        with reading(self._engine) as connection:
            asked = {"numbers": as_set(connection, numbers), "its_kind": kind.value}
            rows = connection.execute(_reached(connection.dialect.name), asked).fetchall()
        open_key, field = self._key.open_key, kind.value
        return {
            number: Reach(open_sealed(open_key(sealed_key, number), number, field, sealed), first, first != last)
            for number, sealed, sealed_key, first, last in rows
        }

    def person(self, number: int) -> Person | None:
        """Everything about one person; None for a number that is erased or was never given."""
        with reading(self._engine) as connection:
            row = connection.execute(
                select(PEOPLE.c.sealed_key, PEOPLE.c.name).where(PEOPLE.c.number == number)
            ).first()
            if row is None or row.sealed_key is None:
                return None
            own = self._key.open_key(row.sealed_key, number)
            contacts = connection.execute(
                select(CONTACTS.c.kind, CONTACTS.c.sealed).where(CONTACTS.c.number == number).order_by(CONTACTS.c.kind)
            ).all()
        return Person(
            name=open_sealed(own, number, NAME, row.name) if row.name else "",
            contacts=tuple(
                Contact(ChannelKind(kind), open_sealed(own, number, kind, sealed)) for kind, sealed in contacts
            ),
        )

    def erase(self, numbers: Sequence[int], now: datetime) -> list[int]:
        """Destroy these people's keys and contacts; the numbers that were there and not erased before."""
        with self._engine.begin() as connection:
            erased = [
                number
                for some in _in_parts(numbers)
                for number in connection.execute(
                    select(PEOPLE.c.number).where(PEOPLE.c.number.in_(some), PEOPLE.c.erased.is_(None))
                ).scalars()
            ]
            for some in _in_parts(erased):
                connection.execute(delete(CONTACTS).where(CONTACTS.c.number.in_(some)))
                connection.execute(
                    update(PEOPLE)
                    .where(PEOPLE.c.number.in_(some))
                    .values(sealed_key=None, name=None, erased=now.isoformat())
                )
        forget_deleted(self._engine)
        return sorted(erased)

    def count(self) -> int:
        """How many people are in here who are not erased."""
        with reading(self._engine) as connection:
            found = connection.execute(select(func.count()).where(PEOPLE.c.sealed_key.is_not(None)))
            return int(found.scalar_one())

    def _must_be_its_key(self) -> None:
        """A process with a key of its own would seal what no other process can open."""
        own = self._key.mark(*_KEY_MARK)
        known = _key_mark_in(self._engine)
        if known is None:
            with self._engine.begin() as connection:
                known = connection.execute(select(KEY_MARKS.c.mark)).scalar()  # another process may have been faster
                if known is None and self._opens_what_is_here(connection):
                    connection.execute(insert(KEY_MARKS).values(mark=own))
                    known = own
        if known != own:
            raise OtherKeyError(f"the vault was sealed with another key than the one in its {KEY_NAME}")

    def _opens_what_is_here(self, connection: Connection) -> bool:
        """Asked of a vault that was made before its key was marked."""
        sealed = select(PEOPLE.c.sealed_key, PEOPLE.c.number).where(PEOPLE.c.sealed_key.is_not(None)).limit(1)
        for key, number in connection.execute(sealed):
            try:
                self._key.open_key(key, number)
            except SealBrokenError:
                return False
        return True

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """The vault itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


def vault_of(settings: Settings) -> ContactVault:
    """The vault of an outlet, in its database or else in its data directory; made on first use.

    Its key is a file of the data directory in any case, which processes that share the vault share.

    Raises:
        ValueError: the key's file does not hold a key.
        OtherKeyError: it holds another key, or is missing although the vault is there.
        NewerSchemaError: a newer version of the platform made the vault.
        StoreError: the database refuses.
        OSError: the files cannot be made.
    """
    engine = VAULT.opened(settings.data_dir / FILE_NAME, settings.database_url)
    try:
        with refusals_named(VAULT.part):
            return ContactVault(engine, _key_for(engine, settings.data_dir / KEY_NAME))
    except BaseException:
        engine.dispose()
        raise


def vault_in(data_dir: Path) -> ContactVault:
    """The vault in the file of a data directory; see `vault_of`. Files are readable for their owner alone."""
    return vault_of(Settings(data_dir=data_dir))


def _key_for(engine: Engine, path: Path) -> VaultKey:
    if not path.exists() and _key_mark_in(engine) is not None:  # a new one would open nothing
        raise OtherKeyError(f"the key that the vault was sealed with is not in {path}")
    return key_in(path)


def _key_mark_in(engine: Engine) -> bytes | None:
    """What tells the key of the vault from others, once somebody has opened the vault with it."""
    with reading(engine) as connection:
        return connection.execute(select(KEY_MARKS.c.mark)).scalar()


_KEY_MARK: Final = ("key", "of the vault")
"""What the key is marked by; no contact is of this kind."""

_SAME: Final = CONTACTS.alias("same")
_WITH_THE_MARK: Final = _SAME.c.mark == CONTACTS.c.mark


@lru_cache
def _reached(dialect: str) -> Select[Any]:
    """Contacts of a kind with the keys that open them, and who else has the address."""
    return (
        select(
            CONTACTS.c.number,
            CONTACTS.c.sealed,
            PEOPLE.c.sealed_key,
            select(func.min(_SAME.c.number)).where(_WITH_THE_MARK).scalar_subquery(),
            select(func.max(_SAME.c.number)).where(_WITH_THE_MARK).scalar_subquery(),
        )
        .join(PEOPLE, PEOPLE.c.number == CONTACTS.c.number)
        .where(is_one_of(CONTACTS.c.number, "numbers", dialect), CONTACTS.c.kind == bindparam("its_kind"))
        .where(PEOPLE.c.sealed_key.is_not(None))
    )


def _in_parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
