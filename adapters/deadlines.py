"""The `Deadlines` port: over the read tables, and for processes that leave deadlines to another one."""

from collections.abc import Sequence
from datetime import datetime

from domain.deadlines import Due, DueKind
from domain.messages import Mode
from projections import deadlines
from projections.base import ReadTables


class ReadDeadlines:
    """The `Deadlines` port over the read tables."""

    def __init__(self, tables: ReadTables) -> None:
        """Read from these tables."""
        self._tables = tables

    def due(self, until: datetime) -> Sequence[Due]:
        """All deadlines at or before this moment, earliest first."""
        found = deadlines.due(self._tables, until)
        return [Due(kind=DueKind(d.kind), mode=Mode(d.mode), owner=d.owner, key=d.key, at=d.due) for d in found]

    def next_due(self) -> datetime | None:
        """The earliest deadline that has not been settled."""
        return deadlines.next_due(self._tables)

    def settled(self, dues: Sequence[Due]) -> None:
        """These have been acted on and must not come up again."""
        rows = [deadlines.Due(due.kind.value, due.mode.value, due.owner, due.key, due.at) for due in dues]
        deadlines.settled(self._tables, rows)


class NoDeadlines:
    """The `Deadlines` port where another process acts on them."""

    def due(self, until: datetime) -> Sequence[Due]:  # noqa: ARG002 -- the port's
        """None."""
        return ()

    def next_due(self) -> datetime | None:
        """Never."""
        return None

    def settled(self, dues: Sequence[Due]) -> None:
        """Nothing."""
