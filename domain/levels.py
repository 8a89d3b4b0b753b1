"""The five warning levels and their order.

A level belongs to the agency that set it: nothing here raises, lowers or guesses one. The words a level is
printed with are a matter of policy and language, not of this file.
"""

from enum import Enum
from functools import total_ordering


@total_ordering
class Level(Enum):
    """A warning level, ordered from white (lowest) to red (highest)."""

    WHITE = "white"
    BLUE = "blue"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"

    @property
    def rank(self) -> int:
        """0 for white to 4 for red; the distance between two levels is the difference of their ranks."""
        return _RANKS[self]

    @property
    def cap_severity(self) -> str:
        """CAP 1.2 `severity` that this level is published with (DOMAIN: white and blue are both Minor)."""
        return _CAP_SEVERITIES[self]

    def __lt__(self, other: object) -> bool:
        """Order by rank, never by the word."""
        if not isinstance(other, Level):
            return NotImplemented
        return _RANKS[self] < _RANKS[other]


_RANKS = {level: rank for rank, level in enumerate(Level)}
_CAP_SEVERITIES = {
    Level.WHITE: "Minor",
    Level.BLUE: "Minor",
    Level.YELLOW: "Moderate",
    Level.ORANGE: "Severe",
    Level.RED: "Extreme",
}


def levels_apart(first: Level, second: Level) -> int:
    """How many steps lie between two levels; 0 when they are equal."""
    return abs(first.rank - second.rank)
