"""The contact vault: recipient numbers, and under each what only its own key opens.

Nothing here knows of warnings. Other parts hold numbers, and ask for an address at the moment of sending.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine.interfaces import DBAPIConnection

from adapters.store.small_files import make_private
from adapters.vault.sealing import VaultKey, key_in, new_person_key, open_sealed, seal
from domain.recipients import ChannelKind

Item = TypeVar("Item")

FILE_NAME: Final = "vault.sqlite"
KEY_NAME: Final = "vault.key"
NAME: Final = "name"
_AT_ONCE: Final = 500
"""Numbers in one query: every database takes so many parameters."""

_MANY_AT_ONCE: Final = 5_000
"""Numbers in the query that is asked for every letter: databases of today take far more."""

_METADATA = MetaData()
_PEOPLE = Table(
    "people",
    _METADATA,
    # AUTOINCREMENT: a number is never given twice, not even when its row is gone.
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("sealed_key", LargeBinary),
    Column("name", LargeBinary),
    Column("erased", Text),
    sqlite_autoincrement=True,
)
_CONTACTS = Table(
    "contacts",
    _METADATA,
    Column("number", Integer, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("mark", LargeBinary, nullable=False),
    Index("contacts_by_mark", "mark"),
)


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
        """Make the tables that are missing."""
        self._engine = engine
        self._key = key
        _METADATA.create_all(engine)

    def enter(self, people: Sequence[Person]) -> list[int]:
        """Enter people who are not in here yet, all or none; their numbers, in the same order."""
        if not people:
            return []
        with self._engine.begin() as connection:
            sentence = insert(_PEOPLE).returning(_PEOPLE.c.number, sort_by_parameter_order=True)
            numbers = [row.number for row in connection.execute(sentence, [{"erased": None} for _ in people])]
            self._write(connection, zip(numbers, people, strict=True))
        return numbers

    def change(self, people: Mapping[int, Person]) -> None:
        """Enter other names or contacts for numbers that are in here; erased ones stay erased."""
        with self._engine.begin() as connection:
            standing = {
                number: person
                for number, person in people.items()
                if connection.execute(select(_PEOPLE.c.sealed_key).where(_PEOPLE.c.number == number)).scalar()
            }
            for some in _in_parts(list(standing)):
                connection.execute(delete(_CONTACTS).where(_CONTACTS.c.number.in_(some)))
            self._write(connection, standing.items())

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
            connection.execute(update(_PEOPLE).where(_PEOPLE.c.number == bindparam("whose")), keys)
        if contacts:
            connection.execute(insert(_CONTACTS), contacts)

    def found(self, contacts: Sequence[Contact]) -> dict[Contact, list[int]]:
        """Under which numbers each of these contacts is entered, without opening anything."""
        marks = {self._key.mark(contact.kind.value, contact.address): contact for contact in contacts}
        numbers: dict[Contact, list[int]] = {contact: [] for contact in contacts}
        with self._engine.connect() as connection:
            for some in _in_parts(list(marks)):
                rows = connection.execute(
                    select(_CONTACTS.c.mark, _CONTACTS.c.number).where(_CONTACTS.c.mark.in_(some))
                )
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
        with self._engine.connect() as connection:
            rows = [
                row
                for some in _in_parts(numbers, _MANY_AT_ONCE)
                for row in connection.execute(_REACHED, {"numbers": some, "its_kind": kind.value}).fetchall()
            ]
        open_key, field = self._key.open_key, kind.value
        return {
            number: Reach(open_sealed(open_key(sealed_key, number), number, field, sealed), first, first != last)
            for number, sealed, sealed_key, first, last in rows
        }

    def person(self, number: int) -> Person | None:
        """Everything about one person; None for a number that is erased or was never given."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(_PEOPLE.c.sealed_key, _PEOPLE.c.name).where(_PEOPLE.c.number == number)
            ).first()
            if row is None or row.sealed_key is None:
                return None
            own = self._key.open_key(row.sealed_key, number)
            contacts = connection.execute(
                select(_CONTACTS.c.kind, _CONTACTS.c.sealed)
                .where(_CONTACTS.c.number == number)
                .order_by(_CONTACTS.c.kind)
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
                    select(_PEOPLE.c.number).where(_PEOPLE.c.number.in_(some), _PEOPLE.c.erased.is_(None))
                ).scalars()
            ]
            for some in _in_parts(erased):
                connection.execute(delete(_CONTACTS).where(_CONTACTS.c.number.in_(some)))
                connection.execute(
                    update(_PEOPLE)
                    .where(_PEOPLE.c.number.in_(some))
                    .values(sealed_key=None, name=None, erased=now.isoformat())
                )
        self._forget_old_pages()
        return sorted(erased)

    def _forget_old_pages(self) -> None:
        """What was deleted must not be readable in the file's free pages or its write-ahead log."""
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def count(self) -> int:
        """How many people are in here who are not erased."""
        with self._engine.connect() as connection:
            found = connection.execute(select(func.count()).where(_PEOPLE.c.sealed_key.is_not(None)))
            return int(found.scalar_one())

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


def vault_in(data_dir: Path) -> ContactVault:
    """The vault of a data directory, made on first use; both files are readable for their owner alone.

    Raises:
        ValueError: the key's file does not hold a key.
        OSError: the files cannot be made.
    """
    key = key_in(data_dir / KEY_NAME)
    path = data_dir / FILE_NAME
    make_private(path)
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _sqlite_settings)
    return ContactVault(engine, key)


def _sqlite_settings(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


_SAME: Final = _CONTACTS.alias("same")
_WITH_THE_MARK: Final = _SAME.c.mark == _CONTACTS.c.mark
_REACHED: Final = (
    select(
        _CONTACTS.c.number,
        _CONTACTS.c.sealed,
        _PEOPLE.c.sealed_key,
        select(func.min(_SAME.c.number)).where(_WITH_THE_MARK).scalar_subquery(),
        select(func.max(_SAME.c.number)).where(_WITH_THE_MARK).scalar_subquery(),
    )
    .join(_PEOPLE, _PEOPLE.c.number == _CONTACTS.c.number)
    .where(_CONTACTS.c.number.in_(bindparam("numbers", expanding=True)), _CONTACTS.c.kind == bindparam("its_kind"))
    .where(_PEOPLE.c.sealed_key.is_not(None))
)


def _in_parts(items: Sequence[Item], at_once: int = _AT_ONCE) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), at_once):
        yield items[start : start + at_once]
