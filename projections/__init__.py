"""Read models: one question each, rebuilt from zero by the same code that keeps them current.

Here: what is in force, how it came about, who was told, how the feeds fare.
Not here: decisions, and the tables that hold the answers, which are in `adapters.store`.
"""

from projections.arrivals import ARRIVAL_PROJECTION
from projections.board import BOARD
from projections.callup_tables import CALL_UP_PROJECTION
from projections.deadlines import DEADLINE_PROJECTION
from projections.feed_health import FEED_HEALTH
from projections.history import HISTORY_PROJECTION
from projections.parked import PARKED_PROJECTION
from projections.passing_up import PASSING_UP_PROJECTION
from projections.releases import RELEASE_PROJECTION
from projections.rosters import ROSTER_PROJECTION

PROJECTIONS = (
    BOARD,
    HISTORY_PROJECTION,
    DEADLINE_PROJECTION,
    PARKED_PROJECTION,
    RELEASE_PROJECTION,
    FEED_HEALTH,
    PASSING_UP_PROJECTION,
    ROSTER_PROJECTION,
    CALL_UP_PROJECTION,
    ARRIVAL_PROJECTION,
)
"""All of them; what is not in here is neither kept current nor rebuilt."""
