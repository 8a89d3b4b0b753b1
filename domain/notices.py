"""Messages to single people that tell no warning by themselves: the request of a call-up, the code of a subscription.

They go through the same outbox and channels as warnings. A text holds `{link}` and `{code}` where the recipient's own
link and code stand; these are made at the hand-over, so that no event holds what opens something.
"""

from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.event import Event
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind, RecipientNumber
from domain.telling_events import SendText
from domain.values import Moment, Value

LINK_PLACE: Final = "{link}"
CODE_PLACE: Final = "{code}"


class Purpose(StrEnum):
    """What a notice asks for, and what its link opens."""

    CALL_UP = "call-up"
    SUBSCRIPTION = "subscription"


class Notice(Value):
    """One message to one recipient, by the first of these channels that takes it."""

    number: RecipientNumber
    channels: tuple[ChannelKind, ...]
    text: SendText


class NoticesPlanned(Event):
    """Notices about one subject. A later one for the same recipient and subject takes the place of an earlier one.

    Nothing of it is handed over after `expires`. `number` and `subject` name the recipient's link and code.
    """

    TOPIC = "notices-planned"

    mode: Mode
    purpose: Purpose
    subject: UUID
    level: Level
    notices: tuple[Notice, ...]
    expires: Moment
    warning_id: str = ""


class NoticesWithdrawn(Event):
    """What was planned about a subject for these recipients is needless: what has not been handed over, is not."""

    TOPIC = "notices-withdrawn"

    mode: Mode
    purpose: Purpose
    subject: UUID
    numbers: tuple[RecipientNumber, ...]
    reason: str


NOTICE_EVENTS: Final[tuple[type[Event], ...]] = (NoticesPlanned, NoticesWithdrawn)
