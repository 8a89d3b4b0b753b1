"""P2 on PostgreSQL: as P1 there, with a hundred messages in each request."""

from adapters.bench.p1 import MESSAGES
from adapters.bench.p1_postgres import measured
from adapters.bench.p2 import BATCH, GOAL
from adapters.bench.row import Row


def measure(rounds: int = 5, messages: int = MESSAGES, *, database_url: str | None = None) -> list[Row]:
    """Both figures of P2, on the PostgreSQL that is named, or on one of the bench's own.

    Raises:
        PeerMissingError: Alertmanager is not installed, or there is no PostgreSQL.
    """
    return measured("P2-PG", rounds, messages, database_url, size=BATCH, goal=GOAL)
