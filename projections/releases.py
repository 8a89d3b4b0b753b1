"""Every release as it went out: its texts, its CAP message and the names of its sections' messages.

What a release said in full is in the log at its position and never changes there: it is read from there when it is
asked for, and not kept twice.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec.json import decode, encode

from domain.events import WarningReleased
from domain.messages import Mode
from domain.ports import EventLog
from projections import facts
from projections.base import (
    Condition,
    Insert,
    Projection,
    ReadTables,
    RowChange,
    Table,
    equal,
    microseconds_of,
    moment_of,
)


class ReleaseRow(NamedTuple):
    """One release; `texts` and `changes` are the event's own JSON, `section_messages` without the sections."""

    position: int
    at: int
    mode: str
    district: str
    warning_id: str
    revision: int
    number: int
    message_type: str
    sender: str
    identifier: str
    cause: str
    texts: bytes
    cap: str
    changes: bytes
    section_messages: bytes


RELEASES = Table(
    "releases",
    ReleaseRow,
    key=("position",),
    indexes=(("warning_id", "position"), ("district", "mode", "position"), ("mode", "position"), ("identifier",)),
)


def _released(position: int, fact: facts.WarningReleased) -> Iterable[RowChange]:
    row = ReleaseRow(
        position,
        microseconds_of(fact.at),
        fact.mode,
        fact.district,
        fact.warning_id,
        fact.revision,
        fact.number,
        fact.message_type,
        fact.sender,
        fact.identifier,
        fact.cause,
        bytes(fact.texts),
        fact.cap,
        bytes(fact.changes),
        encode(fact.section_messages),
    )
    yield Insert(RELEASES, row)


RELEASE_PROJECTION = Projection(
    name="releases", version=1, tables=(RELEASES,), handlers={WarningReleased.TOPIC: _released}
)


class Release(NamedTuple):
    """One release, ready to be shown."""

    row: ReleaseRow

    @property
    def at(self) -> datetime:
        """When it became public, in UTC."""
        return moment_of(self.row.at)

    @property
    def cap_name(self) -> str:
        """The file name of its CAP message."""
        return f"{self.row.identifier}.xml"

    def as_json(self) -> dict[str, Any]:
        """All but what it said of each hazard, which `released` reads from the log."""
        row = self.row
        return {
            "position": row.position,
            "at": self.at.isoformat(),
            "mode": row.mode,
            "district": row.district,
            "warning_id": row.warning_id,
            "revision": row.revision,
            "number": row.number,
            "message_type": row.message_type,
            "sender": row.sender,
            "identifier": row.identifier,
            "cause": row.cause,
            "texts": decode(row.texts),
            "changes": decode(row.changes),
            "cap": {"name": self.cap_name, "text": row.cap},
            "section_messages": decode(row.section_messages),
        }


def releases(
    tables: ReadTables,
    *,
    mode: Mode | None = None,
    warning_id: str | None = None,
    district: str | None = None,
    until: datetime | None = None,
    limit: int | None = None,
) -> Sequence[Release]:
    """Releases of a warning, of a district or of all, newest first; with `until`, those until that moment."""
    wanted = {"warning_id": warning_id, "district": district, "mode": mode.value if mode else None}
    where = [condition for name, value in wanted.items() if value is not None for condition in equal(**{name: value})]
    if until is not None:
        where.append(Condition("at", "<=", microseconds_of(until)))
    return [Release(row) for row in tables.select(RELEASES, where, order=("-position",), limit=limit)]


def release_named(tables: ReadTables, identifier: str) -> Release | None:
    """The release with this CAP identifier."""
    rows = tables.select(RELEASES, equal(identifier=identifier), limit=1)
    return Release(rows[0]) if rows else None


def release_of_revision(tables: ReadTables, warning_id: str, revision: int) -> Release | None:
    """The release that made a revision public: the first of it or of a later revision; None while there is none."""
    where = (*equal(warning_id=warning_id), Condition("revision", ">=", revision))
    rows = tables.select(RELEASES, where, order=("position",), limit=1)
    return Release(rows[0]) if rows else None


def released(log: EventLog, release: Release) -> WarningReleased:
    """The release itself, sections and their messages included.

    Raises:
        LookupError: the log has none at its position: the tables are another log's, and must be rebuilt.
    """
    recorded = next(log.read(after=release.row.position - 1, limit=1), None)
    if recorded is None or not isinstance(recorded.event, WarningReleased):
        raise LookupError(f"the log has no release at position {release.row.position}; rebuild the projections")
    return recorded.event
