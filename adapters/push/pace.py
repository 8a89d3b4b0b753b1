"""How much the courier does at once, and the places that releases on their way take."""

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from adapters.push.lane import Lane

PATIENCE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is done at once, and how long a failing target is borne with."""

    districts_at_once: int = 16
    releases_at_once: int = 256
    failing_at_once: int = 64
    patience: timedelta = PATIENCE
    tick_seconds: float = 0.2
    mark_seconds: float = 0.005
    longest_hand_over_seconds: float = 120.0


@dataclass(slots=True)
class Places:
    """Lanes that wait for their turn, and how many releases may be on their way at once."""

    most: int
    taken: int = 0
    queue: deque[Lane] = field(default_factory=deque)
