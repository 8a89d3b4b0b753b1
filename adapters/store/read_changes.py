"""Many changes of rows brought to the few that count: per table, what to delete and then what to write.

Within one transaction nobody sees the steps between, so a row that is written and deleted again need not be
written. Knows nothing of databases.
"""

from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from projections.base import Delete, Insert, RowChange, Table, Upsert

Values = tuple[Any, ...]


class Pending:
    """What a batch of changes comes to for one table.

    First every delete, then every insert, then every upsert gives the same rows as the changes in their order: a row
    still pending was written after all deletes that would have taken it away.
    """

    def __init__(self, table: Table[Any]) -> None:
        self.table = table
        self.inserts: list[Values] = []
        self.upserts: dict[Values, Values] = {}
        self.deletes: dict[tuple[str, ...], dict[Values, None]] = {}
        places = {column: place for place, column in enumerate(table.columns)}
        self._places = places
        self._key = tuple(places[column] for column in table.key)
        # For each set of columns by which rows were deleted: which pending rows have which values there.
        self._found: dict[tuple[str, ...], dict[Values, set[Values]]] = {}
        self._selectors: dict[tuple[str, ...], tuple[int, ...]] = {}

    def insert(self, row: Values) -> None:
        """Write a row whose key is new. Rows that may be deleted again within the batch are kept by their key."""
        if self._selectors:
            self.upsert(row)
        else:
            self.inserts.append(row)

    def upsert(self, row: Values) -> None:
        """Write the row in place of the one with its key."""
        key = tuple([row[place] for place in self._key])
        self.upserts.pop(key, None)
        self.upserts[key] = row
        for columns, selector in self._selectors.items():
            values = tuple([row[place] for place in selector])
            self._found[columns].setdefault(values, set()).add(key)

    def delete(self, columns: tuple[str, ...], values: Values) -> None:
        """Take away every row, written before or still pending, that has these values."""
        self.deletes.setdefault(columns, {})[values] = None
        for row in self.inserts:
            self.upsert(row)
        self.inserts.clear()
        selector = self._selectors.get(columns) or self._index(columns)
        for key in self._found[columns].pop(values, ()):
            pending = self.upserts.get(key)
            # A later row may have taken the key with other values here.
            if pending is not None and tuple([pending[place] for place in selector]) == values:
                del self.upserts[key]
                if not set(columns) <= set(self.table.key):
                    # The row that it had taken the place of may have other values here, and is gone all the same.
                    self.deletes.setdefault(self.table.key, {})[key] = None

    def _index(self, columns: tuple[str, ...]) -> tuple[int, ...]:
        selector = tuple(self._places[column] for column in columns)
        self._selectors[columns] = selector
        found: dict[Values, set[Values]] = {}
        for key, row in self.upserts.items():
            found.setdefault(tuple([row[place] for place in selector]), set()).add(key)
        self._found[columns] = found
        return selector


def pending_of(changes: Iterable[RowChange]) -> Mapping[str, Pending]:
    """What the changes come to, by the table's name."""
    tables: dict[str, Pending] = {}
    for change in changes:
        pending = tables.get(change.table.name)
        if pending is None:
            pending = tables[change.table.name] = Pending(change.table)
        match change:
            case Insert():
                pending.insert(change.row)
            case Upsert():
                pending.upsert(change.row)
            case Delete():
                pending.delete(change.columns, change.values)
            case _:
                assert_never(change)
    return tables
