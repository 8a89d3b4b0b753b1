"""How a feed fares, folded from what came of each look at it; and when its silence is an alarm for people.

Silence is counted while we listen: the time in which this process was down is not the feed's. It adds up over
restarts, so a process that keeps ending still tells of a feed that it never heard. Whether an alarm is standing is
known from the recorded events, not from here: `silent_since` is given back from them at every start.

How a feed is fetched does not belong here.
"""

from enum import StrEnum
from statistics import median
from typing import Final

from domain.edge_events import FeedFellSilent, FeedHeardAgain
from domain.values import Moment, Value

WINDOW: Final = 50
"""How many of the last looks the error rate and the latency are taken over."""


class PollOutcome(StrEnum):
    """What a look at a feed came to."""

    OK = "ok"
    NOT_MODIFIED = "not-modified"
    FAILED = "failed"


class Poll(Value):
    """One look at a feed: how it ended, why it failed (`code: sentence`), how many new messages came, how long it took.

    `messages` may be above 0 in a failed look: what came of a half-read list is taken in all the same.
    """

    at: Moment
    outcome: PollOutcome
    reason: str = ""
    messages: int = 0
    refused: int = 0
    seconds: float = 0.0


class FeedHealth(Value):
    """The figures of one feed; `unheard_seconds` and `no_message_seconds` count only while somebody listened.

    `listened_until` is up to when they count, None after a start: what lay before it nobody listened to.
    """

    polls: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    messages: int = 0
    refused: int = 0
    last_poll: Moment | None = None
    last_success: Moment | None = None
    last_message: Moment | None = None
    last_failure: Moment | None = None
    last_reason: str = ""
    failed_window: tuple[bool, ...] = ()
    latency_window: tuple[float, ...] = ()
    listened_until: Moment | None = None
    unheard_seconds: float = 0.0
    no_message_seconds: float = 0.0
    silent_since: Moment | None = None

    @property
    def error_rate(self) -> float | None:
        """The share of failed looks among the last ones; None before the first."""
        return sum(self.failed_window) / len(self.failed_window) if self.failed_window else None

    @property
    def last_seconds(self) -> float | None:
        """How long the last answered look took."""
        return self.latency_window[-1] if self.latency_window else None

    @property
    def median_seconds(self) -> float | None:
        """The median over the last answered looks."""
        return median(self.latency_window) if self.latency_window else None


class Patience(Value):
    """For how long a feed may be without success, and (None: for ever) without a message, before it is an alarm."""

    quiet_seconds: float
    message_quiet_seconds: float | None = None


def started(health: FeedHealth, silent_since: Moment | None) -> FeedHealth:
    """Begin to listen again: the time until now does not count, and the alarm is the one on record."""
    return health.model_copy(update={"listened_until": None, "silent_since": silent_since})


def listened(health: FeedHealth, now: Moment) -> FeedHealth:
    """Count the time up to now. A clock that was set back takes nothing away."""
    before = health.listened_until
    passed = 0.0 if before is None else max(0.0, (now - before).total_seconds())
    return health.model_copy(
        update={
            "listened_until": now,
            "unheard_seconds": health.unheard_seconds + passed,
            "no_message_seconds": health.no_message_seconds + passed,
        }
    )


def polled(health: FeedHealth, poll: Poll) -> FeedHealth:
    """Fold one look into the figures."""
    failed = poll.outcome is PollOutcome.FAILED
    changed: dict[str, object] = {
        "polls": health.polls + 1,
        "failures": health.failures + failed,
        "failures_in_a_row": health.failures_in_a_row + 1 if failed else 0,
        "messages": health.messages + poll.messages,
        "refused": health.refused + poll.refused,
        "last_poll": poll.at,
        "failed_window": (*health.failed_window, failed)[-WINDOW:],
    }
    if failed:
        changed |= {"last_failure": poll.at, "last_reason": poll.reason}
    else:
        changed |= {
            "last_success": poll.at,
            "unheard_seconds": 0.0,
            "latency_window": (*health.latency_window, poll.seconds)[-WINDOW:],
        }
    if poll.messages:
        changed |= {"last_message": poll.at, "no_message_seconds": 0.0}
    return listened(health, poll.at).model_copy(update=changed)


def why_silent(health: FeedHealth, patience: Patience) -> str:
    """Why the feed counts as silent now; empty while it does not."""
    if health.unheard_seconds > patience.quiet_seconds:
        tried = f"no usable answer for {patience.quiet_seconds:g} s of listening"
        last = f"; the last failure was {health.last_reason}" if health.last_reason else ""
        return tried + (last if health.last_success else f"; none ever came{last}")
    limit = patience.message_quiet_seconds
    if limit is not None and health.no_message_seconds > limit:
        return f"it answers, and no new message came for {limit:g} s of listening"
    return ""


def an_alarm_is_raised_once_and_ends_once(
    health: FeedHealth, patience: Patience, *, feed: str, agency: str, now: Moment
) -> FeedFellSilent | FeedHeardAgain | None:
    """The event that is due, if any: an alarm when silence begins, its end when the feed is heard after it.

    An alarm ends only by a success after it began. Figures that were lost (a deleted file) end none.
    """
    reason = why_silent(health, patience)
    since = health.silent_since
    if since is None:
        if not reason:
            return None
        lasting = patience.quiet_seconds
        if health.unheard_seconds <= patience.quiet_seconds and patience.message_quiet_seconds is not None:
            lasting = patience.message_quiet_seconds
        return FeedFellSilent(
            at=now,
            feed=feed,
            agency=agency,
            quiet_seconds=lasting,
            last_success=health.last_success,
            last_message=health.last_message,
            reason=reason,
        )
    if reason or health.last_success is None or health.last_success <= since:
        return None
    return FeedHeardAgain(at=now, feed=feed, agency=agency, silent_since=since)


def alarmed(health: FeedHealth, event: FeedFellSilent | FeedHeardAgain) -> FeedHealth:
    """Remember the alarm that an event raised or ended."""
    since = event.at if isinstance(event, FeedFellSilent) else None
    return health.model_copy(update={"silent_since": since})
