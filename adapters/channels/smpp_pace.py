"""How fast a route may go: how many units may be unanswered at once, and when the next may go. Pure: time comes in.

An SMSC that says it is throttled gets half as many at once, after a pause that doubles while it goes on saying so;
each answer that takes a message gives a little of it back.
"""

from typing import Final

from domain.back_off import back_off

FIRST_PAUSE_SECONDS: Final = 0.2


class Pace:
    """The pace of one route. It outlives its connections: a new one does not begin at full speed."""

    def __init__(self, window: int, longest_pause_seconds: float) -> None:
        """Full speed until told otherwise."""
        self._window = window
        self._longest_pause_seconds = longest_pause_seconds
        self._allowed = float(window)
        self._slowed_at = float("-inf")
        self._in_a_row = 0
        self.resume_at = float("-inf")

    @property
    def allowed(self) -> int:
        """How many may be unanswered at once; at least one."""
        return int(self._allowed)

    def throttled(self, sent_at: float, now: float, chance: float) -> float:
        """The SMSC was too busy for what was sent then; for how many seconds nothing more is sent.

        All that was sent before the last slowing down is of the same occasion, and counts once.
        """
        if sent_at > self._slowed_at:
            self._slowed_at = now
            self._in_a_row += 1
            self._allowed = max(1.0, self._allowed / 2)
            pause = back_off(
                self._in_a_row,
                chance=chance,
                first_seconds=FIRST_PAUSE_SECONDS,
                longest_seconds=self._longest_pause_seconds,
            )
            self.resume_at = now + pause.total_seconds()
        return max(0.0, self.resume_at - now)

    def taken(self) -> None:
        """The SMSC has taken a message."""
        if self._allowed < self._window:
            self._in_a_row = 0
            self._allowed = min(self._window, self._allowed + 1 / self._allowed)
