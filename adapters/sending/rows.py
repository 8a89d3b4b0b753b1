"""Rows of messages on their way: read many at once, written many at once, with what the log is to hear of them.

A statement for each message costs a hundred times what the message costs; so changes are gathered first, and those of
one kind are one prepared statement whose parameters go to the driver as they are.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Row, Select, bindparam, insert, select, update
from sqlalchemy.sql.dml import ValuesBase

from adapters.sending.tables import HAS_REFERENCE, MESSAGES, OUTCOMES, WAITING, WITHDRAWN
from adapters.store.kept_tables import as_set, is_one_of
from domain.messages import Mode
from domain.sending import Ending

MessageRow = Row[Any]
"""A row of `messages`, without what nobody reads here."""

_OUTCOME: Final = ("batch", "mode", "plan", "number", "kind", "route", "state", "at", "reason")
_ROW: Final = select(
    MESSAGES.c.plan,
    MESSAGES.c.number,
    MESSAGES.c.send,
    MESSAGES.c.state,
    MESSAGES.c.queue,
    MESSAGES.c.due,
    MESSAGES.c.kinds,
    MESSAGES.c.place,
    MESSAGES.c.language,
    MESSAGES.c.attempts,
    MESSAGES.c.lease,
    MESSAGES.c.said,
    MESSAGES.c.in_doubt,
    MESSAGES.c.reference,
    MESSAGES.c.reason,
)


def queue_of(mode: Mode, kind: str) -> str:
    """The name of a queue: drills have their own, so that no real route ever sees one of them."""
    return f"{mode.value}/{kind}"


def new_row(  # noqa: PLR0913 -- what a row says is all of these
    *, plan: int, warning: int, send: int, rank: int, mode: Mode, due: float, language: str, kinds: str
) -> dict[str, Any]:
    """A waiting row but for the person's number."""
    return {
        "plan": plan,
        "warning": warning,
        "send": send,
        "state": WAITING,
        "queue": queue_of(mode, kinds.split(",", maxsplit=1)[0]),
        "rank": rank,
        "due": due,
        "kinds": kinds,
        "place": 0,
        "language": language,
        "attempts": 0,
        "worker": "",
        "lease": 0,
        "in_doubt": False,
        "route": "",
        "reference": "",
        "reason": "",
    }


class Changes:
    """What is to be written at the end of a transaction."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int], dict[str, Any]] = {}
        self._outcomes: list[tuple[Any, ...]] = []

    def change(self, row: MessageRow, **values: Any) -> None:  # noqa: ANN401 -- columns of several types
        """Give the row these values; the last value given to a column counts."""
        self.change_at(row.plan, row.number, values)

    def change_at(self, plan: int, number: int, values: Mapping[str, Any]) -> None:
        """The same for the row of a plan and a person."""
        before = self._rows.get((plan, number))
        self._rows[plan, number] = dict(values) if before is None else {**before, **values}

    def tell(self, row: MessageRow, state: str, at: float, *, route: str = "", reason: str = "") -> None:
        """Note for the log what became of the row."""
        mode, _, kind = row.queue.partition("/")
        self._outcomes.append(("", mode, row.plan, row.number, kind, route, state, at, reason))

    def withdraw(self, row: MessageRow, ending: Ending, at: float) -> None:
        """It is not handed over, for this reason."""
        self.change(row, state=WITHDRAWN, reason=ending.value, ended_at=at, worker="")
        self.tell(row, WITHDRAWN, at, reason=ending.value)

    def write(self, connection: Connection) -> None:
        """Write everything."""
        alike: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for key, values in self._rows.items():
            alike.setdefault(tuple(values), []).append((*values.values(), *key))
        for names, rows in alike.items():
            change = _change(names, connection.dialect)
            _execute_many(connection, change, (*(f"new_{name}" for name in names), "its_plan", "its_number"), rows)
        if self._outcomes:
            _execute_many(connection, _new_outcome(connection.dialect), _OUTCOME, self._outcomes)


def rows_of_people(connection: Connection, warning: int, numbers: Sequence[int]) -> list[MessageRow]:
    """Every row of these people for a warning."""
    parameters = {"its_warning": warning, "numbers": as_set(connection, numbers)}
    return list(connection.execute(_of_people(connection.dialect.name), parameters).fetchall())


def rows_of_plans(
    connection: Connection, plans: Sequence[int], numbers: Sequence[int]
) -> Mapping[tuple[int, int], MessageRow]:
    """The rows of these people for these plans, by plan and number."""
    parameters = {"plans": as_set(connection, plans), "numbers": as_set(connection, numbers)}
    found = connection.execute(_of_plans(connection.dialect.name), parameters).fetchall()
    return {(row.plan, row.number): row for row in found}


def rows_by_reference(connection: Connection, route: str, references: Sequence[str]) -> list[MessageRow]:
    """The rows that a route's server knows by these names."""
    rows: list[MessageRow] = []
    for start in range(0, len(references), _AT_ONCE):
        some = references[start : start + _AT_ONCE]
        rows += list(connection.execute(_BY_REFERENCE, {"its_route": route, "references": some}))
    return rows


_AT_ONCE: Final = 500
"""Texts in one query: every database takes so many parameters."""

_BY_REFERENCE: Final = _ROW.where(
    MESSAGES.c.reference.in_(bindparam("references", expanding=True)),
    MESSAGES.c.route == bindparam("its_route"),
    HAS_REFERENCE,
)


@lru_cache
def _of_people(dialect: str) -> Select[Any]:
    return _ROW.where(MESSAGES.c.warning == bindparam("its_warning"), is_one_of(MESSAGES.c.number, "numbers", dialect))


@lru_cache
def _of_plans(dialect: str) -> Select[Any]:
    return _ROW.where(is_one_of(MESSAGES.c.plan, "plans", dialect), is_one_of(MESSAGES.c.number, "numbers", dialect))


class _Prepared:
    """A statement in the words of a database, and in which order its driver wants the parameters, if in any."""

    def __init__(self, statement: ValuesBase, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self.order = tuple(compiled.positiontup or ()) if compiled.positional else None


@lru_cache
def _change(names: tuple[str, ...], dialect: Dialect) -> _Prepared:
    which = MESSAGES.c.plan == bindparam("its_plan"), MESSAGES.c.number == bindparam("its_number")
    return _Prepared(update(MESSAGES).where(*which).values({name: bindparam(f"new_{name}") for name in names}), dialect)


@lru_cache
def _new_outcome(dialect: Dialect) -> _Prepared:
    return _Prepared(insert(OUTCOMES).inline().values({name: bindparam(name) for name in _OUTCOME}), dialect)


def _execute_many(
    connection: Connection, prepared: _Prepared, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Run the statement for each row; `names` are those of the row's values."""
    if prepared.order is None:
        connection.exec_driver_sql(prepared.sql, [dict(zip(names, row, strict=True)) for row in rows])
    elif prepared.order == tuple(names):
        connection.exec_driver_sql(prepared.sql, list(rows))
    else:
        places = [names.index(name) for name in prepared.order]
        connection.exec_driver_sql(prepared.sql, [tuple(row[place] for place in places) for row in rows])
