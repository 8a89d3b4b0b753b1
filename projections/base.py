"""What every projection is made of: tables described as data, changes of rows, and the port that keeps them.

A projection is pure: from one recorded fact to the changes of its own tables. Where rows are kept, and how, is the
adapters' business; what the rows mean is each projection's own file.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from domain.ports import RecordedEvent
from projections.facts import Fact, fact_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

RowT = TypeVar("RowT", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Table(Generic[RowT]):
    """A table as its row describes it: the columns are the fields of the NamedTuple `row`, in their order.

    A field is `int`, `str` or `bytes` (JSON, as it was stored in the event), or one of these or None. `key` is the
    primary key. An index whose first column may be None holds only the rows where it is not.
    """

    name: str
    row: type[RowT]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in the order of a row's fields."""
        return tuple(self.row.__annotations__)


class Insert(Struct, frozen=True, gc=False):
    """A new row; no row with its key exists."""

    table: Table[Any]
    row: tuple[Any, ...]


class Upsert(Struct, frozen=True, gc=False):
    """A row that takes the place of the one with its key, if there is one."""

    table: Table[Any]
    row: tuple[Any, ...]


class Delete(Struct, frozen=True, gc=False):
    """Every row that has these values in these columns goes."""

    table: Table[Any]
    columns: tuple[str, ...]
    values: tuple[Any, ...]


RowChange = Insert | Upsert | Delete

Handler = Callable[[int, Any], Iterable[RowChange]]
"""From a position in the log and the fact recorded there to what changes."""


@dataclass(frozen=True, slots=True)
class Projection:
    """One question's tables and what each topic does to them.

    `version` rises whenever a table or a handler changes: the tables are then built anew from the whole log.
    """

    name: str
    version: int
    tables: tuple[Table[Any], ...]
    handlers: Mapping[str, Handler]

    @property
    def topics(self) -> frozenset[str]:
        """The topics of the events that it reads; all others pass it by."""
        return frozenset(self.handlers)

    def changes_of(self, topic: str, position: int, fact: Fact) -> Iterable[RowChange]:
        """What a fact changes; nothing for a topic that this projection does not read."""
        handler = self.handlers.get(topic)
        return () if handler is None else handler(position, fact)

    def changes(self, recorded: RecordedEvent) -> Iterable[RowChange]:
        """The same for an event as the log's port gives it."""
        topic = recorded.event.TOPIC
        return self.changes_of(topic, recorded.position, fact_of(recorded.event)) if topic in self.handlers else ()


class Condition(NamedTuple):
    """What a selected row must satisfy. `begins` is for text: the column begins with the value."""

    column: str
    operator: Literal["=", "<=", "<", ">=", ">", "begins"]
    value: int | str


def equal(**values: int | str) -> tuple[Condition, ...]:
    """Conditions that each column has the value."""
    return tuple(Condition(column, "=", value) for column, value in values.items())


class Step(NamedTuple):
    """What one projection is to be changed by; `after` is the position that it must be at, if that is known."""

    projection: str
    changes: Iterable[RowChange]
    after: int | None = None


class ReadTables(Protocol):
    """Keeps the rows of all projections. They can be rebuilt, so a power failure may cost the latest of them."""

    def prepare(self, projections: Sequence[Projection]) -> None:
        """Create what is missing; a projection whose version is another than the stored one begins anew, empty.

        Indexes that a broken-off `filling` has left out are made here.
        """
        ...

    def apply(self, projection: str, changes: Iterable[RowChange], position: int, *, after: int | None = None) -> bool:
        """Make the changes, in order, and record the position: one transaction.

        False, and nothing is changed, when the position is not above the last one, or when `after` is given and is
        not the last one: then another process has written some of these changes already.

        Raises:
            LookupError: the projection was not prepared.
        """
        ...

    def apply_all(self, steps: Sequence[Step], position: int) -> bool:
        """What `apply` does, for several projections in one transaction: all of them, or False and none.

        False also when another process has prepared one of them in another version since this one did.

        Raises:
            LookupError: a projection was not prepared.
        """
        ...

    def position(self, projection: str) -> int:
        """The last position applied, 0 before the first."""
        ...

    def positions(self, projections: Sequence[Projection]) -> dict[str, int]:
        """The position of each of them, by name, all as they were at one moment."""
        ...

    def filling(self, projections: Sequence[Projection]) -> AbstractContextManager[None]:
        """For many rows from position 0: whatever only helps reading may be missing until the end, and is then made.

        Rows, positions and answers are the same with and without it. A projection that has begun is left as it is.
        """
        ...

    def select(
        self,
        table: Table[RowT],
        where: Sequence[Condition] = (),
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> Sequence[RowT]:
        """The rows that satisfy every condition; `order` names columns, with a `-` before it from high to low."""
        ...

    def remove(self, deletes: Sequence[Delete]) -> None:
        """Take rows away that have been dealt with, at no position of the log; a rebuild brings them back."""
        ...

    def reset(self, projection: Projection) -> None:
        """Empty the projection's tables and begin again at position 0."""
        ...

    def close(self) -> None:
        """Release the files and connections."""
        ...


def microseconds_of(moment: datetime) -> int:
    """Microseconds since 1970 in UTC, exactly."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(microseconds: int, zone: tzinfo = UTC) -> datetime:
    """The moment that many microseconds after 1970, in the zone."""
    return (EPOCH + timedelta(microseconds=microseconds)).astimezone(zone)
