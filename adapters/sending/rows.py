"""Rows of messages on their way: read many at once, written many at once, with what the log is to hear of them.

A statement for each message costs a hundred times what the message costs; so changes are gathered first.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Update, bindparam, insert, select, update

from adapters.sending.tables import MESSAGES, OUTCOMES, PLANS, SENDS, WARNINGS

MessageRow = Row[Any]
"""A row of `messages` with its send's `hazards`, its plan's time as `planned_at`, its warning's `newest` and `mode`."""

_AT_ONCE: Final = 500
"""Numbers in one query: every database takes so many parameters."""

_CHANGING: Final = (
    "state",
    "queue",
    "kinds",
    "due",
    "place",
    "attempts",
    "worker",
    "lease",
    "said",
    "in_doubt",
    "route",
    "reference",
    "handed_at",
    "ended_at",
    "reason",
)
_CHANGE: Final[Update] = (
    update(MESSAGES)
    .where(MESSAGES.c.plan == bindparam("its_plan"), MESSAGES.c.number == bindparam("its_number"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)
_WHOLE: Final = (
    select(MESSAGES, SENDS.c.hazards, PLANS.c.at.label("planned_at"), WARNINGS.c.newest, WARNINGS.c.mode)
    .join(SENDS, SENDS.c.id == MESSAGES.c.send)
    .join(PLANS, PLANS.c.position == MESSAGES.c.plan)
    .join(WARNINGS, WARNINGS.c.id == MESSAGES.c.warning)
)
_OF_PEOPLE: Final = _WHOLE.where(
    MESSAGES.c.warning == bindparam("its_warning"), MESSAGES.c.number.in_(bindparam("numbers", expanding=True))
)
_OF_PLANS: Final = _WHOLE.where(
    MESSAGES.c.plan.in_(bindparam("plans", expanding=True)), MESSAGES.c.number.in_(bindparam("numbers", expanding=True))
)
_BY_REFERENCE: Final = _WHOLE.where(
    MESSAGES.c.reference.in_(bindparam("references", expanding=True)),
    MESSAGES.c.route == bindparam("its_route"),
    MESSAGES.c.reference != "",
)


class Changes:
    """What is to be written at the end of a transaction."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int], dict[str, Any]] = {}
        self._outcomes: list[dict[str, Any]] = []

    def change(self, row: MessageRow, **values: Any) -> None:  # noqa: ANN401 -- columns of several types
        """Give the row these values; the last change of a row counts."""
        before = row._mapping  # noqa: SLF001 -- the documented way to a row's columns by name
        changed = {f"new_{name}": values.get(name, before[name]) for name in _CHANGING}
        self._rows[row.plan, row.number] = {"its_plan": row.plan, "its_number": row.number, **changed}

    def tell(self, row: MessageRow, state: str, at: float, *, route: str = "", reason: str = "") -> None:
        """Note for the log what became of the row."""
        self._outcomes.append(
            {
                "batch": "",
                "mode": row.mode,
                "plan": row.plan,
                "number": row.number,
                "kind": row.queue.partition("/")[2],
                "route": route,
                "state": state,
                "at": at,
                "reason": reason,
            }
        )

    def write(self, connection: Connection) -> None:
        """Write everything."""
        if self._rows:
            connection.execute(_CHANGE, list(self._rows.values()))
        if self._outcomes:
            connection.execute(insert(OUTCOMES), self._outcomes)


def rows_of_people(connection: Connection, warning: int, numbers: Sequence[int]) -> list[MessageRow]:
    """Every row of these people for a warning."""
    rows: list[MessageRow] = []
    for some in _in_parts(numbers):
        rows += connection.execute(_OF_PEOPLE, {"its_warning": warning, "numbers": some}).all()
    return rows


def rows_of_plans(
    connection: Connection, plans: Sequence[int], numbers: Sequence[int]
) -> Mapping[tuple[int, int], MessageRow]:
    """The rows of these people for these plans, by plan and number."""
    rows: dict[tuple[int, int], MessageRow] = {}
    for some in _in_parts(numbers):
        for row in connection.execute(_OF_PLANS, {"plans": plans, "numbers": some}):
            rows[row.plan, row.number] = row
    return rows


def rows_by_reference(connection: Connection, route: str, references: Sequence[str]) -> list[MessageRow]:
    """The rows that a route's server knows by these names."""
    rows: list[MessageRow] = []
    for some in _in_parts(references):
        rows += connection.execute(_BY_REFERENCE, {"its_route": route, "references": some}).all()
    return rows


def _in_parts(items: Sequence[Any]) -> Sequence[Sequence[Any]]:
    return [items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE)]
