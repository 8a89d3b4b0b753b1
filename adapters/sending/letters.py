"""What passes between the outbox and the worker: messages under lease, and what became of them."""

import re
import traceback
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, assert_never

from adapters.channels.port import Accepted, Later, Letter, Outcome, Refused
from domain.levels import Level
from domain.messages import Mode
from domain.notices import Purpose
from domain.recipients import ChannelKind, RecipientNumber
from domain.routing import Item, Kind
from domain.sending import Ending
from domain.telling_events import SendText

SHORTEST_NAME: Final = 3
"""Shorter parts of an address are in too many words to be told from them."""

BY_RANK: Final = {level.rank: level for level in Level}


@dataclass(frozen=True, slots=True)
class Lease:
    """One message to one person under lease. `plans` are those whose rows it stands for, the last gives it its name.

    `as_of` is up to where the log was known when it was made. `purpose` is that of a notice, `said` 0 then.
    """

    plans: tuple[int, ...]
    number: RecipientNumber
    warning: int
    mode: Mode
    warning_id: str
    kind: ChannelKind
    level: Level
    text: SendText
    planned_at: datetime
    expires: datetime | None
    repeated: bool
    attempts: int
    lease: int
    as_of: int
    said: int
    purpose: Purpose | None = None
    is_all_clear: bool = False

    @property
    def id(self) -> str:
        """The letter's name, the same whenever and by whichever channel it is tried."""
        return f"{self.plans[-1]}-{self.number}"


@dataclass(frozen=True, slots=True)
class Handed:
    """A route's server has it."""

    route: str
    reference: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PutBack:
    """It was not handed over: it goes back, to be tried from `due` on. `is_attempt` counts it as tried."""

    due: datetime
    is_attempt: bool = False
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class NextChannel:
    """This channel will not reach them: the next of their preference is tried, and where there is none it ends.

    `is_dead` says that the address is no more, so that the channel is none any longer.
    """

    route: str
    ending: Ending
    reason: str
    at: datetime
    is_dead: bool = False


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """It is not handed over at all."""

    ending: Ending
    at: datetime


Result = Handed | PutBack | NextChannel | Withdrawn


@dataclass(slots=True)
class Standing:
    """What follows from following the log: whether sending is stopped, and what is new for which warning.

    While `is_recovering` it is not known what an earlier outbox handed over, and nothing is leased.
    """

    position: int = 0
    is_stopped: bool = False
    is_recovering: bool = False
    newest: dict[int, int] = field(default_factory=dict)
    """By the outbox's number of a warning, the position of its newest plan, for those heard of by this process."""


def letter_of(lease: Lease, address: str) -> Letter:
    """What a channel is given."""
    return Letter(
        id=lease.id,
        number=lease.number,
        address=address,
        mode=lease.mode,
        level=lease.level,
        warning_id=lease.warning_id,
        text=lease.text,
        planned_at=lease.planned_at,
        expires=lease.expires,
        repeated=lease.repeated,
        purpose=lease.purpose,
        is_all_clear=lease.is_all_clear,
    )


def without(outcome: Outcome, address: str) -> Outcome:
    """The outcome with the address taken out of its reason: servers like to repeat whom they refuse."""
    match outcome:
        case Accepted():
            return outcome
        case Later() | Refused():
            return replace(outcome, reason=_without(outcome.reason, address))
        case _:
            assert_never(outcome)


def _without(reason: str, address: str) -> str:
    for form in (address, address.lstrip("+"), address.partition("@")[0]):
        if len(form) >= SHORTEST_NAME:
            reason = re.sub(re.escape(form), "…", reason, flags=re.IGNORECASE)
    return reason


def where(error: BaseException) -> str:
    """A defect by its kind and place: its words might repeat an address."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def items_as_text(items: tuple[Item, ...]) -> str:
    """Items as a line that equal items share."""
    return " ".join(f"{item.hazard}:{item.kind.value}:{item.level.value}" for item in items)


def items_from_text(text: str) -> tuple[Item, ...]:
    """The items that `items_as_text` made this line of."""
    found = (part.rsplit(":", 2) for part in text.split())
    return tuple(Item(hazard, Kind(kind), Level(level)) for hazard, kind, level in found)


def moment(seconds: float) -> datetime:
    """A stored time as a moment."""
    return datetime.fromtimestamp(seconds, UTC)
