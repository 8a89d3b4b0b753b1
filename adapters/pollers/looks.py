"""What a look at a feed gives back, and the one error that ends it: a stable code and a sentence for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.feed_health import PollOutcome
from streams.intake import Outcome, Receipt


class FeedCode(StrEnum):
    """Why a look failed, beside the codes of `OutboundCode` for requests without an answer. Stable."""

    HTTP_STATUS = "http-status"  # an answer other than 200, or 304 where that was asked for
    REDIRECT = "redirect"  # the server sends elsewhere, where nobody allowed us to go
    NOT_A_FEED = "not-a-feed"  # no Atom or RSS, or XML that is not read (DTD, too large, not well-formed)
    TOO_MANY_ENTRIES = "too-many-entries"
    NOT_A_LIST = "not-a-list"  # JSON that is not what the profile describes, or no JSON
    PAGES_DISAGREE = "pages-disagree"  # the list changed between its pages: what came is no whole list
    INCOMPLETE = "incomplete"  # an item without an id: absence from the list means nothing
    SUDDENLY_SHORT = "suddenly-short"  # more is gone than may be at once; the next look confirms it or not
    ENTRIES = "entries"  # nothing of what was due could be fetched
    FOLDER = "folder"  # the folder cannot be read or written
    OUTLET = "outlet"  # this outlet could not take it in: no fault of the feed


class FeedError(Exception):
    """A look that failed. `retry_after_seconds` is what the server asked for, 0 for nothing."""

    def __init__(self, code: str, sentence: str, *, retry_after_seconds: float = 0.0) -> None:
        """Keep all three; the sentence never holds a key."""
        self.code = code
        self.sentence = sentence
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"{code}: {sentence}")


@dataclass(frozen=True, slots=True)
class Look:
    """What a look came to: `messages` are new ones, `refused` those that the intake recorded as refused."""

    outcome: PollOutcome
    reason: str = ""
    messages: int = 0
    refused: int = 0
    retry_after_seconds: float = 0.0
    latency_seconds: float | None = None


def failed(error: FeedError, *, messages: int = 0, refused: int = 0) -> Look:
    """A look that ended in this error, after so many messages."""
    return Look(PollOutcome.FAILED, str(error), messages, refused, error.retry_after_seconds)


def counted(receipts: Iterable[Receipt]) -> tuple[int, int]:
    """How many of the receipts are for new messages, and how many for refused ones."""
    outcomes = [receipt.outcome for receipt in receipts]
    return outcomes.count(Outcome.ACCEPTED), outcomes.count(Outcome.REJECTED)
