"""Clocks: the machine's, and one that is set by hand for replays, demonstrations and tests."""

from datetime import UTC, datetime


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """The current moment."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is set. It can be set back: a replay of old messages begins in the past."""

    def __init__(self, moment: datetime) -> None:
        """Begin at this moment."""
        self._moment = moment

    def now(self) -> datetime:
        """The moment it was set to."""
        return self._moment

    def set(self, moment: datetime) -> None:
        """Move to this moment."""
        self._moment = moment
