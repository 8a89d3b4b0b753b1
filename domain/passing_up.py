"""What a parent system is handed of our releases, under which sender code, and when its silence is too long.

Pure rules. Files, requests and the tables in which acknowledgements are kept belong to the adapters and projections.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from domain.events import SectionMessage, WarningReleased
from domain.levels import Level
from domain.messages import Mode
from domain.sections import Change
from domain.values import Value


class DocumentState(StrEnum):
    """How a document fares with a parent system."""

    WAITING = "waiting"  # handed over, not yet answered
    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"  # it did not reach the parent, and is not tried again by itself


class Reason(StrEnum):
    """Why a release did not come through; the first word of a recorded reason, stable."""

    UNACKNOWLEDGED = "unacknowledged"  # handed over, and no answer within the time agreed
    NO_DOCUMENT = "no-document"  # the release has no document in the parent's form
    TRYING = "trying"  # not yet handed over, and tried again
    PATIENCE_ENDED = "patience-ended"  # tried for as long as was agreed
    GONE = "gone"  # the parent wants nothing any more


def reason_text(reason: Reason, sentence: str) -> str:
    """A reason as it is recorded."""
    return f"{reason.value}: {sentence}"


class Wish(Value):
    """Which releases a parent system gets: of one mode, and of all districts, hazards and levels unless narrowed."""

    mode: Mode = Mode.LIVE
    districts: frozenset[str] = frozenset()
    hazards: frozenset[str] = frozenset()
    level_min: Level | None = None


def release_is_for(
    wish: Wish, *, mode: Mode, district: str, changes: Sequence[Change], has_begun: bool = False
) -> bool:
    """Whether a release goes up. `has_begun`: an earlier release of the same warning went up already.

    What has begun is told to its end: a parent that heard of a red hears that it was lowered and lifted, although
    blue alone would not have been told.
    """
    if mode is not wish.mode or (wish.districts and district not in wish.districts):
        return False
    wanted = [change for change in changes if not wish.hazards or change.hazard in wish.hazards]
    if not wanted:
        return False
    return has_begun or wish.level_min is None or any(_reaches(change, wish.level_min) for change in wanted)


def _reaches(change: Change, level: Level) -> bool:
    return any(side is not None and side >= level for side in (change.before, change.after))


def messages_for(wish: Wish, messages: Sequence[SectionMessage]) -> tuple[SectionMessage, ...]:
    """Of a release that goes up, the messages of the hazards asked for."""
    return tuple(message for message in messages if not wish.hazards or message.hazard in wish.hazards)


def sender_code_towards(
    own: str, *, instead: str = "", units: Mapping[str, str] | None = None, district: str = ""
) -> str:
    """The 14-digit code that a parent knows us by: its own for us, and in it the unit that it gave to the district.

    A unit is the last five digits, unit (3) and extension (2).
    """
    code = instead or own
    unit = (units or {}).get(district, "")
    return code[: len(code) - len(unit)] + unit if unit else code


def under_sender_code(release: WarningReleased, own: str, towards: str) -> WarningReleased:
    """The release with the identifiers of its messages under another sender code, references included.

    Time and number stay, so an identifier is as unmistakable as before and a chain holds together.
    """
    if own == towards:
        return release

    def renamed(identifier: str) -> str:
        return towards + identifier.removeprefix(own) if identifier.startswith(f"{own}_") else identifier

    messages = tuple(
        message.model_copy(update={"identifier": renamed(message.identifier), "first": renamed(message.first)})
        for message in release.section_messages
    )
    return release.model_copy(update={"section_messages": messages})


def acknowledgement_is_overdue(handed_over: datetime, now: datetime, within_seconds: float) -> bool:
    """Whether an unanswered document should have been answered by now."""
    return now - handed_over > timedelta(seconds=within_seconds)


def verdict_is_news(*, accepted: bool, before: bool | None) -> bool:
    """Whether an answer says something that is not recorded: the first one does, and one that turns it round."""
    return before is None or accepted is not before
