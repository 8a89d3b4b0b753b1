"""P1 (and P2, beside) with our side's log, read tables, outbox and vault in a real PostgreSQL that waits for its disk.

Everything else is as in P1: the same messages, the same receiver, the same Alertmanager beside it, which keeps
everything in memory as there. The goal is the same as well, although PostgreSQL is for several processes and one
machine is better served by SQLite: what the way to the server costs is what this shows.
"""

from functools import partial
from typing import Final

from adapters.bench.p1 import CONNECTIONS, GOAL, MESSAGES, both_sides, rows_of
from adapters.bench.postgres import database, schema
from adapters.bench.row import Row

NOTE: Final = "as the row on SQLite, with log and read tables in PostgreSQL, fsync on, on the same machine"


def measure(rounds: int = 5, messages: int = MESSAGES, *, database_url: str | None = None) -> list[Row]:
    """Both figures of P1, on the PostgreSQL that is named, or on one of the bench's own.

    Raises:
        PeerMissingError: Alertmanager is not installed, or there is no PostgreSQL.
    """
    return measured("P1-PG", rounds, messages, database_url, size=1, goal=GOAL)


def measured(row_id: str, rounds: int, messages: int, database_url: str | None, *, size: int, goal: float) -> list[Row]:
    """The rate's row and the 99th percentile's, with so many messages in each request."""
    with database(database_url) as url:
        pairs = both_sides(rounds, messages, size=size, database=partial(schema, url))
    what = f"on PostgreSQL: message over HTTP to notification, batch {size}, {CONNECTIONS} connections"
    return rows_of(row_id, what, pairs, goal=goal, note=NOTE)
