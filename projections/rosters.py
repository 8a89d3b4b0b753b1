"""Every version of every roster: when it came, who brought it, how many are on it and how it differs from the last.

Who is on it is kept under its SHA-256 beside the log; how they are reached is in the vault alone.
"""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Any, NamedTuple

from domain import telling_events
from projections import facts
from projections.base import Insert, Projection, ReadTables, RowChange, Table, equal, microseconds_of, moment_of


class RosterRow(NamedTuple):
    """One version of a roster."""

    position: int
    at: int
    roster: str
    mode: str
    version: int
    recipients_sha256: str
    recipients: int
    entered: int
    changed: int
    left_it: int
    source: str
    brought_by: str


ROSTERS = Table("rosters", RosterRow, key=("position",), indexes=(("roster", "version"),))


def _imported(position: int, fact: facts.RosterImported) -> Iterable[RowChange]:
    row = RosterRow(
        position=position,
        at=microseconds_of(fact.at),
        roster=fact.roster,
        mode=fact.mode,
        version=fact.version,
        recipients_sha256=fact.recipients_sha256,
        recipients=fact.recipients,
        entered=fact.entered,
        changed=fact.changed,
        left_it=fact.left,
        source=fact.source,
        brought_by=fact.by,
    )
    yield Insert(ROSTERS, row)


ROSTER_PROJECTION = Projection(
    name="rosters", version=1, tables=(ROSTERS,), handlers={telling_events.RosterImported.TOPIC: _imported}
)


def versions(tables: ReadTables, roster: str) -> Sequence[RosterRow]:
    """A roster's versions, the newest first."""
    return tables.select(ROSTERS, equal(roster=roster), order=("-version",))


def newest(tables: ReadTables) -> Sequence[RosterRow]:
    """The newest version of every roster, by its name."""
    found = {row.roster: row for row in tables.select(ROSTERS, order=("position",))}
    return [found[roster] for roster in sorted(found)]


def document(row: RosterRow, zone: tzinfo) -> dict[str, Any]:
    """A version as JSON."""
    return {
        "roster": row.roster,
        "mode": row.mode,
        "version": row.version,
        "at": moment_of(row.at).astimezone(zone).isoformat(),
        "recipients": row.recipients,
        "entered": row.entered,
        "changed": row.changed,
        "left": row.left_it,
        "source": row.source,
        "by": row.brought_by,
        "recipients_sha256": row.recipients_sha256,
    }
