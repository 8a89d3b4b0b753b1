"""P2: as P1, with a hundred messages in each request: a JSON array of CAP messages beside an array of alerts."""

from adapters.bench.p1 import CONNECTIONS, MESSAGES, both_sides, rows_of
from adapters.bench.row import Row

BATCH = 100
GOAL = 2.0


def measure(rounds: int = 5, messages: int = MESSAGES) -> list[Row]:
    """Both figures of P2.

    Raises:
        PeerMissingError: Alertmanager is not installed.
    """
    pairs = both_sides(rounds, messages, size=BATCH)
    what = f"message over HTTP to notification, batch {BATCH}, {CONNECTIONS} connections"
    return rows_of("P2", what, pairs, goal=GOAL)
