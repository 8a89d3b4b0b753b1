"""When a feed is asked again: pure, so that chance and the answer's wishes come in as arguments."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_PAUSE_SECONDS: Final = 15 * 60.0
"""However often a feed failed: a bureau that is back is heard within a quarter of an hour."""

LONGEST_OBEYED_SECONDS: Final = 60 * 60.0
"""A server that asks for a longer pause is asked again after this: a mistake there must not silence it for a day."""

SPREAD: Final = 0.1
"""A pause is lengthened by up to this share, so that many outlets do not ask at once."""

STEEPEST: Final = 16


def pause_seconds(interval_seconds: float, failures_in_a_row: int, *, wished_seconds: float, chance: float) -> float:
    """How long to wait until the next look.

    `chance` is in [0, 1). After failures the interval doubles each time up to `LONGEST_PAUSE_SECONDS` (or the
    interval itself, where that is longer) and half of the pause is left to chance, so that those who failed together
    do not come back together. `wished_seconds` is what a server asked for: never less, up to its own limit.
    """
    if failures_in_a_row:
        ceiling = max(LONGEST_PAUSE_SECONDS, interval_seconds)
        grown = min(ceiling, interval_seconds * 2.0 ** min(failures_in_a_row - 1, STEEPEST))
        pause = grown * (0.5 + 0.5 * chance) if failures_in_a_row > 1 else grown * (1 + SPREAD * chance)
    else:
        pause = interval_seconds * (1 + SPREAD * chance)
    return max(pause, min(wished_seconds, LONGEST_OBEYED_SECONDS))


def retry_after_seconds(header: str, now: datetime) -> float:
    """What `Retry-After` asks for: seconds or an HTTP date; 0 where it says nothing that can be read."""
    text = header.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def entry_pause_seconds(attempts: int) -> float:
    """How long an entry that could not be fetched is left alone: a minute, then twice as long each time, to an hour."""
    return float(min(60 * 2 ** min(max(attempts - 1, 0), STEEPEST), 3600))
