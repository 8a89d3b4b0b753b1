"""The texts of the read tables' statements: names of tables and columns are our own, every value is bound.

Questions come by the thousand in a few shapes, and SQLAlchemy's building of one costs several times its answer.
Knows nothing of connections.
"""

from collections.abc import Sequence
from typing import Any, assert_never, get_args, get_type_hints

from projections.base import Condition, Table


def select_text(
    table: Table[Any], where: Sequence[Condition], order: Sequence[str], *, limited: bool, placeholder: str
) -> str:
    """All columns of the rows that satisfy every condition, whose values are given in this order, then the limit.

    Raises:
        LookupError: the table has no such column.
    """
    named = {*(one.column for one in where), *(name.removeprefix("-") for name in order)}
    if unknown := named.difference(table.columns):
        raise LookupError(f"{table.name} has no column {', '.join(sorted(unknown))}")
    columns = ", ".join(f'"{column}"' for column in table.columns)
    statement = f'SELECT {columns} FROM "{table.name}"'  # noqa: S608 -- see the module's head
    if where:
        statement += " WHERE " + " AND ".join(_condition(one, placeholder) for one in where)
    if order:
        statement += " ORDER BY " + ", ".join(_ordered(table, name) for name in order)
    return f"{statement} LIMIT {placeholder}" if limited else statement


def _ordered(table: Table[Any], name: str) -> str:
    """One column of an order. Nothing comes before everything, which databases hold differently."""
    column, falling = name.removeprefix("-"), name.startswith("-")
    nulls = " NULLS LAST" if falling else " NULLS FIRST"
    may_be_none = type(None) in get_args(get_type_hints(table.row)[column])
    return f'"{column}"{" DESC" if falling else ""}{nulls if may_be_none else ""}'


def _condition(one: Condition, placeholder: str) -> str:
    match one.operator:
        case "begins":  # a range, where LIKE would not use the index
            return f'"{one.column}" >= {placeholder} AND "{one.column}" < {placeholder}'
        case "=" | "<=" | "<" | ">=" | ">":
            return f'"{one.column}" {one.operator} {placeholder}'
        case _:
            assert_never(one.operator)


def values_of(condition: Condition) -> tuple[int | str, ...]:
    """What is bound for a condition."""
    if condition.operator == "begins":
        return condition.value, f"{condition.value}\U0010ffff"
    return (condition.value,)


def delete_text(table: Table[Any], columns: Sequence[str], placeholder: str) -> str:
    """Delete the rows that have values in these columns."""
    where = " AND ".join(f'"{column}" = {placeholder}' for column in columns)
    return f'DELETE FROM "{table.name}" WHERE {where}'  # noqa: S608 -- see the module's head


def insert_text(table: Table[Any], placeholder: str, *, upsert: bool) -> str:
    """Write one row; with `upsert`, in place of the one with its key."""
    columns = ", ".join(f'"{column}"' for column in table.columns)
    values = ", ".join(placeholder for _ in table.columns)
    statement = f'INSERT INTO "{table.name}" ({columns}) VALUES ({values})'  # noqa: S608 -- see the module's head
    if not upsert:
        return statement
    others = ", ".join(f'"{name}" = excluded."{name}"' for name in table.columns if name not in table.key)
    key = ", ".join(f'"{name}"' for name in table.key)
    return f"{statement} ON CONFLICT ({key}) DO {f'UPDATE SET {others}' if others else 'NOTHING'}"
