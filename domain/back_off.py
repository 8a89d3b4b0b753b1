"""How long to wait before something that failed is tried again."""

from datetime import timedelta
from typing import Final

FIRST_SECONDS: Final = 1.0
LONGEST_SECONDS: Final = 900.0


def back_off(
    failures: int,
    *,
    chance: float,
    at_least_seconds: float = 0.0,
    first_seconds: float = FIRST_SECONDS,
    longest_seconds: float = LONGEST_SECONDS,
) -> timedelta:
    """The wait after so many failures in a row: doubling, and shortened by up to a half by chance (0 to 1).

    Chance keeps those who failed together from coming back together. `at_least_seconds` is what the other side has
    asked for.
    """
    doubled = min(longest_seconds, first_seconds * 2.0 ** min(max(failures, 1) - 1, 30))
    return timedelta(seconds=max(at_least_seconds, doubled * (1 - 0.5 * chance)))
