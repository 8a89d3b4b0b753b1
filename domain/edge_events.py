"""What happened at the house's edges, where it meets other systems: feeds that fell silent, releases passed on.

Nothing here changes what a warning says. The registry of all events is in `events.py`.
"""

from typing import Final

from domain.event import Event
from domain.values import Moment


class WebhookDisabled(Event):
    """A downstream system gets nothing more until somebody enables it; `host` is all that is told of its address."""

    TOPIC = "webhook-disabled"

    webhook: str
    host: str
    position: int
    reason: str
    failing_since: Moment | None = None


class FeedFellSilent(Event):
    """Nothing usable has come from a feed for longer than it may be quiet: an alarm for people."""

    TOPIC = "feed-fell-silent"

    feed: str
    agency: str
    quiet_seconds: float
    last_success: Moment | None = None
    last_message: Moment | None = None
    reason: str


class FeedHeardAgain(Event):
    """A feed that had fallen silent is heard again."""

    TOPIC = "feed-heard-again"

    feed: str
    agency: str
    silent_since: Moment


class ReleasePassedUp(Event):
    """A release was handed to a parent system: `position` is the release's, `form` is `cap` or `cn12379`."""

    TOPIC = "release-passed-up"

    parent: str
    form: str
    position: int
    warning_id: str
    documents: tuple[str, ...]
    note: str = ""


class PassedUpAcknowledged(Event):
    """A parent system answered a document: accepted or refused, with its code and words."""

    TOPIC = "passed-up-acknowledged"

    parent: str
    form: str
    position: int
    document: str
    accepted: bool
    error_code: str = ""
    note: str = ""


class PassingUpFailed(Event):
    """A release did not reach a parent system, and the reason; `final` when it is not tried again by itself."""

    TOPIC = "passing-up-failed"

    parent: str
    form: str
    position: int
    reason: str
    final: bool


EDGE_EVENTS: Final[tuple[type[Event], ...]] = (
    WebhookDisabled,
    FeedFellSilent,
    FeedHeardAgain,
    ReleasePassedUp,
    PassedUpAcknowledged,
    PassingUpFailed,
)
